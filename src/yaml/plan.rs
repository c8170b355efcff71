//! From an edit to the splices of the text that make it.

use std::ops::Range;

use serde_json::{Map, Value};

use super::edit::{Change, Edit};
use super::emit::Layout;
use super::piece::Piece;
use super::tree::{Kind, NodeRef, TreeView, flag};
use super::{block, document, expand, flow, text};
use crate::path::Segment;

/// A piece of text to put in the place of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Splice {
    pub(super) fn new(range: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            range,
            text: text.into(),
        }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::new(at..at, text)
    }

    pub(super) fn delete(range: Range<usize>) -> Self {
        Self::new(range, "")
    }
}

/// What an edit does to the text.
#[derive(Debug)]
pub(super) enum Plan {
    /// The splices, and the bytes that no other edit may touch before the text is read again.
    Splices {
        splices: Vec<Splice>,
        touched: Range<usize>,
    },
    /// Aliases have to be written out first; then the edit is to be planned again.
    Expand(Vec<Splice>),
}

/// A text with its tree and the node that an edit is about.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) text: &'a str,
    pub(super) view: TreeView<'a>,
    pub(super) root: NodeRef<'a>,
    pub(super) newline: &'static str,
}

impl<'a> Context<'a> {
    pub(super) fn new(text: &'a str, view: TreeView<'a>, document: usize) -> Option<Self> {
        let root = view.document(document)?;
        Some(Self {
            text,
            view,
            root,
            newline: newline_of(text),
        })
    }

    /// The habits of the text around `node`, or else of the document.
    pub(super) fn layout(&self, node: NodeRef<'a>) -> Layout {
        let (mut step, mut dash) = (None, None);
        for top in [node, self.root] {
            if step.is_none() || dash.is_none() {
                habits(self.text, top, &mut step, &mut dash);
            }
        }
        Layout {
            step: step.unwrap_or(2),
            dash: dash.unwrap_or(0),
            newline: self.newline,
        }
    }
}

/// The children of `node` that stand in its text, the hidden ones too.
pub(super) fn written(node: NodeRef<'_>) -> Vec<NodeRef<'_>> {
    let span = node.span();
    let start = |child: &NodeRef<'_>| child.key_span().map_or(child.span().start, |k| k.start);
    let mut children: Vec<NodeRef<'_>> = Vec::new();
    for child in node.children() {
        let at = start(&child);
        let after = children.last().is_none_or(|last| at >= last.span().end);
        if span.start <= at && at < span.end.max(span.start + 1) && after {
            children.push(child);
        }
    }
    children
}

/// Looks for the first map and the first list that stand below a key in block style.
fn habits(source: &str, node: NodeRef<'_>, step: &mut Option<usize>, dash: &mut Option<usize>) {
    if node.kind() == Kind::Scalar || node.is_flow() || (step.is_some() && dash.is_some()) {
        return;
    }
    let start = |node: &NodeRef<'_>| node.key_span().map_or(node.span().start, |key| key.start);
    for child in node.children() {
        if child.has(flag::ALIAS) || child.is_flow() || child.kind() == Kind::Scalar {
            continue;
        }
        if let (Kind::Map, Some(key), Some(first)) =
            (node.kind(), child.key_span(), child.children().next())
        {
            let far =
                text::column(source, start(&first)).checked_sub(text::column(source, key.start));
            let habit = if child.kind() == Kind::Map {
                &mut *step
            } else {
                &mut *dash
            };
            *habit = habit.or(far);
        }
        habits(source, child, step, dash);
    }
}

pub(super) fn newline_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Plans an edit that is known to be possible on the values; none if splices cannot make it.
pub(super) fn plan(text: &str, view: TreeView<'_>, edit: &Edit) -> Option<Plan> {
    match &edit.change {
        Change::AddDocument(new) => return Some(document::add(text, view, new.into())),
        Change::RemoveDocument => return document::remove(text, view, edit.document),
        _ => {}
    }
    let context = Context::new(text, view, edit.document)?;
    if let Some(splices) = expand::needed(&context, edit) {
        return Some(Plan::Expand(splices));
    }
    let target = Target::find(&context, edit.path.segments());
    let splices = match &edit.change {
        Change::Set(new) => set(&context, &target, new.into()),
        Change::Remove => remove(&context, &target),
        Change::Append(new) => insert(&context, &target, None, new.into()),
        Change::Insert {
            index,
            content: new,
        } => insert(&context, &target, Some(*index), new.into()),
        Change::Reorder(order) => reorder(&context, &target, order),
        Change::SetComment { above, beside } => {
            let node = target.whole()?;
            block::set_comment(
                &context,
                node,
                target.in_flow(),
                above.as_deref(),
                beside.as_deref(),
            )
        }
        Change::AddDocument(_) | Change::RemoveDocument => None,
    }?;
    let touched = reach(&context, &target, &edit.change, &splices);
    Some(Plan::Splices { splices, touched })
}

/// The bytes whose nodes an edit changes: of the node for a new scalar, else of its container.
fn reach(
    context: &Context<'_>,
    target: &Target<'_, '_>,
    change: &Change,
    splices: &[Splice],
) -> Range<usize> {
    let inside = matches!(
        change,
        Change::Append(_) | Change::Insert { .. } | Change::Reorder(_)
    );
    let own = match (target.whole(), change) {
        (Some(node), Change::Set(_)) => node.span(),
        (Some(node), _) if inside => node.span(),
        _ => target
            .nodes
            .iter()
            .rev()
            .nth(usize::from(target.rest.is_empty()))
            .map_or(0..context.text.len(), NodeRef::span),
    };
    splices.iter().fold(own, |range, splice| {
        range.start.min(splice.range.start)..range.end.max(splice.range.end)
    })
}

/// The nodes from the root to the place of an edit, as far as they are there.
pub(super) struct Target<'a, 'p> {
    pub(super) nodes: Vec<NodeRef<'a>>,
    /// The steps that lead further, to what is not there yet.
    pub(super) rest: &'p [Segment],
}

impl<'a, 'p> Target<'a, 'p> {
    pub(super) fn find(context: &Context<'a>, steps: &'p [Segment]) -> Self {
        let mut nodes = vec![context.root];
        let mut node = context.root;
        for (at, step) in steps.iter().enumerate() {
            let Some(child) = node.step(step) else {
                let rest = &steps[at..];
                return Self { nodes, rest };
            };
            node = child;
            nodes.push(node);
        }
        Self { nodes, rest: &[] }
    }

    /// The node, if it is there.
    pub(super) fn whole(&self) -> Option<NodeRef<'a>> {
        if self.rest.is_empty() {
            self.nodes.last().copied()
        } else {
            None
        }
    }

    fn last(&self) -> NodeRef<'a> {
        self.nodes[self.nodes.len() - 1]
    }

    /// The node around the last one.
    fn parent(&self) -> Option<NodeRef<'a>> {
        self.nodes.len().checked_sub(2).map(|at| self.nodes[at])
    }

    /// Whether the last node stands in braces or brackets.
    fn in_flow(&self) -> bool {
        self.parent().is_some_and(|parent| parent.is_flow())
    }
}

