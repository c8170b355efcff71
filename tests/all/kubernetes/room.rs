//! A namespace of a real cluster, for one test.

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use windlass::deploy::{
    Applied, ApplyOptions, Deployed, Error, Inventory, Kubernetes, KubernetesSettings, Object,
    Owner, Target as _, UnitObjects, UnitPlan,
};
use windlass::id::UnitId;
use windlass::runtime::Runtime;
use windlass::yaml::Stream;

use super::cluster::{Cluster, Kind, NAMESPACE, cluster, kubectl};
use super::done;

/// A namespace of its own in the cluster, gone with the test.
pub struct Room {
    pub cluster: Cluster,
    pub target: Kubernetes,
    pub namespace: String,
    /// The identity of the store that the test plays.
    pub store: String,
    left: RefCell<Vec<(Kind, String)>>,
}

impl Room {
    /// A room with kubectl whose namespace is not there yet.
    pub fn bare(test: &str) -> Option<Self> {
        kubectl()?;
        Self::new(test)
    }

    fn new(test: &str) -> Option<Self> {
        let cluster = cluster()?;
        Some(Self {
            target: connect(cluster.kubeconfig()),
            cluster,
            namespace: format!("wt-{test}-{}", std::process::id()),
            store: format!("store-{test}-{}", std::process::id()),
            left: RefCell::default(),
        })
    }

    /// A room whose namespace was made by hand; none where there is no cluster to test with.
    pub fn furnished(test: &str) -> Option<Self> {
        let room = Self::new(test)?;
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": room.namespace } });
        room.cluster.create(NAMESPACE, "", body);
        // Objects may be refused until it is there in full.
        room.cluster.until("a new namespace is active", |cluster| {
            let found = cluster.get(NAMESPACE, "", &room.namespace);
            found.is_some_and(|found| found["status"]["phase"] == "Active")
        });
        Some(room)
    }

    /// A furnished room with kubectl in it; none where there is no kubectl either.
    pub fn tended(test: &str) -> Option<Self> {
        kubectl()?;
        Self::furnished(test)
    }

    /// Remembers an object outside of the namespace that must not be left behind.
    pub fn leaves(&self, kind: Kind, name: &str) {
        self.left.borrow_mut().push((kind, name.to_owned()));
    }

    /// A unit of this room's store.
    pub fn unit(&self, number: u64, yaml: &str) -> UnitObjects {
        UnitObjects {
            owner: Owner {
                unit: UnitId(number),
                store: self.store.clone(),
                name: format!("test/u{number}"),
            },
            revision: 1,
            namespace: self.namespace.clone(),
            objects: Object::all(&Stream::parse(yaml).expect("YAML")),
        }
    }

    pub fn try_kubectl(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(kubectl().expect("a room with kubectl"))
            .arg("--kubeconfig")
            .arg(self.cluster.kubeconfig())
            .args(arguments)
            .output()
            .expect("kubectl runs");
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).trim().to_owned(),
        )
    }

    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let (is_ok, text) = self.try_kubectl(arguments);
        assert!(is_ok, "kubectl {arguments:?}: {text}");
        text
    }

    /// kubectl in the room's namespace.
    pub fn inside(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-n", &self.namespace];
        all.extend(arguments);
        self.kubectl(&all)
    }

    pub fn plan(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
        options: &ApplyOptions,
    ) -> Result<UnitPlan, Error> {
        self.target.plan(&[(unit, inventory)], options)?.remove(0)
    }

    pub fn apply(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
    ) -> Result<Applied, Error> {
        self.apply_with(unit, inventory, &ApplyOptions::default())
    }

    pub fn apply_with(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let plan = self.plan(unit, inventory, options)?;
        done(self.target.send(&[(unit, &plan)], options).remove(0))
    }

    pub fn destroy(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
    ) -> Result<Applied, Error> {
        let deployed = Deployed {
            owner: &unit.owner,
            inventory,
        };
        done(self.target.destroy(&[deployed]).remove(0))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // A test that fails has better things to say than what cannot be cleared away.
        self.cluster.clear(NAMESPACE, &self.namespace);
        for (kind, name) in self.left.take() {
            self.cluster.clear(kind, &name);
        }
    }
}

pub fn connect(kubeconfig: &Path) -> Kubernetes {
    let runtime = Arc::new(Runtime::start().expect("a thread"));
    let settings = KubernetesSettings {
        kubeconfig: Some(kubeconfig.to_owned()),
        ..KubernetesSettings::default()
    };
    Kubernetes::connect(runtime, &settings).expect("a configuration")
}
