//! A node's text, taken out of one stream to be put into another.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Stream;
use super::comment::Comments;
use super::tree::NodeRef;

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
    pub fn of(stream: &Stream, node: NodeRef<'_>) -> Self {
        let text = stream.text();
        let span = node.span();
        let start = span.start;
        Self {
            value: node.to_value(),
            text: text.get(span).unwrap_or_default().to_owned(),
            column: super::text::column(text, start.min(text.len())),
            block: !node.is_flow() && node.scalar().is_none(),
            comments: stream.comments(node),
        }
    }

    /// The value, without style and comments.
    pub fn to_value(&self) -> Value {
        self.value.clone()
    }
}
