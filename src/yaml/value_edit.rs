//! The meaning of edits: what they do to plain values.
//!
//! The text engine is checked against this module, which knows nothing of texts.

use serde_json::{Map, Value};

use super::Error;
use super::edit::{Change, Edit};
use super::tree::Scalar;
use crate::path::{Path, Segment};

/// Applies an edit to the values of all documents.
///
/// # Errors
/// When the document or the place is missing or of another kind than the edit needs.
pub fn apply_to_values(documents: &mut Vec<Value>, edit: &Edit) -> Result<(), Error> {
    let path = &edit.path;
    let missing = || Error::NotFound { path: path.clone() };
    if let Change::AddDocument(content) = &edit.change {
        documents.push(as_document(content.to_value(), path)?);
        return Ok(());
    }
    let count = documents.len();
    let Some(root) = documents.get_mut(edit.document) else {
        let document = edit.document;
        return Err(Error::NoDocument { document, count });
    };
    match &edit.change {
        Change::AddDocument(_) => {}
        Change::RemoveDocument => {
            documents.remove(edit.document);
        }
        Change::Set(content) if path.is_root() => *root = as_document(content.to_value(), path)?,
        Change::Set(content) => *create(root, path)? = content.to_value(),
        Change::SetComment { .. } => {
            find(root, path.segments()).ok_or_else(missing)?;
        }
        Change::Remove => remove(root, path)?,
        Change::Append(content) => {
            let value = content.to_value();
            list_at(root, path)?.push(value);
        }
        Change::Insert { index, content } => {
            let list = list_at(root, path)?;
            if *index > list.len() {
                return Err(Error::NotFound {
                    path: path.index(*index),
                });
            }
            list.insert(*index, content.to_value());
        }
        Change::Reorder(order) => match find(root, path.segments()).ok_or_else(missing)? {
            Value::Array(items) => {
                if !is_permutation(order, items.len()) {
                    return Err(Error::Kind {
                        path: path.clone(),
                        expected: "each index of the list once",
                        found: "another order",
                    });
                }
                *items = order
                    .iter()
                    .filter_map(|&at| items.get(at).cloned())
                    .collect();
            }
            other => return Err(kind_error(path, "a list", other)),
        },
    }
    Ok(())
}

pub(super) fn is_permutation(order: &[usize], length: usize) -> bool {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    sorted.iter().copied().eq(0..length)
}

fn as_document(value: Value, path: &Path) -> Result<Value, Error> {
    match value {
        Value::Object(_) => Ok(value),
        other => Err(kind_error(path, "a map", &other)),
    }
}

fn kind_error(path: &Path, expected: &'static str, found: &Value) -> Error {
    let found = match found {
        Value::Object(_) => "a map",
        Value::Array(_) => "a list",
        Value::Null => "null",
        _ => "a scalar",
    };
    Error::Kind {
        path: path.clone(),
        expected,
        found,
    }
}

fn scalar_shows_as(value: &Value, text: &str) -> bool {
    match value {
        Value::String(s) => s == text,
        Value::Null => Scalar::Null.shows_as(text),
        Value::Bool(b) => Scalar::Bool(*b).shows_as(text),
        Value::Number(n) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
            (Some(i), _, _) => Scalar::Int(i).shows_as(text),
            (None, Some(u), _) => Scalar::UInt(u).shows_as(text),
            (None, None, Some(f)) => Scalar::Float(f).shows_as(text),
            _ => false,
        },
        _ => false,
    }
}

fn reads_as(item: &Value, fields: &[(String, String)]) -> bool {
    fields.iter().all(|(name, wanted)| match item.get(name) {
        Some(found) => scalar_shows_as(found, wanted),
        None => item.is_object() && name == "protocol" && wanted == "TCP",
    })
}

fn step<'v>(value: &'v mut Value, segment: &Segment) -> Option<&'v mut Value> {
    match (segment, value) {
        (Segment::Key(key), Value::Object(map)) => map.get_mut(key),
        (Segment::Key(_), Value::Array(items)) => items.get_mut(segment.index()?),
        (Segment::Match(fields), Value::Array(items)) => {
            items.iter_mut().find(|item| reads_as(item, fields))
        }
        _ => None,
    }
}

fn find<'v>(value: &'v mut Value, steps: &[Segment]) -> Option<&'v mut Value> {
    steps
        .iter()
        .try_fold(value, |value, segment| step(value, segment))
}

/// The node at the path, made with its parents if it is missing.
fn create<'v>(root: &'v mut Value, path: &Path) -> Result<&'v mut Value, Error> {
    let mut value = root;
    for (at, segment) in path.segments().iter().enumerate() {
        let place = || Path::from(path.segments()[..at].to_vec());
        if value.is_null() && at > 0 {
            *value = Value::Object(Map::new());
        }
        value = match (segment, value) {
            (Segment::Key(key), Value::Object(map)) => {
                map.entry(key.clone()).or_insert(Value::Null)
            }
            (Segment::Key(_) | Segment::Match(_), list @ Value::Array(_)) => step(list, segment)
                .ok_or_else(|| Error::NotFound {
                    path: place().join(segment),
                })?,
            (Segment::Key(_), other) => return Err(kind_error(&place(), "a map", other)),
            (Segment::Match(_), other) => return Err(kind_error(&place(), "a list", other)),
            (Segment::Any | Segment::Order, _) => {
                return Err(Error::Kind {
                    path: path.clone(),
                    expected: "one place",
                    found: "a pattern",
                });
            }
        };
    }
    Ok(value)
}

fn list_at<'v>(root: &'v mut Value, path: &Path) -> Result<&'v mut Vec<Value>, Error> {
    if path.is_root() {
        return Err(kind_error(path, "a list", root));
    }
    let value = create(root, path)?;
    if value.is_null() {
        *value = Value::Array(Vec::new());
    }
    match value {
        Value::Array(items) => Ok(items),
        other => Err(kind_error(path, "a list", other)),
    }
}

fn remove(root: &mut Value, path: &Path) -> Result<(), Error> {
    let missing = || Error::NotFound { path: path.clone() };
    let Some((last, parents)) = path.segments().split_last() else {
        return Err(Error::Kind {
            path: path.clone(),
            expected: "a place inside of the document",
            found: "the document",
        });
    };
    match (last, find(root, parents).ok_or_else(missing)?) {
        (Segment::Key(key), Value::Object(map)) => {
            map.shift_remove(key).ok_or_else(missing)?;
        }
        (Segment::Key(_), Value::Array(items)) => {
            let index = last.index().filter(|&index| index < items.len());
            items.remove(index.ok_or_else(missing)?);
        }
        (Segment::Match(fields), Value::Array(items)) => {
            let index = items.iter().position(|item| reads_as(item, fields));
            items.remove(index.ok_or_else(missing)?);
        }
        _ => return Err(missing()),
    }
    Ok(())
}
