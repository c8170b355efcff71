//! Functions that are installed in the store.

use crate::repl::{fleet, piped, said};
use crate::world::{Ran, World};

/// A function with an example that passes.
const TAG: &str = "\
export const META = #{ kind: \"mutate\", params: [#{ name: \"value\", type: \"string\", about: \"A team\" }] };

/// Note the team.
///
/// # Example
/// ```
/// let web = resource(\"kind: Deployment\\n\");
/// tag_team(web, \"a\");
/// web.to_yaml() == \"kind: Deployment\\nmetadata:\\n  labels:\\n    team: a\\n\"
/// ```
fn tag_team(resource, value) {
    resource.set(\"metadata.labels.team\", value);
}
";

/// A query that answers with a number of its own.
fn answer(number: u8) -> String {
    format!(
        "export const META = #{{ kind: \"query\" }};\n\n/// A number.\nfn answer(resource) {{\n    {number}\n}}\n"
    )
}

fn refused(world: &World, args: &[&str], parts: &[&str]) -> Ran {
    let ran = world.run(args);
    assert_ne!(ran.code, 0, "{args:?}\n{}", ran.stdout);
    for part in parts {
        assert!(ran.stderr.contains(part), "no `{part}` in\n{}", ran.stderr);
    }
    ran
}

fn operations(world: &World) -> usize {
    let log: serde_json::Value = serde_json::from_str(&world.ok(&["log", "--json"])).expect("JSON");
    log.as_array().expect("a list").len()
}

/// The row of a function in `function list`, its columns apart.
fn listed(world: &World, name: &str) -> Option<(String, String)> {
    let rows: serde_json::Value =
        serde_json::from_str(&world.ok(&["function", "list", "--json"])).expect("JSON");
    let row = rows
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["Name"] == name)?;
    let text = |key: &str| row[key].as_str().expect("a text").to_owned();
    Some((text("Origin"), text("Summary")))
}

#[test]
fn an_installed_function_is_there_from_every_folder() {
    let world = fleet();
    world.write("shared/tag-team.rhai", TAG);
    let told = world.ok(&["function", "install", "shared/tag-team.rhai"]);
    assert_eq!(told, "function tag-team created\n");
    assert_eq!(
        listed(&world, "tag-team"),
        Some(("store".to_owned(), "Note the team.".to_owned()))
    );
    let other = World::empty();
    let store = world.path().join(".windlass/store.redb");
    let store = store.to_str().expect("UTF-8");
    let _ = other.ok(&[
        "--store", store, "function", "do", "--unit", "base/web", "tag-team", "shop",
    ]);
    let data = world.ok(&["unit", "data", "base/web"]);
    assert!(data.contains("team: shop"), "{data}");
    let page = other.ok(&["--store", store, "function", "explain", "tag-team"]);
    assert!(page.contains("from       store"), "{page}");
}

#[test]
fn the_same_text_again_is_unchanged_and_another_one_changes_it() {
    let world = World::empty();
    world.write("answer.rhai", &answer(1));
    world.write("tag-team.rhai", TAG);
    let install = ["function", "install", "answer.rhai", "tag-team.rhai"];
    assert_eq!(
        world.ok(&install),
        "function answer created\nfunction tag-team created\n"
    );
    assert_eq!(operations(&world), 1);
    assert_eq!(
        world.ok(&install),
        "function answer unchanged\nfunction tag-team unchanged\n"
    );
    assert_eq!(operations(&world), 1);
    world.write("answer.rhai", &answer(2));
    assert_eq!(
        world.ok(&install),
        "function answer changed\nfunction tag-team unchanged\n"
    );
    assert_eq!(operations(&world), 2);
    let log = world.ok(&["log"]);
    assert!(log.contains("function install answer tag-team"), "{log}");
}

