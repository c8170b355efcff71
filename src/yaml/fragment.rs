//! A node's text, taken out of one stream to be put into another.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Stream;
use super::comment::{self, Comments};
use super::tree::{NodeRef, flag};

/// The value, text and comments of a node of some stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fragment {
    value: Value,
    /// The text as it stood, without the comments above and beside.
    pub(super) text: String,
    /// The column at which the text began.
    pub(super) column: usize,
    /// Whether the text is a map or list in block style.
    pub(super) block: bool,
    /// The comments above and beside the node.
    pub(super) comments: Comments,
}

impl Fragment {
    /// Takes a node of `stream`, with the comment block right above it and the one beside it.
    ///
    /// A node that holds anchors, aliases or tags gives its value and comments only.
    pub fn of(stream: &Stream, node: NodeRef<'_>) -> Self {
        let text = stream.text();
        let span = node.span();
        let block = !node.is_flow() && node.scalar().is_none();
        let end = match comment::after(text, span.end.min(text.len())) {
            Some(comment) if block => comment.end,
            _ => span.end,
        };
        let source = if is_portable(node) {
            text.get(span.start..end)
        } else {
            None
        };
        Self {
            value: node.to_value(),
            text: source.unwrap_or_default().to_owned(),
            column: super::text::column(text, span.start.min(text.len())),
            block,
            comments: stream.comments(node),
        }
    }

    /// The value, without style and comments.
    pub fn to_value(&self) -> Value {
        self.value.clone()
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }
}

fn is_portable(node: NodeRef<'_>) -> bool {
    let bound = flag::ANCHOR | flag::ALIAS | flag::HIDDEN | flag::TAG;
    !node.has(bound) && node.children().all(is_portable)
}
