//! Edits of whole documents.

use serde_json::Value;

use super::comment;
use super::emit::Layout;
use super::piece::{self, Piece, Place};
use super::plan::{Context, Plan, Splice, newline_of};
use super::text;
use super::tree::{NodeRef, Style, TreeView};

const TOP: Place = Place::Entry {
    key: 0,
    map: 0,
    list: 0,
};

fn content(piece: Piece<'_>, layout: Layout) -> String {
    let parts = piece.parts(TOP, layout, Style::Plain, false);
    let text = if parts.body.is_empty() {
        parts.head
    } else {
        parts.body
    };
    text.trim_start_matches([' ', '\r', '\n']).to_owned()
}

/// Adds a document at the end.
pub(super) fn add(text: &str, view: TreeView<'_>, piece: Piece<'_>) -> Plan {
    let newline = newline_of(text);
    let count = view.document_count();
    let context = count
        .checked_sub(1)
        .and_then(|last| Context::new(text, view, last));
    let layout = match &context {
        Some(context) => context.layout(context.root),
        None => Layout {
            step: 2,
            dash: 0,
            newline,
        },
    };
    let mut new = String::new();
    let mut splices = Vec::new();
    let closed = text.is_empty() || text.ends_with('\n');
    if !closed {
        new.push_str(newline);
        let last = context
            .as_ref()
            .filter(|c| text[c.root.span().end..].trim().is_empty());
        splices.extend(last.and_then(|context| super::block::seal(context, context.root)));
    }
    let empty = text.trim_start_matches('\u{feff}').trim().is_empty();
    if !empty {
        new.push_str("---");
        new.push_str(newline);
    }
    new.push_str(&piece.above(0, layout));
    new.push_str(&content(piece, layout));
    if closed || piece::ends_open(piece.value()) {
        new.push_str(newline);
    }
    splices.push(Splice::insert(text.len(), new));
    Plan::Splices {
        splices,
        touched: 0..text.len(),
    }
}

/// Removes a document with its marker and comments.
pub(super) fn remove(text: &str, view: TreeView<'_>, document: usize) -> Option<Plan> {
    let root = view.document(document)?;
    let mut range = view.document_range(document);
    let key = root.span().start;
    let marked = text[range.start..key]
        .lines()
        .any(|line| line.starts_with("---"));
    if !marked {
        let first = root.children().next().unwrap_or(root);
        range.start = comment::above(text, first).start.max(range.start);
    }
    let mut splices = Vec::new();
    // What becomes the last line has no line break, unless it is one of a block scalar's.
    let before = document
        .checked_sub(1)
        .and_then(|last| Context::new(text, view, last));
    let needed = before.is_some_and(|before| super::block::seal(&before, before.root).is_some());
    if range.end == text.len() && range.start > 0 && !text.ends_with('\n') && !needed {
        let before = text[..range.start].trim_end_matches(['\n', '\r']).len();
        let block = text[..range.start].len() - newline_of(text).len();
        range.start = before.max(block.min(range.start));
    }
    splices.push(Splice::delete(range));
    Some(Plan::Splices {
        splices,
        touched: 0..text.len(),
    })
}

/// Puts a new value in the place of a document's.
pub(super) fn replace(context: &Context<'_>, root: NodeRef<'_>, piece: Piece<'_>) -> Vec<Splice> {
    let text = context.text;
    let span = root.span();
    let layout = context.layout(context.root);
    let mut new = content(piece, layout);
    if matches!(piece.value(), Value::Object(map) if map.is_empty()) {
        "{}".clone_into(&mut new);
    }
    let line = text::line_start(text, span.start);
    if !text[line..span.start].trim().is_empty() {
        new.insert_str(0, context.newline);
    }
    let end = if root.is_flow() {
        span.end
    } else {
        text::line_end(text, span.end)
    };
    if end == text.len() && piece::ends_open(piece.value()) {
        new.push_str(context.newline);
    }
    vec![Splice::new(span.start..end, new)]
}
