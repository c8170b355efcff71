//! The elements of lists: what tells them apart, and whether two nodes are equal or alike.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::schema::{KeyField, merge_keys};
use super::tree::{Kind, NodeRef, Scalar};
use crate::path::Segment;

/// The values of an element's merge keys, and which of the elements with these values it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity<'a> {
    pub(super) values: Vec<Cow<'a, str>>,
    /// 0 for the first element with these values, 1 for the second.
    pub(super) nth: usize,
}

/// The elements of a list with their identities.
#[derive(Debug, Clone)]
pub(super) struct Elements<'a> {
    pub(super) keys: &'static [KeyField],
    pub(super) nodes: Vec<NodeRef<'a>>,
    pub(super) ids: Vec<Identity<'a>>,
    /// Whether no two elements have the same values.
    pub(super) unique: bool,
}

impl<'a> Elements<'a> {
    /// Reads the elements of a list; none if one of them lacks a key. No list has no elements.
    fn read(list: Option<NodeRef<'a>>, keys: &'static [KeyField]) -> Option<Self> {
        let nodes: Vec<_> = list.into_iter().flat_map(|list| list.items()).collect();
        let mut ids: Vec<Identity<'a>> = Vec::with_capacity(nodes.len());
        let mut unique = true;
        for &node in &nodes {
            let values = key_values(node, keys)?;
            let nth = ids.iter().filter(|id| id.values == values).count();
            unique &= nth == 0;
            ids.push(Identity { values, nth });
        }
        Some(Self {
            keys,
            nodes,
            ids,
            unique,
        })
    }

    /// Where the element with this identity stands.
    pub(super) fn find(&self, id: &Identity<'_>) -> Option<usize> {
        self.ids.iter().position(|found| found == id)
    }

    /// The path segment that names element `at`: its keys, or its index where keys repeat.
    pub(super) fn segment(&self, at: usize) -> Segment {
        if !self.unique {
            return Segment::Key(at.to_string());
        }
        let fields = self.keys.iter().zip(&self.ids[at].values);
        Segment::Match(
            fields
                .map(|(key, value)| (key.name.to_owned(), value.clone().into_owned()))
                .collect(),
        )
    }

    /// What tells element `at` apart, as one text for people.
    pub(super) fn label(&self, at: usize) -> String {
        self.ids[at].values.join("/")
    }
}

/// Reads the lists at one place of several versions by the first merge key that fits all of them.
///
/// A version without the list has no elements. None if no key fits, or all are empty.
pub(super) fn keyed<'a, const N: usize>(
    kind: &str,
    place: &[Segment],
    lists: [Option<NodeRef<'a>>; N],
) -> Option<[Elements<'a>; N]> {
    merge_keys(kind, place).find_map(|keys| {
        let mut read = Vec::with_capacity(N);
        for list in lists {
            read.push(Elements::read(list, keys)?);
        }
        if read.iter().all(|elements| elements.nodes.is_empty()) {
            return None;
        }
        read.try_into().ok()
    })
}

/// The merge keys of an element with their values, as a path names them; none if one is missing.
pub(super) fn key_fields(
    node: NodeRef<'_>,
    keys: &'static [KeyField],
) -> Option<Vec<(String, String)>> {
    let values = key_values(node, keys)?;
    let fields = keys.iter().zip(values);
    Some(
        fields
            .map(|(key, value)| (key.name.to_owned(), value.into_owned()))
            .collect(),
    )
}

fn key_values<'a>(node: NodeRef<'a>, keys: &[KeyField]) -> Option<Vec<Cow<'a, str>>> {
    if node.kind() != Kind::Map {
        return None;
    }
    keys.iter()
        .map(|key| match node.get(key.name) {
            Some(value) => scalar_text(value.scalar()?),
            None => key.default.map(Cow::Borrowed),
        })
        .collect()
}

/// A scalar as it shows in a path; none for null.
pub(super) fn scalar_text(scalar: Scalar<'_>) -> Option<Cow<'_, str>> {
    Some(match scalar {
        Scalar::Null => return None,
        Scalar::Str(text) => Cow::Borrowed(text),
        Scalar::Bool(value) => Cow::Owned(value.to_string()),
        Scalar::Int(number) => Cow::Owned(number.to_string()),
        Scalar::UInt(number) => Cow::Owned(number.to_string()),
        Scalar::Float(number) => Cow::Owned(number.to_string()),
    })
}

/// Whether two nodes have the same value, the order of keys aside.
pub(super) fn same(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::Scalar, Kind::Scalar) => same_scalar(a, b),
        (Kind::List, Kind::List) => {
            let (mut left, mut right) = (a.items(), b.items());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some(x), Some(y)) if same(x, y) => {}
                    _ => return false,
                }
            }
        }
        (Kind::Map, Kind::Map) => same_map(a, b),
        _ => false,
    }
}

