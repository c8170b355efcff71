//! Applies by their numbers, waves, drift and takeovers, on the sandbox: what can be rehearsed there
//! is what a cluster does.

use serde_json::{Value, json};

use crate::world::World;

const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: NAME\nspec:\n  replicas: 1\n  \
    selector:\n    matchLabels: {app: NAME}\n  template:\n    metadata:\n      labels: {app: NAME}\n    spec:\n      \
    containers:\n        - name: NAME\n          image: NAME:1\n";

/// Three units of one space, deployed in this order: db, api, web.
fn shop() -> World {
    let world = World::empty();
    for (order, name) in [("1", "db"), ("2", "api"), ("3", "web")] {
        world.write(&format!("{name}.yaml"), &WEB.replace("NAME", name));
        world.write("make.rhai", &format!(
            "let shop = ensure_space(\"shop\");\nshop.ensure_unit(\"{name}\", read_file(\"{name}.yaml\"));\n\
             unit(\"shop/{name}\").set_labels(#{{ order: \"{order}\" }});\nshop.install_worker(\"worker\", #{{ wait: true }});"
        ));
        drop(world.ok(&["run", "make.rhai"]));
    }
    drop(world.ok(&["unit", "apply", "--space", "shop", "--wait"]));
    world
}

/// The same with two replicas each to be applied, of which `api` never becomes ready.
fn shop_with_a_change_that_sticks() -> World {
    let world = shop();
    drop(world.ok(&[
        "unit",
        "update",
        "--space",
        "shop",
        "--patch",
        r#"{"spec":{"replicas":2}}"#,
    ]));
    fault(
        &world,
        &format!("#{{ NeverReady: #{{ object: {} }} }}", object("api")),
    );
    world
}

fn fault(world: &World, fault: &str) {
    drop(world.printed(&format!("inject_fault({fault});")));
}

fn object(name: &str) -> String {
    format!("#{{ group: \"apps\", kind: \"Deployment\", namespace: \"shop\", name: \"{name}\" }}")
}

fn live(world: &World) -> Vec<(Value, Value)> {
    let columns = "LiveRevisionNum,Status";
    let rows = world.json(&[
        "unit",
        "list",
        "--space",
        "shop",
        "--columns",
        columns,
        "--sort-by",
        "Labels.order",
    ]);
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| (row["LiveRevisionNum"].clone(), row["Status"].clone()))
        .collect()
}

fn state(number: u64, status: &str) -> (Value, Value) {
    (json!(number), json!(status))
}

#[test]
fn a_failed_apply_is_resumed_where_it_stopped() {
    let world = shop_with_a_change_that_sticks();
    let ran = world.run(&[
        "unit",
        "apply",
        "--space",
        "shop",
        "--wait",
        "--timeout",
        "30s",
    ]);
    assert_eq!(ran.code, 1);
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("apply-failed", ran.stdout);
    });
    assert_eq!(
        live(&world),
        [state(2, "Ready"), state(2, "Degraded"), state(1, "Ready")]
    );

    drop(world.printed("clear_faults();"));
    let resumed = world.json(&["unit", "apply", "--resume", "a-2", "--wait"]);
    assert_eq!(
        resumed["Matched"], 2,
        "what went well is left alone: {resumed}"
    );
    assert_eq!(
        live(&world),
        [state(2, "Ready"), state(2, "Ready"), state(2, "Ready")]
    );
    let again = world.run(&["unit", "apply", "--resume", "a-3"]);
    assert_eq!(again.code, 1, "an apply that has finished has left nothing");
    assert_eq!(world.run(&["unit", "apply", "--resume", "a-99"]).code, 1);
}

