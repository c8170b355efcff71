//! The manifests that run a worker in a cluster, with the least that it has to be allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::worker::WorkerOptions;
use crate::deploy::{self, Object};
use crate::error::{Error, Kind, Result};
use crate::model::Space;

/// What is exported beside the worker's own options.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The namespace that it runs in.
    pub namespace: String,
    /// The image, with `windlass` as its entry point.
    pub image: String,
    /// How much room its store gets: `1Gi`.
    pub storage: String,
}

/// What may be done with every kind of object that the units have.
const VERBS: [&str; 5] = ["get", "list", "create", "patch", "delete"];

/// The port of the health endpoint.
const PORT: u16 = 8080;

impl App {
    /// The manifests of a worker, as YAML: its namespace, account, rights, store and Deployment.
    /// The rights cover the kinds that its units have now.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no space matches.
    pub fn export_worker(
        &self,
        options: &WorkerOptions,
        export: &ExportOptions,
    ) -> Result<(String, Value)> {
        let spaces = self.spaces_matching(&options.spaces)?;
        if spaces.is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                format!(
                    "expected spaces that match `{}`, found none",
                    options.spaces
                ),
            ));
        }
        let kinds = self.kinds_of(&spaces)?;
        let objects = manifests(options, export, &kinds);
        let mut text = String::new();
        for object in &objects {
            let yaml = serde_saphyr::to_string(object).map_err(|error| {
                Error::new(Kind::Internal, format!("cannot write a manifest: {error}"))
            })?;
            let _ = writeln!(text, "---\n{}", yaml.trim_end());
        }
        Ok((text, objects.into()))
    }

    /// The kinds of the objects of all units of spaces, by the group of their API.
    fn kinds_of(&self, spaces: &[Space]) -> Result<BTreeMap<String, BTreeSet<String>>> {
        self.read(|view| {
            let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for space in spaces {
                for unit in view.units_in(space.id)? {
                    for Object { id, .. } in Object::all(&view.stream(&unit.data)?) {
                        kinds.entry(id.group).or_default().insert(id.kind);
                    }
                }
            }
            Ok(kinds)
        })
    }
}

fn manifests(
    options: &WorkerOptions,
    export: &ExportOptions,
    kinds: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<Value> {
    let name = format!("windlass-{}", options.slug);
    let named = |kind: &str, version: &str, is_namespaced: bool| {
        let mut metadata = json!({ "name": name });
        if is_namespaced {
            metadata["namespace"] = export.namespace.as_str().into();
        }
        metadata["labels"] = json!({ "app.kubernetes.io/name": name });
        json!({ "apiVersion": version, "kind": kind, "metadata": metadata })
    };
    let mut namespace = named("Namespace", "v1", false);
    namespace["metadata"]["name"] = export.namespace.as_str().into();
    let account = named("ServiceAccount", "v1", true);
    let mut role = named("ClusterRole", "rbac.authorization.k8s.io/v1", false);
    role["rules"] = rules(kinds).into();
    let mut binding = named("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", false);
    binding["roleRef"] = json!({
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": name,
    });
    binding["subjects"] = json!([{
        "kind": "ServiceAccount",
        "name": name,
        "namespace": export.namespace,
    }]);
    let mut claim = named("PersistentVolumeClaim", "v1", true);
    claim["spec"] = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": export.storage } },
    });
    let mut deployment = named("Deployment", "apps/v1", true);
    deployment["spec"] = deployment_spec(options, export, &name);
    vec![namespace, account, role, binding, claim, deployment]
}

fn rules(kinds: &BTreeMap<String, BTreeSet<String>>) -> Vec<Value> {
    let mut rules: Vec<Value> = kinds
        .iter()
        .map(|(group, kinds)| {
            let resources: BTreeSet<String> =
                kinds.iter().map(|kind| deploy::plural(kind)).collect();
            json!({ "apiGroups": [group], "resources": resources, "verbs": VERBS })
        })
        .collect();
    rules.extend([
        // Where objects go, and which cluster it is.
        json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "create", "patch"] }),
        // Why something is not ready.
        json!({ "apiGroups": [""], "resources": ["pods", "events"], "verbs": ["get", "list"] }),
        json!({ "apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["get", "list"] }),
        // Whose the number of pods is.
        json!({ "apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["get", "list"] }),
    ]);
    rules
}

fn deployment_spec(options: &WorkerOptions, export: &ExportOptions, name: &str) -> Value {
    let mut args = vec![
        "worker".to_owned(),
        "run".to_owned(),
        options.slug.to_string(),
        "--space".to_owned(),
        options.spaces.clone(),
        "--poll".to_owned(),
        format!("{}s", options.poll.as_secs().max(1)),
        "--health".to_owned(),
        format!("0.0.0.0:{PORT}"),
    ];
    if options.auto_apply {
        args.push("--auto-apply".to_owned());
    }
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": "health" } });
    let labels = json!({ "app.kubernetes.io/name": name });
    json!({
        "replicas": 1,
        // The store is one file: the old pod goes before the new one comes.
        "strategy": { "type": "Recreate" },
        "selector": { "matchLabels": labels },
        "template": {
            "metadata": { "labels": labels },
            "spec": {
                "serviceAccountName": name,
                "securityContext": {
                    "runAsNonRoot": true,
                    "runAsUser": 65532,
                    "fsGroup": 65532,
                    "seccompProfile": { "type": "RuntimeDefault" },
                },
                "containers": [{
                    "name": "worker",
                    "image": export.image,
                    "args": args,
                    "env": [{ "name": "WINDLASS_STORE", "value": "/var/lib/windlass/store.redb" }],
                    "ports": [{ "name": "health", "containerPort": PORT }],
                    "livenessProbe": probe("/healthz"),
                    "readinessProbe": probe("/readyz"),
                    "resources": {
                        "requests": { "cpu": "50m", "memory": "64Mi" },
                        "limits": { "memory": "256Mi" },
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": false,
                        "readOnlyRootFilesystem": true,
                        "capabilities": { "drop": ["ALL"] },
                    },
                    "volumeMounts": [{ "name": "store", "mountPath": "/var/lib/windlass" }],
                }],
                "volumes": [{ "name": "store", "persistentVolumeClaim": { "claimName": name } }],
            },
        },
    })
}