#[test]
fn a_file_that_cannot_be_used_installs_nothing() {
    let world = World::empty();
    world.write("tag-team.rhai", TAG);
    let failing = TAG.replace("team: a\\n\"", "team: b\\n\"");
    for (name, text, parts) in [
        (
            "broken",
            "fn broken(resource) {\n    let x = ;\n}\n",
            &["broken.rhai:2:13"][..],
        ),
        (
            "othername",
            "fn another(resource) {}\n",
            &["a public function named `othername`"],
        ),
        (
            "apply",
            "fn apply(resource) {}\n",
            &["belongs to an operation"],
        ),
        (
            "Bad_Name",
            "fn x(resource) {}\n",
            &["small letters, digits and dashes"],
        ),
        (
            "long",
            &"// x\n".repeat(60_000),
            &["expected at most 262144 bytes"],
        ),
        (
            "tests/tag-team",
            &failing,
            &[
                "expected the examples and tests of tests/tag-team.rhai to pass, found 1 of 1",
                "example's last expression",
                "--no-test",
            ],
        ),
    ] {
        let file = format!("{name}.rhai");
        world.write(&file, text);
        let mut args = vec!["function", "install", &file];
        if !name.contains('/') {
            args.push("tag-team.rhai");
        }
        let _ = refused(&world, &args, parts);
        let _ = refused(&world, &args, &["nothing was installed"]);
    }
    let twice = [
        "function",
        "install",
        "tag-team.rhai",
        "tests/tag-team.rhai",
    ];
    let _ = refused(&world, &twice, &["`tag-team` is also in tag-team.rhai"]);
    world.write("tag-team.txt", TAG);
    for file in ["tag-team.txt", "-", "none.rhai"] {
        let parts: &[&str] = match file {
            "none.rhai" => &["none.rhai"],
            _ => &["expected a file NAME.rhai"],
        };
        let _ = refused(&world, &["function", "install", file], parts);
    }
    assert!(!world.path().join(".windlass/store.redb").exists());
    let untested = ["function", "install", "--no-test", "tests/tag-team.rhai"];
    assert_eq!(world.ok(&untested), "function tag-team created\n");
}

#[test]
fn fixtures_beside_the_file_are_run_as_well() {
    let world = World::empty();
    world.write("lib/tag-team.rhai", TAG);
    world.write("lib/fixtures/tag-team/in.yaml", "kind: Service\n");
    world.write("lib/fixtures/tag-team/args.yaml", "value: a\n");
    world.write("lib/fixtures/tag-team/want.yaml", "kind: Service\n");
    let install = ["function", "install", "lib/tag-team.rhai"];
    let _ = refused(
        &world,
        &install,
        &["found 1 of 2 failing", "fixture tag-team"],
    );
    let want = "kind: Service\nmetadata:\n  labels:\n    team: a\n";
    world.write("lib/fixtures/tag-team/want.yaml", want);
    let _ = world.ok(&install);
}

#[test]
fn the_folder_hides_the_store_and_the_store_the_standard_library() {
    let world = fleet();
    let replicas = |number: u8| {
        format!(
            "export const META = #{{ kind: \"query\" }};\n\n/// Replicas {number}.\nfn set_replicas(resource) {{ {number} }}\n"
        )
    };
    world.write("lib/set-replicas.rhai", &replicas(1));
    let install = ["function", "install", "lib/set-replicas.rhai"];
    assert_eq!(
        world.ok(&install),
        "function set-replicas created, shadows stdlib\n"
    );
    let origin = |world: &World| listed(world, "set-replicas").map(|(origin, _)| origin);
    assert_eq!(origin(&world).as_deref(), Some("store, shadows stdlib"));
    world.write("functions/set-replicas.rhai", &replicas(2));
    assert_eq!(origin(&world).as_deref(), Some("project, shadows store"));
    let asked = [
        "function",
        "do",
        "--unit",
        "base/web",
        "set-replicas",
        "--json",
    ];
    assert!(world.ok(&asked).contains("\"Value\": 2"));
    assert_eq!(
        world.ok(&install),
        "function set-replicas unchanged, hidden here by that of the project\n"
    );
    assert_eq!(
        world.ok(&["function", "uninstall", "set_replicas"]),
        "function set-replicas uninstalled, `set-replicas` is now that of the project\n"
    );
    assert_eq!(origin(&world).as_deref(), Some("project, shadows stdlib"));
    let _ = refused(
        &world,
        &["function", "uninstall", "set-replicas"],
        &[
            "expected an installed function `set-replicas`",
            "comes from the project",
        ],
    );
}