#[test]
fn a_rollback_of_an_apply_puts_back_what_it_touched_and_takes_away_what_it_brought() {
    let world = shop();
    world.write("new.yaml", &WEB.replace("NAME", "new"));
    drop(world.ok(&[
        "unit", "create", "new", "new.yaml", "--space", "shop", "--label", "order=4",
    ]));
    drop(world.ok(&[
        "unit",
        "update",
        "shop/db",
        "--patch",
        r#"{"spec":{"replicas":2}}"#,
    ]));
    drop(world.ok(&["unit", "apply", "--space", "shop", "--wait"]));
    assert_eq!(
        live(&world),
        [
            state(2, "Ready"),
            state(1, "Ready"),
            state(1, "Ready"),
            state(1, "Ready")
        ]
    );
    let preview = world.ok(&["rollback", "a-2", "--dry-run"]);
    assert!(
        preview.contains("shop/db") && preview.contains("shop/new"),
        "{preview}"
    );
    drop(world.ok(&["rollback", "a-2", "--wait", "-m", "no"]));
    let states = live(&world);
    assert_eq!(states[0].1, "Ready");
    assert_eq!(
        states[3],
        (Value::Null, json!("NoLive")),
        "what the apply brought is gone again"
    );
    let db = world.ok(&["unit", "data", "shop/db"]);
    assert!(db.contains("replicas: 1"), "{db}");
    assert_eq!(world.run(&["rollback", "a-2", "--to", "live"]).code, 2);
    assert_eq!(world.run(&["rollback", "a-77"]).code, 1);
}

#[test]
fn a_rollback_of_an_operation_or_to_a_time_finds_what_was_live_then() {
    let world = shop();
    let ran = world.json(&[
        "unit",
        "update",
        "shop/db",
        "--patch",
        r#"{"spec":{"replicas":2}}"#,
    ]);
    drop(world.ok(&["unit", "apply", "shop/db", "--wait"]));
    let op = ran["Operation"].as_str().expect("an operation").to_owned();
    drop(world.ok(&["rollback", &op, "-m", "no"]));
    let db = world.ok(&["unit", "data", "shop/db"]);
    assert!(db.contains("replicas: 1"), "{db}");
    drop(world.ok(&["rollback", "shop/db", "--to", "2020-01-01T00:00Z"]));
    assert_eq!(
        live(&world)[0],
        (Value::Null, json!("NoLive")),
        "nothing was live then"
    );
    assert_eq!(
        world.run(&["rollback", "shop/db", "--to", "gestern"]).code,
        2
    );
}

#[test]
fn drift_is_told_field_by_field_and_decided() {
    let world = shop();
    let drifted = |replicas: u32| {
        fault(
            &world,
            &format!(
                "#{{ Drift: #{{ object: {}, path: \"spec.replicas\", value: {replicas}, manager: \"kubectl-edit\" }} }}",
                object("web")
            ),
        );
    };
    assert_eq!(world.json(&["drift", "list", "--space", "shop"]), json!([]));
    drifted(7);
    let rows = world.json(&["drift", "show", "shop/web"]);
    assert_eq!(
        (&rows[0]["Path"], &rows[0]["Live"]),
        (&json!("spec.replicas"), &json!(7))
    );
    let refused = world.run(&[
        "unit",
        "update",
        "shop/web",
        "--patch",
        r#"{"image":"web:2"}"#,
    ]);
    assert_eq!(refused.code, 0);
    assert_eq!(
        world.run(&["unit", "apply", "shop/web"]).code,
        1,
        "never forced by an apply"
    );
    drop(world.ok(&["drift", "revert", "shop/web"]));
    assert_eq!(world.json(&["drift", "list", "--space", "shop"]), json!([]));
    let head = world.json(&["unit", "list", "shop/web", "--columns", "HeadRevisionNum"]);
    assert_eq!(head[0]["HeadRevisionNum"], 2, "a revert makes no revision");
    drifted(8);
    drop(world.ok(&["drift", "accept", "shop/web", "--path", "spec.replicas"]));
    assert!(
        world
            .ok(&["unit", "data", "shop/web"])
            .contains("replicas: 8")
    );
    drop(world.ok(&[
        "drift",
        "tolerate",
        "shop/web",
        "spec.replicas",
        "--until",
        "7d",
        "-m",
        "load",
    ]));
    assert_eq!(
        world
            .run(&["drift", "list", "--space", "shop", "--exit-code"])
            .code,
        0
    );
    drop(world.ok(&["undo"]));
    assert_eq!(
        world
            .run(&["drift", "list", "--space", "shop", "--exit-code"])
            .code,
        1
    );
    fault(
        &world,
        &format!("#{{ Delete: #{{ object: {} }} }}", object("db")),
    );
    assert_eq!(world.json(&["drift", "show", "shop/db"])[0]["Gone"], true);
    let skipped = world.run(&["drift", "accept", "shop/db"]);
    assert_eq!(
        skipped.code, 1,
        "what is gone cannot be accepted: {}",
        skipped.stdout
    );
    drop(world.ok(&["drift", "revert", "shop/db"]));
    assert_eq!(world.json(&["drift", "show", "shop/db"]), json!([]));
}

