//! The API in memory: a few kinds, stored as they are sent, with the defaults that matter.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::http::{Answer, Request};
use super::owned;

/// `(group and version, plural, kind, namespaced)`.
const KINDS: &[(&str, &str, &str, bool)] = &[
    ("v1", "namespaces", "Namespace", false),
    ("v1", "configmaps", "ConfigMap", true),
    ("v1", "secrets", "Secret", true),
    ("v1", "services", "Service", true),
    ("v1", "pods", "Pod", true),
    ("v1", "events", "Event", true),
    (
        "apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        false,
    ),
    ("apps/v1", "deployments", "Deployment", true),
    ("apps/v1", "replicasets", "ReplicaSet", true),
    (
        "autoscaling/v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        true,
    ),
];

/// The objects by `group/version/plural`, namespace and name.
#[derive(Debug, Default)]
pub struct Api {
    objects: BTreeMap<(String, String, String), Value>,
    /// Grows with every change.
    version: u64,
}

/// What a path names.
struct Place {
    api_version: String,
    plural: String,
    kind: &'static str,
    namespace: String,
    /// Empty for a list.
    name: String,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        let words: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (api_version, rest) = match words.as_slice() {
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return None,
        };
        let (namespace, plural, name) = match rest {
            ["namespaces"] => ("", "namespaces", ""),
            ["namespaces", name] => ("", "namespaces", *name),
            ["namespaces", namespace, plural] => (*namespace, *plural, ""),
            ["namespaces", namespace, plural, name] => (*namespace, *plural, *name),
            [plural] => ("", *plural, ""),
            [plural, name] => ("", *plural, *name),
            _ => return None,
        };
        let row = KINDS
            .iter()
            .find(|row| row.0 == api_version && row.1 == plural)?;
        Some(Self {
            api_version,
            plural: plural.to_owned(),
            kind: row.2,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    fn key(&self) -> (String, String, String) {
        let kind = format!("{}/{}", self.api_version, self.plural);
        (kind, self.namespace.clone(), self.name.clone())
    }
}

/// The answer to a request that is refused.
pub fn status(code: u16, reason: &str, message: &str, details: Value) -> Answer {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": code,
    });
    Answer::new(code, body)
}

fn not_found(place: &Place) -> Answer {
    let message = format!("{} \"{}\" not found", place.plural, place.name);
    status(
        404,
        "NotFound",
        &message,
        json!({ "name": place.name, "kind": place.plural }),
    )
}

impl Api {
    /// Does what a request asks for.
    pub fn answer(&mut self, request: &Request) -> Answer {
        if let Some(answer) = discovery(&request.path) {
            return answer;
        }
        let Some(place) = Place::of(&request.path) else {
            let message = "the server could not find the requested resource";
            return status(404, "NotFound", message, json!({}));
        };
        match (request.method.as_str(), place.name.is_empty()) {
            ("GET", true) => self.list(&place, request),
            ("GET", false) => match self.objects.get(&place.key()) {
                Some(object) => Answer::ok(object.clone()),
                None => not_found(&place),
            },
            ("PATCH", false) => self.apply(&place, request),
            ("POST", true) => {
                let name = request.body["metadata"]["name"].as_str();
                let place = Place {
                    name: name.unwrap_or_default().to_owned(),
                    ..place
                };
                self.apply(&place, request)
            }
            ("DELETE", false) => self.delete(&place, request),
            _ => status(
                405,
                "MethodNotAllowed",
                "the server does not allow this method",
                json!({}),
            ),
        }
    }

    /// The object at a path, for a test to look at.
    pub fn object(&self, path: &str) -> Option<&Value> {
        self.objects.get(&Place::of(path)?.key())
    }

    /// Sets a field by hand, as `manager`; `field` are keys of `fieldsV1`.
    pub fn update(&mut self, path: &str, field: &[&str], value: Value, manager: &str) {
        let key = Place::of(path).expect("a path of an object").key();
        let object = self.objects.get_mut(&key).expect("an object to change");
        owned::update(object, field, value, manager);
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
    }

    fn list(&self, place: &Place, request: &Request) -> Answer {
        let selector = request.parameter("labelSelector").unwrap_or_default();
        let is_selected = |object: &&Value| {
            selector
                .split(',')
                .filter(|part| !part.is_empty())
                .all(|part| {
                    let (label, wanted) = part.split_once('=').unwrap_or((part, ""));
                    let found = &object["metadata"]["labels"][label];
                    if part.contains('=') {
                        found == wanted
                    } else {
                        found.is_string()
                    }
                })
        };
        let (kind, ..) = place.key();
        let all = self.objects.iter().filter(|((of, namespace, _), _)| {
            *of == kind && (place.namespace.is_empty() || *namespace == place.namespace)
        });
        let all: Vec<&Value> = all.map(|(_, object)| object).filter(is_selected).collect();
        let number = |name: &str| request.parameter(name).and_then(|text| text.parse().ok());
        let start = number("continue").unwrap_or(0).min(all.len());
        let end = number("limit").map_or(all.len(), |limit: usize| all.len().min(start + limit));
        let mut metadata = json!({ "resourceVersion": self.version.to_string() });
        if end < all.len() {
            metadata["continue"] = json!(end.to_string());
        }
        Answer::ok(json!({
            "kind": format!("{}List", place.kind), "apiVersion": place.api_version,
            "metadata": metadata, "items": &all[start..end],
        }))
    }

