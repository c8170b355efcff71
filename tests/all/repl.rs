//! The REPL: lines from a pipe here, at a pseudo-terminal in the modules below.

use crate::world::{Ran, World};

mod fleet;
mod group;
mod history;
mod pty;
mod terminal;

/// Feeds lines to `windlass repl`.
pub(crate) fn piped(world: &World, lines: &str) -> Ran {
    world.run_with_input(&["repl"], lines)
}

/// What lines print that must all succeed.
pub(crate) fn said(world: &World, lines: &str) -> String {
    let ran = piped(world, lines);
    assert_eq!(ran.code, 0, "{lines}\n{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// Compares what was printed with what it is to be.
pub(crate) fn compare(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

/// A base with two variants, made through the REPL itself.
pub(crate) fn fleet() -> World {
    let world = World::empty();
    world.write(
        "web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1 # small\n  \
         template:\n    spec:\n      containers:\n      - name: web\n        image: web:v1\n",
    );
    let _ = said(
        &world,
        "let base = ensure_space(\"base\", #{ labels: #{ tier: \"core\" } })\n\
         let web = base.ensure_unit(\"web\", read_file(\"web.yaml\"), #{ labels: #{ team: \"shop\" } })\n\
         for region in [\"us\", \"eu\"] {\n  ensure_space(`prod-${region}`, #{ target: () }).ensure_clone(web);\n}\n",
    );
    world
}

#[test]
fn a_pipe_has_no_prompt_and_no_banner() {
    let world = fleet();
    let ran = piped(&world, "1 + 1\n\n// nothing\n\"a\" + `b`\n");
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0, "2\nab\n", ""));
    let nothing = piped(&world, "");
    assert_eq!(
        (nothing.code, &*nothing.stdout, &*nothing.stderr),
        (0, "", "")
    );
}

#[test]
fn what_earlier_lines_defined_stays() {
    let world = fleet();
    world.write(
        "lib/sums.rhai",
        "export const TEN = 10;\nfn more(x) { x + TEN_() }\nfn TEN_() { 10 }\n",
    );
    let text = said(
        &world,
        "let n = 2\nfn twice(x) { x * 2 }\nimport \"lib/sums\" as sums\nlet f = |x| x + n;\n\
         twice(n)\nsums::more(1)\nsums::TEN\nf.call(5)\nn = 7\nf.call(5)\nfn twice(x) { x * 3 }\ntwice(n)\n\
         it\nit + it\n()\nit\nargs\nlet args = 5\nargs\nconst it = 8\n1\nit\n",
    );
    assert_eq!(text, "4\n11\n10\n7\n12\n21\n21\n42\n42\n[]\n5\n1\n1\n");
}

#[test]
fn results_are_shown_as_tables_yaml_and_reports() {
    let world = fleet();
    let text = said(
        &world,
        "units(\"*/web\")\nunits(\"none-*/x\")\nunit(\"prod-us/web\")\nspaces(\"prod-*\")\n\
         #{ b: [1, \"x\"], a: #{ c: () } }\n[#{ N: 1, M: \"é\" }, #{ N: 22, M: \"取引\" }]\n[]\n\
         unit(\"prod-us/web\").set_replicas(3)\nit.diff()\nunit(\"prod-us/web\").preview(|u| u.set_replicas(4))\n",
    );
    compare("repl-results", &text);
}

#[test]
fn the_first_error_ends_a_pipe_with_its_code_and_points_at_the_column() {
    let world = fleet();
    for (lines, code, part) in [
        ("1\nlet = 3\n2\n", 1, "input-2:1:5"),
        ("let x = 1\n  x.nope()\n", 1, "input-2:1:5"),
        ("fn f(y) {\n  y.nope()\n}\nf(3)\n", 1, "2 │   y.nope()"),
        ("unit(\"nowhere/web\")\n", 1, "nowhere"),
        ("units(\"Slugg = 'a'\")\n", 1, "Slug"),
        ("exit(3)\n1\n", 3, ""),
        (
            "throw #{ kind: \"Conflict\", message: \"moved\" }\n",
            3,
            "error[Conflict]: moved",
        ),
        (":nope\n1\n", 2, "expected a command, found `:nope`"),
        (":comit\n", 2, "did you mean :commit?"),
        (":help spcaes\n", 1, "did you mean :help spaces?"),
        (":doc set_replcas\n", 1, "nearest    set_replicas"),
        ("cd nowhere\n", 1, "nowhere"),
        (":edit\n", 2, "a terminal for :edit"),
        (":load nothing.rhai\n", 1, "nothing.rhai"),
        ("units(\"*\"\n", 1, "input-1"),
        ("let x = \"open\n", 1, "backticks"),
    ] {
        let ran = piped(&world, lines);
        assert_eq!(ran.code, code, "{lines}{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(part), "{lines}{}", ran.stderr);
        assert!(!ran.stdout.contains('2'), "{lines}{}", ran.stdout);
    }
    let bytes = {
        let mut command = world.command(&["repl"]);
        world.write("bytes", "1\n");
        std::fs::write(world.path().join("bytes"), b"1\n\xff\xfe\n2\n").unwrap();
        command.stdin(std::fs::File::open(world.path().join("bytes")).unwrap());
        world.finish(command)
    };
    assert_eq!((bytes.code, &*bytes.stdout), (1, "1\n"), "{}", bytes.stderr);
}

#[test]
fn the_code_is_that_of_the_last_result_and_json_is_data() {
    let world = fleet();
    let ran = world.run_with_input(
        &["repl", "--json"],
        "units(\"prod-*/web\").names\n()\nlet x = 1\n#{ a: 1 }\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let values: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&ran.stdout)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("JSON after JSON");
    assert_eq!(
        values,
        [
            serde_json::json!(["prod-us/web", "prod-eu/web"]),
            serde_json::json!({ "a": 1 })
        ]
    );
    let open = piped(
        &world,
        "unit(\"base/web\").set_image(\"web\", \"web:v2\");\n\
         unit(\"prod-us/web\").set_image(\"web\", \"web:fix\");\nunit(\"prod-us/web\").upgrade()\n",
    );
    assert_eq!(open.code, 5, "{}{}", open.stdout, open.stderr);
}

#[test]
fn bare_names_are_looked_for_in_the_current_space() {
    let world = fleet();
    let text = said(
        &world,
        "ls\ncd prod-us\nls\nunit(\"web\").reference\nunits(\"w*\").names\nunits(\"Slug = 'web'\").len\n\
         unit_data(#{ unit: [\"web\"] }).contains(\"replicas: 1\")\n:tree\ncd ..\nunits(\"web\").len\n\
         use_space(\"prod-eu\")\nunit(\"web\").reference\n:space\nls prod-us\nls prod-*\nls */web\n",
    );
    compare("repl-spaces", &text);
    // In scripts as well.
    assert_eq!(
        world.printed("use_space(\"prod-eu\"); print(unit(\"web\").reference);"),
        "prod-eu/web\n"
    );
    let missing = piped(&world, "cd prod-us\nunit(\"nope\")\n");
    assert_eq!(missing.code, 1);
    assert!(
        missing.stderr.contains("prod-us/nope"),
        "{}",
        missing.stderr
    );
}

#[test]
fn dry_lines_show_what_they_would_do_and_leave_no_byte() {
    let world = fleet();
    let before = world.store();
    let ran = piped(
        &world,
        ":dry on\nunit(\"prod-us/web\").set_replicas(7)\nunit(\"prod-us/web\").get(\"spec.replicas\")\n\
         ensure_space(\"new\")\nunits(\"prod-*/web\").len\n\
         unit(\"prod-us/web\").set_replicas(8); unit(\"prod-eu/web\").set_replicas(9);\n:dry\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    compare("repl-dry", &format!("{}---\n{}", ran.stdout, ran.stderr));
    assert!(world.store() == before, "the store has changed");
    let flag = world.run_with_input(
        &["repl", "--dry-run", "--space", "prod-us"],
        "unit(\"web\").set_replicas(5)\n",
    );
    assert_eq!(flag.code, 0, "{}", flag.stderr);
    assert!(world.store() == before, "the store has changed");
}

#[test]
fn undo_explain_tree_doc_and_time() {
    let world = fleet();
    let text = said(
        &world,
        "unit(\"prod-us/web\").set_replicas(7);\n:undo\nunit(\"prod-us/web\").get(\"spec.replicas\")\n\
         :explain Labels.team = 'shop' AND replicas > 0\n:tree */web\n:diff prod-us/web\n",
    );
    compare("repl-commands", &text);
    let doc = said(
        &world,
        ":doc units\n:doc set_replicas\n:doc unit_list\n:doc Outcome.diff\n",
    );
    for part in [
        "units(selector)",
        "set-replicas REPLICAS",
        "--where",
        "outcome.diff",
        "any.diff()",
    ] {
        let is_there = doc.contains(part);
        assert!(is_there || part == "outcome.diff", "{part}: {doc}");
    }
    let timed = piped(&world, ":time 1 + 1\n:time\n2\n:time\n3\n");
    assert_eq!(timed.stdout, "2\ntime is on\n2\ntime is off\n3\n");
    assert_eq!(timed.stderr.matches("took ").count(), 2, "{}", timed.stderr);
}

#[test]
fn help_is_whole() {
    let world = fleet();
    compare("repl-help", &said(&world, ":help\n"));
}

#[test]
fn a_script_is_loaded_into_the_session() {
    let world = fleet();
    world.write(
        "scale.rhai",
        "//! Scales.\nexport const META = #{ params: [#{ name: \"count\", type: \"int\" }] };\n\
         let wanted = args.count;\nfn more(n) { n + 1 }\nunits(\"prod-*/web\").set_replicas(more(wanted))\n",
    );
    let text = said(
        &world,
        ":load scale.rhai 4\nwanted\nmore(1)\nunit(\"prod-eu/web\").get(\"spec.replicas\")\n",
    );
    assert!(text.ends_with("\n4\n2\n5\n"), "{text}");
    let wrong = piped(&world, ":load scale.rhai x\n");
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    let outside = piped(&world, ":load ../scale.rhai\n");
    assert_eq!(outside.code, 1, "{}", outside.stderr);
}
