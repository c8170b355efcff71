//! Merge patches: a map that names what shall change, as edits.
//!
//! Maps merge deeply, `null` removes, lists with merge keys merge by them, other lists are
//! replaced. That is what `kubectl patch` does with a strategic merge patch, without its
//! directives.

mod choose;
mod error;

use std::borrow::Cow;

use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::schema::{KeyField, Union, merge_keys, union};
use super::tree::{Kind, NodeRef};
use super::{Change, Content, Edit, ResourceId, Stream};
use crate::path::{Path, Segment};

pub use self::error::Error;

/// What a patch may know beside its own text.
#[derive(Debug, Clone, Copy, Default)]
pub struct PatchOptions<'a> {
    /// The name of the unit: the container of that name is meant by the shorthand `image`.
    pub unit: Option<&'a str>,
    /// The number of the document that is meant, from 0; none to choose by the patch.
    pub document: Option<usize>,
}

/// A patch, as edits.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The document that is patched, from 0.
    pub document: usize,
    /// What to change; nothing where the text has the value already.
    pub edits: Vec<Edit>,
    /// Every place that the patch names, also where the value was equal: lists by merge key.
    pub places: Vec<Path>,
}

/// Turns a merge patch into edits.
///
/// The patch is for the resource that its `kind` and `metadata.name` name; else for the only
/// workload; else for the only resource that has every parent of what it names. In a text with
/// one workload, and where the resource has no such key, `replicas` stands for `spec.replicas`
/// and `image` for the image of the container named like the unit, or of the only one.
///
/// An element of a list without its merge key is the only one of the list. A field of a union
/// takes the place of the other fields of the union.
///
/// # Errors
/// [`Error`] when the patch is no map, fits no resource or several, or names an unknown top-level
/// key or an element that cannot be told.
///
/// ```
/// use serde_json::json;
/// use windlass::yaml::patch::{PatchOptions, patch};
/// use windlass::yaml::Stream;
///
/// let stream = Stream::parse("kind: Deployment\nspec:\n  replicas: 1 # small\n").unwrap();
/// let patched = patch(&stream, &json!({ "replicas": 3 }), PatchOptions::default()).unwrap();
/// let after = stream.apply(&patched.edits).unwrap();
/// assert_eq!(after.text(), "kind: Deployment\nspec:\n  replicas: 3 # small\n");
/// ```
pub fn patch(stream: &Stream, object: &Value, options: PatchOptions<'_>) -> Result<Patched, Error> {
    let Value::Object(object) = object else {
        return Err(Error::NotMap {
            found: describe(object),
        });
    };
    let (document, root) = choose::document(stream, object, options.document)?;
    let object = choose::expand(stream, root, object, options)?;
    let resource = ResourceId::of(root);
    let mut walk = Walk {
        document,
        kind: &resource.kind,
        edits: Vec::new(),
        places: Vec::new(),
    };
    walk.map(&Path::root(), root, &object)?;
    let Walk { edits, places, .. } = walk;
    Ok(Patched {
        document,
        edits,
        places,
    })
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

struct Walk<'k> {
    document: usize,
    kind: &'k str,
    edits: Vec<Edit>,
    places: Vec<Path>,
}

