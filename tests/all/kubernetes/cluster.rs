//! A real cluster for tests: the one that `WINDLASS_TEST_KUBECONFIG` names. Without it the tests
//! that need one do nothing, and one test says which.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::discovery::ApiResource;
use kube::{Client, Config, Error};
use serde_json::{Value, json};
use windlass::runtime::Runtime;

use super::Room;

const VARIABLE: &str = "WINDLASS_TEST_KUBECONFIG";
const KUBECTL: &str = "WINDLASS_TEST_KUBECTL";

/// A kind of objects: version of the API with the group, kind, plural.
pub type Kind = (&'static str, &'static str, &'static str);

pub const NAMESPACE: Kind = ("v1", "Namespace", "namespaces");
pub const CONFIG_MAP: Kind = ("v1", "ConfigMap", "configmaps");
pub const DEFINITION: Kind = (
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
);
pub const DEPLOYMENT: Kind = ("apps/v1", "Deployment", "deployments");

/// A cluster, seen past the product: for looking, and for changing things by hand.
pub struct Cluster {
    runtime: Arc<Runtime>,
    client: Client,
    kubeconfig: PathBuf,
}

/// The cluster to test with; none where none was named.
pub fn cluster() -> Option<Cluster> {
    let kubeconfig = PathBuf::from(std::env::var_os(VARIABLE)?);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = Arc::new(Runtime::start().expect("a thread"));
    let read = Kubeconfig::read_from(&kubeconfig).expect("a configuration of kubectl");
    let client = runtime.wait_for(async {
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(read, &options).await;
        Client::try_from(config.expect("a cluster")).expect("a client")
    });
    Some(Cluster {
        runtime,
        client,
        kubeconfig,
    })
}

impl Cluster {
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The configuration of a user who may only read, if the cluster has one.
    pub fn viewer(&self) -> Option<PathBuf> {
        let viewer = self.kubeconfig.with_file_name("kubeconfig-viewer");
        viewer.exists().then_some(viewer)
    }

    pub fn runtime(&self) -> Arc<Runtime> {
        Arc::clone(&self.runtime)
    }

    fn api(&self, (api_version, kind, plural): Kind, namespace: &str) -> Api<DynamicObject> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        };
        match namespace {
            "" => Api::all_with(self.client.clone(), &kind),
            namespace => Api::namespaced_with(self.client.clone(), namespace, &kind),
        }
    }

    /// An object as it is; none if it is not there.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let api = self.api(kind, namespace);
        let found = self.runtime.wait_for(api.get_opt(name)).expect("an answer");
        found.map(|object| serde_json::to_value(object).expect("JSON"))
    }

    /// The names of all objects of a kind.
    pub fn names(&self, kind: Kind, namespace: &str) -> Vec<String> {
        let api = self.api(kind, namespace);
        let list = self.runtime.wait_for(api.list(&ListParams::default()));
        let items = list.expect("a list").items.into_iter();
        items.filter_map(|object| object.metadata.name).collect()
    }

    /// Creates an object as `kubectl create` would.
    pub fn create(&self, kind: Kind, namespace: &str, body: Value) {
        let api = self.api(kind, namespace);
        let object: DynamicObject = serde_json::from_value(body).expect("an object");
        let parameters = PostParams {
            field_manager: Some("kubectl-create".to_owned()),
            ..PostParams::default()
        };
        let created = self.runtime.wait_for(api.create(&parameters, &object));
        created.expect("an object that the cluster takes");
    }

    /// Changes fields by hand, as `manager`.
    pub fn change(
        &self,
        kind: Kind,
        (namespace, name): (&str, &str),
        manager: &str,
        fields: &Value,
    ) {
        let api = self.api(kind, namespace);
        let parameters = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(fields);
        let changed = self.runtime.wait_for(api.patch(name, &parameters, &patch));
        changed.expect("a change that the cluster takes");
    }

    /// Sets the number of pods as `manager`, through the subresource that autoscalers and `kubectl
    /// scale` use.
    pub fn scale(&self, (namespace, name): (&str, &str), manager: &str, replicas: u32) {
        let api = self.api(DEPLOYMENT, namespace);
        let parameters = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let body = json!({ "spec": { "replicas": replicas } });
        let patch = Patch::Merge(&body);
        let scaled =
            self.runtime
                .wait_for(api.patch_subresource("scale", name, &parameters, &patch));
        scaled.expect("a workload to scale");
    }

    /// Deletes an object by hand; it need not be there, and may take its time.
    pub fn delete(&self, kind: Kind, namespace: &str, name: &str) {
        let api = self.api(kind, namespace);
        match self
            .runtime
            .wait_for(api.delete(name, &DeleteParams::default()))
        {
            Ok(_) => {}
            Err(Error::Api(status)) if status.code == 404 => {}
            Err(error) => panic!("{name} cannot be deleted: {error}"),
        }
    }

    /// Deletes what a test made outside of namespaces, if it is there still.
    pub fn clear(&self, kind: Kind, name: &str) {
        let api = self.api(kind, "");
        let _ = self
            .runtime
            .wait_for(api.delete(name, &DeleteParams::background()));
    }

    /// Looks again and again until something holds; fails the test if it does not for 30 s.
    pub fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        for _ in 0..300 {
            if holds(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("expected within 30 s: {what}");
    }
}

