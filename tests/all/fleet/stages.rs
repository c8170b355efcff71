//! The tutorial on a cluster.

use super::*;
use crate::stages::STAGES;

#[test]
fn every_stage_runs_on_a_cluster_and_once_all_have_run_none_changes_it() {
    let Some(cluster) = cluster() else { return };
    let world = World::tutorial();
    let kubeconfig = cluster.kubeconfig().to_string_lossy().into_owned();
    let context = kube::config::Kubeconfig::read_from(cluster.kubeconfig())
        .expect("a configuration of kubectl")
        .current_context
        .expect("a current context");
    let run = |args: &[&str]| {
        let mut command = real_time(world.command(args));
        command.env("KUBECONFIG", &kubeconfig);
        let ran = world.finish(command);
        assert_eq!(ran.code, 0, "{args:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    run(&["run", "scripts/new-prefix.rhai"]);
    let prefix = std::fs::read_to_string(world.path().join(".traderx-prefix")).expect("a prefix");
    let prefix = prefix.trim().to_owned();
    let to = ["--kubernetes", context.as_str()];
    let checked = run(&["run", "scripts/preflight.rhai", to[0], to[1]]);
    assert!(
        checked.contains("Kubernetes integration verified"),
        "{checked}"
    );
    for stage in STAGES {
        run(&["run", stage, to[0], to[1]]);
    }
    run(&["run", "scripts/validate.rhai", "7"]);
    let space = |region: &str| format!("{prefix}-traderx-prod-{region}");
    let seen = |region: &str| {
        let live = cluster
            .get(DEPLOYMENT, &space(region), "trade-service")
            .expect("a Deployment");
        let container = &live["spec"]["template"]["spec"]["containers"][0];
        let env = container["env"].as_array().expect("env").iter();
        let breaker = env.filter(|one| one["name"] == "CIRCUIT_BREAKER").count();
        (
            live["spec"]["replicas"].clone(),
            container["image"].clone(),
            breaker,
            live["metadata"]["generation"].clone(),
        )
    };
    let before = ["us", "eu", "asia"].map(seen);
    assert_eq!(before.clone().map(|(_, _, breaker, _)| breaker), [1, 1, 1]);
    for stage in STAGES {
        run(&["run", stage, to[0], to[1]]);
    }
    assert_eq!(
        ["us", "eu", "asia"].map(seen),
        before,
        "a second round sends nothing"
    );
    run(&["run", "scripts/cleanup.rhai", "--yes"]);
    cluster.until("nothing of it is left", |cluster| {
        let left = cluster.names(NAMESPACE, "");
        !left.iter().any(|name| name.starts_with(&prefix))
    });
}
