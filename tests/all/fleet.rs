//! The program against a real cluster, from end to end: what people type, and what the cluster then
//! has. Left out, and told so, where there is no cluster to test with.

mod changeset;
mod drift;
mod failing;
mod stages;
mod worker;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::kubernetes::cluster::{Cluster, DEPLOYMENT, NAMESPACE, cluster};
use crate::world::{Background, Ran, World};

/// A namespace that no other test has, deleted at the end.
struct Room<'a> {
    cluster: &'a Cluster,
    namespace: String,
}

impl<'a> Room<'a> {
    /// A name alone: the namespace is not made.
    fn new(cluster: &'a Cluster, test: &str) -> Self {
        let namespace = format!("wf-{test}-{}", std::process::id());
        Self { cluster, namespace }
    }

    /// Makes the namespace, as somebody else would.
    fn make(&self) {
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": self.namespace } });
        self.cluster.create(NAMESPACE, "", body);
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.cluster.clear(NAMESPACE, &self.namespace);
    }
}

/// A project whose one space, of the name of the test's namespace, deploys to the cluster.
struct Fleet<'a> {
    world: World,
    cluster: &'a Cluster,
    room: Room<'a>,
}

impl<'a> Fleet<'a> {
    fn new(cluster: &'a Cluster, test: &str) -> Self {
        let fleet = Self {
            world: World::empty(),
            cluster,
            room: Room::new(cluster, test),
        };
        let kubeconfig = fleet.kubeconfig();
        let space = fleet.space().to_owned();
        fleet.ok(&[
            "target",
            "create",
            "us",
            "--kind",
            "kubernetes",
            "--kubeconfig",
            &kubeconfig,
        ]);
        fleet.ok(&["space", "create", &space]);
        fleet.ok(&["space", "update", &space, "--target", "us"]);
        fleet
    }

    fn space(&self) -> &str {
        &self.room.namespace
    }

    fn kubeconfig(&self) -> String {
        self.cluster.kubeconfig().to_string_lossy().into_owned()
    }

    /// The unit of this name, as people write it.
    fn unit(&self, name: &str) -> String {
        format!("{}/{name}", self.space())
    }

    /// Makes a unit of a Deployment.
    fn deployment(&self, name: &str, image: &str, replicas: u32, order: u32) {
        self.world
            .write(&format!("{name}.yaml"), &deployment(name, image, replicas));
        let (file, order) = (format!("{name}.yaml"), format!("order={order}"));
        self.ok(&[
            "unit",
            "create",
            name,
            &file,
            "--space",
            self.space(),
            "--label",
            &order,
        ]);
    }

    fn patch(&self, name: &str, patch: &str) {
        self.ok(&["unit", "update", &self.unit(name), "--patch", patch]);
    }

    fn replicas(&self, name: &str) -> Value {
        let found = self.cluster.get(DEPLOYMENT, self.space(), name);
        found.map_or(Value::Null, |found| found["spec"]["replicas"].clone())
    }

    fn image(&self, name: &str) -> Value {
        let found = self.cluster.get(DEPLOYMENT, self.space(), name);
        found.map_or(Value::Null, |found| {
            found["spec"]["template"]["spec"]["containers"][0]["image"].clone()
        })
    }

    /// Changes a Deployment by hand, as `kubectl edit` would.
    fn edit(&self, name: &str, fields: &Value) {
        self.cluster
            .change(DEPLOYMENT, (self.space(), name), "kubectl-edit", fields);
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.world.finish(real_time(self.world.command(args)))
    }

    /// Runs a command that goes well, and returns what it prints.
    fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    fn json(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.push("--json");
        serde_json::from_str(&self.ok(&args)).expect("JSON")
    }

    fn start(&self, args: &[&str]) -> Background {
        World::start_command(real_time(self.world.command(args)))
    }

    /// Live revision, head and status of a unit.
    fn state(&self, name: &str) -> (Value, Value, Value) {
        let columns = "LiveRevisionNum,HeadRevisionNum,Status";
        let rows = self.json(&["unit", "list", &self.unit(name), "--columns", columns]);
        let row = &rows[0];
        (
            row["LiveRevisionNum"].clone(),
            row["HeadRevisionNum"].clone(),
            row["Status"].clone(),
        )
    }
}

/// A cluster does not stop at the instant that other tests take for now.
fn real_time(mut command: Command) -> Command {
    command.env_remove("WINDLASS_CLOCK");
    command
}

