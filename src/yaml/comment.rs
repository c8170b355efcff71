//! Which comments belong to a node: the block right above it and the one beside it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::text;
use super::tree::NodeRef;

/// The comments that belong to a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Comments {
    /// The lines right above, each with its `#`, without indentation and final line break.
    pub above: Option<String>,
    /// The comment behind the value, or behind the key where the value begins below it.
    pub beside: Option<String>,
}

/// Where an entry or element begins: at its key, its dash, or itself.
pub(super) fn anchor(node: NodeRef<'_>) -> usize {
    node.key_span().map_or(node.span().start, |key| key.start)
}

/// The bytes of the comment lines right above a node, whole lines; empty if there are none.
///
/// Lines that stand further right belong to what is before them.
pub(super) fn above(text: &str, node: NodeRef<'_>) -> Range<usize> {
    let at = anchor(node);
    let end = text::line_start(text, at);
    let column = at - end;
    let mut start = end;
    // A node behind a dash shares the line; the comment is the element's.
    if !text[end..at].trim().is_empty() {
        return end..end;
    }
    let first =
        text::line_start(text, 0).max(text.len() - text.trim_start_matches('\u{feff}').len());
    while start > first {
        let line = text::line_start(text, start - 1);
        let content = text[line..start].trim_start_matches([' ', '\t']);
        let indent = start - line - content.len();
        if !content.starts_with('#') || indent > column {
            break;
        }
        start = line;
    }
    start..end
}

/// The comment that begins at or behind `at` in the same line, with the blanks before it.
pub(super) fn after(text: &str, at: usize) -> Option<Range<usize>> {
    let start = text::skip_spaces(text, at);
    (text.as_bytes().get(start) == Some(&b'#') && start > at)
        .then(|| at..text[..text::line_end(text, start)].trim_end().len())
}

/// Where a comment beside a node would follow.
pub(super) fn beside_place(text: &str, node: NodeRef<'_>) -> Option<usize> {
    let span = node.span();
    if matches!(node.style(), super::Style::Literal | super::Style::Folded) {
        let header = text::skip_properties(text, span.start);
        let blank = text[header..].find([' ', '\t', '\r', '\n']);
        return Some(header + blank.unwrap_or(text.len() - header));
    }
    if node.scalar().is_none() && !node.is_flow() {
        let key = node.key_span()?;
        let end = match node.key() {
            Some(_) => text::after_colon(text, key.end),
            None => key.end,
        };
        // The first entry may stand in the line of the dash.
        let apart = span.start > text::line_end(text, end);
        return apart.then_some(end);
    }
    Some(span.end)
}

/// The bytes of the comment beside a node, with the blanks before it.
pub(super) fn beside(text: &str, node: NodeRef<'_>) -> Option<Range<usize>> {
    let place = beside_place(text, node)?;
    let near = text::skip_spaces(text, place);
    let comma = text.as_bytes().get(near) == Some(&b',');
    after(text, if comma { near + 1 } else { place })
}

/// The comments of a node as texts.
pub(super) fn of(text: &str, node: NodeRef<'_>) -> Comments {
    let lines = above(text, node);
    let above: Vec<&str> = text[lines].lines().map(str::trim).collect();
    Comments {
        above: (!above.is_empty()).then(|| above.join("\n")),
        beside: beside(text, node).map(|range| text[range].trim().to_owned()),
    }
}
