//! What can be changed in a text, one place at a time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Fragment;
use crate::path::Path;

/// One change at a concrete place of a document.
///
/// ```
/// use serde_json::json;
/// use windlass::yaml::{Edit, Stream};
///
/// let stream = Stream::parse("kind: Deployment\nspec:\n  replicas: 1 # small\n").unwrap();
/// let edit = Edit::set(0, "spec.replicas".parse().unwrap(), json!(3));
/// let edited = stream.apply(&[edit]).unwrap();
/// assert_eq!(edited.text(), "kind: Deployment\nspec:\n  replicas: 3 # small\n");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// The number of the document, from 0, among those that hold a value.
    pub document: usize,
    /// The place; keys, indexes and conditions, no `*`. The root is the document itself.
    pub path: Path,
    /// What to do there.
    pub change: Change,
}

/// What an [`Edit`] does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Replaces the node, or adds the key, with maps for parents that are missing or null.
    ///
    /// The comments above and beside a node that is replaced stay.
    Set(Content),
    /// Removes the entry or element with its comments; an emptied parent stays as `{}` or `[]`.
    Remove,
    /// Adds an element to the list at the path, which may be missing or null, before `index`.
    Insert {
        /// Where the element will stand, from 0 to the length of the list.
        index: usize,
        /// The element.
        content: Content,
    },
    /// Adds an element at the end of the list at the path, which may be missing or null.
    Append(Content),
    /// Gives the list at the path a new order: the old index of each element, each one once.
    Reorder(Vec<usize>),
    /// Gives the node at the path exactly these comments; none removes one that is there.
    SetComment {
        /// Lines right above, each with its `#`, without indentation and without final line break.
        above: Option<String>,
        /// The comment behind the value (or behind the key, where the value begins below it).
        beside: Option<String>,
    },
    /// Adds a document at the end; number and path of the edit do not matter.
    AddDocument(Content),
    /// Removes the document; the path does not matter.
    RemoveDocument,
}

/// What an [`Edit`] writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A value, written in the style of its neighbours, keys in their order.
    Value(Value),
    /// The text of a node of another stream, with its comments and style.
    Source(Fragment),
}

impl Content {
    /// The value that will stand there.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Source(fragment) => fragment.to_value(),
        }
    }
}

impl From<Value> for Content {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<Fragment> for Content {
    fn from(fragment: Fragment) -> Self {
        Self::Source(fragment)
    }
}

impl Edit {
    /// Replaces the node at `path`, or adds it.
    pub fn set(document: usize, path: Path, content: impl Into<Content>) -> Self {
        let change = Change::Set(content.into());
        Self {
            document,
            path,
            change,
        }
    }

    /// Removes the entry or element at `path`.
    pub fn remove(document: usize, path: Path) -> Self {
        let change = Change::Remove;
        Self {
            document,
            path,
            change,
        }
    }

    /// Adds an element at the end of the list at `path`.
    pub fn append(document: usize, path: Path, content: impl Into<Content>) -> Self {
        let change = Change::Append(content.into());
        Self {
            document,
            path,
            change,
        }
    }
}

/// Puts the keys of a new resource into the order in which Kubernetes' users write them.
///
/// `apiVersion`, `kind`, `metadata`, `spec` and `name`, `namespace`, `image` come first, in every
/// map below too; other keys keep their order behind them.
///
/// ```
/// let mut value = serde_json::json!({ "metadata": { "labels": {}, "name": "a" }, "kind": "Pod" });
/// windlass::yaml::habitual_order(&mut value);
/// assert_eq!(value.to_string(), r#"{"kind":"Pod","metadata":{"name":"a","labels":{}}}"#);
/// ```
pub fn habitual_order(value: &mut Value) {
    const FIRST: [&str; 7] = [
        "apiVersion",
        "kind",
        "name",
        "namespace",
        "image",
        "metadata",
        "spec",
    ];
    match value {
        Value::Array(items) => items.iter_mut().for_each(habitual_order),
        Value::Object(map) => {
            map.values_mut().for_each(habitual_order);
            let rank = |key: &str| FIRST.iter().position(|f| *f == key).unwrap_or(FIRST.len());
            if !map.keys().is_sorted_by_key(|key| rank(key)) {
                let mut entries: Vec<_> = std::mem::take(map).into_iter().collect();
                entries.sort_by_key(|(key, _)| rank(key));
                map.extend(entries);
            }
        }
        _ => {}
    }
}
