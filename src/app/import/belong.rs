//! Which resources belong to which workload.
//!
//! A resource belongs to a workload when it says so and to no other: a Service selects its pods, an
//! autoscaler names it, its pods mount a ConfigMap. What says nothing belongs to the workload of
//! its name. What several workloads share belongs to none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::shape::Document;
use crate::deploy;
use crate::yaml::{POD_TEMPLATES, ResourceId};

/// The workloads of a source and what belongs to them.
pub(super) struct Owners {
    /// Of each document, the workload that it belongs to.
    owner: Vec<Option<usize>>,
    is_workload: Vec<bool>,
}

/// A workload, as far as others refer to it or it to others.
struct Workload<'a> {
    at: usize,
    resource: &'a ResourceId,
    pod_labels: Map<String, Value>,
    /// Kind and name of what its pods use.
    uses: BTreeSet<(&'static str, String)>,
}

impl Owners {
    pub(super) fn of(documents: &[Document]) -> Self {
        let workloads: Vec<_> = documents.iter().enumerate().filter_map(workload).collect();
        let is_workload = (0..documents.len())
            .map(|at| workloads.iter().any(|workload| workload.at == at))
            .collect();
        let mut owners = Self {
            owner: vec![None; documents.len()],
            is_workload,
        };
        // Routes name Services, so those come first.
        for is_route in [false, true] {
            let services = owners.services(documents);
            for (at, document) in documents.iter().enumerate() {
                if !owners.is_workload[at] && is_route == routes(&document.resource.kind) {
                    owners.owner[at] = owner_of(document, &workloads, &services);
                }
            }
        }
        owners
    }

    pub(super) fn is_workload(&self, at: usize) -> bool {
        self.is_workload[at]
    }

    pub(super) fn owner(&self, at: usize) -> Option<usize> {
        self.owner[at]
    }

    /// What belongs to a workload, in the order of the source.
    pub(super) fn belongings(&self, workload: usize) -> impl Iterator<Item = usize> {
        let all = self.owner.iter().enumerate();
        all.filter_map(move |(at, owner)| (*owner == Some(workload)).then_some(at))
    }

    /// The owners of Services, by namespace and name.
    fn services(&self, documents: &[Document]) -> BTreeMap<(String, String), usize> {
        let all = documents.iter().zip(&self.owner);
        let services = all.filter(|(document, _)| document.resource.kind == "Service");
        services
            .filter_map(|(document, owner)| {
                let resource = &document.resource;
                let name = (resource.namespace.clone(), resource.name.clone());
                Some((name, (*owner)?))
            })
            .collect()
    }
}

fn workload((at, document): (usize, &Document)) -> Option<Workload<'_>> {
    let kind = document.resource.kind.as_str();
    let (_, keys) = POD_TEMPLATES
        .iter()
        .find(|(known, _)| *known == kind && kind != "PodTemplate")?;
    let mut keys = keys.iter();
    let pods = keys.try_fold(&document.value, |value, key| value.get(key));
    let pods = pods.unwrap_or(&Value::Null);
    let mut uses = BTreeSet::new();
    used_by(pods, &mut uses);
    if let Some(service) = document.value.pointer("/spec/serviceName") {
        add(&mut uses, "Service", Some(service));
    }
    let labels = pods.pointer("/metadata/labels").and_then(Value::as_object);
    Some(Workload {
        at,
        resource: &document.resource,
        pod_labels: labels.cloned().unwrap_or_default(),
        uses,
    })
}

