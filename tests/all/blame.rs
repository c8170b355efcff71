//! Blame and audit: who made a value what it is, through what, and where it came from.

use serde_json::{Value, json};

use crate::world::{NOW, World};

const API: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: api
        image: api:v1
        env:
        - name: MODE
          value: plain
---
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  ports:
  - port: 80
";

const IMAGE: &str = "spec.template.spec.containers.?name=api.image";

/// A base, a region cloned from it and a sibling of that.
fn fleet() -> World {
    let world = World::empty();
    world.write("api.yaml", API);
    let _ = world.printed(
        r#"as_actor("base@corp", || {
            let api = ensure_space("base").ensure_unit("api", read_file("api.yaml"));
            for region in ["eu", "us"] { ensure_space(region).ensure_clone(api); }
        });"#,
    );
    world
}

/// The steps of the only row, as `unit rN who through`.
fn trace(world: &World, args: &[&str]) -> Vec<String> {
    let mut words = vec!["blame"];
    words.extend(args);
    let rows = world.json(&words);
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    steps(&rows[0])
}

fn steps(row: &Value) -> Vec<String> {
    let steps = row["Trace"].as_array().unwrap().iter();
    steps
        .map(|step| {
            let text = |key: &str| step[key].as_str().unwrap().to_owned();
            format!(
                "{} r{} {} {}",
                text("Unit"),
                step["Num"],
                text("User"),
                text("Through")
            )
        })
        .collect()
}

#[test]
fn every_way_in_which_a_value_can_come_is_told_to_its_origin() {
    let world = fleet();
    let made = "base/api r1 base@corp create from the text of `script`";
    assert_eq!(
        trace(&world, &["eu/api", "spec.replicas"]),
        ["eu/api r1 base@corp clone of base/api r1", made]
    );
    // By a function, with its arguments and the message of its operation.
    let _ = world.ok(&[
        "run",
        "set-replicas",
        "5",
        "--unit",
        "eu/api",
        "-m",
        "market open",
    ]);
    assert_eq!(
        trace(&world, &["eu/api", "spec.replicas"]),
        ["eu/api r2 alice@trading.com set-replicas --replicas 5"]
    );
    let shown = world.ok(&["blame", "eu/api", "spec.replicas"]);
    assert!(
        shown.starts_with("eu/api  Deployment/api  spec.replicas = 5\n"),
        "{shown}"
    );
    assert!(shown.contains("\"market open\""), "{shown}");
    // By an upgrade, from a patch of the base.
    let _ = world.ok(&[
        "unit",
        "update",
        "base/api",
        "--patch",
        r#"{"image":"api:v2"}"#,
    ]);
    let _ = world.ok(&["unit", "update", "us/api", "--upgrade"]);
    let patch = r#"base/api r2 alice@trading.com patch {"image":"api:v2"}"#;
    assert_eq!(
        trace(&world, &["us/api", IMAGE]),
        [
            "us/api r2 alice@trading.com upgrade base/api r1 → r2",
            patch
        ]
    );
    // What the upgrade did not touch is what it was.
    assert_eq!(
        trace(&world, &["us/api", "spec.replicas"]),
        ["us/api r1 base@corp clone of base/api r1", made]
    );
    // By a conflict that was taken.
    let _ = world.ok(&["run", "set-image", "api", "api:hot", "--unit", "eu/api"]);
    let upgraded = world.run(&["unit", "update", "eu/api", "--upgrade"]);
    assert_eq!(upgraded.code, 5);
    assert_eq!(
        trace(&world, &["eu/api", IMAGE])[0].split(" alice").next(),
        Some("eu/api r3")
    );
    let _ = world.ok(&["conflict", "take", "c1"]);
    let taken = trace(&world, &["eu/api", IMAGE]);
    assert_eq!(taken.len(), 2, "{taken:?}");
    assert!(
        taken[0].starts_with("eu/api r4 alice@trading.com"),
        "{taken:?}"
    );
    assert_eq!(taken[1], patch);
    // By a restore, and by an undo of it.
    let _ = world.ok(&["unit", "update", "eu/api", "--restore", "1"]);
    assert_eq!(
        trace(&world, &["eu/api", "spec.replicas"]),
        [
            "eu/api r5 alice@trading.com restore r1",
            "eu/api r1 base@corp clone of base/api r1",
            made
        ]
    );
    let _ = world.ok(&["undo"]);
    let undone = trace(&world, &["eu/api", "spec.replicas"]);
    assert_eq!(
        undone[1],
        "eu/api r2 alice@trading.com set-replicas --replicas 5"
    );
    assert!(
        undone[0].starts_with("eu/api r6 alice@trading.com undo op-"),
        "{undone:?}"
    );
}