/// The kubectl to test with: the one that `WINDLASS_TEST_KUBECTL` names, else that of `PATH`; none
/// where there is none.
pub fn kubectl() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(KUBECTL) {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    let mut found = std::env::split_paths(&path).map(|folder| folder.join("kubectl"));
    found.find(|file| file.is_file())
}

/// The tests that ask for a cluster, or with it for kubectl.
fn tests_that_need(asks: &[&str]) -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/all");
    let mut files = vec![tests.join("fleet.rs")];
    for folder in ["kubernetes", "fleet"] {
        let entries = std::fs::read_dir(tests.join(folder)).into_iter().flatten();
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let module = file.file_stem().unwrap_or_default().to_string_lossy();
        let asks = |body: &&str| asks.iter().any(|ask| body.contains(ask));
        for test in text.split("#[test]\n").skip(1).filter(asks) {
            let name = test
                .split_once("fn ")
                .and_then(|(_, rest)| rest.split('(').next());
            found.extend(name.map(|name| format!("{module}::{name}")));
        }
    }
    found.sort();
    found
}

#[test]
fn tests_without_a_cluster_say_so() {
    let with_cluster = tests_that_need(&["Room::", "= cluster()"]);
    let with_kubectl = tests_that_need(&["Room::tended", "Room::bare"]);
    assert!(
        with_cluster.contains(&"cluster::what_is_done_by_hand_is_there".to_owned()),
        "{with_cluster:?}"
    );
    assert!(with_cluster.len() > with_kubectl.len() && !with_kubectl.is_empty());
    let mut told = String::new();
    let mut tell = |tests: &[String], lack: &str, remedy: &str| {
        let _ = writeln!(
            told,
            "left out for want of {lack} ({}): {}\nto run them: {remedy}",
            tests.len(),
            tests.join(", ")
        );
    };
    if std::env::var_os(VARIABLE).is_none() {
        let remedy = format!(
            "{VARIABLE}=KUBECONFIG cargo test --test all -- kubernetes fleet; the cluster may be empty, its \
             context must be an administrator's"
        );
        tell(&with_cluster, "a cluster", &remedy);
    }
    if kubectl().is_none() {
        let remedy = format!("have kubectl in PATH, or name it in {KUBECTL}");
        tell(&with_kubectl, "kubectl", &remedy);
    }
    let written = std::io::stderr().write_all(told.as_bytes());
    assert!(written.is_ok(), "stderr can be written to");
}

#[test]
fn what_is_done_by_hand_is_there() {
    let Some(room) = Room::furnished("by-hand") else {
        return;
    };
    let (cluster, namespace) = (&room.cluster, room.namespace.as_str());
    let pods = json!({
        "metadata": { "labels": { "app": "a" } },
        "spec": { "containers": [{ "name": "a", "image": "registry/a:1" }] } });
    let body = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a" },
        "spec": { "replicas": 1, "selector": { "matchLabels": { "app": "a" } }, "template": pods } });
    cluster.create(DEPLOYMENT, namespace, body);
    cluster.change(
        DEPLOYMENT,
        (namespace, "a"),
        "kubectl-edit",
        &json!({ "spec": { "paused": true } }),
    );
    cluster.scale((namespace, "a"), "kubectl", 2);
    let found = cluster
        .get(DEPLOYMENT, namespace, "a")
        .expect("a Deployment");
    assert_eq!(
        (&found["spec"]["paused"], &found["spec"]["replicas"]),
        (&json!(true), &json!(2))
    );
    let entries = found["metadata"]["managedFields"]
        .as_array()
        .expect("managers");
    let of = |manager: &str| entries.iter().find(|entry| entry["manager"] == manager);
    assert_eq!(of("kubectl").expect("who scaled")["subresource"], "scale");
    assert!(
        of("kubectl-edit").is_some() && of("kubectl-create").is_some(),
        "{entries:?}"
    );
    cluster.delete(DEPLOYMENT, namespace, "a");
    cluster.until("the Deployment is gone", |cluster| {
        cluster.get(DEPLOYMENT, namespace, "a").is_none()
    });
    cluster.delete(CONFIG_MAP, namespace, "none");
    assert!(cluster.names(DEPLOYMENT, namespace).is_empty());
    assert!(cluster.kubeconfig().exists() && Arc::strong_count(&cluster.runtime()) > 1);
    assert!(
        cluster
            .viewer()
            .is_none_or(|viewer| viewer != cluster.kubeconfig())
    );
}
