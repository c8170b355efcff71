//! Lossless YAML: a text of any number of documents with its tree, edited without touching a byte
//! that an edit does not name.
//!
//! The text is kept as it is. Beside it stands a compact tree of its nodes with their places in
//! the text; values are read from the tree alone. An edit splices the text, reads the result
//! again and compares it with the same edit on plain values, so that nothing wrong is ever
//! returned.

mod apply;
mod block;
mod build;
mod comment;
mod diff;
mod document;
mod edit;
mod element;
mod emit;
mod error;
mod expand;
mod flow;
mod fragment;
mod lint;
pub mod merge;
mod pair;
mod parse;
pub mod patch;
mod path_set;
mod piece;
mod plan;
mod pod;
mod quote;
mod read;
mod resolve;
mod resource;
mod schema;
mod text;
mod tree;
mod value_edit;

use std::sync::Arc;

pub use comment::Comments;
pub use diff::{Difference, diff};
pub use edit::{Change, Content, Edit, habitual_order};
pub use error::Error;
pub use fragment::Fragment;
pub use lint::{Lint, lint};
pub use merge::{ConflictRow, Prefer, Reason, RowState};
pub use pair::pair;
pub use parse::{MAX_ALIASED, MAX_DEPTH, MAX_DOCUMENT, MAX_TEXT};
pub use path_set::PathSet;
pub use pod::{POD_TEMPLATES, pod_template};
pub use resource::ResourceId;
pub(crate) use schema::merge_keys;
pub use tree::{Kind, NodeRef, Scalar, Style, Tree, TreeView};
pub use value_edit::apply_to_values;

/// A unit's text: any number of YAML documents (a "stream" in YAML's words), with its tree.
///
/// Cheap to clone. Documents without a value (empty, or comments only) are kept in the text and
/// do not count.
///
/// ```
/// use windlass::yaml::Stream;
///
/// let stream = Stream::parse("kind: Pod # one\n---\nkind: Service\n").unwrap();
/// let kinds: Vec<_> = stream.resources().into_iter().map(|r| r.kind).collect();
/// assert_eq!(kinds, ["Pod", "Service"]);
/// ```
#[derive(Debug, Clone)]
pub struct Stream {
    text: Arc<str>,
    tree: Tree,
}

impl Stream {
    /// Reads a text.
    ///
    /// # Errors
    /// The first problem, with line and column: text that is not YAML, a document that is not a
    /// map, a key that is not a string or stands twice, tabs as indentation, a plain scalar that
    /// begins with `{{`, an unknown tag, or more than a limit allows ([`MAX_DOCUMENT`],
    /// [`MAX_TEXT`], [`MAX_DEPTH`], [`MAX_ALIASED`]).
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self {
            tree: parse::parse(text)?,
            text: text.into(),
        })
    }

    /// Every problem of a text, at most one for each document; none if [`Stream::parse`] takes it.
    pub fn check(text: &str) -> Vec<Error> {
        parse::check(text)
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// [`Error::Encoding`] for bytes that are not UTF-8, and what [`Stream::parse`] refuses.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let good = String::from_utf8_lossy(&bytes[..e.valid_up_to()]);
            let (line, column) = text::position(&good, good.len());
            let byte = bytes.get(e.valid_up_to()).copied().unwrap_or_default();
            Error::Encoding { line, column, byte }
        })?;
        Self::parse(text)
    }

    /// Takes a text and the tree that was stored with it, without reading the text.
    ///
    /// A tree that cannot be of this text is made anew.
    pub fn from_stored(text: String, tree: Tree) -> Self {
        let tree = if tree.view().fits(&text) {
            tree
        } else {
            parse::parse(&text).unwrap_or(tree)
        };
        Self {
            text: text.into(),
            tree,
        }
    }

    /// The text, byte for byte.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tree, to store beside the text.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Reads in the tree.
    pub fn view(&self) -> TreeView<'_> {
        self.tree.view()
    }

    /// The identity of each document, in order.
    pub fn resources(&self) -> Vec<ResourceId> {
        self.view().documents().map(ResourceId::of).collect()
    }

    /// The comments that belong to a node of this stream.
    pub fn comments(&self, node: NodeRef<'_>) -> Comments {
        let there = |range| self.text.get(range).is_some();
        if !there(node.span()) || !node.key_span().is_none_or(there) {
            return Comments::default();
        }
        comment::of(&self.text, node)
    }

    /// Makes the edits one after the other, each on what the ones before it left.
    ///
    /// The result is read again and compared with the same edits on the plain values.
    ///
    /// # Errors
    /// When a document or a place is missing or of another kind than the edit needs, and
    /// [`Error::Inexpressible`] when no text reads as the edit means.
    pub fn apply(&self, edits: &[Edit]) -> Result<Self, Error> {
        apply::apply(self, edits)
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
