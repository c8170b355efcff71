//! Reading values out of a tree: by path, by pattern, whole.

use serde_json::{Map, Number, Value};

use super::tree::{Kind, NodeRef, Scalar};
use crate::path::{Path, Segment};

impl NodeRef<'_> {
    /// The node one step down: a key, an index or a condition; none for `*` and `#order`.
    pub fn step(&self, segment: &Segment) -> Option<Self> {
        match (segment, self.kind()) {
            (Segment::Key(key), Kind::Map) => self.get(key),
            (Segment::Key(_), Kind::List) => self.item(segment.index()?),
            (Segment::Match(fields), Kind::List) => self.items().find(|item| item.reads_as(fields)),
            _ => None,
        }
    }

    /// Whether each named field of this map reads as the text beside it.
    ///
    /// A missing `protocol` counts as `TCP`, the default of Kubernetes' API.
    pub fn reads_as(&self, fields: &[(String, String)]) -> bool {
        fields.iter().all(|(name, wanted)| match self.get(name) {
            Some(field) => field.scalar().is_some_and(|found| found.shows_as(wanted)),
            None => name == "protocol" && wanted == "TCP" && self.kind() == Kind::Map,
        })
    }

    /// The node at a path without `*`.
    pub fn at(&self, path: &Path) -> Option<Self> {
        path.segments()
            .iter()
            .try_fold(*self, |node, segment| node.step(segment))
    }

    /// Visits every node that the path, which may hold `*`, names, in document order.
    pub fn select(&self, path: &Path, visit: &mut dyn FnMut(Self)) {
        self.select_steps(path.segments(), visit);
    }

    fn select_steps(&self, steps: &[Segment], visit: &mut dyn FnMut(Self)) {
        match steps.split_first() {
            None => visit(*self),
            Some((Segment::Any, rest)) => {
                for child in self.items() {
                    child.select_steps(rest, visit);
                }
            }
            Some((Segment::Match(fields), rest)) if self.kind() == Kind::List => {
                for item in self.items().filter(|item| item.reads_as(fields)) {
                    item.select_steps(rest, visit);
                }
            }
            Some((step, rest)) => {
                if let Some(child) = self.step(step) {
                    child.select_steps(rest, visit);
                }
            }
        }
    }

    /// The node and all below it as a value, keys in the order of the text.
    ///
    /// Infinite numbers, which JSON cannot hold, become the strings `.inf`, `-.inf` and `.nan`.
    pub fn to_value(&self) -> Value {
        match self.kind() {
            Kind::List => Value::Array(self.items().map(|item| item.to_value()).collect()),
            Kind::Map => {
                let mut map = Map::with_capacity(self.len());
                for (key, value) in self.entries() {
                    map.insert(key.to_owned(), value.to_value());
                }
                Value::Object(map)
            }
            Kind::Scalar => self.scalar().map_or(Value::Null, |s| s.to_value()),
        }
    }

    /// Whether [`NodeRef::to_value`] would give `value`, the order of keys aside.
    pub fn equals(&self, value: &Value) -> bool {
        match (self.kind(), value) {
            (Kind::List, Value::Array(items)) => {
                let mut nodes = self.items();
                items
                    .iter()
                    .all(|item| nodes.next().is_some_and(|node| node.equals(item)))
                    && nodes.next().is_none()
            }
            (Kind::Map, Value::Object(map)) => {
                let mut count = 0;
                self.entries().all(|(key, node)| {
                    count += 1;
                    map.get(key).is_some_and(|value| node.equals(value))
                }) && count == map.len()
            }
            (Kind::Scalar, value) => self.scalar().is_some_and(|s| s.equals(value)),
            _ => false,
        }
    }

    /// Whether two nodes hold the same values, the order of keys aside.
    pub fn same_value(&self, other: &NodeRef<'_>) -> bool {
        match (self.kind(), other.kind()) {
            (Kind::List, Kind::List) => {
                let mut theirs = other.items();
                self.items()
                    .all(|mine| theirs.next().is_some_and(|node| mine.same_value(&node)))
                    && theirs.next().is_none()
            }
            (Kind::Map, Kind::Map) => {
                let mut count = 0;
                // Mostly both maps have the same order: then each key is found at the first look.
                let mut theirs = other.entries();
                self.entries().all(|(key, mine)| {
                    count += 1;
                    let node = match theirs.next() {
                        Some((same, node)) if same == key => Some(node),
                        _ => other.get(key),
                    };
                    node.is_some_and(|node| mine.same_value(&node))
                }) && count == other.len()
            }
            (Kind::Scalar, Kind::Scalar) => match (self.scalar(), other.scalar()) {
                (Some(Scalar::Float(a)), Some(Scalar::Float(b))) => same_float(a, b),
                (a, b) => a == b,
            },
            _ => false,
        }
    }
}

fn same_float(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

impl Scalar<'_> {
    /// The scalar as a value; see [`NodeRef::to_value`].
    pub fn to_value(&self) -> Value {
        match *self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(i) => Value::Number(i.into()),
            Self::UInt(u) => Value::Number(u.into()),
            Self::Float(f) => Number::from_f64(f).map_or_else(
                || Value::String(spell_infinite(f).to_owned()),
                Value::Number,
            ),
            Self::Str(s) => Value::String(s.to_owned()),
        }
    }

    /// Whether [`Scalar::to_value`] would give `value`.
    pub fn equals(&self, value: &Value) -> bool {
        match (*self, value) {
            (Self::Str(s), Value::String(t)) => s == t,
            (Self::Null, Value::Null) => true,
            (Self::Bool(a), Value::Bool(b)) => a == *b,
            (Self::Int(a), Value::Number(n)) => n.as_i64() == Some(a),
            (Self::UInt(a), Value::Number(n)) => n.as_u64() == Some(a),
            (Self::Float(a), Value::Number(n)) => {
                n.is_f64() && n.as_f64().is_some_and(|b| same_float(a, b))
            }
            (Self::Float(a), Value::String(t)) => !a.is_finite() && spell_infinite(a) == t,
            _ => false,
        }
    }

    /// Whether the scalar, written as text, is `text`: how conditions in paths compare.
    pub fn shows_as(&self, text: &str) -> bool {
        match *self {
            Self::Str(s) => s == text,
            Self::Null => text.is_empty() || text == "null",
            Self::Bool(b) => text == if b { "true" } else { "false" },
            Self::Int(i) => text.parse() == Ok(i),
            Self::UInt(u) => text.parse() == Ok(u),
            Self::Float(f) => text.parse().is_ok_and(|g: f64| same_float(f, g)),
        }
    }
}

fn spell_infinite(number: f64) -> &'static str {
    if number.is_nan() {
        ".nan"
    } else if number > 0.0 {
        ".inf"
    } else {
        "-.inf"
    }
}
