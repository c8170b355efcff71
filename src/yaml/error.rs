//! What can be wrong with a document, an edit, or a stored tree.

use crate::path::Path;

/// A problem of a text, an edit or a stored tree. Lines and columns count from 1, in characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not YAML, or uses a part of it that units do not support.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line of the problem.
        line: usize,
        /// Column of the problem.
        column: usize,
        /// What was expected and what was found.
        message: String,
    },
    /// A key stands twice in one map.
    #[error(
        "line {line}, column {column}: expected each key once in a map, found `{key}` again \
         (first on line {first})"
    )]
    DuplicateKey {
        /// Line of the second one.
        line: usize,
        /// Column of the second one.
        column: usize,
        /// The key.
        key: String,
        /// Line of the first one.
        first: usize,
    },
    /// A key that YAML 1.1 does not read as a string, or that is no scalar at all.
    #[error(
        "line {line}, column {column}: expected a string as key, found {found}; quote it if the \
         text is meant"
    )]
    Key {
        /// Line of the key.
        line: usize,
        /// Column of the key.
        column: usize,
        /// What the key is.
        found: String,
    },
    /// A document that is not a map.
    #[error("line {line}, column {column}: expected a map as document, found {found}")]
    NotMap {
        /// Line of the document's value.
        line: usize,
        /// Column of the document's value.
        column: usize,
        /// What stands there.
        found: &'static str,
    },
    /// Bytes that are not UTF-8.
    #[error("line {line}, column {column}: expected UTF-8, found the byte 0x{byte:02x}")]
    Encoding {
        /// Line of the byte.
        line: usize,
        /// Column of the byte.
        column: usize,
        /// The first byte that does not fit.
        byte: u8,
    },
    /// A plain scalar that begins like a template.
    #[error(
        "line {line}, column {column}: expected a literal value, found the template `{found}`; \
         units hold literal YAML: render it first, or quote it if the braces are meant"
    )]
    Template {
        /// Line of the braces.
        line: usize,
        /// Column of the braces.
        column: usize,
        /// The text of the line from there.
        found: String,
    },
    /// A limit was passed.
    #[error("line {line}, column {column}: expected at most {limit} {what}, found more")]
    Limit {
        /// Line where the limit was passed.
        line: usize,
        /// Column where the limit was passed.
        column: usize,
        /// What is limited, with its unit.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// An edit names a document that is not there.
    #[error("expected a document below {count}, found document {document}")]
    NoDocument {
        /// The number given, from 0.
        document: usize,
        /// How many documents there are.
        count: usize,
    },
    /// An edit names a place that is not there.
    #[error("expected a value at `{path}`, found none")]
    NotFound {
        /// The place.
        path: Path,
    },
    /// An edit needs another kind of node.
    #[error("expected {expected} at `{path}`, found {found}")]
    Kind {
        /// The place.
        path: Path,
        /// The kind needed.
        expected: &'static str,
        /// The kind there.
        found: &'static str,
    },
    /// An edit cannot be written so that the result reads as meant.
    #[error("expected the edit at `{path}` to be expressible in YAML, found that it is not")]
    Inexpressible {
        /// The place.
        path: Path,
    },
    /// The bytes of a stored tree are not a tree.
    #[error("expected a document tree of version {expected}, found {found}")]
    Stored {
        /// The version that this program writes.
        expected: u8,
        /// What is wrong.
        found: &'static str,
    },
}

impl Error {
    /// Line and column of the problem, both from 1, if it is one of a text.
    pub fn position(&self) -> Option<(usize, usize)> {
        match *self {
            Self::Syntax { line, column, .. }
            | Self::DuplicateKey { line, column, .. }
            | Self::Key { line, column, .. }
            | Self::NotMap { line, column, .. }
            | Self::Encoding { line, column, .. }
            | Self::Template { line, column, .. }
            | Self::Limit { line, column, .. } => Some((line, column)),
            _ => None,
        }
    }

    /// Adds to the line, for a problem of a part of a text.
    pub(super) fn move_down(&mut self, lines: usize) {
        match self {
            Self::Syntax { line, .. }
            | Self::Key { line, .. }
            | Self::NotMap { line, .. }
            | Self::Encoding { line, .. }
            | Self::Template { line, .. }
            | Self::Limit { line, .. } => *line += lines,
            Self::DuplicateKey { line, first, .. } => {
                *line += lines;
                *first += lines;
            }
            _ => {}
        }
    }
}
