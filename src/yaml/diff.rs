//! What differs between two texts, place by place.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::element::{Elements, fingerprint, keyed, same};
use super::tree::{Kind, NodeRef};
use super::{ResourceId, Stream, pair};
use crate::path::{Path, Segment};

/// One place at which two texts differ.
///
/// A changed leaf, or a whole subtree that was added or removed. Elements of lists that have merge
/// keys are named by them (`containers.?name=api`); others by index: of the earlier text for
/// what changed or went, of the later for what came. The order of keyed elements is a value of its
/// own at `list#order`: the list of their keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The resource in the later text, or in the earlier if it is gone.
    pub resource: ResourceId,
    /// The place; the root for a whole document.
    pub path: Path,
    /// What stood there before; none if it was added.
    pub before: Option<Value>,
    /// What stands there now; none if it was removed.
    pub after: Option<Value>,
}

/// Compares two texts by value: style, comments and the order of keys do not count.
///
/// Documents are paired as in a merge ([`pair()`]); the API version is a value like any other. The
/// documents come in the order of the earlier text, new ones last.
///
/// ```
/// use windlass::yaml::{Stream, diff};
///
/// let v1 = Stream::parse("kind: Pod\nspec:\n  containers:\n  - {name: api, image: a:1}\n").unwrap();
/// let v2 = Stream::parse("kind: Pod\nspec:\n  containers:\n  - {name: api, image: a:2}\n").unwrap();
/// let found = diff(&v1, &v2);
/// assert_eq!(found[0].path.to_string(), "spec.containers.?name=api.image");
/// assert_eq!(found.len(), 1);
/// ```
pub fn diff(before: &Stream, after: &Stream) -> Vec<Difference> {
    let mut out = Vec::new();
    if before.text() == after.text() {
        return out;
    }
    for (from, to) in pair(before, after) {
        let from = from.and_then(|at| before.view().document(at));
        let to = to.and_then(|at| after.view().document(at));
        if let Some(root) = to.or(from) {
            Comparison::new(ResourceId::of(root)).run(from, to, &mut out);
        }
    }
    out
}

/// A walk over two versions of one resource.
pub(super) struct Comparison {
    resource: ResourceId,
    place: Vec<Segment>,
}

impl Comparison {
    /// Begins at the root of `resource`.
    pub(super) fn new(resource: ResourceId) -> Self {
        Self::at(resource, Vec::new())
    }

    /// Begins at a place inside of `resource`.
    pub(super) fn at(resource: ResourceId, place: Vec<Segment>) -> Self {
        Self { resource, place }
    }

    /// Adds what differs.
    pub(super) fn run(
        &mut self,
        before: Option<NodeRef<'_>>,
        after: Option<NodeRef<'_>>,
        out: &mut Vec<Difference>,
    ) {
        match (before, after) {
            (Some(a), Some(b)) if same(a, b) => {}
            (Some(a), Some(b)) if a.kind() == Kind::Map && b.kind() == Kind::Map => {
                self.maps(a, b, out);
            }
            (Some(a), Some(b)) if a.kind() == Kind::List && b.kind() == Kind::List => {
                match keyed(&self.resource.kind, &self.place, [Some(a), Some(b)]) {
                    Some([a, b]) => self.keyed_lists(&a, &b, out),
                    None => self.plain_lists(a, b, out),
                }
            }
            (None, None) => {}
            _ => self.push(
                before.map(|n| n.to_value()),
                after.map(|n| n.to_value()),
                out,
            ),
        }
    }

    fn push(&self, before: Option<Value>, after: Option<Value>, out: &mut Vec<Difference>) {
        out.push(Difference {
            resource: self.resource.clone(),
            path: Path::from(self.place.clone()),
            before,
            after,
        });
    }

    fn child(
        &mut self,
        segment: Segment,
        before: Option<NodeRef<'_>>,
        after: Option<NodeRef<'_>>,
        out: &mut Vec<Difference>,
    ) {
        self.place.push(segment);
        self.run(before, after, out);
        self.place.pop();
    }

    fn maps(&mut self, a: NodeRef<'_>, b: NodeRef<'_>, out: &mut Vec<Difference>) {
        for (key, after) in b.entries() {
            self.child(Segment::Key(key.to_owned()), a.get(key), Some(after), out);
        }
        for (key, before) in a.entries() {
            if b.get(key).is_none() {
                self.child(Segment::Key(key.to_owned()), Some(before), None, out);
            }
        }
    }

    fn keyed_lists(&mut self, a: &Elements<'_>, b: &Elements<'_>, out: &mut Vec<Difference>) {
        for (at, id) in b.ids.iter().enumerate() {
            let before = a.find(id).map(|found| a.nodes[found]);
            self.child(b.segment(at), before, Some(b.nodes[at]), out);
        }
        for (at, id) in a.ids.iter().enumerate() {
            if b.find(id).is_none() {
                self.child(a.segment(at), Some(a.nodes[at]), None, out);
            }
        }
        let common_in_a = a.ids.iter().filter(|id| b.find(id).is_some());
        let common_in_b = b.ids.iter().filter(|id| a.find(id).is_some());
        if !common_in_a.eq(common_in_b) {
            self.place.push(Segment::Order);
            self.push(Some(order_value(a)), Some(order_value(b)), out);
            self.place.pop();
        }
    }

    fn plain_lists(&mut self, a: NodeRef<'_>, b: NodeRef<'_>, out: &mut Vec<Difference>) {
        let (a, b): (Vec<_>, Vec<_>) = (a.items().collect(), b.items().collect());
        let prints = |nodes: &[NodeRef<'_>]| -> Vec<String> {
            nodes.iter().copied().map(fingerprint).collect()
        };
        for op in capture_diff_slices(Algorithm::Myers, &prints(&a), &prints(&b)) {
            if matches!(op, DiffOp::Equal { .. }) {
                continue;
            }
            let (old, new) = (op.old_range(), op.new_range());
            let both = old.len().min(new.len());
            for step in 0..both {
                let (from, to) = (a[old.start + step], b[new.start + step]);
                let segment = Segment::Key((old.start + step).to_string());
                self.child(segment, Some(from), Some(to), out);
            }
            for (at, gone) in a.iter().enumerate().take(old.end).skip(old.start + both) {
                self.child(Segment::Key(at.to_string()), Some(*gone), None, out);
            }
            for (at, new) in b.iter().enumerate().take(new.end).skip(new.start + both) {
                self.child(Segment::Key(at.to_string()), None, Some(*new), out);
            }
        }
    }
}

/// The value at `list#order`: what tells the elements apart, in their order.
pub(super) fn order_value(elements: &Elements<'_>) -> Value {
    (0..elements.nodes.len())
        .map(|at| Value::String(elements.label(at)))
        .collect()
}