#[test]
fn undo_and_redo_take_functions_back_and_bring_them() {
    let world = World::empty();
    world.write("answer.rhai", &answer(1));
    let _ = world.ok(&["function", "install", "answer.rhai"]);
    world.write("answer.rhai", &answer(2));
    let _ = world.ok(&["function", "install", "answer.rhai"]);
    let _ = refused(&world, &["undo", "op-1"], &["the function `answer`"]);
    let source = |world: &World| {
        let ran = world.run(&["function", "explain", "--source", "answer"]);
        (ran.code == 0).then_some(ran.stdout)
    };
    assert_eq!(source(&world), Some(answer(2)));
    let _ = world.ok(&["undo"]);
    assert_eq!(source(&world), Some(answer(1)));
    let _ = world.ok(&["redo"]);
    assert_eq!(source(&world), Some(answer(2)));
    let _ = world.ok(&["function", "uninstall", "answer"]);
    assert_eq!(source(&world), None);
    let told = world.ok(&["undo"]);
    assert!(told.contains("the function `answer` is back"), "{told}");
    assert_eq!(source(&world), Some(answer(2)));
    let _ = world.ok(&["log", "verify"]);
    let _ = refused(
        &world,
        &["function", "uninstall", "answr"],
        &["did you mean `answer`?"],
    );
}

#[test]
fn an_export_has_the_functions_and_an_import_installs_those_that_are_not_there() {
    let world = World::empty();
    world.write("answer.rhai", &answer(1));
    world.write("tag-team.rhai", TAG);
    let _ = world.ok(&["function", "install", "answer.rhai", "tag-team.rhai"]);
    let _ = world.ok(&["export", "out"]);
    let _ = world.ok(&["export", "--check", "out"]);
    let index =
        std::fs::read_to_string(world.path().join("out/.windlass-export.json")).expect("the index");

    let other = World::empty();
    other.write("in/.windlass-export.json", &index);
    other.write("answer.rhai", &answer(7));
    let _ = other.ok(&["function", "install", "answer.rhai"]);
    let told = other.ok(&["import", "in"]);
    assert!(
        told.contains("function answer stays as it is installed"),
        "{told}"
    );
    let source = |name| other.ok(&["function", "explain", "--source", name]);
    assert_eq!(
        (source("tag-team"), source("answer")),
        (TAG.to_owned(), answer(7))
    );
    assert_eq!(other.run(&["export", "--check", "in"]).code, 5);

    let damaged = index.replace("fn tag_team", "fn tag_taem");
    assert_ne!(damaged, index);
    let third = World::empty();
    third.write("in/.windlass-export.json", &damaged);
    let _ = refused(
        &third,
        &["import", "in"],
        &["function tag-team", "named `tag_team`"],
    );
    let _ = third.ok(&["import", "in", "--skip-refused"]);
    assert!(listed(&third, "answer").is_some() && listed(&third, "tag-team").is_none());
}

#[test]
fn a_backup_has_the_functions() {
    let world = World::empty();
    world.write("answer.rhai", &answer(1));
    let _ = world.ok(&["function", "install", "answer.rhai"]);
    let _ = world.ok(&["backup", "create", "all.backup"]);
    let other = World::empty();
    let file = world.path().join("all.backup");
    let _ = other.ok(&["backup", "restore", file.to_str().expect("UTF-8")]);
    assert!(listed(&other, "answer").is_some());
}

#[test]
fn a_script_installs_calls_and_gives_up_what_atomic_installed() {
    let world = fleet();
    world.write("lib/answer.rhai", &answer(4));
    world.write(
        "install.rhai",
        "let web = unit(\"base/web\");\n\
         try {\n    atomic(|| {\n        function_install(#{ files: [\"lib/answer.rhai\"] });\n        \
         print(web.run(\"answer\"));\n        throw \"stop\";\n    });\n} catch { }\n\
         try { web.run(\"answer\"); } catch (error) { print(\"gone\"); }\n\
         print(function_install(#{ files: [\"lib/answer.rhai\"] })[0].Result);\n\
         print(web.run(\"answer\"));\n\
         function_uninstall(#{ name: \"answer\" });\n\
         try { web.run(\"answer\"); } catch (error) { print(\"gone\"); }\n",
    );
    assert_eq!(
        world.ok(&["run", "install.rhai"]),
        "4\ngone\ncreated\n4\ngone\n"
    );
    let outside = World::empty();
    outside.write("answer.rhai", &answer(1));
    let path = outside.path().join("answer.rhai");
    let script = format!("function_install(#{{ files: [{path:?}] }})");
    let _ = refused(&world, &["eval", &script], &["below the project's root"]);
    let _ = refused(&world, &["eval", "function_install(#{})"], &["found none"]);
}

