//! The text of what an edit writes, for the place where it will stand.

use serde_json::Value;

use super::Fragment;
use super::edit::Content;
use super::emit::{self, Layout};
use super::quote;
use super::tree::Style;

/// A value's text in two parts: what stands in the line of the key or dash, and the lines below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Begins with a blank unless empty.
    pub(super) head: String,
    /// Begins with a line break unless empty.
    pub(super) body: String,
}

/// Where in block style a value will stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// Behind `key:`; the column of the key, and where a map and the dashes of a list would stand.
    Entry { key: usize, map: usize, list: usize },
    /// Behind a dash; its column, and where the content stands.
    Item { dash: usize, content: usize },
}

impl Place {
    fn column(self, value: &Value) -> usize {
        match (self, value) {
            (Self::Entry { list, .. }, Value::Array(_)) => list,
            (Self::Entry { map, .. }, _) => map,
            (Self::Item { content, .. }, _) => content,
        }
    }

    fn parent(self) -> usize {
        match self {
            Self::Entry { key, .. } => key,
            Self::Item { dash, .. } => dash,
        }
    }
}

/// What an edit writes: a value or the text of a fragment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    Value(&'a Value),
    Fragment(&'a Fragment),
}

impl<'a> From<&'a Content> for Piece<'a> {
    fn from(content: &'a Content) -> Self {
        match content {
            Content::Value(value) => Self::Value(value),
            Content::Source(fragment) => Self::Fragment(fragment),
        }
    }
}

impl Piece<'_> {
    pub(super) fn value(&self) -> &Value {
        match self {
            Self::Value(value) => value,
            Self::Fragment(fragment) => fragment.value(),
        }
    }

    /// The text in block style; `below` puts the whole of a map or list below the line.
    pub(super) fn parts(&self, place: Place, layout: Layout, style: Style, below: bool) -> Parts {
        if let Self::Fragment(fragment) = self
            && let Some(parts) = fragment_parts(fragment, place, layout, below)
        {
            return parts;
        }
        value_parts(self.value(), place, layout, style, below)
    }

    /// The text in flow style, on one line.
    pub(super) fn flow(&self, style: Style) -> String {
        if let Self::Fragment(fragment) = self
            && !fragment.block
            && !fragment.text.is_empty()
            && !fragment.text.contains(['\n', '#', '|', '>'])
            && !matches!(fragment.value(), Value::String(s) if s.contains([',', '[', ']', '{', '}', ':', '?']) && fragment.text == *s)
        {
            return fragment.text.clone();
        }
        emit::flow(self.value(), style)
    }

    /// Comment lines to stand above, each at `column` and with its line break.
    pub(super) fn above(&self, column: usize, layout: Layout) -> String {
        match self {
            Self::Fragment(fragment) => {
                comment_lines(fragment.comments.above.as_deref(), column, layout.newline)
            }
            Self::Value(_) => String::new(),
        }
    }

    /// The comment to stand beside, with a blank before it.
    pub(super) fn beside(&self) -> String {
        match self {
            Self::Fragment(fragment) => fragment
                .comments
                .beside
                .as_ref()
                .map_or_else(String::new, |c| format!(" {c}")),
            Self::Value(_) => String::new(),
        }
    }
}

/// Comment lines at `column`, each with its line break and its `#`.
pub(super) fn comment_lines(comment: Option<&str>, column: usize, newline: &str) -> String {
    let mut out = String::new();
    for line in comment.unwrap_or_default().lines() {
        out.extend(std::iter::repeat_n(' ', column));
        if !line.trim_start().starts_with('#') {
            out.push_str("# ");
        }
        out.push_str(line.trim());
        out.push_str(newline);
    }
    out
}

