//! For which resource a patch is, and what its shorthands stand for.

use serde_json::{Map, Value, json};

use super::{Error, PatchOptions};
use crate::path::Path;
use crate::yaml::tree::{Kind, NodeRef};
use crate::yaml::{ResourceId, Stream};

/// Kinds that run pods, and where their containers are.
const WORKLOADS: [(&str, &str); 9] = [
    ("CronJob", "spec.jobTemplate.spec.template.spec.containers"),
    ("DaemonSet", "spec.template.spec.containers"),
    ("Deployment", "spec.template.spec.containers"),
    ("Job", "spec.template.spec.containers"),
    ("Pod", "spec.containers"),
    ("ReplicaSet", "spec.template.spec.containers"),
    ("ReplicationController", "spec.template.spec.containers"),
    ("Rollout", "spec.template.spec.containers"),
    ("StatefulSet", "spec.template.spec.containers"),
];

/// Kinds whose pods are counted by `spec.replicas`.
const SCALABLE: [&str; 5] = [
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "StatefulSet",
];

/// Top-level keys that resources of some kind have and a text may leave out.
const TOP_LEVEL: [&str; 14] = [
    "apiVersion",
    "automountServiceAccountToken",
    "binaryData",
    "data",
    "immutable",
    "imagePullSecrets",
    "kind",
    "metadata",
    "rules",
    "secrets",
    "spec",
    "stringData",
    "subjects",
    "type",
];

type Document<'a> = (usize, NodeRef<'a>);

fn workload(root: NodeRef<'_>) -> Option<&'static str> {
    let kind = ResourceId::of(root).kind;
    let found = WORKLOADS.iter().find(|(name, _)| *name == kind);
    found.map(|(_, containers)| *containers)
}

fn names<'a>(documents: impl IntoIterator<Item = &'a Document<'a>>) -> String {
    let names: Vec<String> = documents
        .into_iter()
        .map(|(_, root)| format!("`{}`", ResourceId::of(*root)))
        .collect();
    if names.is_empty() {
        "no resource".to_owned()
    } else {
        names.join(", ")
    }
}

/// The document that a patch is for.
pub(super) fn document<'a>(
    stream: &'a Stream,
    object: &Map<String, Value>,
    given: Option<usize>,
) -> Result<Document<'a>, Error> {
    let all: Vec<Document<'a>> = stream.view().documents().enumerate().collect();
    if let Some(number) = given {
        return all.get(number).copied().ok_or_else(|| Error::NoResource {
            wanted: format!("document {number}"),
            there: names(&all),
        });
    }
    let kind = object.get("kind").and_then(Value::as_str);
    let name = object
        .get("metadata")
        .and_then(|metadata| metadata.get("name"))
        .and_then(Value::as_str);
    if kind.is_some() || name.is_some() {
        return named(&all, kind, name);
    }
    if let [only] = all.as_slice() {
        return Ok(*only);
    }
    let workloads: Vec<_> = all
        .iter()
        .filter(|(_, root)| workload(*root).is_some())
        .collect();
    if let [only] = workloads.as_slice()
        && has_parents(only.1, object, true)
    {
        return Ok(**only);
    }
    let fitting: Vec<_> = all
        .iter()
        .filter(|(_, root)| has_parents(*root, object, false))
        .collect();
    match fitting.as_slice() {
        [only] => Ok(**only),
        [] => Err(Error::NoPlace {
            path: first_parent(object),
            there: names(&all),
        }),
        several => Err(Error::Ambiguous {
            candidates: names(several.iter().copied()),
        }),
    }
}

fn named<'a>(
    all: &[Document<'a>],
    kind: Option<&str>,
    name: Option<&str>,
) -> Result<Document<'a>, Error> {
    let fits = |root: NodeRef<'_>| {
        let id = ResourceId::of(root);
        kind.is_none_or(|kind| id.kind == kind) && name.is_none_or(|name| id.name == name)
    };
    let fitting: Vec<_> = all.iter().filter(|(_, root)| fits(*root)).collect();
    match fitting.as_slice() {
        [only] => Ok(**only),
        [] => Err(Error::NoResource {
            wanted: format!("{}/{}", kind.unwrap_or("*"), name.unwrap_or("*")),
            there: names(all),
        }),
        several => Err(Error::Ambiguous {
            candidates: names(several.iter().copied()),
        }),
    }
}