fn deployment(name: &str, image: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: {replicas}\n  \
         selector:\n    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n    \
         spec:\n      containers:\n        - name: {name}\n          image: {image}\n"
    )
}

/// The rows of `drift list`, or of another table, as their first column.
fn first_column(rows: &Value, column: &str) -> Vec<String> {
    let rows = rows.as_array().expect("a table");
    rows.iter()
        .map(|row| row[column].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_unit_lives_from_the_first_apply_to_the_end() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "life");
    fleet.deployment("web", "web:1", 2, 1);
    assert!(cluster.get(DEPLOYMENT, fleet.space(), "web").is_none());
    let preview = fleet.ok(&["unit", "apply", &fleet.unit("web"), "--dry-run"]);
    assert!(preview.contains("not checked by the server"), "{preview}");
    assert_eq!(fleet.state("web"), (Value::Null, json!(1), json!("NoLive")));
    assert_eq!(fleet.replicas("web"), Value::Null);

    fleet.ok(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    assert_eq!(fleet.state("web"), (json!(1), json!(1), json!("Ready")));
    let live = cluster
        .get(DEPLOYMENT, fleet.space(), "web")
        .expect("a Deployment");
    assert_eq!(live["status"]["readyReplicas"], 2);
    assert_eq!(
        live["metadata"]["annotations"]["windlass.dev/name"],
        fleet.unit("web")
    );

    // A second time sends nothing and writes nothing.
    let operations = fleet.json(&["log", "--limit", "1"]);
    let again = fleet.ok(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    assert!(again.contains("1 unchanged"), "{again}");
    assert_eq!(fleet.json(&["log", "--limit", "1"]), operations);
    let untouched = cluster
        .get(DEPLOYMENT, fleet.space(), "web")
        .expect("a Deployment");
    assert_eq!(
        untouched["metadata"]["resourceVersion"],
        live["metadata"]["resourceVersion"]
    );

    fleet.patch("web", r#"{"spec":{"replicas":3}}"#);
    assert_eq!(fleet.replicas("web"), 2, "a write deploys nothing");
    let diff = fleet.ok(&["unit", "diff", &fleet.unit("web"), "--live"]);
    assert!(
        diff.contains("-   replicas: 2") && diff.contains("+   replicas: 3"),
        "{diff}"
    );
    assert_eq!(
        fleet
            .run(&["unit", "diff", &fleet.unit("web"), "--live", "--exit-code"])
            .code,
        1
    );
    assert_eq!(fleet.replicas("web"), 2, "a diff changes nothing");
    fleet.ok(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    assert_eq!(fleet.replicas("web"), 3);
    let live = fleet.json(&["unit", "live-state", &fleet.unit("web")]);
    assert_eq!(live["Status"], "Ready");
    assert_eq!(live["Objects"][0]["ReadyReplicas"], 3);

    fleet.ok(&["rollback", &fleet.unit("web"), "--wait", "-m", "too many"]);
    assert_eq!(fleet.replicas("web"), 2);
    let gated = fleet.run(&["unit", "apply", &fleet.unit("web")]);
    assert_eq!(
        gated.code, 3,
        "what was rolled back is held: {}",
        gated.stderr
    );
    fleet.ok(&["unhold", &fleet.unit("web")]);

    fleet.ok(&["unit", "destroy", &fleet.unit("web")]);
    assert!(cluster.get(DEPLOYMENT, fleet.space(), "web").is_none());
    assert_eq!(fleet.state("web").2, "NoLive");
    fleet.ok(&["space", "delete", fleet.space(), "--recursive"]);
    cluster.until(
        "the namespace that was made for the space is gone",
        |cluster| cluster.get(NAMESPACE, "", fleet.space()).is_none(),
    );
    fleet.ok(&["log", "verify"]);
}

#[test]
fn what_the_store_holds_comes_up_elsewhere_from_nothing() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "recovery");
    fleet.deployment("web", "web:1", 2, 1);
    fleet.ok(&["unit", "apply", "--space", fleet.space(), "--wait"]);
    // The place is lost with all that was in it.
    cluster.delete(NAMESPACE, "", fleet.space());
    cluster.until("the namespace is gone", |cluster| {
        cluster.get(NAMESPACE, "", fleet.space()).is_none()
    });
    let elsewhere = Room::new(&cluster, "recovered");
    let kubeconfig = fleet.kubeconfig();
    fleet.ok(&[
        "target",
        "create",
        "eu",
        "--kubeconfig",
        &kubeconfig,
        "--namespace",
        &elsewhere.namespace,
    ]);
    fleet.ok(&["space", "update", fleet.space(), "--target", "eu"]);
    fleet.ok(&["unit", "apply", "--space", fleet.space(), "--wait"]);
    let live = cluster
        .get(DEPLOYMENT, &elsewhere.namespace, "web")
        .expect("a Deployment");
    assert_eq!(live["status"]["readyReplicas"], 2);
}

#[test]
fn a_cluster_that_is_not_the_one_it_was_is_refused_until_it_is_bound_again() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "rebind");
    fleet.deployment("web", "web:1", 1, 1);
    fleet.ok(&["unit", "apply", "--space", fleet.space(), "--wait"]);
    // The same context leads to another cluster from now on: a kubeconfig of our own, rewritten.
    let elsewhere = crate::kubernetes::scripted::Scripted::start();
    let moved = fleet.world.path().join("kubeconfig");
    std::fs::copy(cluster.kubeconfig(), &moved).expect("a copy");
    let moved = moved.to_string_lossy().into_owned();
    fleet.ok(&["target", "rebind", "us", "--kubeconfig", &moved]);
    assert_eq!(
        fleet.state("web").0,
        1,
        "the same cluster under another name"
    );
    std::fs::copy(elsewhere.kubeconfig(), Path::new(&moved)).expect("a copy");
    let refused = fleet.run(&["unit", "apply", "--space", fleet.space()]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("windlass target rebind us"),
        "{}",
        refused.stderr
    );
    assert_eq!(fleet.state("web").0, 1);
    let bound = fleet.ok(&["target", "rebind", "us"]);
    assert!(bound.contains("1 changed"), "{bound}");
    assert_eq!(fleet.state("web").0, Value::Null);
    let bad = fleet.run(&[
        "target",
        "create",
        "no",
        "--kubeconfig",
        &moved,
        "--context",
        "no-such",
    ]);
    assert_eq!(bad.code, 1, "{}", bad.stderr);
    assert!(bad.stderr.contains("no-such"), "{}", bad.stderr);
}