impl Walk<'_> {
    fn value(&mut self, path: Path, node: Option<NodeRef<'_>>, value: &Value) -> Result<(), Error> {
        match (value, node) {
            (Value::Null, there) => {
                if there.is_some() {
                    self.edits.push(Edit::remove(self.document, path.clone()));
                }
                self.places.push(path);
            }
            (Value::Object(map), Some(node)) if node.kind() == Kind::Map => {
                self.map(&path, node, map)?;
            }
            (Value::Array(items), Some(node)) if node.kind() == Kind::List => {
                match self.keys(&path, node, items) {
                    Some(keys) => self.elements(&path, node, keys, items)?,
                    None => self.set(path, Some(node), value),
                }
            }
            _ => self.set(path, node, value),
        }
        Ok(())
    }

    fn set(&mut self, path: Path, node: Option<NodeRef<'_>>, value: &Value) {
        let value = without_nulls(value);
        let filled = node.filter(|node| node.kind() == Kind::List && !node.is_empty());
        match (filled, &*value) {
            _ if node.is_some_and(|node| node.equals(&value)) => {}
            (Some(list), Value::Array(items)) if !items.is_empty() => {
                self.replace(&path, list, items);
            }
            _ => {
                let content = Content::Value(value.into_owned());
                self.edits
                    .push(Edit::set(self.document, path.clone(), content));
            }
        }
        self.places.push(path);
    }

    /// Replaces the elements of a list; those that stay keep their comments and style. From back
    /// to front, so that the indexes of what is still to come hold.
    fn replace(&mut self, path: &Path, list: NodeRef<'_>, items: &[Value]) {
        let prints = |value: &Value| value.to_string();
        let old: Vec<String> = list.items().map(|item| prints(&item.to_value())).collect();
        let new: Vec<String> = items.iter().map(prints).collect();
        for op in capture_diff_slices(Algorithm::Myers, &old, &new)
            .iter()
            .rev()
        {
            if matches!(op, DiffOp::Equal { .. }) {
                continue;
            }
            let (before, after) = (op.old_range(), op.new_range());
            let both = before.len().min(after.len());
            for (step, item) in items[after].iter().enumerate().rev() {
                let content = Content::Value(item.clone());
                self.edits.push(if step < both {
                    Edit::set(self.document, path.index(before.start + step), content)
                } else {
                    Edit {
                        document: self.document,
                        path: path.clone(),
                        change: Change::Insert {
                            index: before.start + both,
                            content,
                        },
                    }
                });
            }
            for index in (before.start + both..before.end).rev() {
                let edit = Edit::remove(self.document, path.index(index));
                self.edits.push(edit);
            }
        }
    }

    fn map(
        &mut self,
        path: &Path,
        node: NodeRef<'_>,
        object: &Map<String, Value>,
    ) -> Result<(), Error> {
        for (key, value) in object {
            self.value(path.key(key), node.get(key), value)?;
        }
        if let Some(union) = union(self.kind, path.segments()) {
            for member in excluded(union, node, object) {
                self.edits
                    .push(Edit::remove(self.document, path.key(member)));
            }
        }
        Ok(())
    }

    /// The merge keys of a list, if it and the patch have the looks of such a list.
    fn keys(&self, path: &Path, node: NodeRef<'_>, items: &[Value]) -> Option<&'static [KeyField]> {
        let maps = items.iter().all(Value::is_object);
        merge_keys(self.kind, path.segments()).find(|keys| {
            let has = |item: NodeRef<'_>| {
                let there = |key: &KeyField| key.default.is_some() || item.get(key.name).is_some();
                item.kind() == Kind::Map && keys.iter().all(there)
            };
            let named = |item: &Value| keys.iter().any(|key| item.get(key.name).is_some());
            let fits = if node.is_empty() {
                items.iter().all(named)
            } else {
                node.items().all(has)
            };
            maps && fits
        })
    }

    fn elements(
        &mut self,
        path: &Path,
        node: NodeRef<'_>,
        keys: &'static [KeyField],
        items: &[Value],
    ) -> Result<(), Error> {
        for item in items {
            let Some(object) = item.as_object() else {
                continue;
            };
            match key_fields(keys, object) {
                Ok(fields) => {
                    let place = path.join(Segment::Match(fields.clone()));
                    if let Some(there) = node.items().find(|there| there.reads_as(&fields)) {
                        self.map(&place, there, object)?;
                    } else {
                        let content = Content::Value(without_nulls(item).into_owned());
                        let edit = Edit::append(self.document, path.clone(), content);
                        self.edits.push(edit);
                        self.places.push(place);
                    }
                }
                Err(key) => {
                    let only = node.item(0).filter(|_| node.len() == 1 && items.len() == 1);
                    let only = only.ok_or_else(|| Error::Unnamed {
                        path: path.clone(),
                        key,
                        count: node.len(),
                    })?;
                    self.map(&path.join(name_of(keys, only)), only, object)?;
                }
            }
        }
        Ok(())
    }
}

/// The fields that tell an element of a patch apart, or the name of the one that is missing.
fn key_fields(
    keys: &[KeyField],
    object: &Map<String, Value>,
) -> Result<Vec<(String, String)>, &'static str> {
    keys.iter()
        .map(|key| {
            let text = match object.get(key.name) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                Some(Value::Bool(value)) => Some(value.to_string()),
                Some(_) => None,
                None => key.default.map(ToOwned::to_owned),
            };
            text.map(|text| (key.name.to_owned(), text)).ok_or(key.name)
        })
        .collect()
}

/// The segment of an element that is there.
fn name_of(keys: &[KeyField], element: NodeRef<'_>) -> Segment {
    let value = element.to_value();
    match value.as_object().map(|object| key_fields(keys, object)) {
        Some(Ok(fields)) => Segment::Match(fields),
        _ => Segment::Key("0".to_owned()),
    }
}

/// The fields that cannot stay beside what the patch sets, and which it does not name.
fn excluded(union: Union, node: NodeRef<'_>, object: &Map<String, Value>) -> Vec<&'static str> {
    let sets = |name: &str| object.get(name).is_some_and(|value| !value.is_null());
    let stale = |name: &str| node.get(name).is_some() && !object.contains_key(name);
    match union {
        Union::OneOf(members) if members.iter().any(|name| sets(name)) => {
            members.iter().copied().filter(|name| stale(name)).collect()
        }
        Union::Chosen { by, default, field } => {
            let other = object
                .get(by)
                .and_then(Value::as_str)
                .is_some_and(|choice| choice != default);
            let goes = other && by == "type" && field == "rollingUpdate" && stale(field);
            goes.then_some(field).into_iter().collect()
        }
        Union::OneOf(_) => Vec::new(),
    }
}

/// A value without the entries that are null: in something new there is nothing to remove.
fn without_nulls(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::Object(map) => Cow::Owned(Value::Object(
            map.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value).into_owned()))
                .collect(),
        )),
        Value::Array(items) => Cow::Owned(Value::Array(
            items
                .iter()
                .map(|item| without_nulls(item).into_owned())
                .collect(),
        )),
        other => Cow::Borrowed(other),
    }
}
