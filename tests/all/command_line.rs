//! What the command line adds to the operations: other names, filters of results, the editor,
//! questions at a terminal.

use crate::world::{Ran, WEB, World};

fn world() -> World {
    let world = World::empty();
    for name in ["web", "web-deployment", "api-deployment"] {
        world.write(&format!("files/{name}.yaml"), WEB);
    }
    drop(world.ok(&["import", "files", "--space", "prod"]));
    world
}

fn with_editor(world: &World, script: &str, words: &[&str]) -> Ran {
    world.write("editor.sh", script);
    let mut command = world.command(words);
    command
        .env("EDITOR", "/bin/sh editor.sh")
        .env("PATH", "/usr/bin:/bin")
        .env("TMPDIR", world.path());
    world.finish(command)
}

#[test]
fn a_word_alone_and_below_unit_is_one_command() {
    let world = world();
    drop(world.ok(&["worker", "install", "worker", "--space", "prod"]));
    drop(world.ok(&["unit", "set-target", "sandbox", "--space", "prod"]));
    for (short, long) in [
        (
            ["apply", "prod/web", "--dry-run"].as_slice(),
            ["unit", "apply", "prod/web", "--dry-run"].as_slice(),
        ),
        (&["diff", "prod/web"], &["unit", "diff", "prod/web"]),
        (&["tree", "prod/*"], &["unit", "tree", "prod/*"]),
        (
            &["live-state", "prod/web"],
            &["unit", "get-live-state", "prod/web"],
        ),
        (
            &["revision", "list", "prod/web"],
            &["unit", "revision", "list", "prod/web"],
        ),
    ] {
        assert_eq!(world.run(short), world.run(long), "{short:?}");
    }
}

#[test]
fn results_go_through_a_filter_of_jq() {
    let world = world();
    let slugs = world.ok(&["unit", "list", "--jq", ".[].Name"]);
    assert_eq!(slugs, "api-deployment\nweb\nweb-deployment\n");
    assert_eq!(
        world.ok(&["unit", "get", "prod/web", "-o", "jq=.Revision"]),
        "1\n"
    );
    let bad = world.run(&["unit", "list", "--jq", ".["]);
    assert_eq!(bad.code, 2, "{}", bad.stderr);
    assert!(bad.stderr.contains("closing bracket"), "{}", bad.stderr);
    assert_eq!(world.run(&["unit", "list", "-o", "csv"]).code, 2);
}

