//! Reading a place of a draft: in the stored tree until the document is edited, then in values.

use serde_json::{Map, Value};

use crate::path::Segment;
use crate::yaml::{Kind, NodeRef, Scalar};

/// One step of a concrete place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A key of a map.
    Key(Box<str>),
    /// An element of a list.
    Index(usize),
}

/// A node where it can be read.
#[derive(Clone, Copy)]
pub(super) enum Look<'a> {
    /// In the tree of the text.
    Tree(NodeRef<'a>),
    /// In a document that was edited.
    Value(&'a Value),
}

impl<'a> Look<'a> {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Tree(node) => node.kind(),
            Self::Value(Value::Object(_)) => Kind::Map,
            Self::Value(Value::Array(_)) => Kind::List,
            Self::Value(_) => Kind::Scalar,
        }
    }

    pub(super) fn len(self) -> usize {
        match self {
            Self::Tree(node) if node.kind() == Kind::Scalar => 0,
            Self::Tree(node) => node.len(),
            Self::Value(Value::Object(map)) => map.len(),
            Self::Value(Value::Array(list)) => list.len(),
            Self::Value(_) => 0,
        }
    }

    pub(super) fn get(self, key: &str) -> Option<Self> {
        match self {
            Self::Tree(node) if node.kind() == Kind::Map => node.get(key).map(Self::Tree),
            Self::Tree(_) => None,
            Self::Value(value) => value.as_object()?.get(key).map(Self::Value),
        }
    }

    pub(super) fn item(self, index: usize) -> Option<Self> {
        match self {
            Self::Tree(node) if node.kind() == Kind::List => node.item(index).map(Self::Tree),
            Self::Tree(_) => None,
            Self::Value(value) => value.as_array()?.get(index).map(Self::Value),
        }
    }

    pub(super) fn step(self, step: &Step) -> Option<Self> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Index(index) => self.item(*index),
        }
    }

    pub(super) fn walk(self, steps: &[Step]) -> Option<Self> {
        steps.iter().try_fold(self, Self::step)
    }

    /// Keys of a map in their order; empty for anything else.
    pub(super) fn keys(self) -> Vec<&'a str> {
        match self {
            Self::Tree(node) if node.kind() == Kind::Map => {
                node.entries().map(|(key, _)| key).collect()
            }
            Self::Value(Value::Object(map)) => map.keys().map(String::as_str).collect(),
            Self::Tree(_) | Self::Value(_) => Vec::new(),
        }
    }

    pub(super) fn is_null(self) -> bool {
        match self {
            Self::Tree(node) => matches!(node.scalar(), Some(Scalar::Null)),
            Self::Value(value) => value.is_null(),
        }
    }

    pub(super) fn to_json(self) -> Value {
        match self {
            Self::Tree(node) => node.to_value(),
            Self::Value(value) => value.clone(),
        }
    }

    /// A scalar as text, the way a path's `?key=value` compares.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Tree(node) => match node.scalar()? {
                Scalar::Null => None,
                Scalar::Bool(flag) => Some(flag.to_string()),
                Scalar::Int(int) => Some(int.to_string()),
                Scalar::UInt(int) => Some(int.to_string()),
                Scalar::Float(float) => Some(float.to_string()),
                Scalar::Str(text) => Some(text.to_owned()),
            },
            Self::Value(Value::String(text)) => Some(text.clone()),
            Self::Value(value @ (Value::Bool(_) | Value::Number(_))) => Some(value.to_string()),
            Self::Value(_) => None,
        }
    }

    /// Text of a string scalar without copying.
    pub(super) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Tree(node) => match node.scalar()? {
                Scalar::Str(text) => Some(text),
                _ => None,
            },
            Self::Value(value) => value.as_str(),
        }
    }

    /// Line in the text, from 1, where the node was not edited.
    pub(super) fn line(self) -> Option<usize> {
        match self {
            Self::Tree(node) => Some(node.line()),
            Self::Value(_) => None,
        }
    }

    fn fits(self, pairs: &[(String, String)]) -> bool {
        pairs.iter().all(|(key, wanted)| {
            self.get(key)
                .and_then(Self::text)
                .is_some_and(|found| found == *wanted)
        })
    }
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// As far as the document goes.
    pub steps: Vec<Step>,
    /// Keys that are missing behind that.
    pub missing: Vec<Box<str>>,
}

/// Why a path leads nowhere, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoWay {
    /// The part that exists.
    pub steps: Vec<Step>,
    /// What the next segment met.
    pub problem: String,
}

