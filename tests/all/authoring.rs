//! Writing functions: new files, cases kept as tests, coverage, tests that run again.

use std::process::Stdio;

use crate::world::World;

const DEPLOYMENT: &str = "kind: Deployment\nmetadata:\n  name: web # front\nspec:\n  replicas: 2\n";

fn project() -> World {
    let world = World::empty();
    drop(world.ok(&["init"]));
    world
}

#[test]
fn every_new_function_works_and_its_tests_run_all_of_it() {
    let world = project();
    for kind in ["mutate", "query", "validate"] {
        for scope in ["resource", "unit"] {
            let name = format!("new-{kind}-{scope}");
            let line = [
                "function",
                "new",
                &name,
                "--kind",
                kind,
                "--scope",
                scope,
                "--param",
                "team:string",
                "--param",
                "n:int",
                "--param",
                "cpu:quantity",
                "--param",
                "all:list",
            ];
            let told = world.ok(&line);
            assert!(
                told.contains(&format!("windlass function test {name}")),
                "{told}"
            );
            drop(world.ok(&["function", "test", &name]));
            let covered = world.json(&["function", "coverage", &name]);
            assert_eq!(covered["Percent"], 100, "{covered}");
            let explained = world.ok(&["function", "explain", &name]);
            assert!(explained.contains("quantity"), "{explained}");
        }
    }
    world.write("web.yaml", DEPLOYMENT);
    drop(world.ok(&["space", "create", "prod"]));
    drop(world.ok(&["unit", "create", "web", "web.yaml", "--space", "prod"]));
    drop(world.ok(&["function", "new", "mark"]));
    drop(world.ok(&["run", "mark", "yes", "--unit", "prod/web"]));
    let data = world.ok(&["unit", "data", "prod/web"]);
    assert!(
        data.contains("mark: \"yes\"") && data.contains("web # front"),
        "{data}"
    );
}

#[test]
fn a_new_function_takes_no_name_that_is_taken_and_no_type_that_there_is_not() {
    let world = project();
    for (line, code) in [
        (&["function", "new", "apply"][..], 2),
        (&["function", "new", "Big"], 2),
        (&["function", "new", "a/b"], 2),
        (&["function", "new", "set-team"], 1),
        (&["function", "new", "x", "--param", "n:number"], 2),
        (&["function", "new", "x", "--param", "N:int"], 2),
    ] {
        assert_eq!(world.run(line).code, code, "{line:?}");
    }
    let files = std::fs::read_dir(world.path().join("functions")).expect("the folder");
    assert_eq!(files.count(), 1, "only the first function");
}

