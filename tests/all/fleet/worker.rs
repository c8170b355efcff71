//! Workers as processes.

use super::*;

#[test]
fn workers_apply_new_heads_once_leave_what_is_held_and_stop_when_told() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "workers");
    fleet.deployment("web", "web:1", 1, 1);
    fleet.deployment("held", "held:1", 1, 1);
    fleet.ok(&["hold", &fleet.unit("held")]);
    let args = |name: &'static str| {
        [
            "worker",
            "run",
            name,
            "--space",
            fleet.space(),
            "--poll",
            "200ms",
            "--auto-apply",
        ]
        .map(ToOwned::to_owned)
    };
    let start = |name| {
        let args = args(name);
        fleet.start(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (first, second) = (start("first"), start("second"));
    cluster.until("the first head is live", |_| fleet.replicas("web") == 1);
    for replicas in 2..=4 {
        fleet.patch("web", &format!(r#"{{"spec":{{"replicas":{replicas}}}}}"#));
        cluster.until("the new head is live", |_| {
            fleet.replicas("web") == replicas
        });
    }
    cluster.until("the store says so", |_| {
        fleet.state("web") == (json!(4), json!(4), json!("Ready"))
    });
    assert_eq!(
        fleet.replicas("held"),
        Value::Null,
        "what is held is left alone"
    );
    let workers = fleet.json(&["worker", "list"]);
    assert_eq!(first_column(&workers, "Condition"), ["Ready", "Ready"]);

    // By hand, and destroyed on purpose: told, and not undone.
    fleet.edit("web", &json!({ "spec": { "replicas": 9 } }));
    fleet.ok(&["unhold", &fleet.unit("held")]);
    cluster.until("what is no longer held is live", |_| {
        fleet.replicas("held") == 1
    });
    cluster.until("it is in the store", |_| fleet.state("held").0 == 1);
    assert_eq!(
        fleet.replicas("web"),
        9,
        "drift is told, never undone by itself"
    );
    let mut destroyed = fleet.run(&["unit", "destroy", &fleet.unit("held")]);
    for _ in 0..20 {
        // A worker may have had it in its hands just then.
        if destroyed.code == 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        destroyed = fleet.run(&["unit", "destroy", &fleet.unit("held")]);
    }
    assert_eq!(destroyed.code, 0, "{}", destroyed.stderr);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(
        fleet.replicas("held"),
        Value::Null,
        "what was destroyed stays so"
    );

    let mut told = String::new();
    for worker in [first, second] {
        let stopped = Command::new("kill").arg(worker.id().to_string()).status();
        assert!(stopped.expect("kill").success());
        let ran = worker.finish();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        told.push_str(&ran.stderr);
    }
    assert!(told.contains("drift "), "{told}");
    let applied = told
        .lines()
        .filter(|line| line.contains("applied") && line.contains("/web r3 → r4"));
    assert_eq!(applied.count(), 1, "each head is applied once: {told}");
    assert_eq!(
        first_column(&fleet.json(&["worker", "list"]), "Condition"),
        ["Stopped", "Stopped"]
    );
    fleet.ok(&["log", "verify"]);
}

#[test]
fn the_manifests_of_a_worker_apply_and_allow_what_it_does() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "export");
    fleet.deployment("web", "web:1", 1, 1);
    let own = Room::new(&cluster, "export-own");
    let exported = fleet.ok(&[
        "worker",
        "install",
        &own.namespace,
        "--space",
        fleet.space(),
        "--export",
        "--image",
        "windlass:1",
        "--namespace",
        &own.namespace,
    ]);
    fleet.world.write("worker.yaml", &exported);
    fleet.ok(&[
        "unit",
        "create",
        "worker",
        "worker.yaml",
        "--space",
        fleet.space(),
    ]);
    fleet.ok(&["unit", "apply", &fleet.unit("worker")]);
    let name = format!("windlass-{}", own.namespace);
    let role = cluster
        .get(
            (
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                "clusterroles",
            ),
            "",
            &name,
        )
        .expect("a role");
    let rules = role["rules"].to_string();
    assert!(
        rules.contains("deployments") && !rules.contains("\"*\""),
        "{rules}"
    );
    fleet.ok(&["unit", "destroy", &fleet.unit("worker")]);
}