#[test]
fn what_was_removed_says_by_whom_and_what_never_was_says_what_there_is() {
    let world = fleet();
    let _ = world.ok(&[
        "run",
        "set-env-var",
        "api",
        "FLAG",
        "on",
        "--unit",
        "eu/api",
    ]);
    let env = "spec.template.spec.containers.?name=api.env.?name=FLAG";
    let _ = world.ok(&[
        "run",
        "delete-path",
        "metadata.name",
        "--unit",
        "eu/api",
        "--dry-run",
    ]);
    let _ = world.ok(&["undo", "-m", "not wanted"]);
    let rows = world.json(&["blame", "eu/api", env]);
    assert_eq!(rows[0]["Removed"], json!(true));
    assert_eq!(rows[0]["Value"], Value::Null);
    assert_eq!(rows[0]["Trace"][0]["Num"], json!(3));
    assert_eq!(rows[0]["Trace"][0]["Message"], json!("not wanted"));
    assert!(world.ok(&["blame", "eu/api", env]).contains("= (removed)"));
    let none = world.run(&["blame", "eu/api", "spec.replcas"]);
    assert_eq!(none.code, 1);
    assert!(
        none.stderr.contains("did you mean `spec.replicas`?"),
        "{}",
        none.stderr
    );
    let far = world.run(&["blame", "eu/api", "spec.zzzzzz"]);
    assert!(far.stderr.contains("spec.template"), "{}", far.stderr);
    for (args, code) in [
        (vec!["blame"], 2),
        (vec!["blame", "spec.replicas"], 2),
        (vec!["blame", "nope/*", "spec.replicas"], 1),
        (vec!["blame", "eu/api", "spec..x"], 2),
    ] {
        assert_eq!(world.run(&args).code, code, "{args:?}");
    }
}

