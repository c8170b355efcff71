//! Commands through the program: exit codes, errors, round trips.

use crate::world::World;

const DEPLOYMENT: &str = "\
# The web front end.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2 # by load
  template:
    spec:
      containers:
      - name: web
        image: web:v1
";

fn with_units(count: usize) -> World {
    let world = World::empty();
    for number in 0..count {
        let text = DEPLOYMENT.replace("name: web\nspec", &format!("name: web-{number}\nspec"));
        world.write(&format!("manifests/web-{number}.yaml"), &text);
    }
    drop(world.ok(&["import", "manifests", "--space", "bench"]));
    world
}

#[test]
fn an_import_makes_a_unit_of_each_file_and_a_second_one_changes_nothing() {
    let world = with_units(3);
    assert_eq!(
        world.ok(&["unit", "list", "--space", "bench", "--names"]),
        "bench/web-0\nbench/web-1\nbench/web-2\n"
    );
    let again = world.json(&["import", "manifests", "--space", "bench"]);
    assert_eq!(again["Changed"], 0);
    assert_eq!(again["Unchanged"], 3);
    assert_eq!(again["Operation"], serde_json::Value::Null);
}

#[test]
fn an_import_of_changed_files_keeps_what_was_changed_here() {
    let world = with_units(1);
    drop(world.ok(&["function", "do", "--space", "bench", "set-replicas", "5"]));
    let text = DEPLOYMENT
        .replace("name: web\nspec", "name: web-0\nspec")
        .replace("web:v1", "web:v2");
    world.write("manifests/web-0.yaml", &text);
    drop(world.ok(&["import", "manifests", "--space", "bench"]));
    let data = world.ok(&["unit", "data", "bench/web-0"]);
    assert_eq!(data, text.replace("replicas: 2", "replicas: 5"));
}

#[test]
fn all_refused_files_are_told_at_once_and_nothing_is_written() {
    let world = World::empty();
    world.write("manifests/good.yaml", DEPLOYMENT);
    world.write("manifests/twice.yaml", "kind: Pod\nkind: Pod\n");
    world.write("manifests/tab.yaml", "kind: Pod\nspec:\n\ta: 1\n");
    world.write("manifests/template.yaml", "kind: Pod\nname: {{ .Name }}\n");
    let ran = world.run(&["import", "manifests", "--space", "bench"]);
    assert_eq!(ran.code, 1);
    for file in ["twice.yaml", "tab.yaml", "template.yaml"] {
        assert!(ran.stderr.contains(file), "{}", ran.stderr);
    }
    assert!(!world.path().join(".windlass/store.redb").exists());
    drop(world.ok(&["import", "manifests", "--space", "bench", "--skip-refused"]));
    assert_eq!(world.ok(&["unit", "list", "--names"]), "bench/good\n");
}

#[test]
fn a_function_over_units_changes_only_the_bytes_of_the_field() {
    let world = with_units(2);
    let before = world.ok(&["unit", "data", "bench/web-1"]);
    drop(world.ok(&["function", "do", "--space", "bench", "set-replicas", "7"]));
    let after = world.ok(&["unit", "data", "bench/web-1"]);
    assert_eq!(after, before.replace("replicas: 2 #", "replicas: 7 #"));
}

#[test]
fn a_dry_run_touches_no_byte_of_the_store() {
    let world = with_units(2);
    let store = world.path().join(".windlass/store.redb");
    let before = std::fs::read(&store).expect("the store");
    let printed = world.ok(&[
        "function",
        "do",
        "--space",
        "bench",
        "--dry-run",
        "set-replicas",
        "7",
    ]);
    assert!(printed.contains("replicas: 7"), "{printed}");
    drop(world.ok(&["eval", "--dry-run", "units(\"bench/*\").set_replicas(9)"]));
    assert!(
        before == std::fs::read(&store).expect("the store"),
        "the store changed"
    );
}

