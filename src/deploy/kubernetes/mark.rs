//! The marks that tell whose an object is, and the form in which objects are sent.

use serde_json::{Map, Value, json};

use crate::deploy::object::Owner;

use super::fields;

/// The label that names the unit.
pub(super) const UNIT: &str = "windlass.dev/unit";
/// The annotation that names the unit for people.
pub(super) const NAME: &str = "windlass.dev/name";
/// The annotation that names the store.
pub(super) const STORE: &str = "windlass.dev/store";
/// The label of a namespace that an apply created.
pub(super) const CREATED: &str = "windlass.dev/created";

/// Fields that are the server's own, and that it does not take from others.
const SERVERS: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Makes of an object what is sent: with the marks of its owner, without what is the server's.
pub(super) fn marked(mut value: Value, owner: &Owner) -> Value {
    let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else {
        return value;
    };
    for field in SERVERS {
        metadata.shift_remove(*field);
    }
    put(metadata, "labels", UNIT, owner.unit.to_string());
    put(metadata, "annotations", NAME, owner.name.clone());
    put(metadata, "annotations", STORE, owner.store.clone());
    value
}

fn put(metadata: &mut Map<String, Value>, map: &str, key: &str, text: String) {
    let entry = metadata.entry(map).or_insert(Value::Null);
    if entry.is_null() {
        *entry = json!({});
    }
    // What is no map is left for the server to refuse: it says best what is wrong.
    if let Some(entry) = entry.as_object_mut() {
        entry.insert(key.to_owned(), text.into());
    }
}

/// The namespace that is created because objects need it.
pub(super) fn namespace(name: &str, store: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {CREATED: "true"},
            "annotations": {STORE: store},
        },
    })
}

/// Whose an object in the cluster is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// The unit's that asked.
    Ours,
    /// Another unit's, or a unit's of another store; in words.
    Other(String),
    /// No unit's; with the field managers that made it.
    Nobody(Vec<String>),
}

impl Holder {
    pub(super) fn of(object: &Value, owner: &Owner) -> Self {
        let Some(unit) = label(object, UNIT) else {
            return Self::Nobody(managers(object));
        };
        let store = annotation(object, STORE).unwrap_or_default();
        if unit == owner.unit.to_string() && store == owner.store {
            return Self::Ours;
        }
        let name = annotation(object, NAME).unwrap_or(unit);
        Self::Other(if store == owner.store {
            name.to_owned()
        } else {
            format!("{name} of store {store}")
        })
    }
}

/// Who set fields of an object, other than its controllers' status.
pub(super) fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array();
    let mut names: Vec<String> = Vec::new();
    for entry in entries.into_iter().flatten() {
        let name = entry["manager"].as_str().unwrap_or_default();
        let is_status = entry["subresource"] == "status";
        if !is_status && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Whether nobody but us set fields of an object.
pub(super) fn is_only_ours(managers: &[String]) -> bool {
    !managers.is_empty() && managers.iter().all(|name| name == fields::MANAGER)
}

pub(super) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("labels")?.get(key)?.as_str()
}

pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(key)?
        .as_str()
}

pub(super) fn metadata<'a>(object: &'a Value, key: &str) -> &'a str {
    object["metadata"][key].as_str().unwrap_or_default()
}

/// Whether an object is being deleted.
pub(super) fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Hash of an object; the order of the keys of its maps does not count.
pub(super) fn hash(value: &Value) -> String {
    let mut text = Vec::with_capacity(2_048);
    write_sorted(&mut text, value);
    blake3::hash(&text).to_hex().to_string()
}

/// An object as JSON with its keys in order.
fn write_sorted(text: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_unstable_by_key(|(key, _)| *key);
            text.push(b'{');
            for (key, value) in pairs {
                write_json(text, key);
                text.push(b':');
                write_sorted(text, value);
                text.push(b',');
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for item in items {
                write_sorted(text, item);
                text.push(b',');
            }
            text.push(b']');
        }
        scalar => write_json(text, scalar),
    }
}

fn write_json(text: &mut Vec<u8>, value: &impl serde::Serialize) {
    // A vector takes whatever is written, and scalars and texts are always JSON.
    serde_json::to_writer(text, value).unwrap_or_default();
}