fn value_parts(value: &Value, place: Place, layout: Layout, style: Style, below: bool) -> Parts {
    let column = place.column(value);
    let filled = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if filled {
        let mut text = String::new();
        layout.collection(&mut text, value, column);
        return collection_parts(text, place, column, layout, below);
    }
    let quoted = matches!(style, Style::Single | Style::Double);
    let step = column.saturating_sub(place.parent()).max(1);
    match value {
        Value::String(text) if !quoted && quote::is_block(text) && step < 10 => split(
            &quote::block(text, place.parent() + step, step, layout.newline),
        ),
        _ => Parts {
            head: format!(" {}", quote::inline(value, style, false)),
            body: String::new(),
        },
    }
}

fn split(text: &str) -> Parts {
    let at = text.find(['\r', '\n']).unwrap_or(text.len());
    Parts {
        head: format!(" {}", &text[..at]),
        body: text[at..].to_owned(),
    }
}

fn collection_parts(
    text: String,
    place: Place,
    column: usize,
    layout: Layout,
    below: bool,
) -> Parts {
    match place {
        Place::Item { dash, content } if !below => Parts {
            head: format!("{}{text}", " ".repeat(content - dash - 1)),
            body: String::new(),
        },
        _ => Parts {
            head: String::new(),
            body: format!("{}{}{text}", layout.newline, " ".repeat(column)),
        },
    }
}

fn fragment_parts(fragment: &Fragment, place: Place, layout: Layout, below: bool) -> Option<Parts> {
    let text = &fragment.text;
    if text.is_empty() {
        return None;
    }
    let column = place.column(fragment.value());
    if fragment.block {
        let text = shift(text, fragment.column, column, layout.newline);
        return Some(collection_parts(text, place, column, layout, below));
    }
    let mut lines = text.lines();
    let first = lines.next()?;
    let rest: Vec<&str> = lines.collect();
    if rest.is_empty() {
        return Some(Parts {
            head: format!(" {first}"),
            body: String::new(),
        });
    }
    let wanted = place.parent() + column.saturating_sub(place.parent()).max(1);
    if first.starts_with(['|', '>']) {
        if first.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let indent = rest
            .iter()
            .filter(|l| !l.trim().is_empty())
            .map(|l| indent_of(l))
            .min()?;
        let header = first
            .split_once([' ', '#'])
            .map_or(first, |(header, _)| header);
        let mut body = String::new();
        for line in rest {
            push_line(&mut body, line, indent, wanted, layout.newline);
        }
        return Some(Parts {
            head: format!(" {header}"),
            body,
        });
    }
    // Flow collections and long scalars: the lines are folded, any indentation will do.
    let least = rest
        .iter()
        .filter(|l| !l.trim().is_empty())
        .map(|l| indent_of(l))
        .min()?;
    let close = fragment.value().is_array() || fragment.value().is_object();
    let wanted = if close {
        fragment_indent(place)
    } else {
        wanted
    };
    let mut out = format!(" {first}");
    for line in rest {
        push_line(&mut out, line, least, wanted, layout.newline);
    }
    Some(Parts {
        head: out,
        body: String::new(),
    })
}

/// Where the closing bracket of a flow collection may stand.
fn fragment_indent(place: Place) -> usize {
    match place {
        Place::Entry { key, .. } => key + 1,
        Place::Item { dash, .. } => dash + 2,
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn push_line(out: &mut String, line: &str, from: usize, to: usize, newline: &str) {
    out.push_str(newline);
    let indent = indent_of(line);
    if indent == line.len() && indent <= from {
        return;
    }
    out.extend(std::iter::repeat_n(' ', to + indent.saturating_sub(from)));
    out.push_str(&line[indent..]);
}

/// Moves every line but the first from column `from` to `to`.
fn shift(text: &str, from: usize, to: usize, newline: &str) -> String {
    let mut lines = text.lines();
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        push_line(&mut out, line, from, to, newline);
    }
    out
}

/// Whether the last line of the value's text belongs to a block scalar that ends in a line break.
pub(super) fn ends_open(value: &Value) -> bool {
    match value {
        Value::String(text) => text.ends_with('\n'),
        Value::Array(items) => items.last().is_some_and(ends_open),
        Value::Object(map) => map.values().next_back().is_some_and(ends_open),
        _ => false,
    }
}