#[test]
fn a_dry_run_installs_nothing() {
    let world = World::empty();
    world.write("answer.rhai", &answer(1));
    world.write(
        "install.rhai",
        "function_install(#{ files: [\"answer.rhai\"] });",
    );
    let _ = world.ok(&["run", "--dry-run", "install.rhai"]);
    assert_eq!(listed(&world, "answer"), None);
}

#[test]
fn a_session_sees_files_of_functions_that_came_changed_or_went_between_two_lines() {
    let world = fleet();
    world.write("one.rhai", &answer(1));
    world.write("two.rhai", &answer(22));
    let lines = "let web = unit(\"base/web\")\n\
         write_file(\"functions/answer.rhai\", read_file(\"one.rhai\"))\nweb.answer()\n\
         write_file(\"functions/answer.rhai\", read_file(\"two.rhai\"))\nweb.answer()\n\
         units(\"base/web\").answer()\n\
         remove_file(\"functions/answer.rhai\")\n\
         try { web.answer() } catch (error) { print(error.message) }\n";
    let text = said(&world, lines);
    assert!(text.contains("\n1\n"), "{text}");
    assert!(text.contains("\n22\n"), "{text}");
    assert!(text.contains("no function is named `answer`"), "{text}");
}

#[test]
fn a_session_sees_what_it_installed_and_took_back() {
    let world = fleet();
    world.write("lib/answer.rhai", &answer(5));
    let text = said(
        &world,
        "let web = unit(\"base/web\");\nfunction_install(#{ files: [\"lib/answer.rhai\"] });\n\
         web.answer()\nundo();\n\
         try { web.answer() } catch (error) { print(error.message) }\n",
    );
    assert!(text.contains("5\n"), "{text}");
    assert!(text.contains("no function is named `answer`"), "{text}");
    assert_eq!(listed(&world, "answer"), None);
}

#[test]
fn a_session_sees_what_another_process_installed_meanwhile() {
    let world = fleet();
    world.write("lib/answer.rhai", &answer(5));
    let mut command = world.command(&["repl"]);
    command.stdin(std::process::Stdio::piped());
    let mut session = World::start_command(command);
    session.say("let web = unit(\"base/web\");\nprint(\"ready\")\n");
    let _ = session.wait_for("ready");
    let _ = world.ok(&["function", "install", "lib/answer.rhai"]);
    session.say("print(`answer ${web.answer()}`)\n");
    assert_eq!(session.wait_for("answer"), "answer 5");
    let _ = world.ok(&["function", "uninstall", "answer"]);
    session.say("web.answer()\n");
    let ran = session.finish();
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no function is named `answer`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_group_that_is_dropped_leaves_no_function() {
    let world = fleet();
    world.write("lib/answer.rhai", &answer(5));
    let text = said(
        &world,
        "let web = unit(\"base/web\")\n:begin\n\
         function_install(#{ files: [\"lib/answer.rhai\"] });\nweb.answer()\n:rollback\n\
         try { unit(\"base/web\").answer() } catch (error) { print(error.message) }\n",
    );
    assert!(text.contains("5\n"), "{text}");
    assert!(text.contains("no function is named `answer`"), "{text}");
}

#[test]
fn a_broken_file_is_a_method_whose_call_says_what_is_wrong() {
    let world = fleet();
    world.write(
        "functions/answer.rhai",
        "fn answer(resource) {\n    let x = ;\n}\n",
    );
    let ran = piped(&world, "unit(\"base/web\").answer()\n");
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("functions/answer.rhai:2:13"),
        "{}",
        ran.stderr
    );
}
