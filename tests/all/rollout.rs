//! Deploying through the program: targets, order, failures, waiting, older revisions.

use crate::world::World;

const WORKLOAD: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
      - name: NAME
        image: app:v1
";

/// Three units that are to be applied as one, two, three, made the other way round.
fn world() -> World {
    let world = World::empty();
    world.write("workload.yaml", WORKLOAD);
    let _ = world.printed(
        r#"let a = ensure_space("a");
        for unit in [["three", "10"], ["two", "2"], ["one", "1"]] {
            let text = read_file("workload.yaml");
            text.replace("NAME", unit[0]);
            a.ensure_unit(unit[0], text, #{ labels: #{ order: unit[1] } });
        }"#,
    );
    world
}

fn deployed() -> World {
    let world = world();
    let _ = world.printed(
        r#"space("a").install_worker("w", #{ wait: true });
        units("a/*").apply(#{ wait: true, timeout: "60s" });"#,
    );
    world
}

/// Name, live revision and status of each unit.
fn facts(world: &World) -> Vec<String> {
    let columns = "Name,LiveRevisionNum,Status,UnappliedChanges";
    let rows = world.json(&["unit", "list", "a/*", "--columns", columns]);
    let row = |row: &serde_json::Value| {
        format!(
            "{} {} {} {}",
            row["Name"].as_str().unwrap_or_default(),
            row["LiveRevisionNum"],
            row["Status"].as_str().unwrap_or_default(),
            row["UnappliedChanges"],
        )
    };
    rows.as_array().expect("rows").iter().map(row).collect()
}

#[test]
fn applying_without_a_target_names_what_is_missing_and_sends_nothing() {
    let world = world();
    let ran = world.run(&["unit", "apply", "--space", "a"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    for part in [
        "expected a target for `a/one` and 2 others",
        "worker install",
        "nothing was sent",
    ] {
        assert!(ran.stderr.contains(part), "no `{part}` in {}", ran.stderr);
    }
    assert_eq!(facts(&world)[0], "three null NoLive null");
}

#[test]
fn units_go_in_the_order_of_their_labels_and_a_second_apply_changes_nothing() {
    let world = world();
    let _ = world.ok(&["worker", "install", "w", "--space", "a", "--wait"]);
    let first = world.json(&["unit", "apply", "--space", "a", "--wait"]);
    let order: Vec<&str> = first["Units"]
        .as_array()
        .expect("units")
        .iter()
        .map(|unit| unit["Unit"].as_str().expect("a name"))
        .collect();
    assert_eq!(order, ["a/one", "a/two", "a/three"]);
    let again = world.json(&["unit", "apply", "--space", "a", "--wait"]);
    assert_eq!(
        (&again["Changed"], &again["Unchanged"]),
        (&0.into(), &3.into())
    );
    assert_eq!(
        facts(&world),
        [
            "three 1 Ready false",
            "two 1 Ready false",
            "one 1 Ready false"
        ]
    );
}

#[test]
fn a_refused_object_stops_what_comes_later_and_says_what_was_sent() {
    let world = world();
    let ran = world.script(
        r#"space("a").install_worker("w", #{ wait: true });
        inject_fault(#{ Refuse: #{ reason: "over quota", object: #{
            group: "apps", kind: "Deployment", namespace: "a", name: "two" } } });
        units("a/*").apply(#{ wait: true, timeout: "60s" });"#,
    );
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    for part in [
        "over quota",
        "a/two",
        "what was sent before it stays",
        "1 changed, 1 skipped, 1 failed",
    ] {
        assert!(ran.stderr.contains(part), "no `{part}` in {}", ran.stderr);
    }
    assert_eq!(
        facts(&world),
        [
            "three null NoLive true",
            "two null Failed true",
            "one 1 Ready false"
        ]
    );
    let _ = world.printed("clear_faults(); units(\"a/*\").apply(#{ wait: true });");
    assert_eq!(
        facts(&world),
        [
            "three 1 Ready false",
            "two 1 Ready false",
            "one 1 Ready false"
        ]
    );
}

#[test]
fn waiting_ends_on_the_clock_of_the_sandbox_with_a_reason() {
    let world = deployed();
    let started = std::time::Instant::now();
    let ran = world.script(
        r#"inject_fault(#{ NeverReady: #{ object: #{
            group: "apps", kind: "Deployment", namespace: "a", name: "one" } } });
        unit("a/one").set_image("one", "app:v2");
        units("a/*").apply(#{ wait: true, timeout: "1h" });"#,
    );
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert!(started.elapsed().as_secs() < 600, "it slept");
    assert!(
        ran.stderr
            .contains("expected `a/one` to become ready, found it Degraded"),
        "{}",
        ran.stderr
    );
    let record = world.json(&["unit", "get", "a/one"]);
    assert_eq!(record["Status"], "Degraded");
    assert!(
        record["StatusReason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty()),
        "{record}"
    );
}

#[test]
fn an_older_revision_is_applied_without_a_new_one() {
    let world = deployed();
    let printed = world.printed(
        r#"let one = unit("a/one");
        one.set_replicas(5);
        one.apply(#{ wait: true });
        print(`${one.head_revision} ${one.live_revision} ${one.unapplied_changes}`);
        one.apply(#{ revision: 1, wait: true });
        print(`${one.head_revision} ${one.live_revision} ${one.unapplied_changes}`);
        print(one.live_state().Objects[0].Replicas);
        try { one.apply(#{ revision: 9 }); } catch (e) { print(error(e).message); }"#,
    );
    assert_eq!(
        printed,
        "2 2 false\n2 1 true\n2\nexpected a revision from r1 to r2 of `a/one`, found r9\n"
    );
}

#[test]
fn what_is_live_cannot_be_deleted_before_it_is_destroyed() {
    let world = deployed();
    let ran = world.run(&["unit", "delete", "a/one"]);
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("windlass unit destroy a/one"),
        "{}",
        ran.stderr
    );
    let _ = world.ok(&["unit", "destroy", "a/one"]);
    let state = world.json(&["unit", "live-state", "a/one"]);
    assert_eq!(state["Status"], "NoLive");
    let _ = world.ok(&["unit", "delete", "a/one"]);
    assert_eq!(world.run(&["unit", "get", "a/one"]).code, 1);
    let _ = world.ok(&["log", "verify"]);
}

#[test]
fn a_change_deploys_nothing_and_a_dry_run_of_apply_sends_nothing() {
    let world = deployed();
    let _ = world.ok(&["function", "do", "--unit", "a/one", "set-replicas", "7"]);
    let live = |world: &World| {
        world.json(&["unit", "live-state", "a/one"])["Objects"][0]["Replicas"].clone()
    };
    assert_eq!(live(&world), 2);
    let before = world.store();
    let shown = world.ok(&["unit", "apply", "a/one", "--dry-run"]);
    assert!(
        shown.contains("PREVIEW") && shown.contains("r1 → r2"),
        "{shown}"
    );
    assert!(before == world.store(), "the store changed");
    assert_eq!(live(&world), 2);
    let _ = world.ok(&["unit", "apply", "a/one", "--wait"]);
    assert_eq!(live(&world), 7);
}