fn same_scalar(a: NodeRef<'_>, b: NodeRef<'_>) -> bool {
    match (a.scalar(), b.scalar()) {
        (Some(Scalar::Float(x)), Some(Scalar::Float(y))) => {
            x.total_cmp(&y).is_eq() || (x - y).abs() == 0.0
        }
        (x, y) => x == y,
    }
}

fn same_map(one: NodeRef<'_>, other: NodeRef<'_>) -> bool {
    let (mut left, mut right) = (one.entries(), other.entries());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some((key, x)), Some((found, y))) if key == found => {
                if !same(x, y) {
                    return false;
                }
            }
            (Some(_), Some(_)) => break,
            _ => return false,
        }
    }
    // The keys stand in different orders.
    one.len() == other.len()
        && one
            .entries()
            .all(|(key, x)| other.get(key).is_some_and(|y| same(x, y)))
}

/// Whether two versions of a place are equal; a missing node equals only a missing one.
pub(super) fn same_state(a: Option<NodeRef<'_>>, b: Option<NodeRef<'_>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    }
}

/// A text that two nodes share exactly if they are equal.
pub(super) fn fingerprint(node: NodeRef<'_>) -> String {
    let mut out = String::new();
    write_fingerprint(&mut out, node);
    out
}

fn write_fingerprint(out: &mut String, node: NodeRef<'_>) {
    match node.kind() {
        Kind::List => {
            out.push('[');
            for item in node.items() {
                write_fingerprint(out, item);
                out.push(',');
            }
            out.push(']');
        }
        Kind::Map => {
            let entries: BTreeMap<&str, NodeRef<'_>> = node.entries().collect();
            out.push('{');
            for (key, value) in entries {
                // Debug form: quoted and escaped, so that no two texts run together.
                let _ = write!(out, "{key:?}:");
                write_fingerprint(out, value);
                out.push(',');
            }
            out.push('}');
        }
        Kind::Scalar => {
            let _ = match node.scalar() {
                Some(Scalar::Float(0.0)) => write!(out, "0.0"),
                scalar => write!(out, "{scalar:?}"),
            };
        }
    }
}

/// The share of leaves, keys aside, that two elements have in common: 0 to 1.
///
/// None if there is no leaf but the keys, so that nothing can be said.
pub(super) fn likeness(a: NodeRef<'_>, b: NodeRef<'_>, keys: &[KeyField]) -> Option<f64> {
    let is_key = |name: &str| keys.iter().any(|key| key.name == name);
    let leaves = |node: NodeRef<'_>| -> usize {
        let fields = node.entries().filter(|(name, _)| !is_key(name));
        fields.map(|(_, value)| leaf_count(value)).sum()
    };
    let most = leaves(a).max(leaves(b));
    if most == 0 {
        return None;
    }
    let common: usize = a
        .entries()
        .filter(|(name, _)| !is_key(name))
        .filter_map(|(name, value)| Some(common_leaves(value, b.get(name)?)))
        .sum();
    let share = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    Some(share(common) / share(most))
}

/// How many leaves a node has; an empty map or list is one.
pub(super) fn leaf_count(node: NodeRef<'_>) -> usize {
    node.items().map(leaf_count).sum::<usize>().max(1)
}

fn common_leaves(a: NodeRef<'_>, b: NodeRef<'_>) -> usize {
    match (a.kind(), b.kind()) {
        (Kind::Map, Kind::Map) if !a.is_empty() && !b.is_empty() => a
            .entries()
            .filter_map(|(key, value)| Some(common_leaves(value, b.get(key)?)))
            .sum(),
        (Kind::List, Kind::List) if !a.is_empty() && !b.is_empty() => a
            .items()
            .zip(b.items())
            .map(|(x, y)| common_leaves(x, y))
            .sum(),
        _ if same(a, b) => leaf_count(a),
        _ => 0,
    }
}
