//! Three-way merges of records, field by field: what an operation changed goes back, what others
//! changed meanwhile stays, and what both changed is an overlap.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::db::{Key, Stored, decode, encode};
use crate::error::{Error, Kind, Result};
use crate::model::{Bookkeeping, Filter, Space, Target, Worker};
use crate::yaml::PathSet;

/// A field that the operation and a later one both changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contested(pub(super) String);

type Merged<T> = std::result::Result<T, Contested>;

/// The present value with what led from `before` to `after` taken back.
fn pick<'a, T: PartialEq + ?Sized>(
    before: Option<&'a T>,
    after: Option<&'a T>,
    present: Option<&'a T>,
    name: impl FnOnce() -> String,
) -> Merged<Option<&'a T>> {
    if before == after || present == before {
        Ok(present)
    } else if present == after {
        Ok(before)
    } else {
        Err(Contested(name()))
    }
}

/// The same for the fields of an object, each for itself.
pub(super) fn merge_objects(
    name: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    present: Option<&Value>,
) -> Merged<Option<Value>> {
    let picked = pick(before, after, present, || name.to_owned());
    let (Some(Value::Object(b)), Some(Value::Object(a)), Some(Value::Object(p))) =
        (before, after, present)
    else {
        return picked.map(Option::<&Value>::cloned);
    };
    if let Ok(picked) = picked {
        return Ok(picked.cloned());
    }
    let keys: BTreeSet<&String> = b.keys().chain(a.keys()).chain(p.keys()).collect();
    let mut merged = Map::new();
    for key in keys {
        let inner = match name {
            "" => key.clone(),
            _ => format!("{name}.{key}"),
        };
        if let Some(value) = merge_objects(&inner, b.get(key), a.get(key), p.get(key))? {
            merged.insert(key.clone(), value);
        }
    }
    Ok(Some(Value::Object(merged)))
}

/// The three states of a record as they are stored.
#[derive(Clone, Copy)]
pub(super) struct States<'a> {
    pub(super) before: &'a [u8],
    pub(super) after: &'a [u8],
    pub(super) present: &'a [u8],
}

/// How a kind of record is taken apart into its fields and put together again.
struct Form {
    fields: fn(&[u8]) -> Result<Value>,
    stored: fn(Value) -> Result<Vec<u8>>,
}

impl Form {
    fn of<T: Stored>() -> Self {
        Self {
            fields: |stored| as_json(&decode::<T>(stored, T::NAME)?),
            stored: |fields| Ok(encode(&from_json::<T>(fields)?)),
        }
    }
}

/// The records whose fields are merged one by one. A kind of record that has no line here is only
/// put back where nothing changed it since.
fn form(key: &Key) -> Option<Form> {
    match key {
        Key::Space(_) => Some(Form::of::<Space>()),
        Key::Target(_) => Some(Form::of::<Target>()),
        Key::Worker(..) => Some(Form::of::<Worker>()),
        Key::Filter(..) => Some(Form::of::<Filter>()),
        _ => None,
    }
}

/// Merges the fields of a record that something later changed as well.
pub(super) fn merge_stored(key: &Key, states: States<'_>) -> Result<Merged<Vec<u8>>> {
    let Some(form) = form(key) else {
        return Ok(Err(Contested(String::new())));
    };
    let before = (form.fields)(states.before)?;
    let after = (form.fields)(states.after)?;
    let present = (form.fields)(states.present)?;
    match merge_objects("", Some(&before), Some(&after), Some(&present)) {
        Ok(merged) => (form.stored)(merged.unwrap_or_default()).map(Ok),
        Err(contested) => Ok(Err(contested)),
    }
}

/// The first field in which two states of a record differ; empty where its fields are not told
/// apart.
pub(super) fn changed_field(key: &Key, one: &[u8], other: &[u8]) -> Result<String> {
    let Some(form) = form(key) else {
        return Ok(String::new());
    };
    let (one, other) = ((form.fields)(one)?, (form.fields)(other)?);
    Ok(first_difference("", &one, &other).unwrap_or_default())
}

/// The name of the first field in which two objects differ.
pub(super) fn first_difference(name: &str, one: &Value, other: &Value) -> Option<String> {
    if one == other {
        return None;
    }
    let (Value::Object(one), Value::Object(other)) = (one, other) else {
        return Some(name.to_owned());
    };
    let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    keys.into_iter().find_map(|key| {
        let inner = match name {
            "" => key.clone(),
            _ => format!("{name}.{key}"),
        };
        let (one, other) = (one.get(key), other.get(key));
        first_difference(
            &inner,
            one.unwrap_or(&Value::Null),
            other.unwrap_or(&Value::Null),
        )
    })
}