#[test]
fn a_bulk_change_that_fails_for_one_unit_writes_nothing_and_reports_every_unit() {
    let world = with_units(2);
    world.write(
        "functions/only-zero.rhai",
        "fn only_zero(resource) {\n    if resource.metadata.name != \"web-0\" { throw \"not zero\"; }\n    resource.set(\"spec.replicas\", 9);\n}\n",
    );
    let ran = world.run(&["run", "only-zero", "--space", "bench", "--json"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("a report");
    assert_eq!(report["Matched"], 2);
    assert_eq!(report["Failed"], 1);
    assert!(
        world
            .ok(&["unit", "data", "bench/web-0"])
            .contains("replicas: 2")
    );
}

#[test]
fn exit_codes_are_those_of_the_table() {
    let world = with_units(1);
    for (args, code) in [
        (&["unit", "get", "bench/nothing"][..], 1),
        (&["unit", "list", "--where", "slug = 'a'"], 1),
        (&["unit", "list", "--space", "nowhere"], 1),
        (&["unit", "list", "--wrong"], 2),
        (&["function", "do", "set-replicas", "3"], 2),
        (&["function", "do", "--space", "bench", "set-replicas"], 2),
        (
            &["function", "do", "--space", "bench", "set-replicas", "many"],
            2,
        ),
        (
            &["function", "do", "--space", "bench", "no-such-function"],
            1,
        ),
        (
            &["function", "do", "--space", "b*x", "set-replicas", "3"],
            1,
        ),
        (
            &[
                "function",
                "do",
                "--space",
                "b*x",
                "--allow-empty",
                "set-replicas",
                "3",
            ],
            0,
        ),
        (&["unit", "list", "--space", "b*x"], 0),
        (&["run", "nothing.rhai"], 1),
        (&["eval", "exit(7)"], 7),
        (&["eval", "throw \"x\""], 1),
        (&["eval", "1 +"], 1),
        (&["log", "verify"], 0),
    ] {
        let ran = world.run(args);
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn scripts_come_from_standard_input_and_the_command_line() {
    let world = with_units(1);
    let ran = world.run_with_input(&["run", "-"], "print(units(\"*\").names);");
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "[\"bench/web-0\"]\n"),
        "{}",
        ran.stderr
    );
    let table = world.ok(&["eval", "units(\"*\").table([\"Name\", \"spec.replicas\"])"]);
    assert_eq!(table, "NAME   SPEC.REPLICAS\nweb-0              2\n");
}

#[test]
fn reading_needs_no_store() {
    let world = World::empty();
    assert_eq!(world.json(&["unit", "list"]), serde_json::json!([]));
    assert!(!world.path().join(".windlass").exists());
}

#[test]
fn lists_are_split_secrets_kept_out_and_folders_walked() {
    let world = World::empty();
    world.write(
        "in/deep/er/all.yml",
        "# head\napiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap # first\n  metadata:\n    name: a\n\
         - kind: ConfigMap\n  metadata: {name: b}\n",
    );
    world.write("in/secret.yaml", "kind: Secret\nmetadata:\n  name: s\n");
    world.write("in/note.txt", "no YAML");
    world.write("in/empty.yaml", "# nothing\n");
    std::os::unix::fs::symlink("..", world.path().join("in/loop")).expect("a link");
    let report = world.json(&["import", "in", "--space", "a"]);
    assert_eq!(report["Matched"], 1, "{report}");
    assert_eq!(
        report["Notes"].as_array().map(Vec::len),
        Some(3),
        "what was left out and kept out, behind how many: {report}"
    );
    let data = world.ok(&["unit", "data", "a/all"]);
    assert!(
        !data.contains("List") && data.contains("kind: ConfigMap # first\nmetadata:\n  name: a\n"),
        "{data}"
    );
    assert_eq!(data.matches("kind: ConfigMap").count(), 2, "{data}");
    assert_eq!(
        world.json(&["import", "in", "--space", "a"])["Unchanged"],
        1
    );
    world.write("clash/x/all.yaml", "kind: A\n");
    world.write("clash/y/all.yaml", "kind: A\n");
    let ran = world.run(&["import", "clash", "--space", "b"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("clash/x/all.yaml") && ran.stderr.contains("clash/y/all.yaml"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_changed_text_is_merged_and_who_has_none_is_refused() {
    let world = World::empty();
    world.write("v1.yaml", DEPLOYMENT);
    world.write("v2.yaml", &DEPLOYMENT.replace("web:v1", "web:v2"));
    let printed = world.printed(
        r#"let a = ensure_space("a");
        let v1 = read_file("v1.yaml");
        let v2 = read_file("v2.yaml");
        let unit = a.ensure_unit("web", v1);
        unit.set_replicas(5);
        print(a.ensure_unit("web", v1).outcome);
        print(a.ensure_unit("web", v2).outcome);
        print(a.ensure_unit("web", v2).outcome);
        print(unit.merge_text(v1, v2).changed);
        print(unit.merge_text(v2, v1).changed);
        print(unit.merge_text(v2, v1).changed);
        let b = ensure_space("b");
        b.ensure_clone(unit);
        let copy = b.copy(unit, "copy");
        for refused in [|| a.create_unit("web", v1), || b.ensure_unit("web", v1),
                        || b.ensure_unit("copy", v2), || unit.restore(9)] {
            try { refused.call(); print("written"); } catch (e) { print(error(e).kind); }
        }
        unit.update(v2);
        unit.restore(2);
        print(unit.head_revision);"#,
    );
    assert_eq!(
        printed,
        "unchanged\nchanged\nunchanged\n0\n1\n0\nExists\nUsage\nExists\nNotFound\n6\n"
    );
    let data = world.ok(&["unit", "data", "a/web"]);
    assert_eq!(data, DEPLOYMENT.replace("replicas: 2", "replicas: 5"));
}

#[test]
fn a_runaway_function_over_many_units_is_tried_once_and_leaves_every_byte_of_the_store() {
    let world = with_units(40);
    world.write(
        "functions/for-ever.rhai",
        "fn for_ever(resource) { loop { } }\n",
    );
    let store = world.path().join(".windlass/store.redb");
    let before = std::fs::read(&store).expect("the store");
    let ran = world.run(&["run", "for-ever", "--space", "bench", "--json"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("a report");
    assert_eq!(
        (&report["Matched"], &report["Failed"]),
        (&40.into(), &1.into())
    );
    assert_eq!(report["Units"][0]["Error"]["kind"], "Limit");
    assert!(
        before == std::fs::read(&store).expect("the store"),
        "the store changed"
    );
}

#[test]
fn units_gone_from_the_source_are_listed_and_removed_only_with_prune() {
    let world = World::empty();
    let config = |name: &str| format!("kind: ConfigMap\nmetadata:\n  name: {name}\n");
    for name in ["one", "two"] {
        world.write(&format!("in/{name}.yaml"), &config(name));
    }
    world.write("other/three.yaml", &config("three"));
    drop(world.ok(&["import", "in", "--space", "a"]));
    drop(world.ok(&["import", "other", "--space", "a", "--source", "other"]));
    std::fs::remove_file(world.path().join("in/two.yaml")).unwrap();
    let told = world.json(&["import", "in", "--space", "a"]).to_string();
    assert!(
        told.contains("kept without --prune: two") && !told.contains("three"),
        "{told}"
    );
    assert!(world.ok(&["unit", "list"]).contains("two"));
    drop(world.ok(&["import", "in", "--space", "a", "--prune", "--dry-run"]));
    assert!(world.ok(&["unit", "list"]).contains("two"));
    drop(world.ok(&["import", "in", "--space", "a", "--prune"]));
    let units = world.ok(&["unit", "list"]);
    assert!(!units.contains("two") && units.contains("three"), "{units}");
    drop(world.ok(&["undo"]));
    assert!(world.ok(&["unit", "list"]).contains("two"));
}

#[test]
fn an_import_does_with_secrets_as_it_is_told() {
    let world = World::empty();
    world.write(
        "in/key.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\n",
    );
    world.write("in/web.yaml", "kind: Deployment\nspec:\n  replicas: 2\n");
    let ran = world.run(&["import", "in", "--space", "a", "--secrets", "refuse"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("--secrets allow"), "{}", ran.stderr);
    assert!(!world.path().join(".windlass").exists());
    assert_eq!(world.json(&["import", "in", "--space", "a"])["Changed"], 1);
    let line = [
        "import",
        "in",
        "--space",
        "b",
        "--secrets",
        "allow",
        "--protect",
        "spec.replicas",
    ];
    drop(world.ok(&line));
    assert!(world.ok(&["unit", "list", "--space", "b"]).contains("key"));
    world.write("in/web.yaml", "kind: Deployment\nspec:\n  replicas: 5\n");
    let line = ["import", "in", "--space", "b", "--secrets", "allow"];
    drop(world.ok(&line));
    let data = world.ok(&["unit", "data", "b/web"]);
    assert!(data.contains("replicas: 2"), "protected: {data}");
}

/// What is offered for the last of these words, as fish is told it: a name a line.
fn completed(world: &World, words: &[&str]) -> Vec<String> {
    let mut line = vec!["--", "windlass"];
    line.extend(words);
    let mut command = world.command(&line);
    command.env("WINDLASS_COMPLETE", "fish");
    let told = world.finish(command);
    assert_eq!(told.code, 0, "{}", told.stderr);
    let names = told.stdout.lines().map(|line| line.split('\t').next());
    names.flatten().map(str::to_owned).collect()
}

#[test]
fn shells_are_offered_commands_options_and_the_names_of_the_store() {
    let world = World::empty();
    assert_eq!(completed(&world, &["unit", "li"]), ["list", "live-state"]);
    assert!(completed(&world, &["unit", "get", ""]).contains(&"--space".to_owned()));
    assert!(!world.path().join(".windlass").exists());
    world.write("web.yaml", DEPLOYMENT);
    for space in ["prod-eu", "prod-us"] {
        drop(world.ok(&["space", "create", space]));
    }
    drop(world.ok(&["unit", "create", "web", "web.yaml", "--space", "prod-eu"]));
    drop(world.ok(&[
        "filter",
        "create",
        "busy",
        "Unit",
        "--where",
        "replicas > 2",
    ]));
    drop(world.ok(&["worker", "install", "porter", "--space", "prod-eu"]));
    for (words, expected) in [
        (&["unit", "get", "prod-"][..], &["prod-eu/", "prod-us/"][..]),
        (&["unit", "get", "prod-eu/"], &["prod-eu/web"]),
        (&["unit", "get", "--space", "prod-eu", "w"], &["web"]),
        (
            &["unit", "list", "--space", "prod-"],
            &["prod-eu", "prod-us"],
        ),
        (&["space", "delete", "prod-u"], &["prod-us"]),
        (&["unit", "list", "--filter", "b"], &["busy"]),
        (&["worker", "get", "po"], &["porter"]),
        (
            &["unit", "set-target", "--unit", "web", "sand"],
            &["sandbox"],
        ),
        (&["run", "set-rep"], &["set-replicas"]),
        (&["function", "explain", "set-rep"], &["set-replicas"]),
        (&["import", "we"], &["web.yaml"]),
        (&["import", "--by", "w"], &["workload"]),
        (&["undo", "op-1"], &["op-1"]),
    ] {
        assert_eq!(completed(&world, words), expected, "{words:?}");
    }
    assert_eq!(completed(&world, &["space", "create", "prod"]), [""; 0]);
}

#[test]
fn completions_and_manual_pages_know_every_command_and_need_no_project() {
    let world = World::empty();
    for shell in ["bash", "zsh", "fish"] {
        let text = world.ok(&["completions", shell]);
        assert!(text.contains("WINDLASS_COMPLETE"), "{shell}: {text}");
    }
    assert_eq!(world.run(&["completions", "tcsh"]).code, 2);
    drop(world.ok(&["man", "pages"]));
    let page = std::fs::read_to_string(world.path().join("pages/windlass-unit-apply.1")).unwrap();
    assert!(page.contains("timeout"), "{page}");
    world.write("file", "");
    assert_eq!(world.run(&["man", "file/pages"]).code, 4);
    assert!(!world.path().join(".windlass").exists());
}

#[test]
fn a_new_project_has_a_function_whose_tests_pass_and_nothing_there_is_overwritten() {
    let world = World::empty();
    world.write("fleet/.gitignore", "mine\n");
    let made = world.json(&["init", "fleet"]);
    assert_eq!(made["Kept"], serde_json::json!([".gitignore"]));
    let inside = |args: &[&str]| {
        let mut command = world.command(args);
        command.current_dir(world.path().join("fleet"));
        world.finish(command)
    };
    let ran = inside(&["function", "test", "set-team"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        world.json(&["init", "fleet"])["Written"],
        serde_json::json!([])
    );
    let ignored = std::fs::read_to_string(world.path().join("fleet/.gitignore")).unwrap();
    assert_eq!(ignored, "mine\n");
}

#[test]
fn the_tutorial_of_the_program_runs_where_the_repository_is_absent() {
    let world = World::empty();
    drop(world.ok(&["tutorial", "."]));
    drop(world.ok(&["run", "scripts/stage1-hello-traderx.rhai"]));
    drop(world.ok(&["run", "scripts/stage3-three-regions.rhai"]));
}