#[test]
fn waves_are_values_of_a_column_and_need_one() {
    let world = shop_with_a_change_that_sticks();
    let ran = world.run(&[
        "unit",
        "apply",
        "--space",
        "shop",
        "--waves",
        "Labels.order",
        "--timeout",
        "10s",
    ]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("not sent: wave 2 failed"),
        "{}",
        ran.stdout
    );
    assert_eq!(live(&world)[2], state(1, "Ready"));
    assert_eq!(
        world
            .run(&["unit", "apply", "--space", "shop", "--waves", "NoSuch"])
            .code,
        1
    );
    assert_eq!(
        world
            .run(&["unit", "apply", "--space", "shop", "--soak", "1m"])
            .code,
        2
    );
}

#[test]
fn why_says_what_is_known() {
    let world = shop();
    drop(world.ok(&["hold", "shop/web", "-m", "INC-1"]));
    let why = world.ok(&["why", "shop/web"]);
    for part in [
        "shop/web is Ready",
        "hold: held by",
        "INC-1",
        "a-1 (apply)",
        "windlass unhold shop/web",
    ] {
        assert!(why.contains(part), "expected {part}:\n{why}");
    }
    assert_eq!(world.run(&["why", "shop/none"]).code, 1);
}

#[test]
fn an_object_of_another_unit_is_taken_when_that_unit_is_named() {
    let world = shop();
    world.write("twin.yaml", &WEB.replace("NAME", "web"));
    drop(world.ok(&["unit", "create", "twin", "twin.yaml", "--space", "shop"]));
    let refused = world.run(&["unit", "apply", "shop/twin"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("shop/web"), "{}", refused.stderr);
    assert_eq!(
        world
            .run(&["takeover", "shop/twin", "--from", "unit:shop/db"])
            .code,
        1
    );
    drop(world.ok(&["takeover", "shop/twin", "--from", "unit:shop/web"]));
    drop(world.ok(&["unit", "apply", "shop/twin", "--wait"]));
    let refused = world.run(&["unit", "apply", "shop/web"]);
    assert_eq!(refused.code, 1, "and is not given back in silence");
}

#[test]
fn a_worker_on_the_sandbox_applies_new_heads_and_tells_drift() {
    let world = shop();
    drop(world.ok(&[
        "unit",
        "update",
        "shop/web",
        "--patch",
        r#"{"spec":{"replicas":2}}"#,
    ]));
    fault(
        &world,
        &format!(
            "#{{ Drift: #{{ object: {}, path: \"spec.replicas\", value: 5, manager: \"kubectl-edit\" }} }}",
            object("db")
        ),
    );
    let told = world.run(&["worker", "run", "--space", "shop", "--once"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("drift shop/db"), "{}", told.stderr);
    assert_eq!(
        live(&world)[2].0,
        1,
        "without --auto-apply nothing is applied"
    );
    let told = world.run(&["worker", "run", "--space", "shop", "--once", "--auto-apply"]);
    assert!(
        told.stderr.contains("applied shop/web r1 → r2"),
        "{}",
        told.stderr
    );
    assert_eq!(live(&world)[2].0, 2);
    let none = world.run(&["worker", "run", "--space", "nowhere-*", "--once"]);
    assert_eq!(none.code, 1);
    let busy = world.run(&[
        "worker", "run", "--space", "shop", "--once", "--health", "nowhere",
    ]);
    assert_eq!(busy.code, 2);
    drop(world.ok(&["log", "verify"]));
}