#[test]
fn a_unit_is_kept_as_a_test_and_what_is_wanted_is_taken_anew_when_asked_for() {
    let world = project();
    world.write("web.yaml", DEPLOYMENT);
    drop(world.ok(&["space", "create", "prod"]));
    drop(world.ok(&["unit", "create", "web", "web.yaml", "--space", "prod"]));
    let keep = [
        "function",
        "test",
        "set-team",
        "payments",
        "--add-case",
        "prod/web",
    ];
    let told = world.ok(&keep);
    assert!(
        told.contains("functions/fixtures/set-team/prod-web"),
        "{told}"
    );
    let file = |name: &str| {
        let path = world
            .path()
            .join("functions/fixtures/set-team/prod-web")
            .join(name);
        std::fs::read_to_string(path).unwrap_or_default()
    };
    assert_eq!(file("in.yaml"), DEPLOYMENT);
    assert!(
        file("want.yaml").contains("team: payments"),
        "{}",
        file("want.yaml")
    );
    assert!(
        file("args.yaml").contains("team: payments"),
        "{}",
        file("args.yaml")
    );
    let told = world.ok(&["function", "test", "set-team"]);
    assert!(told.contains("2 passed"), "{told}");
    drop(world.ok(&keep));

    drop(world.ok(&["run", "set-replicas", "3", "--unit", "prod/web"]));
    let ran = world.run(&keep);
    assert_eq!(
        ran.code, 1,
        "another text under the same name: {}",
        ran.stdout
    );

    let text = std::fs::read_to_string(world.path().join("functions/set-team.rhai")).unwrap();
    world.write(
        "functions/set-team.rhai",
        &text.replace("labels.team", "labels.owner"),
    );
    let ran = world.run(&["function", "test", "set-team"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("-    team: payments"), "{}", ran.stdout);
    let told = world.ok(&["function", "test", "set-team", "--update"]);
    assert!(
        told.contains("updated functions/fixtures/set-team/prod-web/want.yaml"),
        "{told}"
    );
    assert!(file("want.yaml").contains("owner: payments"));
    let told = world.ok(&["function", "test", "--update"]);
    assert!(told.contains("as it was"), "{told}");

    let ran = world.run(&[
        "function",
        "test",
        "set-replicas",
        "3",
        "--add-case",
        "prod/web",
    ]);
    assert_eq!(ran.code, 1, "of the standard library: {}", ran.stdout);
    assert_eq!(
        world
            .run(&["function", "test", "set-team", "payments"])
            .code,
        2
    );
}

#[test]
fn a_unit_at_which_a_function_fails_is_kept_until_it_does_not() {
    let world = project();
    world.write("web.yaml", DEPLOYMENT);
    drop(world.ok(&["space", "create", "prod"]));
    drop(world.ok(&["unit", "create", "web", "web.yaml", "--space", "prod"]));
    world.write(
        "functions/pin.rhai",
        "fn pin(resource) {\n    resource.spec.template.spec.pool = \"a\";\n}\n",
    );
    let told = world.ok(&["function", "test", "pin", "--add-case", "prod/web"]);
    assert!(told.contains("fails on it now"), "{told}");
    assert_eq!(world.run(&["function", "test", "pin"]).code, 1);
    world.write(
        "functions/pin.rhai",
        "fn pin(resource) {\n    resource.set(\"spec.template.spec.pool\", \"a\");\n}\n",
    );
    drop(world.ok(&["function", "test", "pin"]));
    drop(world.ok(&["function", "test", "pin", "--update"]));
    let want = world
        .path()
        .join("functions/fixtures/pin/prod-web/want.yaml");
    assert!(std::fs::read_to_string(want).unwrap().contains("pool: a"));
}

#[test]
fn a_folder_of_functions_has_fixtures_of_its_own_and_arguments_are_a_map() {
    let world = project();
    world.write(
        "lib/up.rhai",
        "fn up(resource, count) {\n    resource.set(\"count\", count);\n}\n",
    );
    world.write("lib/fixtures/up/in.yaml", "count: 1\n");
    world.write("lib/fixtures/up/args.yaml", "count: 2\n");
    world.write("lib/fixtures/up/want.yaml", "count: 2\n");
    world.write("functions/fixtures/up/in.yaml", "count: 1\n");
    world.write("functions/fixtures/up/want.yaml", "count: 7\n");
    let told = world.ok(&["function", "test", "lib"]);
    assert!(told.contains("1 passed"), "{told}");
    world.write("lib/fixtures/up/args.yaml", "- 2\n");
    let ran = world.run(&["function", "test", "lib"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("args.yaml: line 1"), "{}", ran.stdout);
}

#[test]
fn a_unit_that_a_function_skips_is_no_test_of_it() {
    let world = project();
    world.write("web.yaml", DEPLOYMENT);
    drop(world.ok(&["space", "create", "prod"]));
    drop(world.ok(&["unit", "create", "web", "web.yaml", "--space", "prod"]));
    world.write(
        "functions/none.rhai",
        "fn none(resource) {\n    skip(\"not mine\");\n}\n",
    );
    let ran = world.run(&["function", "test", "none", "--add-case", "prod/web"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("not mine"), "{}", ran.stderr);
    assert!(!world.path().join("functions/fixtures").exists());
}

#[test]
fn coverage_names_the_lines_that_no_test_runs() {
    let world = project();
    world.write(
        "functions/scale.rhai",
        "/// Scales.\nfn scale(resource, n) {\n    if n > 9 {\n        let much = n * 2;\n        throw `${much}`;\n    }\n    \
         resource.set(\"spec.replicas\", n);\n}\n\nfn test_it() {\n    run_on(\"kind: Deployment\\n\", 3);\n}\n",
    );
    let covered = world.json(&["function", "coverage", "scale"]);
    let row = &covered["Functions"][0];
    assert_eq!(row["Missed"], serde_json::json!([4, 5]), "{covered}");
    assert_eq!(
        (&row["Lines"], &row["Run"]),
        (&4.into(), &2.into()),
        "{covered}"
    );
    let told = world.ok(&["function", "coverage"]);
    assert!(told.contains("4-5") && told.contains("set-team"), "{told}");
    assert_eq!(world.run(&["function", "coverage", "--min", "90"]).code, 1);
    drop(world.ok(&["function", "coverage", "--min", "50"]));
}

#[test]
fn tests_run_again_when_a_file_changes() {
    let world = project();
    let mut command = world.command(&["function", "test", "--watch"]);
    let mut child = command
        .stdout(Stdio::from(
            std::fs::File::create(world.path().join("out")).unwrap(),
        ))
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let wait_for = |part: &str| {
        for _ in 0..200 {
            let told = std::fs::read_to_string(world.path().join("out")).unwrap_or_default();
            if told.contains(part) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("`{part}` was not printed");
    };
    wait_for("0 failed");
    world.write(
        "functions/bad.rhai",
        "fn bad(resource) {}\nfn test_it() { throw \"no\"; }\n",
    );
    wait_for("FAILED  bad test_it");
    child.kill().expect("it runs");
    drop(child.wait());
}
