//! Applies that fail: what they say, what they leave, and what comes next.

use super::*;

#[test]
fn a_failed_apply_says_why_stops_and_is_resumed_or_rolled_back() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "failing");
    for (order, name) in [(1, "db"), (2, "api"), (3, "web")] {
        fleet.deployment(name, &format!("{name}:1"), 1, order);
    }
    fleet.ok(&["unit", "apply", "--space", fleet.space(), "--wait"]);
    for name in ["db", "web"] {
        fleet.patch(name, r#"{"spec":{"replicas":2}}"#);
    }
    fleet.ok(&[
        "run",
        "set-image-reference",
        "api",
        ":missing",
        "--unit",
        &fleet.unit("api"),
    ]);
    let ran = fleet.run(&[
        "unit",
        "apply",
        "--space",
        fleet.space(),
        "--wait",
        "--timeout",
        "6s",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for part in [
        "ImagePullBackOff",
        "cause in this apply:",
        "api:1 → api:missing",
        "not sent           ",
        "windlass rollback a-2",
        "windlass unit apply --resume a-2",
    ] {
        assert!(
            ran.stdout.contains(part),
            "expected {part}:\n{}",
            ran.stdout
        );
    }
    assert_eq!(fleet.state("db"), (json!(2), json!(2), json!("Ready")));
    assert_eq!(fleet.state("api").2, "Degraded");
    assert_eq!(fleet.state("web"), (json!(1), json!(2), json!("Ready")));
    assert_eq!(fleet.replicas("web"), 1);

    // Fixed, and resumed: what had gone well is left alone.
    fleet.ok(&[
        "run",
        "set-image-reference",
        "api",
        ":2",
        "--unit",
        &fleet.unit("api"),
    ]);
    let resumed = fleet.json(&["unit", "apply", "--resume", "a-2", "--wait"]);
    let mut units = first_column(&resumed["Units"], "Unit");
    units.sort();
    assert_eq!(units, [fleet.unit("api"), fleet.unit("web")]);
    assert_eq!(
        (fleet.replicas("web"), fleet.image("api")),
        (json!(2), json!("api:2"))
    );

    // And back to before the first of the two, all of it, held.
    fleet.ok(&["rollback", "a-2", "--wait", "-m", "not today"]);
    assert_eq!(fleet.image("api"), "api:1");
    assert_eq!(
        (fleet.replicas("db"), fleet.replicas("web")),
        (json!(1), json!(2))
    );
    let held = fleet.json(&["hold", "list"]);
    assert_eq!(
        first_column(&held, "Unit"),
        [fleet.unit("db"), fleet.unit("api")]
    );
}

#[test]
fn what_the_server_refuses_is_told_with_unit_and_object_and_leaves_the_store_right() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "refused");
    fleet.deployment("web", "web:1", 1, 1);
    fleet.ok(&["unit", "apply", "--space", fleet.space(), "--wait"]);
    for (change, part) in [
        (
            r#"{"spec":{"selector":{"matchLabels":{"app":"x"}},"template":{"metadata":{"labels":{"app":"x"}}}}}"#,
            "immutable",
        ),
        (r#"{"spec":{"replcas":2}}"#, "replcas"),
        (
            r#"[{"op":"replace","path":"/apiVersion","value":"apps/v9"}]"#,
            "apps/v9",
        ),
    ] {
        let head = fleet.state("web").1;
        fleet.patch("web", change);
        let dry = fleet.run(&["unit", "apply", &fleet.unit("web"), "--dry-run"]);
        assert!(
            dry.stdout.contains(part) || dry.stderr.contains(part),
            "{}{}",
            dry.stdout,
            dry.stderr
        );
        let ran = fleet.run(&["unit", "apply", &fleet.unit("web")]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(part), "{}", ran.stderr);
        assert!(ran.stderr.contains(&fleet.unit("web")), "{}", ran.stderr);
        let (live, _, status) = fleet.state("web");
        assert_eq!((live, status), (json!(1), json!("Failed")));
        let back = head.as_u64().expect("a number").to_string();
        fleet.ok(&["unit", "update", &fleet.unit("web"), "--restore", &back]);
    }
    fleet.ok(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    assert_eq!(fleet.state("web").2, "Ready");
    assert_eq!(fleet.replicas("web"), 1);
}

#[test]
fn two_applies_of_one_unit_do_not_go_at_once() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "lease");
    fleet.deployment("web", "web:slow", 1, 1);
    let first = fleet.start(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    cluster.until("the first apply has sent", |cluster| {
        cluster.get(DEPLOYMENT, fleet.space(), "web").is_some()
    });
    fleet.patch("web", r#"{"spec":{"replicas":2}}"#);
    let second = fleet.run(&["unit", "apply", &fleet.unit("web")]);
    assert_eq!(second.code, 3, "{}{}", second.stdout, second.stderr);
    assert!(second.stderr.contains("a-1"), "{}", second.stderr);
    assert_eq!(first.finish().code, 0);
    fleet.ok(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    assert_eq!(fleet.replicas("web"), 2);

    // One that was killed keeps nobody waiting.
    fleet.patch("web", r#"{"spec":{"replicas":3}}"#);
    let killed = fleet.start(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    cluster.until("it has sent", |_| fleet.replicas("web") == 3);
    killed.kill();
    fleet.ok(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    assert_eq!(fleet.state("web"), (json!(3), json!(3), json!("Ready")));
}

#[test]
fn a_script_that_waits_for_a_cluster_stops_at_once_when_it_is_told() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "stopped");
    fleet.deployment("never", "missing:1", 1, 1);
    let unit = fleet.unit("never");
    fleet.world.write(
        "wait.rhai",
        &format!("print(\"begun\");\nunit(\"{unit}\").apply(#{{ wait: true, timeout: \"300s\" }});\nprint(\"after\");\n"),
    );
    let mut running = fleet.start(&["run", "wait.rhai"]);
    running.wait_for("begun");
    let is_sent = || fleet.state("never").2 == "Progressing";
    for _ in 0..200 {
        if is_sent() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let begun = std::time::Instant::now();
    running.interrupt();
    let ran = running.finish();
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    assert!(begun.elapsed().as_secs() < 30, "not at the end of its time");
    assert!(!ran.stdout.contains("after"), "{}", ran.stdout);
    // What was sent stays, and nothing is left half done.
    assert!(is_sent(), "{:?}", fleet.state("never"));
    let told = fleet.ok(&["doctor"]);
    assert!(told.contains("0 noted, 0 failed"), "{told}");
}
