//! What is remembered of an object that was sent.

use serde_json::Value;

use crate::deploy::inventory::AppliedObject;
use crate::deploy::object::{Object, PLACEHOLDER, UnitObjects};
use crate::yaml::ResourceId;

use super::{autoscale, fields, mark};

/// Hash of an object as its unit has it: a number of pods that is left to an autoscaler counts as
/// the unit says it.
pub(super) fn sent_hash(unit: &UnitObjects, id: &ResourceId, value: &Value) -> String {
    let is_same = |object: &&Object| {
        let namespace = object.id.namespace.as_str();
        object.id.group == id.group
            && object.id.kind == id.kind
            && object.id.name == id.name
            && (namespace == id.namespace || namespace.is_empty() || namespace == PLACEHOLDER)
    };
    let desired = unit.objects.iter().find(is_same);
    let desired = desired.and_then(|object| autoscale::replicas(&object.value));
    if desired == autoscale::replicas(value) {
        return mark::hash(value);
    }
    let mut value = value.clone();
    if let (Some(desired), Some(spec)) = (
        desired,
        value.get_mut("spec").and_then(Value::as_object_mut),
    ) {
        spec.insert("replicas".to_owned(), desired.clone());
    }
    mark::hash(&value)
}

/// What is remembered of an object that the cluster took.
pub(super) fn applied(
    id: ResourceId,
    api_version: &str,
    sent: String,
    mut answer: Value,
) -> AppliedObject {
    let owned = fields::take_owned(&mut answer).unwrap_or_default();
    let applied = fields::project(&answer, &owned);
    AppliedObject {
        id,
        api_version: api_version.to_owned(),
        sent,
        fields: owned,
        applied,
    }
}