/// Follows a path, with `*` to several places. A place that ends in missing keys is one, too.
pub(super) fn follow(root: Look<'_>, segments: &[Segment]) -> Result<Vec<Found>, NoWay> {
    let mut found = Vec::new();
    follow_from(root, segments, &mut Vec::new(), &mut found)?;
    Ok(found)
}

fn follow_from(
    at: Look<'_>,
    segments: &[Segment],
    steps: &mut Vec<Step>,
    found: &mut Vec<Found>,
) -> Result<(), NoWay> {
    let Some((first, rest)) = segments.split_first() else {
        found.push(Found {
            steps: steps.clone(),
            missing: Vec::new(),
        });
        return Ok(());
    };
    let no_way = |steps: &[Step], problem: String| {
        Err(NoWay {
            steps: steps.to_vec(),
            problem,
        })
    };
    let mut descend = |step: Step, look: Look<'_>, steps: &mut Vec<Step>| {
        steps.push(step);
        let followed = follow_from(look, rest, steps, found);
        steps.pop();
        followed
    };
    match (first, at.kind()) {
        (Segment::Key(key), Kind::Map) => match at.get(key) {
            Some(look) => descend(Step::Key(key.as_str().into()), look, steps),
            None => missing_from(steps, segments, found),
        },
        (Segment::Key(_), Kind::Scalar) if at.is_null() => missing_from(steps, segments, found),
        (Segment::Key(key), Kind::List) => match (first.index(), at.len()) {
            (Some(index), length) if index < length => match at.item(index) {
                Some(look) => descend(Step::Index(index), look, steps),
                None => Ok(()),
            },
            (Some(index), length) => no_way(
                steps,
                format!("the list has {length} elements, there is no {index}"),
            ),
            (None, _) => no_way(
                steps,
                format!("`{key}` is asked of a list; write an index, ?name={key} or *"),
            ),
        },
        (Segment::Match(pairs), Kind::List) => {
            let hit = (0..at.len()).find_map(|index| {
                let item = at.item(index)?;
                item.fits(pairs).then_some((index, item))
            });
            if let Some((index, look)) = hit {
                return descend(Step::Index(index), look, steps);
            }
            let wanted: Vec<String> = pairs
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            no_way(steps, format!("no element has {}", wanted.join(",")))
        }
        (Segment::Any, Kind::List) => {
            for index in 0..at.len() {
                if let Some(look) = at.item(index) {
                    descend(Step::Index(index), look, steps)?;
                }
            }
            Ok(())
        }
        (Segment::Any, Kind::Map) => {
            for key in at.keys() {
                if let Some(look) = at.get(key) {
                    descend(Step::Key(key.into()), look, steps)?;
                }
            }
            Ok(())
        }
        (Segment::Order, _) => no_way(steps, "#order is no place to read or write".to_owned()),
        (_, kind) => no_way(
            steps,
            format!("expected a list or a map, found {}", kind.describe()),
        ),
    }
}

fn missing_from(steps: &[Step], segments: &[Segment], found: &mut Vec<Found>) -> Result<(), NoWay> {
    let mut missing = Vec::new();
    for segment in segments {
        let Segment::Key(key) = segment else {
            return Err(NoWay {
                steps: steps.to_vec(),
                problem: format!("`{}` is missing", missing.concat()),
            });
        };
        missing.push(Box::from(key.as_str()));
    }
    found.push(Found {
        steps: steps.to_vec(),
        missing,
    });
    Ok(())
}

/// Puts `value` at a place, making the maps on the way.
pub(super) fn put(root: &mut Value, steps: &[Step], value: Value) {
    let Some((first, rest)) = steps.split_first() else {
        *root = value;
        return;
    };
    match first {
        Step::Key(key) => {
            if !root.is_object() {
                *root = Value::Object(Map::new());
            }
            if let Value::Object(map) = root {
                put(
                    map.entry(key.to_string()).or_insert(Value::Null),
                    rest,
                    value,
                );
            }
        }
        Step::Index(index) => {
            if let Some(item) = root.as_array_mut().and_then(|list| list.get_mut(*index)) {
                put(item, rest, value);
            }
        }
    }
}

/// The node at a place, to change it.
pub(super) fn node_mut<'v>(root: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    steps.iter().try_fold(root, |at, step| match step {
        Step::Key(key) => at.as_object_mut()?.get_mut(key.as_ref()),
        Step::Index(index) => at.as_array_mut()?.get_mut(*index),
    })
}