#[test]
fn a_map_or_a_pattern_means_the_newest_change_beneath_it() {
    let world = fleet();
    let _ = world.ok(&["run", "set-image", "api", "api:v3", "--unit", "eu/api"]);
    let _ = world.ok(&["run", "set-replicas", "2", "--unit", "eu/api"]);
    for path in [
        "spec.template",
        "spec.template.spec.containers.*.image",
        "spec.*.spec",
    ] {
        let rows = world.json(&["blame", "eu/api", path, "--resource", "Deployment/api"]);
        assert_eq!(rows[0]["Trace"][0]["Num"], json!(2), "{path}: {rows}");
        assert_eq!(rows[0]["Trace"][0]["Place"], json!(IMAGE), "{path}: {rows}");
    }
    // Each resource that has the path is a row; a flag narrows.
    let rows = world.json(&["blame", "eu/api", "metadata.name"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    let rows = world.json(&[
        "blame",
        "metadata.name",
        "--space",
        "*",
        "--resource",
        "Service/api",
    ]);
    assert_eq!(rows.as_array().map(Vec::len), Some(3));
    let printed = world.printed(
        r#"let u = unit("eu/api");
        print(u.blame("spec.replicas"));
        print(u.blame("spec.replicas", #{ resource: "Deployment/api" }).rows()[0].Value);
        print(units("*/api").blame("spec.replicas").len);"#,
    );
    assert!(
        printed.starts_with("eu/api  Deployment/api  spec.replicas = 2\n"),
        "{printed}"
    );
    assert!(printed.ends_with("\n2\n3\n"), "{printed}");
}

#[test]
fn the_audit_reads_as_in_the_tutorial() {
    let world = fleet();
    let at = |time: &str, actor: &str, args: &[&str]| {
        let mut command = world.command(args);
        command
            .env("WINDLASS_CLOCK", time)
            .env("WINDLASS_ACTOR", actor);
        assert_eq!(world.finish(command).code, 0);
    };
    let scale = |n| ["run", "set-replicas", n, "--unit", "eu/api", "-m"];
    let open = [&scale("5")[..], &["scale replicas 2→5 (market open)"]].concat();
    let close = [&scale("2")[..], &["scale replicas 5→2 (market close)"]].concat();
    at("2024-01-15T08:00:00Z", "system", &open);
    at("2024-01-15T18:00:00Z", "system", &close);
    at(
        "2024-01-16T09:15:00Z",
        "alice@trading.com",
        &[
            "run",
            "set-env-var",
            "api",
            "CIRCUIT_BREAKER",
            "true",
            "--unit",
            "eu/api",
            "-m",
            "set CIRCUIT_BREAKER=true",
        ],
    );
    let lines = "\
Rev 4: 2024-01-16 09:15 UTC | alice@trading.com | set CIRCUIT_BREAKER=true
Rev 3: 2024-01-15 18:00 UTC | system | scale replicas 5→2 (market close)
Rev 2: 2024-01-15 08:00 UTC | system | scale replicas 2→5 (market open)
";
    let args = ["revision", "list", "eu/api", "--limit", "3"];
    assert_eq!(world.ok(&[&args[..], &["--lines"]].concat()), lines);
    assert_eq!(world.printed(r#"print(unit("eu/api").history(3));"#), lines);
    let table = world.ok(&args);
    let mut rows = table.lines();
    assert_eq!(
        rows.next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["REV", "AUTHOR", "TIMESTAMP", "CHANGE"]
    );
    assert_eq!(rows.count(), 3);
    assert_eq!(
        world
            .printed(r#"print(unit("eu/api").revisions(3));"#)
            .trim(),
        table.trim()
    );
    let json = world.json(&args);
    assert_eq!(json[0]["Num"], json!(4));
    assert_eq!(json[0]["User"], json!("alice@trading.com"));
    assert_eq!(json[0]["Source"], json!("set-env-var"));
    assert_eq!(json[0]["Change"], json!("set CIRCUIT_BREAKER=true"));
    // Without a message the change says what was called; with one of a block, that.
    let printed = world.printed(
        r#"unit("eu/api").set_replicas(7);
        atomic("for the holidays", || { unit("eu/api").set_replicas(8); });
        print(unit("eu/api").history(2));"#,
    );
    let changes: Vec<&str> = printed
        .lines()
        .map(|line| line.rsplit(" | ").next().unwrap())
        .collect();
    assert_eq!(changes, ["for the holidays", "set-replicas --replicas 7"]);
}

#[test]
fn an_operation_is_shown_with_what_it_changed() {
    let world = fleet();
    let _ = world.ok(&["run", "set-replicas", "5", "--space", "*", "-m", "open"]);
    let last = world.json(&["log", "--limit", "1"])[0]["Operation"].clone();
    let last = last.as_str().unwrap();
    let shown = world.json(&["log", "show", last]);
    assert_eq!(shown["Actor"], json!("alice@trading.com"));
    assert_eq!(shown["Message"], json!("open"));
    assert_eq!(shown["Verb"], json!("set-replicas --replicas 5"));
    assert_eq!(shown["Units"].as_array().map(Vec::len), Some(3));
    assert_eq!(shown["Units"][1]["Before"], json!(1));
    assert_eq!(shown["Units"][1]["After"], json!(2));
    assert_eq!(
        shown["Units"][1]["Paths"],
        json!(["Deployment/api spec.replicas"])
    );
    assert_eq!(shown["UndoneBy"], Value::Null);
    let _ = world.ok(&["undo"]);
    let shown = world.json(&["log", "show", last]);
    let by = shown["UndoneBy"].as_str().unwrap().to_owned();
    assert_eq!(world.json(&["log", "show", &by])["Undoes"], json!([last]));
    let text = world.ok(&["log", "show", &by]);
    for part in [
        "undoes     op-",
        "r2 → r3",
        "Deployment/api spec.replicas",
        "2026-01-16 09:15",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(NOW.starts_with("2026-01-16T09:15"));
    let none = world.run(&["log", "show", "op-99"]);
    assert_eq!(none.code, 1, "{}", none.stderr);
}

#[test]
fn a_message_of_several_lines_keeps_a_list_one_line_each() {
    let world = fleet();
    let why = "first line\nand more";
    let _ = world.ok(&["run", "set-replicas", "5", "--unit", "eu/api", "-m", why]);
    let args = ["revision", "list", "eu/api"];
    assert_eq!(world.ok(&args).lines().count(), 3);
    assert_eq!(world.json(&args)[0]["Change"], json!(why));
    let lines = world.ok(&[&args[..], &["--lines"]].concat());
    assert!(lines.starts_with("Rev 2: "), "{lines}");
    assert!(
        lines.lines().next().unwrap().ends_with("| first line"),
        "{lines}"
    );
}
