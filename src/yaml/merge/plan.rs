//! What shall become of a document, place by place, and the edits that make it so.

use crate::path::{Path, Segment};
use crate::yaml::element::{same, same_state};
use crate::yaml::tree::{Kind, NodeRef, Scalar, flag};
use crate::yaml::{Change, Comments, Content, Edit, Fragment, Stream};

/// What shall become of one node of local.
#[derive(Debug, Clone)]
pub(super) struct Plan<'a> {
    pub(super) action: Action<'a>,
    /// The comments that the node shall have, if they change.
    pub(super) comments: Option<Comments>,
}

/// What shall become of the value of one node of local.
#[derive(Debug, Clone)]
pub(super) enum Action<'a> {
    /// It stays, or stays away.
    Keep,
    /// It goes.
    Remove,
    /// This node of incoming takes its place, without the places that are withheld.
    Take {
        node: NodeRef<'a>,
        without: Vec<Path>,
    },
    /// It becomes this text.
    Text(String),
    /// These entries change; the others stay.
    Map(Vec<(&'a str, Plan<'a>)>),
    /// The list gets these elements, in this order.
    List(Vec<Slot<'a>>),
}

/// One element of the list that shall be.
#[derive(Debug, Clone)]
pub(super) enum Slot<'a> {
    /// The element of local with this index, changed so.
    Local(usize, Plan<'a>),
    /// A new one.
    New {
        node: NodeRef<'a>,
        without: Vec<Path>,
    },
}

impl<'a> Plan<'a> {
    pub(super) const KEEP: Self = Self {
        action: Action::Keep,
        comments: None,
    };

    pub(super) fn take(node: NodeRef<'a>) -> Self {
        Action::Take {
            node,
            without: Vec::new(),
        }
        .into()
    }

    /// Whether nothing happens.
    pub(super) fn is_keep(&self) -> bool {
        matches!(self.action, Action::Keep) && self.comments.is_none()
    }

    /// Whether a node will stand there, if `local` stands there now.
    pub(super) fn leaves_node(&self, local: Option<NodeRef<'_>>) -> bool {
        match self.action {
            Action::Keep => local.is_some(),
            Action::Remove => false,
            _ => true,
        }
    }
}

impl<'a> From<Action<'a>> for Plan<'a> {
    fn from(action: Action<'a>) -> Self {
        Self {
            action,
            comments: None,
        }
    }
}

/// Makes edits out of the plan of one document.
pub(super) struct Writer<'e> {
    pub(super) incoming: &'e Stream,
    pub(super) document: usize,
    pub(super) edits: &'e mut Vec<Edit>,
}

impl Writer<'_> {
    /// Adds the edits of a node; `local` is what stands at `path` now.
    pub(super) fn node(&mut self, path: &Path, plan: &Plan<'_>, local: Option<NodeRef<'_>>) {
        match &plan.action {
            Action::Keep => {}
            Action::Remove => self.push(path, Change::Remove),
            Action::Take { node, without } => {
                self.push(path, Change::Set(self.fragment(*node)));
                self.first_comment(path, *node, local);
                self.withhold(path, without);
            }
            Action::Text(text) => {
                let value = serde_json::Value::String(text.clone());
                self.push(path, Change::Set(Content::Value(value)));
            }
            Action::Map(entries) => {
                for (key, plan) in entries {
                    let local = local.and_then(|map| map.get(key));
                    self.node(&path.key(key), plan, local);
                }
            }
            Action::List(slots) => self.list(path, slots, local),
        }
        if let Some(Comments { above, beside }) = plan.comments.clone() {
            self.push(path, Change::SetComment { above, beside });
        }
    }

    /// Inner changes first, by the old indexes; then order, additions and removals. Additions come
    /// before removals, so that a list is never empty in between and keeps its style.
    fn list(&mut self, path: &Path, slots: &[Slot<'_>], local: Option<NodeRef<'_>>) {
        let nodes: Vec<_> = local.into_iter().flat_map(|list| list.items()).collect();
        let mut order = Vec::new();
        for slot in slots {
            if let Slot::Local(at, plan) = slot {
                self.node(&path.index(*at), plan, nodes.get(*at).copied());
                order.push(*at);
            }
        }
        let gone: Vec<usize> = (0..nodes.len()).filter(|at| !order.contains(at)).collect();
        if order.is_sorted() {
            // Those that go stay where they are until they go.
            order = (0..nodes.len()).collect();
        } else {
            order.extend(&gone);
            self.push(path, Change::Reorder(order.clone()));
        }
        let mut now: Vec<Option<usize>> = order.into_iter().map(Some).collect();
        let mut at = 0;
        for slot in slots {
            match slot {
                Slot::Local(old, _) => {
                    at = now
                        .iter()
                        .position(|o| *o == Some(*old))
                        .map_or(at, |o| o + 1);
                }
                Slot::New { node, without } => {
                    let content = self.fragment(*node);
                    self.push(path, Change::Insert { index: at, content });
                    self.first_comment(&path.index(at), *node, None);
                    self.withhold(&path.index(at), without);
                    now.insert(at, None);
                    at += 1;
                }
            }
        }
        for place in (0..now.len()).rev() {
            if now[place].is_some_and(|old| gone.contains(&old)) {
                self.push(&path.index(place), Change::Remove);
            }
        }
    }

    /// Gives the first child of a node that was just taken its comment: it stands before the text
    /// of the node, and so neither comes with it nor goes with what it replaces.
    fn first_comment(&mut self, path: &Path, node: NodeRef<'_>, local: Option<NodeRef<'_>>) {
        let Some(child) = first(node).filter(|child| !child.has(flag::ALIAS)) else {
            return;
        };
        let path = match child.key() {
            Some(key) => path.key(key),
            None => path.index(0),
        };
        let there = local.and_then(first);
        let Comments { above, beside } = self.incoming.comments(child);
        if above.is_some() || there.is_some() {
            self.push(&path, Change::SetComment { above, beside });
        }
        self.first_comment(&path, child, there);
    }

    /// Takes away, last first, what must not come along with a node that was just added.
    fn withhold(&mut self, path: &Path, without: &[Path]) {
        for inner in without.iter().rev() {
            let segments = path.segments().iter().chain(inner.segments());
            let path = Path::from(segments.cloned().collect::<Vec<_>>());
            self.push(&path, Change::Remove);
        }
    }

    fn fragment(&self, node: NodeRef<'_>) -> Content {
        Content::Source(Fragment::of(self.incoming, node))
    }

    fn push(&mut self, path: &Path, change: Change) {
        self.edits.push(Edit {
            document: self.document,
            path: path.clone(),
            change,
        });
    }
}

