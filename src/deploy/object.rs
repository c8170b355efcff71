//! What a unit holds, as a cluster sees it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::UnitId;
use crate::path::{Path, Segment};
use crate::yaml::{ResourceId, Stream};

use super::error::Error;
use super::kind::{Rank, kind};

/// The text that stands for a value a link will fill in.
pub const PLACEHOLDER: &str = "confighubplaceholder";

/// The number that stands for a value a link will fill in.
pub const PLACEHOLDER_NUMBER: i64 = 999_999_999;

/// One Kubernetes object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Which object it is.
    pub id: ResourceId,
    /// Version of the API it is written for, with the group: `apps/v1`.
    pub api_version: String,
    /// All of it.
    pub value: Value,
}

impl Object {
    /// The objects of a unit's data, in the order of its documents.
    ///
    /// ```
    /// use windlass::deploy::Object;
    /// use windlass::yaml::Stream;
    ///
    /// let stream = Stream::parse("apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n").unwrap();
    /// assert_eq!(Object::all(&stream)[0].id.to_string(), "Service/a");
    /// ```
    pub fn all(stream: &Stream) -> Vec<Self> {
        let documents = stream.view();
        let objects = documents
            .documents()
            .zip(stream.resources())
            .map(|(root, id)| Self::new(id, root.to_value()));
        objects.collect()
    }

    /// An object with its identity.
    pub fn new(id: ResourceId, value: Value) -> Self {
        let version = value.get("apiVersion").and_then(Value::as_str);
        Self {
            id,
            api_version: version.unwrap_or_default().to_owned(),
            value,
        }
    }

    /// Puts the object into a namespace, in its identity and in its metadata.
    fn set_namespace(&mut self, namespace: &str) {
        namespace.clone_into(&mut self.id.namespace);
        if let Some(metadata) = self
            .value
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
        {
            if namespace.is_empty() {
                metadata.shift_remove("namespace");
            } else {
                metadata.insert("namespace".to_owned(), namespace.into());
            }
        }
    }
}

/// Whose an object is: the unit, and the store that the unit is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Number of the unit.
    pub unit: UnitId,
    /// Identity of the store.
    pub store: String,
    /// The unit as `space/unit`, for people.
    pub name: String,
}

impl Owner {
    /// Whether both are the same unit of the same store, whatever it is called by now.
    pub fn is_same(&self, other: &Self) -> bool {
        self.unit == other.unit && self.store == other.store
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// The objects of one unit at one revision, ready to be applied.
#[derive(Debug, Clone)]
pub struct UnitObjects {
    /// Whose they are.
    pub owner: Owner,
    /// The revision of the unit.
    pub revision: u32,
    /// The namespace of objects that name none: the target's, else the space's slug.
    pub namespace: String,
    /// The objects.
    pub objects: Vec<Object>,
}

impl UnitObjects {
    /// The objects with their namespaces, in the order in which they are applied.
    ///
    /// An object without a namespace, or with the placeholder, goes to [`UnitObjects::namespace`];
    /// one of a kind that has no namespace loses what it names. `cluster_kinds` are the custom
    /// kinds, as `group/Kind`, that are known to have none; a definition among the objects counts
    /// as well.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when two objects are then the same.
    pub fn placed(&self, cluster_kinds: &BTreeSet<String>) -> Result<Vec<Object>, Error> {
        let mut cluster_kinds = cluster_kinds.clone();
        cluster_kinds.extend(self.objects.iter().filter_map(cluster_kind));
        let mut objects = self.objects.clone();
        let mut seen = BTreeSet::new();
        for object in &mut objects {
            let custom = format!("{}/{}", object.id.group, object.id.kind);
            if !kind(&object.id.kind).namespaced || cluster_kinds.contains(&custom) {
                object.set_namespace("");
            } else if object.id.namespace.is_empty() || object.id.namespace == PLACEHOLDER {
                object.set_namespace(&self.namespace);
            }
            if !seen.insert(object.id.full()) {
                return Err(Error::Duplicate {
                    unit: self.owner.name.clone(),
                    object: object.id.to_string(),
                });
            }
        }
        objects.sort_by_key(|object| Rank::of(&object.id.kind));
        Ok(objects)
    }
}

/// The kind that a definition defines without a namespace, as `group/Kind`.
pub(super) fn cluster_kind(object: &Object) -> Option<String> {
    if object.id.kind != "CustomResourceDefinition" {
        return None;
    }
    let spec = object.value.get("spec")?;
    let kind = spec.get("names")?.get("kind")?.as_str()?;
    let group = spec.get("group")?.as_str()?;
    (spec.get("scope")?.as_str()? == "Cluster").then(|| format!("{group}/{kind}"))
}

/// The node at a concrete path: keys, indexes and conditions, no `*`.
pub fn value_at<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    find(value, path)
}

/// The node at a concrete path.
pub(super) fn find<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    path.segments()
        .iter()
        .try_fold(value, |node, segment| match node {
            Value::Object(map) => match segment {
                Segment::Key(key) => map.get(key),
                _ => None,
            },
            Value::Array(items) => items.get(index(items, segment)?),
            _ => None,
        })
}

/// Sets the node at a concrete path, making the maps above it. Says whether it could.
pub(super) fn set(value: &mut Value, path: &Path, new: Value) -> bool {
    let mut node = value;
    for segment in path.segments() {
        if node.is_null() {
            *node = Value::Object(Map::new());
        }
        let next = match node {
            Value::Object(map) => match segment {
                Segment::Key(key) => Some(map.entry(key.clone()).or_insert(Value::Null)),
                _ => None,
            },
            Value::Array(items) => index(items, segment).and_then(|at| items.get_mut(at)),
            _ => None,
        };
        let Some(next) = next else { return false };
        node = next;
    }
    *node = new;
    true
}

fn index(items: &[Value], segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Match(fields) => items.iter().position(|item| {
            fields.iter().all(|(key, wanted)| match item.get(key) {
                Some(Value::String(text)) => text == wanted,
                Some(other) => {
                    serde_json::from_str(wanted).is_ok_and(|value: Value| value == *other)
                }
                None => false,
            })
        }),
        _ => segment.index(),
    }
}