#[test]
fn a_plain_name_finds_the_deployment_where_nothing_has_it() {
    let world = world();
    let name = |reference: &str| world.ok(&["unit", "get", reference, "--jq", ".Slug"]);
    assert_eq!(name("prod/api"), "api-deployment\n");
    assert_eq!(name("web"), "web\n", "what has the name is what is meant");
    let unknown = world.run(&["unit", "get", "prod/apj"]);
    assert_eq!(unknown.code, 1);
    let unknown = world.run(&["unit", "get", "prod/wbe"]);
    assert!(
        unknown.stderr.contains("did you mean `prod/web`"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn an_edit_is_written_and_a_mistake_in_it_is_not() {
    let world = world();
    let edit = |script: &str, more: &[&str]| {
        let words = [&["unit", "edit", "prod/web"], more].concat();
        with_editor(&world, script, &words)
    };
    let data = || world.ok(&["unit", "data", "prod/web"]);

    let dry = edit("sed -i s/v1/v2/ \"$1\"\n", &["--dry-run"]);
    assert!(dry.stdout.contains('+'), "{}", dry.stdout);
    assert_eq!(data(), WEB);

    let same = edit("true\n", &[]);
    assert_eq!(
        (same.code, same.stdout.as_str()),
        (0, "prod/web: unchanged\n")
    );

    let bad = edit("echo 'a: [' >> \"$1\"\n", &[]);
    assert_eq!(bad.code, 1, "{}", bad.stderr);
    assert!(
        bad.stderr.contains("what you wrote is in"),
        "{}",
        bad.stderr
    );
    assert_eq!(data(), WEB);

    drop(world.ok(&["hold", "prod/web", "-m", "INC-0"]));
    let good = edit("sed -i 's/v1/v2/' \"$1\"\n", &["-m", "INC-1"]);
    assert_eq!(good.code, 0, "{}", good.stderr);
    let told = [
        "+         image: web:v2",
        "Then gated    1 unit (prod): hold, held by alice",
        "\nupdate   1 unit matched: 1 changed",
    ];
    let at = told.map(|part| {
        good.stdout
            .find(part)
            .unwrap_or_else(|| panic!("no `{part}` in {}", good.stdout))
    });
    assert!(
        at.is_sorted(),
        "the diff, the gates, then the write: {}",
        good.stdout
    );
    assert_eq!(data(), WEB.replace("v1", "v2"));
    assert!(world.ok(&["log", "--limit", "1"]).contains("INC-1"));
}

#[test]
fn data_and_patches_come_from_files_text_and_standard_input() {
    let world = world();
    let replicas = || {
        let row = world.json(&["unit", "list", "prod/web", "--columns", "replicas"]);
        row[0]["replicas"].as_i64().expect("a number")
    };
    let patch = "{\"spec\":{\"replicas\":7}}";
    drop(world.ok(&["unit", "update", "--patch", "prod/web", "--data", patch]));
    assert_eq!(replicas(), 7);
    world.write("patch.json", &patch.replace('7', "8"));
    drop(world.ok(&[
        "unit",
        "update",
        "prod/web",
        "--patch",
        "--filename",
        "patch.json",
    ]));
    assert_eq!(replicas(), 8);
    world.write("whole.yaml", &WEB.replace("replicas: 2", "replicas: 9"));
    drop(world.ok(&["unit", "update", "prod/web", "whole.yaml"]));
    assert_eq!(replicas(), 9);
    drop(world.ok(&["unit", "update", "prod/web", "--data", WEB]));
    assert_eq!(replicas(), 2);
    for (words, code) in [
        (["unit", "update", "prod/web", "--patch"].as_slice(), 2),
        (
            &["unit", "update", "prod/web", "--data", "a", "--from-stdin"],
            2,
        ),
        (&["unit", "update", "prod/web", "nothing.yaml"], 1),
        (
            &[
                "unit",
                "create",
                "x",
                "whole.yaml",
                "--space",
                "prod",
                "--type",
                "k8s/Service",
            ],
            1,
        ),
        (
            &["unit", "create", "x", "--space", "prod", "--type", "k8s/"],
            2,
        ),
    ] {
        let ran = world.run(words);
        assert_eq!(ran.code, code, "{words:?}: {}", ran.stderr);
    }
    drop(world.ok(&[
        "unit",
        "create",
        "x",
        "--space",
        "prod",
        "--type",
        "apps/v1/Deployment",
    ]));
    assert!(
        world
            .ok(&["unit", "data", "prod/x"])
            .contains("kind: Deployment")
    );
    drop(world.ok(&["worker", "install", "worker", "--space", "prod"]));
    let refused = world.run(&["apply", "prod/x"]);
    assert_ne!(refused.code, 0, "what is to be filled in is not deployed");
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_run() {
    let world = World::empty();
    let told = world.ok(&["doctor"]);
    assert!(told.contains("windlass init") && !world.path().join(".windlass").exists());
    drop(world.ok(&["init"]));
    drop(world.ok(&["space", "create", "prod"]));
    drop(world.ok(&["worker", "install", "worker", "--space", "prod"]));
    let told = world.ok(&["doctor"]);
    assert!(told.contains("0 noted, 0 failed"), "{told}");
    assert!(told.contains("history is as it was written"), "{told}");
    assert!(told.contains("target sandbox"), "{told}");
    assert!(told.contains("1 function of the project's own"), "{told}");

    world.write("functions/bad.rhai", "fn bad(resource {}\n");
    let ran = world.run(&["doctor"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("FAIL  function bad"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("functions/bad.rhai:1:"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("windlass function test bad"),
        "{}",
        ran.stdout
    );
    let checks = world.run(&["doctor", "--json"]).stdout;
    assert!(checks.contains("\"Result\": \"FAIL\""), "{checks}");
    let only = world.ok(&["doctor", "--target", "sandbox"]);
    assert!(!only.contains("function"), "{only}");
    assert_eq!(world.run(&["doctor", "--target", "none"]).code, 1);
}

#[test]
fn a_worker_runs_as_it_was_made() {
    let world = world();
    drop(world.ok(&["worker", "install", "sandboxed", "--space", "prod"]));
    let make = [
        "worker",
        "create",
        "--space",
        "prod",
        "--poll-interval",
        "1h",
        "--auto-apply",
        "true",
    ];
    drop(world.ok(&make));
    assert_eq!(world.run(&make).code, 1, "it is there");
    drop(world.ok(&[&make[..], &["--allow-exists"]].concat()));
    let ran = world.run(&["worker", "run", "--space", "prod", "--once"]);
    assert!(
        ran.stderr.contains("every 3600 s, applies new heads"),
        "{}",
        ran.stderr
    );
    let ran = world.run(&[
        "worker",
        "run",
        "--space",
        "prod",
        "--once",
        "--auto-apply",
        "false",
        "--poll",
        "5s",
    ]);
    assert!(ran.stderr.contains("looks every 5 s\n"), "{}", ran.stderr);
}

#[test]
fn status_counts_spaces_and_says_what_needs_somebody() {
    let world = World::tutorial();
    drop(world.ok(&["run", "scripts/stage3-three-regions.rhai"]));
    drop(world.ok(&[
        "unit",
        "update",
        "traderx-base/trade-service",
        "--patch",
        "{\"image\":\"trade-service:v9\"}",
    ]));
    drop(world.ok(&[
        "run",
        "set-image-reference",
        "*",
        ":v3",
        "--unit",
        "traderx-prod-us/trade-service",
    ]));
    assert_eq!(
        world
            .run(&["upgrade", "traderx-prod-us/trade-service"])
            .code,
        5
    );
    drop(world.ok(&["hold", "traderx-prod-eu/trade-service", "-m", "INC-2"]));
    let status = world.json(&["status"]);
    let spaces = status["Spaces"].as_array().expect("spaces");
    let space = |name: &str| {
        let mut spaces = spaces.iter();
        spaces.find(|space| space["Space"] == name).expect(name)
    };
    let us = space("traderx-prod-us");
    assert_eq!(
        (&us["Units"], &us["Conflicts"], &us["UnappliedChanges"]),
        (&2.into(), &1.into(), &1.into())
    );
    assert_eq!(space("traderx-prod-eu")["UpgradeNeeded"], 1);
    assert_eq!(space("traderx-base")["Ready"], serde_json::Value::Null);
    let needs: Vec<&str> = status["NeedsYou"]
        .as_array()
        .expect("needs")
        .iter()
        .map(|need| need["Need"].as_str().expect("a word"))
        .collect();
    assert_eq!(needs, ["Conflict", "Held"]);
    let text = world.ok(&["status"]);
    for line in [
        "TOTAL",
        "NEEDS YOU, worst first",
        "windlass conflict list",
        "\"INC-2\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let one = world.json(&["status", "--space", "traderx-prod-*"]);
    assert_eq!(one["Spaces"].as_array().expect("spaces").len(), 3);
    assert_eq!(world.run(&["status", "--space", "nothing"]).code, 1);
}