    fn apply(&mut self, place: &Place, request: &Request) -> Answer {
        let there = self.objects.get(&place.key());
        if there.is_none() && !place.namespace.is_empty() {
            let namespace = (
                "v1/namespaces".to_owned(),
                String::new(),
                place.namespace.clone(),
            );
            match self.objects.get(&namespace) {
                None => {
                    let message = format!("namespaces \"{}\" not found", place.namespace);
                    let details = json!({ "name": place.namespace, "kind": "namespaces" });
                    return status(404, "NotFound", &message, details);
                }
                Some(found) if found["metadata"]["deletionTimestamp"].is_string() => {
                    return terminating(&place.plural, &place.name, &place.namespace);
                }
                Some(_) => {}
            }
        }
        let manager = request.parameter("fieldManager").unwrap_or("unknown");
        let force = request.parameter("force") == Some("true");
        let before = there.cloned();
        let live = before.clone().unwrap_or_else(|| self.fresh(place));
        let mut object = match owned::apply(&live, &request.body, manager, force) {
            Ok(object) => object,
            Err(conflicts) => {
                let conflicts: Vec<(String, String)> = conflicts
                    .into_iter()
                    .map(|conflict| (conflict.manager, conflict.field))
                    .collect();
                return conflict(&conflicts);
            }
        };
        settle(&mut object, before.as_ref());
        if before.as_ref() != Some(&object) {
            self.version += 1;
            object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        }
        if request.parameter("dryRun") != Some("All") {
            self.objects.insert(place.key(), object.clone());
        }
        Answer::new(if before.is_some() { 200 } else { 201 }, object)
    }

    /// An object before anything was set in it.
    fn fresh(&self, place: &Place) -> Value {
        let mut metadata = json!({
            "name": place.name, "uid": format!("uid-{}", self.version + 1),
            "creationTimestamp": "2026-11-26T04:07:35Z", "generation": 1,
        });
        if !place.namespace.is_empty() {
            metadata["namespace"] = json!(place.namespace);
        }
        json!({ "apiVersion": place.api_version, "kind": place.kind, "metadata": metadata })
    }

    fn delete(&mut self, place: &Place, request: &Request) -> Answer {
        let Some(object) = self.objects.get_mut(&place.key()) else {
            return not_found(place);
        };
        let wanted = &request.body["preconditions"]["uid"];
        if wanted.is_string() && *wanted != object["metadata"]["uid"] {
            let message = format!("Precondition failed: UID in precondition: {wanted}");
            return status(409, "Conflict", &message, json!({ "name": place.name }));
        }
        self.version += 1;
        let is_held = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
        if is_held(&object["metadata"]["finalizers"]) {
            object["metadata"]["deletionTimestamp"] = json!("2026-11-26T04:10:00Z");
            return Answer::ok(object.clone());
        }
        self.objects.remove(&place.key());
        if place.plural == "namespaces" {
            self.objects
                .retain(|(_, namespace, _), _| *namespace != place.name);
        }
        let details = json!({ "name": place.name, "kind": place.plural });
        Answer::ok(
            json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details }),
        )
    }
}

/// What the server and its controllers add, as if at once.
fn settle(object: &mut Value, before: Option<&Value>) {
    let changed = before.is_some_and(|before| before["spec"] != object["spec"]);
    if changed {
        let generation = object["metadata"]["generation"].as_i64().unwrap_or(1);
        object["metadata"]["generation"] = json!(generation + 1);
    }
    match object["kind"].as_str() {
        Some("Namespace") => {
            object["spec"]["finalizers"] = json!(["kubernetes"]);
            object["status"]["phase"] = json!("Active");
        }
        Some("Deployment") => {
            for (name, value) in [
                ("replicas", 1),
                ("progressDeadlineSeconds", 600),
                ("revisionHistoryLimit", 10),
            ] {
                if object["spec"][name].is_null() {
                    object["spec"][name] = json!(value);
                }
            }
            let replicas = object["spec"]["replicas"].clone();
            object["status"] = json!({
                "observedGeneration": object["metadata"]["generation"], "replicas": replicas,
                "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
            });
        }
        _ => {}
    }
}

/// The refusal of a field that belongs to others, as `(manager, field)`.
pub fn conflict(conflicts: &[(String, String)]) -> Answer {
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|(manager, field)| {
            json!({
                "reason": "FieldManagerConflict", "field": field,
                "message": format!("conflict with \"{manager}\" using apps/v1"),
            })
        })
        .collect();
    let message = format!("Apply failed with {} conflicts", conflicts.len());
    status(409, "Conflict", &message, json!({ "causes": causes }))
}

/// The refusal of what is to be made in a namespace that goes.
pub fn terminating(plural: &str, name: &str, namespace: &str) -> Answer {
    let message = format!(
        "{plural} \"{name}\" is forbidden: unable to create new content in namespace {namespace} \
         because it is being terminated"
    );
    let cause = json!({
        "reason": "NamespaceTerminating", "field": "metadata.namespace",
        "message": format!("namespace {namespace} is being terminated"),
    });
    status(
        403,
        "Forbidden",
        &message,
        json!({ "name": name, "kind": plural, "causes": [cause] }),
    )
}

fn discovery(path: &str) -> Option<Answer> {
    let version = match path {
        "/version" => {
            return Some(Answer::ok(json!({
                "major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "0",
                "gitTreeState": "clean", "buildDate": "2026-07-01T00:00:00Z",
                "goVersion": "go1.26", "compiler": "gc", "platform": "linux/amd64",
            })));
        }
        "/api/v1" => "v1",
        _ => path
            .strip_prefix("/apis/")
            .filter(|rest| rest.split('/').count() == 2)?,
    };
    let rows: Vec<Value> = KINDS
        .iter()
        .filter(|row| row.0 == version)
        .map(|row| {
            json!({
                "name": row.1, "singularName": row.2.to_lowercase(), "kind": row.2,
                "namespaced": row.3,
                "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
            })
        })
        .collect();
    (!rows.is_empty()).then(|| {
        Answer::ok(json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": rows,
        }))
    })
}
