//! Kubernetes clusters as targets: against a real one that `WINDLASS_TEST_KUBECONFIG` names, and
//! against a scripted one that fails when a test says so.

pub(crate) mod cluster;
mod destroy;
mod faults;
mod image;
mod live;
mod plan;
mod refuse;
mod room;
pub(crate) mod scripted;
mod scripted_itself;
mod send;
mod speed;
mod takeover;

use windlass::deploy::{Action, Applied, Error, Inventory, Sent, UnitObjects, UnitPlan};

use room::{Room, connect};

/// Units with what the store remembers of them, as targets take them.
fn remembered(
    units: &[(UnitObjects, Option<Inventory>)],
) -> Vec<(&UnitObjects, Option<&Inventory>)> {
    let units = units.iter();
    units
        .map(|(unit, inventory)| (unit, inventory.as_ref()))
        .collect()
}

/// Planned units, as targets take them.
fn planned(units: &[(UnitObjects, UnitPlan)]) -> Vec<(&UnitObjects, &UnitPlan)> {
    units.iter().map(|(unit, plan)| (unit, plan)).collect()
}

#[expect(
    clippy::panic_in_result_fn,
    reason = "a test whose unit is not begun has failed"
)]
fn done(sent: Sent) -> Result<Applied, Error> {
    match sent {
        Sent::Done(applied) => Ok(applied),
        Sent::Failed { error, .. } => Err(*error),
        Sent::NotSent => panic!("a unit alone is begun"),
    }
}

/// What was done, as `Create Kind/name, …`.
fn told(applied: &Applied) -> String {
    let objects = applied
        .objects
        .iter()
        .map(|object| shown(object.action, &object.resource));
    objects.collect::<Vec<_>>().join(", ")
}

fn steps(plan: &UnitPlan) -> String {
    let steps = plan
        .steps
        .iter()
        .map(|step| shown(step.action, &step.resource));
    steps.collect::<Vec<_>>().join(", ")
}

fn shown(action: Action, id: &impl std::fmt::Display) -> String {
    format!("{action:?} {id}")
}

fn config(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: \"{value}\"\n"
    )
}

fn deployment(name: &str, replicas: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  {replicas}
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: main
          image: {image}
          resources:
            limits: {{cpu: 1000m, memory: 0.5Gi}}
"
    )
}
