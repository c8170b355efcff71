//! A server that fails: what is tried again, what is told, and what is left.

mod apply;
mod connection;
mod credentials;
mod economy;
mod lasting;
mod refusal;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use windlass::deploy::{
    Applied, ApplyOptions, Error, Inventory, Kubernetes, KubernetesSettings, KubernetesTimeouts,
    Object, Owner, Sent, Target as _, UnitObjects, UnitPlan,
};
use windlass::id::UnitId;
use windlass::runtime::Runtime;
use windlass::yaml::Stream;

use super::scripted::Scripted;
use super::{config, deployment, done, steps};

const A: &str = "/api/v1/namespaces/t/configmaps/a";
const B: &str = "/api/v1/namespaces/t/configmaps/b";
const WEB: &str = "/apis/apps/v1/namespaces/t/deployments/web";

/// A scripted cluster with the namespace `t`, and a target that does not wait long for it.
struct World {
    server: Scripted,
    target: Kubernetes,
}

fn connect(kubeconfig: PathBuf, connections: usize) -> Result<Kubernetes, Error> {
    let settings = KubernetesSettings {
        kubeconfig: Some(kubeconfig),
        connections,
        timeouts: KubernetesTimeouts {
            request: Duration::from_millis(400),
            list: Duration::from_millis(400),
            retries: Duration::from_secs(3),
            deletion: Duration::from_millis(300),
            definition: Duration::from_millis(300),
        },
        ..KubernetesSettings::default()
    };
    Kubernetes::connect(Arc::new(Runtime::start().expect("a thread")), &settings)
}

impl World {
    fn new() -> Self {
        Self::with(8)
    }

    /// With so many requests at once; with 1, they go in their order.
    fn with(connections: usize) -> Self {
        let server = Scripted::start();
        server.put("/api/v1/namespaces/t", json!({}));
        let target = connect(server.kubeconfig(), connections).expect("a configuration");
        Self { server, target }
    }

    fn plan(&self, unit: &UnitObjects, inventory: Option<&Inventory>) -> Result<UnitPlan, Error> {
        self.plan_with(unit, inventory, &ApplyOptions::default())
    }

    fn plan_with(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
        options: &ApplyOptions,
    ) -> Result<UnitPlan, Error> {
        self.target.plan(&[(unit, inventory)], options)?.remove(0)
    }

    fn apply(&self, unit: &UnitObjects, inventory: Option<&Inventory>) -> Result<Applied, Error> {
        self.apply_with(unit, inventory, &ApplyOptions::default())
    }

    fn apply_with(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let plan = self.plan_with(unit, inventory, options)?;
        done(self.target.send(&[(unit, &plan)], options).remove(0))
    }

    /// Sends what fails, and gives why and what is left.
    fn fail(&self, unit: &UnitObjects, inventory: Option<&Inventory>) -> (Error, Vec<String>) {
        let plan = self.plan(unit, inventory).expect("planned");
        let options = ApplyOptions::default();
        failed(self.target.send(&[(unit, &plan)], &options).remove(0))
    }
}

/// Why a unit failed, and the objects that it has then.
fn failed(sent: Sent) -> (Error, Vec<String>) {
    let Sent::Failed { error, inventory } = sent else {
        panic!("expected a failure, found {sent:?}")
    };
    let objects = inventory
        .into_iter()
        .flat_map(|inventory| inventory.objects);
    let names = objects.map(|object| object.id.to_string()).collect();
    (*error, names)
}

fn unit(number: u64, yaml: &str) -> UnitObjects {
    UnitObjects {
        owner: Owner {
            unit: UnitId(number),
            store: "store".to_owned(),
            name: format!("test/u{number}"),
        },
        revision: 1,
        namespace: "t".to_owned(),
        objects: Object::all(&Stream::parse(yaml).expect("YAML")),
    }
}

/// Several documents.
fn all(documents: &[String]) -> String {
    documents.join("---\n")
}