pub(super) fn as_json<T: Stored>(entity: &T) -> Result<Value> {
    serde_json::to_value(entity).map_err(|error| unreadable::<T>(&error))
}

pub(super) fn from_json<T: Stored>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| unreadable::<T>(&error))
}

fn unreadable<T: Stored>(error: &serde_json::Error) -> Error {
    let name = T::NAME;
    Error::new(
        Kind::Internal,
        format!("a {name} cannot be taken apart into its fields: {error}"),
    )
}

/// Merges what a unit has beside its data.
pub(super) fn merge_bookkeeping(
    before: &Bookkeeping,
    after: &Bookkeeping,
    present: &Bookkeeping,
) -> Merged<Bookkeeping> {
    let upstream_revision = pick(
        before.upstream_revision.as_ref(),
        after.upstream_revision.as_ref(),
        present.upstream_revision.as_ref(),
        || "UpstreamRevisionNum".to_owned(),
    );
    Ok(Bookkeeping {
        upstream_revision: upstream_revision?.copied(),
        merges: merge_maps("merges", &before.merges, &after.merges, &present.merges)?,
        owned: merge_sets(&before.owned, &after.owned, &present.owned),
        protected: merge_sets(&before.protected, &after.protected, &present.protected),
        sources: merge_maps("source", &before.sources, &after.sources, &present.sources)?,
    })
}

fn merge_maps<K: Ord + Clone + ToString, V: PartialEq + Clone>(
    name: &str,
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    present: &BTreeMap<K, V>,
) -> Merged<BTreeMap<K, V>> {
    let keys: BTreeSet<&K> = before
        .keys()
        .chain(after.keys())
        .chain(present.keys())
        .collect();
    let mut merged = BTreeMap::new();
    for key in keys {
        let named = || format!("{name} {}", key.to_string());
        let picked = pick(before.get(key), after.get(key), present.get(key), named)?;
        if let Some(value) = picked {
            merged.insert(key.clone(), value.clone());
        }
    }
    Ok(merged)
}

/// What is in a set or not cannot be contested: it is one or the other.
fn merge_sets(before: &PathSet, after: &PathSet, present: &PathSet) -> PathSet {
    let mut merged = present.clone();
    for (resource, path) in after.iter() {
        if !before.contains(resource, path) {
            merged.remove(resource, path);
        }
    }
    for (resource, path) in before.iter() {
        if !after.contains(resource, path) {
            merged.insert(resource.cloned(), path.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(before: Value, after: Value, present: Value) -> Merged<Option<Value>> {
        merge_objects("", Some(&before), Some(&after), Some(&present))
    }

    #[test]
    fn fields_that_others_changed_stay_and_those_that_both_changed_are_named() {
        let before = json!({ "Labels": { "a": "1", "b": "1" }, "Target": null });
        let after = json!({ "Labels": { "a": "2", "b": "1", "c": "1" }, "Target": null });
        let present = json!({ "Labels": { "a": "2", "b": "5", "c": "1" }, "Target": "x" });
        assert_eq!(
            merged(before.clone(), after.clone(), present),
            Ok(Some(
                json!({ "Labels": { "a": "1", "b": "5" }, "Target": "x" })
            ))
        );
        let present = json!({ "Labels": { "a": "3", "b": "1", "c": "1" }, "Target": null });
        assert_eq!(
            merged(before.clone(), after.clone(), present),
            Err(Contested("Labels.a".to_owned()))
        );
        let already = json!({ "Labels": { "a": "1", "b": "1" }, "Target": "x" });
        assert_eq!(merged(before, after, already.clone()), Ok(Some(already)));
    }

    #[test]
    fn bookkeeping_goes_back_member_by_member() {
        let path = |text: &str| text.parse::<crate::path::Path>().unwrap();
        let set = |paths: &[&str]| {
            let mut set = PathSet::default();
            for text in paths {
                set.insert(None, path(text));
            }
            set
        };
        let with = |revision, owned: &[&str]| Bookkeeping {
            upstream_revision: revision,
            owned: set(owned),
            ..Bookkeeping::default()
        };
        let merged = merge_bookkeeping(
            &with(Some(1), &["a", "gone"]),
            &with(Some(2), &["a", "b"]),
            &with(Some(2), &["a", "b", "c"]),
        );
        assert_eq!(merged, Ok(with(Some(1), &["a", "c", "gone"])));
        let contested = merge_bookkeeping(
            &with(Some(1), &[]),
            &with(Some(2), &[]),
            &with(Some(3), &[]),
        );
        assert_eq!(contested, Err(Contested("UpstreamRevisionNum".to_owned())));
    }
}
