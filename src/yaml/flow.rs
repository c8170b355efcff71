//! Edits of maps and lists in braces and brackets.

use super::comment;
use super::piece::Piece;
use super::plan::{Context, Splice, written};
use super::quote;
use super::text;
use super::tree::{Kind, NodeRef, Style};

/// `key: value` as it stands in braces.
pub(super) fn entry(key: &str, piece: Piece<'_>) -> String {
    format!("{}: {}", quote::key(key, true), piece.flow(Style::Plain))
}

/// The quotes that the strings of a list have.
pub(super) fn habit(list: NodeRef<'_>) -> Style {
    super::block::habit(list.items())
}

/// Where an entry or element begins.
fn start(node: NodeRef<'_>) -> usize {
    node.key_span().map_or(node.span().start, |key| key.start)
}

fn begins_line(text: &str, at: usize) -> bool {
    text[text::line_start(text, at)..at].trim().is_empty()
}

/// Replaces a value.
pub(super) fn replace(
    context: &Context<'_>,
    node: NodeRef<'_>,
    piece: Piece<'_>,
) -> Option<Vec<Splice>> {
    let style = match node.kind() {
        Kind::Scalar => node.style(),
        _ => Style::Plain,
    };
    let value = piece.flow(style);
    let span = node.span();
    if !span.is_empty() {
        return Some(vec![Splice::new(span, value)]);
    }
    // Nothing stands there: behind a colon there is room for a value, else there is none.
    context.text[..span.start]
        .ends_with(':')
        .then(|| vec![Splice::insert(span.start, format!(" {value}"))])
}

/// Adds an entry or element before the one at `index`, or at the end.
pub(super) fn add(
    context: &Context<'_>,
    node: NodeRef<'_>,
    index: Option<usize>,
    new: &str,
) -> Option<Vec<Splice>> {
    let text = context.text;
    let written = written(node);
    let span = node.span();
    let Some(last) = written.last() else {
        let inner = text::skip_properties(text, span.start) + 1..span.end.checked_sub(1)?;
        let blank = text.get(inner.clone())?.trim().is_empty();
        return blank.then(|| vec![Splice::new(inner, new)]);
    };
    if let Some(next) = index.and_then(|index| written.get(index)) {
        let at = start(*next);
        if !begins_line(text, at) {
            return Some(vec![Splice::insert(at, format!("{new}, "))]);
        }
        let indent = " ".repeat(text::column(text, at));
        let above = comment::above(text, *next).start;
        return Some(vec![Splice::insert(
            above,
            format!("{indent}{new},{}", context.newline),
        )]);
    }
    let end = last.span().end;
    if !begins_line(text, start(*last)) || written.len() < 2 && !begins_line(text, span.end - 1) {
        return Some(vec![Splice::insert(end, format!(", {new}"))]);
    }
    let indent = " ".repeat(text::column(text, start(*last)));
    let near = text::skip_spaces(text, end);
    let comma = text.as_bytes().get(near) == Some(&b',');
    let behind = if comma { near + 1 } else { end };
    match comment::after(text, behind) {
        None => Some(vec![Splice::insert(
            end,
            format!(",{}{indent}{new}", context.newline),
        )]),
        Some(comment) => {
            let closing = if comma { "," } else { "" };
            let mut splices = vec![Splice::insert(
                comment.end,
                format!("{}{indent}{new}{closing}", context.newline),
            )];
            if !comma {
                splices.push(Splice::insert(end, ","));
            }
            Some(splices)
        }
    }
}

/// Removes entry or element `at`.
pub(super) fn remove(
    context: &Context<'_>,
    parent: NodeRef<'_>,
    written: &[NodeRef<'_>],
    at: usize,
) -> Option<Vec<Splice>> {
    let text = context.text;
    let node = written[at];
    let (from, end) = (start(node), node.span().end);
    let near = text::skip_spaces(text, end);
    let comma = text.as_bytes().get(near) == Some(&b',');
    let behind = if comma { near + 1 } else { end };
    let line_end = text::line_end(text, end);
    let rest = comment::after(text, behind).map_or(behind, |comment| comment.end);
    let alone = begins_line(text, from) && text[rest..line_end.max(rest)].trim().is_empty();
    if alone && (comma || at + 1 == written.len()) {
        let above = comment::above(text, node).start;
        return Some(vec![Splice::delete(above..text::next_line(text, rest))]);
    }
    if written.len() == 1 {
        let inner = text::skip_properties(text, parent.span().start) + 1
            ..parent.span().end.checked_sub(1)?;
        let comments = text.get(inner.clone())?.len() - (end - from);
        let plain = text[inner.start..from].trim().is_empty()
            && text[end..inner.end]
                .trim()
                .trim_matches(',')
                .trim()
                .is_empty();
        return plain
            .then(|| Splice::delete(inner))
            .map(|splice| vec![splice])
            .filter(|_| comments < 4096);
    }
    let range = match written.get(at + 1) {
        Some(next) => from..start(*next),
        None => written[at - 1].span().end..end,
    };
    let own = from..end;
    let outside = [
        &text[range.start..own.start.max(range.start)],
        &text[own.end.min(range.end)..range.end],
    ];
    outside
        .iter()
        .all(|gap| !gap.contains('#'))
        .then(|| vec![Splice::delete(range)])
}