/// Whether a resource has every map around what a patch names. The only workload is asked for
/// its top-level keys alone: it gets what else is missing.
fn has_parents(root: NodeRef<'_>, object: &Map<String, Value>, shallow: bool) -> bool {
    object
        .iter()
        .all(|(key, value)| match (root.get(key), value) {
            (Some(node), Value::Object(inner)) => {
                shallow || (node.kind() == Kind::Map && has_parents(node, inner, false))
            }
            (None, Value::Object(_)) => shallow && key == "metadata",
            // A leaf may be missing; at the top it must be there or stand for something.
            (there, _) => {
                !shallow || there.is_some() || ["image", "replicas"].contains(&key.as_str())
            }
        })
}

fn first_parent(object: &Map<String, Value>) -> Path {
    let mut path = Path::root();
    let mut map = object;
    while let Some((key, value)) = map.iter().next() {
        path = path.key(key);
        match value {
            Value::Object(inner) if !inner.is_empty() => map = inner,
            _ => break,
        }
    }
    path
}

/// The patch with its shorthands written out.
pub(super) fn expand(
    stream: &Stream,
    root: NodeRef<'_>,
    object: &Map<String, Value>,
    options: PatchOptions<'_>,
) -> Result<Map<String, Value>, Error> {
    let mut out = object.clone();
    let workloads = stream
        .view()
        .documents()
        .filter(|d| workload(*d).is_some())
        .count();
    let own = workload(root).filter(|_| workloads == 1);
    let scalable = SCALABLE.contains(&ResourceId::of(root).kind.as_str());
    if own.is_some() && scalable && is_shorthand(root, &out, "replicas") {
        let value = out.shift_remove("replicas").unwrap_or_default();
        merge_into(&mut out, &["spec"], json!({ "replicas": value }));
    }
    if let Some(containers) = own
        && is_shorthand(root, &out, "image")
    {
        let image = out.shift_remove("image").unwrap_or_default();
        let name = container(root, containers, options.unit)?;
        let steps: Vec<&str> = containers.split('.').collect();
        let (last, parents) = steps.split_last().unwrap_or((&"containers", &[]));
        let image = json!({ *last: [{ "name": name, "image": image }] });
        merge_into(&mut out, parents, image);
    }
    if out.contains_key("kind") || out.contains_key("metadata") {
        return Ok(out);
    }
    for key in out.keys() {
        if root.get(key).is_none() && !TOP_LEVEL.contains(&key.as_str()) {
            let known: Vec<&str> = root.entries().map(|(key, _)| key).collect();
            return Err(Error::UnknownKey {
                key: key.clone(),
                resource: ResourceId::of(root).to_string(),
                known: known.join(", "),
            });
        }
    }
    Ok(out)
}

fn is_shorthand(root: NodeRef<'_>, object: &Map<String, Value>, key: &str) -> bool {
    object.contains_key(key) && root.get(key).is_none()
}

/// The container that the shorthand `image` means.
fn container(root: NodeRef<'_>, containers: &str, unit: Option<&str>) -> Result<Value, Error> {
    let list = containers
        .parse()
        .ok()
        .and_then(|path: Path| root.at(&path));
    let names: Vec<Value> = list
        .into_iter()
        .flat_map(|list| list.items())
        .filter_map(|item| item.get("name"))
        .map(|name| name.to_value())
        .collect();
    let own = names
        .iter()
        .find(|name| name.as_str().is_some_and(|n| Some(n) == unit));
    match (own, names.as_slice()) {
        (Some(name), _) | (None, [name]) => Ok(name.clone()),
        _ => Err(Error::NoContainer {
            wanted: unit.unwrap_or_default().to_owned(),
            there: match names.len() {
                0 => "none".to_owned(),
                _ => names
                    .iter()
                    .map(|name| format!("`{}`", name.as_str().unwrap_or_default()))
                    .collect::<Vec<_>>()
                    .join(", "),
            },
        }),
    }
}

/// Merges a value into a map below the given keys; lists are added to.
fn merge_into(map: &mut Map<String, Value>, keys: &[&str], value: Value) {
    let wrapped = keys
        .iter()
        .rev()
        .fold(value, |inner, key| json!({ *key: inner }));
    if let Value::Object(more) = wrapped {
        for (key, value) in more {
            join(map.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn join(into: &mut Value, value: Value) {
    match (into, value) {
        (Value::Object(map), Value::Object(more)) => {
            for (key, value) in more {
                join(map.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(items), Value::Array(more)) => items.extend(more),
        (into, value) => *into = value,
    }
}
