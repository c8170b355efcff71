//! One edit in the log of a draft.

use serde_json::Value;

use super::draft::Place;
use super::look::{Step, node_mut, put};
use crate::path::Path;
use crate::yaml::{Change, Content, Edit};

/// What an edit does at its place.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Set(Value),
    Remove,
    Insert(usize, Value),
    Append(Value),
    AddDocument(Value),
    RemoveDocument,
}

/// One edit of a function, with the place in a draft and the path for the text.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub place: Place,
    /// Position of the document when the edit was made.
    pub position: usize,
    pub path: Path,
    pub op: Op,
}

impl Record {
    /// Does to the values of the document what the edit does to its text.
    pub(super) fn apply(&self, root: &mut Value) {
        match &self.op {
            Op::Set(value) => put(root, &self.place.steps, value.clone()),
            Op::Remove => {
                let Some((step, parent)) = self.place.steps.split_last() else {
                    return;
                };
                match (node_mut(root, parent), step) {
                    (Some(Value::Object(map)), Step::Key(key)) => {
                        map.shift_remove(key.as_ref());
                    }
                    (Some(Value::Array(list)), Step::Index(index)) if *index < list.len() => {
                        list.remove(*index);
                    }
                    _ => {}
                }
            }
            Op::Insert(index, value) => {
                if let Some(Value::Array(list)) = node_mut(root, &self.place.steps) {
                    list.insert((*index).min(list.len()), value.clone());
                }
            }
            Op::Append(value) => {
                if !matches!(node_mut(root, &self.place.steps), Some(Value::Array(_))) {
                    put(root, &self.place.steps, Value::Array(Vec::new()));
                }
                if let Some(Value::Array(list)) = node_mut(root, &self.place.steps) {
                    list.push(value.clone());
                }
            }
            Op::AddDocument(_) | Op::RemoveDocument => {}
        }
    }

    /// The edit of the text.
    pub(super) fn into_edit(self) -> Edit {
        let content = Content::Value;
        let change = match self.op {
            Op::Set(value) => Change::Set(content(value)),
            Op::Remove => Change::Remove,
            Op::Insert(index, value) => Change::Insert {
                index,
                content: content(value),
            },
            Op::Append(value) => Change::Append(content(value)),
            Op::AddDocument(value) => Change::AddDocument(content(value)),
            Op::RemoveDocument => Change::RemoveDocument,
        };
        Edit {
            document: self.position,
            path: self.path,
            change,
        }
    }
}