/// The first entry or element of a map or list in block style.
fn first(node: NodeRef<'_>) -> Option<NodeRef<'_>> {
    node.items().next().filter(|_| !node.is_flow())
}

/// Whether `result` is what the plan makes of `local`.
pub(super) fn agrees(
    plan: &Plan<'_>,
    local: Option<NodeRef<'_>>,
    result: Option<NodeRef<'_>>,
) -> bool {
    match (&plan.action, result) {
        (Action::Keep, _) => same_state(local, result),
        (Action::Remove, _) => result.is_none(),
        (_, None) => false,
        (Action::Take { node, without }, Some(result)) => same_without(*node, without, result),
        (Action::Text(text), Some(result)) => result.scalar() == Some(Scalar::Str(text)),
        (Action::Map(entries), Some(result)) => map_agrees(entries, local, result),
        (Action::List(slots), Some(result)) => {
            let nodes: Vec<_> = local.into_iter().flat_map(|list| list.items()).collect();
            result.kind() == Kind::List
                && result.len() == slots.len()
                && slots
                    .iter()
                    .zip(result.items())
                    .all(|(slot, item)| match slot {
                        Slot::Local(at, plan) => agrees(plan, nodes.get(*at).copied(), Some(item)),
                        Slot::New { node, without } => same_without(*node, without, item),
                    })
        }
    }
}

fn map_agrees(
    entries: &[(&str, Plan<'_>)],
    local: Option<NodeRef<'_>>,
    result: NodeRef<'_>,
) -> bool {
    let planned = |key: &str| entries.iter().find(|(name, _)| *name == key);
    let before = |key: &str| local.and_then(|map| map.get(key));
    let kept = local
        .into_iter()
        .flat_map(|map| map.entries())
        .filter(|(key, _)| planned(key).is_none())
        .all(|(key, node)| result.get(key).is_some_and(|found| same(node, found)));
    let changed = entries
        .iter()
        .all(|(key, plan)| agrees(plan, before(key), result.get(key)));
    let nothing_else = result
        .entries()
        .all(|(key, _)| planned(key).is_some() || before(key).is_some());
    result.kind() == Kind::Map && kept && changed && nothing_else
}

fn same_without(node: NodeRef<'_>, without: &[Path], result: NodeRef<'_>) -> bool {
    if without.is_empty() {
        return same(node, result);
    }
    let mut value = node.to_value();
    for path in without.iter().rev() {
        remove(&mut value, path.segments());
    }
    result.equals(&value)
}

fn remove(value: &mut serde_json::Value, place: &[Segment]) {
    use serde_json::Value;
    let Some((first, rest)) = place.split_first() else {
        return;
    };
    match (value, first) {
        (Value::Object(map), Segment::Key(key)) if rest.is_empty() => {
            map.shift_remove(key);
        }
        (Value::Object(map), Segment::Key(key)) => {
            if let Some(inner) = map.get_mut(key) {
                remove(inner, rest);
            }
        }
        (Value::Array(items), _) => {
            if let Some(at) = first.index().filter(|at| *at < items.len()) {
                if rest.is_empty() {
                    items.remove(at);
                } else {
                    remove(&mut items[at], rest);
                }
            }
        }
        _ => {}
    }
}
