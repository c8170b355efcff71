//! The texts of the three sides, and what can be told from them without looking at values.

use serde_json::Value;

use super::walk::Sides;
use crate::yaml::emit::Layout;
use crate::yaml::tree::NodeRef;
use crate::yaml::{Stream, Style, comment, quote, text};

/// The three texts that are merged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) base: &'a Stream,
    pub(super) incoming: &'a Stream,
    pub(super) local: &'a Stream,
    /// Whether equal text means equal values: no side has anchors.
    plain: bool,
}

impl<'a> Source<'a> {
    pub(super) fn new(base: &'a Stream, incoming: &'a Stream, local: &'a Stream) -> Self {
        let anchors = |stream: &Stream| stream.text().contains('&');
        Self {
            base,
            incoming,
            local,
            plain: ![base, incoming, local].into_iter().any(anchors),
        }
    }

    /// Whether incoming has the very lines of base for a node, its comments among them.
    ///
    /// Lines rather than spans, so that the answer may be false too often and never true wrongly.
    pub(super) fn upstream_left_it(&self, sides: Sides<'_>) -> bool {
        match (sides.base, sides.incoming) {
            (None, None) => true,
            (Some(base), Some(incoming)) => {
                self.plain && lines(self.base, base) == lines(self.incoming, incoming)
            }
            _ => false,
        }
    }

    pub(super) fn base_text(&self, node: NodeRef<'_>) -> String {
        self.text(self.base, node)
    }

    pub(super) fn incoming_text(&self, node: NodeRef<'_>) -> String {
        self.text(self.incoming, node)
    }

    pub(super) fn local_text(&self, node: NodeRef<'_>) -> String {
        self.text(self.local, node)
    }

    /// The text of a node, moved to the left margin.
    fn text(&self, stream: &Stream, node: NodeRef<'_>) -> String {
        let literal = matches!(node.style(), Style::Literal | Style::Folded);
        let span = node.span();
        match stream.text().get(span.clone()) {
            Some(found) if self.plain && !literal && !found.contains('\t') => {
                dedent(found, text::column(stream.text(), span.start))
            }
            _ => value_text(&node.to_value()),
        }
    }
}

/// The lines on which a node and its comments stand.
fn lines<'t>(stream: &'t Stream, node: NodeRef<'_>) -> &'t str {
    let text = stream.text();
    let span = node.span();
    let from = comment::above(text, node).start;
    let to = text::line_end(text, span.end.max(from));
    text.get(from..to).unwrap_or_default()
}

fn dedent(text: &str, column: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let margin = line.bytes().take(column).take_while(|b| *b == b' ').count();
        out.push_str(if at > 0 { &line[margin..] } else { line });
    }
    out.truncate(out.trim_end().len());
    out
}

/// A value as a text of its own.
pub(super) fn value_text(value: &Value) -> String {
    if let Value::String(text) = value
        && quote::is_block(text)
    {
        return quote::block(text, 2, 2, "\n");
    }
    let layout = Layout {
        step: 2,
        dash: 0,
        newline: "\n",
    };
    let mut out = String::new();
    layout.collection(&mut out, value, 0);
    out
}