/// The value with a map around it for each step.
fn nested(steps: &[Segment], value: Value) -> Option<Value> {
    steps
        .iter()
        .rev()
        .try_fold(value, |value, step| match step {
            Segment::Key(key) => {
                let mut map = Map::new();
                map.insert(key.clone(), value);
                Some(Value::Object(map))
            }
            _ => None,
        })
}

fn set(context: &Context<'_>, target: &Target<'_, '_>, piece: Piece<'_>) -> Option<Vec<Splice>> {
    let Some((first, deeper)) = target.rest.split_first() else {
        return replace(context, target, piece);
    };
    let wrapped = (!deeper.is_empty())
        .then(|| nested(deeper, piece.value().clone()))
        .flatten();
    let piece = match &wrapped {
        Some(value) => Piece::Value(value),
        None if deeper.is_empty() => piece,
        None => return None,
    };
    let node = target.last();
    let Segment::Key(key) = first else {
        return None;
    };
    if node.kind() != Kind::Map
        || (node.is_empty() && !target.in_flow() && written(node).is_empty())
    {
        // Null, or `{}` where block style is usual: the map is written anew, comments aside.
        let value = nested(&target.rest[..1], piece.value().clone())?;
        return replace(context, target, Piece::Value(&value));
    }
    if node.is_flow() {
        return flow::add(context, node, None, &flow::entry(key, piece));
    }
    block::add_entry(context, node, key, piece)
}

fn replace(
    context: &Context<'_>,
    target: &Target<'_, '_>,
    piece: Piece<'_>,
) -> Option<Vec<Splice>> {
    let node = target.last();
    match target.parent() {
        None => Some(document::replace(context, node, piece)),
        Some(parent) if parent.is_flow() => flow::replace(context, node, piece),
        Some(parent) => block::replace(context, parent, node, piece),
    }
}

fn remove(context: &Context<'_>, target: &Target<'_, '_>) -> Option<Vec<Splice>> {
    let node = target.whole()?;
    let parent = target.parent()?;
    let written = written(parent);
    let at = written.iter().position(|child| child.index == node.index)?;
    if parent.is_flow() {
        return flow::remove(context, parent, &written, at);
    }
    let around = target.nodes.len().checked_sub(3).map(|at| target.nodes[at]);
    block::remove(context, around, parent, &written, at)
}

fn insert(
    context: &Context<'_>,
    target: &Target<'_, '_>,
    index: Option<usize>,
    piece: Piece<'_>,
) -> Option<Vec<Splice>> {
    let node = target.last();
    let fresh = node.kind() != Kind::List || (node.is_empty() && !target.in_flow());
    if !target.rest.is_empty() || fresh {
        let list = Value::Array(vec![piece.value().clone()]);
        return set(context, target, Piece::Value(&list));
    }
    let index = index.filter(|&index| index < node.len());
    if node.is_flow() {
        let style = flow::habit(node);
        return flow::add(context, node, index, &piece.flow(style));
    }
    block::add_item(context, node, index, piece)
}

fn reorder(context: &Context<'_>, target: &Target<'_, '_>, order: &[usize]) -> Option<Vec<Splice>> {
    let node = target.whole()?;
    let items = written(node);
    if items.len() != order.len() {
        return None;
    }
    if order.is_sorted() {
        return Some(Vec::new());
    }
    if node.is_flow() {
        let moved = items.iter().zip(order).map(|(slot, &from)| {
            Some(Splice::new(
                slot.span(),
                context.text.get(items.get(from)?.span())?,
            ))
        });
        return moved.collect();
    }
    block::reorder(context, &items, order)
}