/// Adds what a part of a pod's description names.
fn used_by(value: &Value, uses: &mut BTreeSet<(&'static str, String)>) {
    let entries: Box<dyn Iterator<Item = (&str, &Value)>> = match value {
        Value::Object(map) => Box::new(map.iter().map(|(key, value)| (key.as_str(), value))),
        Value::Array(list) => Box::new(list.iter().map(|value| ("", value))),
        _ => return,
    };
    for (key, value) in entries {
        match key {
            "configMapKeyRef" | "configMapRef" | "configMap" => {
                add(uses, "ConfigMap", value.get("name"));
            }
            "secretKeyRef" | "secretRef" => add(uses, "Secret", value.get("name")),
            "secret" => {
                let name = value.get("secretName").or_else(|| value.get("name"));
                add(uses, "Secret", name);
            }
            "persistentVolumeClaim" => {
                add(uses, "PersistentVolumeClaim", value.get("claimName"));
            }
            "serviceAccountName" => add(uses, "ServiceAccount", Some(value)),
            _ => {}
        }
        used_by(value, uses);
    }
}

fn add(uses: &mut BTreeSet<(&'static str, String)>, kind: &'static str, name: Option<&Value>) {
    if let Some(name) = name.and_then(Value::as_str) {
        uses.insert((kind, name.to_owned()));
    }
}

fn routes(kind: &str) -> bool {
    matches!(kind, "Ingress" | "HTTPRoute" | "GRPCRoute")
}

/// The one workload that a document belongs to.
fn owner_of(
    document: &Document,
    workloads: &[Workload<'_>],
    services: &BTreeMap<(String, String), usize>,
) -> Option<usize> {
    let resource = &document.resource;
    let nearby = || {
        let all = workloads.iter();
        all.filter(|workload| workload.resource.namespace == resource.namespace)
    };
    let value = &document.value;
    let claims: Vec<usize> = match resource.kind.as_str() {
        "Service" | "PodDisruptionBudget" | "NetworkPolicy" => {
            let selected = selector(resource, value);
            let users = nearby().filter(|workload| {
                selected.is_some_and(|selector| selects(selector, &workload.pod_labels))
                    || uses(workload, resource)
            });
            users.map(|workload| workload.at).collect()
        }
        "HorizontalPodAutoscaler" | "VerticalPodAutoscaler" | "ScaledObject" => {
            let named = ["/spec/scaleTargetRef", "/spec/targetRef"];
            let named = named.iter().find_map(|pointer| value.pointer(pointer));
            let is_it = |workload: &&Workload<'_>| {
                let says = |key: &str| named.and_then(|named| named.get(key)?.as_str());
                says("name") == Some(&workload.resource.name)
                    && says("kind").is_none_or(|kind| kind == workload.resource.kind)
            };
            nearby().filter(is_it).map(|workload| workload.at).collect()
        }
        kind if routes(kind) => {
            let mut named = BTreeSet::new();
            backends(value, &mut named);
            let owners: BTreeSet<Option<usize>> = named
                .into_iter()
                .map(|name| services.get(&(resource.namespace.clone(), name)).copied())
                .collect();
            // A route to anything that no workload owns is nobody's.
            let known: Option<Vec<usize>> = owners.into_iter().collect();
            known.unwrap_or_default()
        }
        _ => {
            let users = nearby().filter(|workload| uses(workload, resource));
            users.map(|workload| workload.at).collect()
        }
    };
    match claims.as_slice() {
        [one] => Some(*one),
        [] if deploy::kind(&resource.kind).namespaced && !routes(&resource.kind) => {
            let mut same = nearby().filter(|workload| workload.resource.name == resource.name);
            let first = same.next()?;
            same.next().is_none().then_some(first.at)
        }
        _ => None,
    }
}

fn uses(workload: &Workload<'_>, resource: &ResourceId) -> bool {
    let used = workload.uses.iter();
    used.into_iter()
        .any(|(kind, name)| *kind == resource.kind && *name == resource.name)
}

/// The labels by which a resource selects pods; none where it selects all or by expressions.
fn selector<'a>(resource: &ResourceId, value: &'a Value) -> Option<&'a Map<String, Value>> {
    let pointer = match resource.kind.as_str() {
        "Service" => "/spec/selector",
        "NetworkPolicy" => "/spec/podSelector/matchLabels",
        _ => "/spec/selector/matchLabels",
    };
    let labels = value.pointer(pointer)?.as_object()?;
    (!labels.is_empty()).then_some(labels)
}

fn selects(selector: &Map<String, Value>, labels: &Map<String, Value>) -> bool {
    let mut wanted = selector.iter();
    wanted.all(|(key, value)| labels.get(key) == Some(value))
}

/// The Services that a route leads to.
fn backends(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let name = match key.as_str() {
                    "service" => value.get("name"),
                    "serviceName" => Some(value),
                    "backendRefs" => {
                        let refs = value.as_array().into_iter().flatten();
                        let found = refs.filter_map(|one| one.get("name")?.as_str());
                        names.extend(found.map(str::to_owned));
                        None
                    }
                    _ => None,
                };
                names.extend(name.and_then(Value::as_str).map(str::to_owned));
                backends(value, names);
            }
        }
        Value::Array(list) => {
            for value in list {
                backends(value, names);
            }
        }
        _ => {}
    }
}