#[test]
fn what_others_made_is_taken_only_when_that_is_said() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "takeover");
    fleet.room.make();
    fleet.deployment("web", "web:1", 2, 1);
    let theirs = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": {
            "replicas": 5, "revisionHistoryLimit": 3,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "web:0" }] } } } });
    cluster.create(DEPLOYMENT, fleet.space(), theirs);
    let refused = fleet.run(&["unit", "apply", &fleet.unit("web")]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("kubectl-create"),
        "{}",
        refused.stderr
    );
    assert_eq!(fleet.image("web"), "web:0");

    let from = ["--from", "kubectl-create"];
    let preview = fleet.ok(&[
        "takeover",
        &fleet.unit("web"),
        from[0],
        from[1],
        "--dry-run",
    ]);
    assert!(preview.contains("spec.revisionHistoryLimit"), "{preview}");
    let before = cluster
        .get(DEPLOYMENT, fleet.space(), "web")
        .expect("a Deployment");
    fleet.ok(&["takeover", &fleet.unit("web"), from[0], from[1]]);
    let after = cluster
        .get(DEPLOYMENT, fleet.space(), "web")
        .expect("a Deployment");
    assert_eq!(after["spec"], before["spec"], "no field has another value");
    fleet.ok(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    assert_eq!(
        (fleet.image("web"), fleet.replicas("web")),
        (json!("web:1"), json!(2))
    );
}

#[test]
fn waves_go_one_after_the_other_and_stop_at_the_first_that_fails() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "waves");
    for (name, image, wave) in [
        ("one", "one:1", "1"),
        ("two", "two:missing", "2"),
        ("three", "three:1", "3"),
    ] {
        fleet.deployment(name, image, 1, 1);
        fleet.ok(&[
            "unit",
            "update",
            &fleet.unit(name),
            "--label",
            &format!("wave={wave}"),
        ]);
    }
    let ran = fleet.run(&[
        "unit",
        "apply",
        "--space",
        fleet.space(),
        "--waves",
        "Labels.wave",
        "--soak",
        "1s",
        "--timeout",
        "5s",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert_eq!(fleet.state("one").2, "Ready");
    assert_eq!(fleet.state("two").2, "Degraded");
    assert_eq!(
        fleet.state("three"),
        (Value::Null, json!(1), json!("NoLive"))
    );
    assert!(cluster.get(DEPLOYMENT, fleet.space(), "three").is_none());
    assert!(ran.stdout.contains("wave 2 failed"), "{}", ran.stdout);
}
