//! The tree of a text: a compact table of nodes, read in place by offsets.
//!
//! Layout, all numbers little-endian: a header of 24 bytes (version, flags, two zero bytes, then
//! the length of the text, the counts of nodes and documents and the lengths of the pool and of
//! the line table, each u32), the documents (12 bytes each), the nodes in document order (24 bytes
//! each), the pool of strings, and the lengths of the lines as LEB128.

use std::ops::Range;
use std::sync::Arc;

use super::Error;

pub(super) const VERSION: u8 = 1;
pub(super) const HEADER: usize = 24;
pub(super) const DOCUMENT: usize = 12;
pub(super) const NODE: usize = 24;
/// Stands for "no key" where the offset of a key would be.
pub(super) const NO_KEY: u32 = u32::MAX;

/// Codes of the kinds of nodes in the table.
pub(super) mod code {
    pub(in crate::yaml) const MAP: u8 = 0;
    pub(in crate::yaml) const LIST: u8 = 1;
    pub(in crate::yaml) const NULL: u8 = 2;
    pub(in crate::yaml) const BOOL: u8 = 3;
    pub(in crate::yaml) const SMALL: u8 = 4;
    pub(in crate::yaml) const INT: u8 = 5;
    pub(in crate::yaml) const UINT: u8 = 6;
    pub(in crate::yaml) const FLOAT: u8 = 7;
    pub(in crate::yaml) const STR: u8 = 8;
}

/// Bits of the flags of a node; the lowest three hold the [`Style`].
pub(super) mod flag {
    pub(in crate::yaml) const STYLE: u8 = 0b0000_0111;
    pub(in crate::yaml) const FLOW: u8 = 0b0000_1000;
    pub(in crate::yaml) const ANCHOR: u8 = 0b0001_0000;
    /// The node is a copy of an anchored one, made by an alias or a merge key.
    pub(in crate::yaml) const ALIAS: u8 = 0b0010_0000;
    /// The entry is a merge key: part of the text, not of the values.
    pub(in crate::yaml) const HIDDEN: u8 = 0b0100_0000;
    pub(in crate::yaml) const TAG: u8 = 0b1000_0000;
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Keys and values.
    Map,
    /// Elements.
    List,
    /// A single value.
    Scalar,
}

impl Kind {
    /// The kind with its article, for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Map => "a map",
            Self::List => "a list",
            Self::Scalar => "a scalar",
        }
    }
}

/// A single value, read as Kubernetes' own clients read it (YAML 1.1 booleans and octals).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on`, …
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// A whole number above the range of `Int`.
    UInt(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(&'a str),
}

/// The tree of a text, in the form in which it is stored. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree(Arc<[u8]>);

impl Tree {
    /// Takes stored bytes after checking all of them.
    ///
    /// # Errors
    /// [`Error::Stored`] when the bytes are not a tree of a known version.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        TreeView::open(&bytes)?;
        Ok(Self(bytes.into()))
    }

    /// The tree that the builder just made.
    pub(super) fn trusted(bytes: Vec<u8>) -> Self {
        debug_assert!(TreeView::open(&bytes).is_ok());
        Self(bytes.into())
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads in the tree.
    ///
    /// # Panics
    /// Never: the bytes were checked when the tree was made.
    pub fn view(&self) -> TreeView<'_> {
        TreeView::header(&self.0).expect("the bytes were checked when the tree was made")
    }
}

/// A tree that is read in place.
#[derive(Debug, Clone, Copy)]
pub struct TreeView<'a> {
    documents: &'a [u8],
    nodes: &'a [u8],
    pool: &'a str,
    lines: &'a [u8],
    text_len: u32,
}

fn stored(found: &'static str) -> Error {
    Error::Stored {
        expected: VERSION,
        found,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|b| b.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<'a> TreeView<'a> {
    /// Reads stored bytes in place, after checking all of them; about a nanosecond a byte.
    ///
    /// # Errors
    /// [`Error::Stored`] when the bytes are not a tree of a known version.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        let view = Self::header(bytes)?;
        view.check()?;
        Ok(view)
    }

    fn header(bytes: &'a [u8]) -> Result<Self, Error> {
        match bytes.first() {
            None => return Err(stored("no bytes")),
            Some(&VERSION) => {}
            Some(_) => return Err(stored("another version")),
        }
        if bytes.len() < HEADER {
            return Err(stored("a header cut short"));
        }
        let length = |at: usize, each: usize| size(u32_at(bytes, at)).checked_mul(each);
        let cut = || stored("tables cut short");
        let mut rest = &bytes[HEADER..];
        let mut table = |length: Option<usize>| -> Result<&'a [u8], Error> {
            let (table, after) = length
                .and_then(|length| rest.split_at_checked(length))
                .ok_or_else(cut)?;
            rest = after;
            Ok(table)
        };
        let documents = table(length(12, DOCUMENT))?;
        let nodes = table(length(8, NODE))?;
        let pool = table(length(16, 1))?;
        let lines = table(length(20, 1))?;
        if !rest.is_empty() {
            return Err(stored("bytes after the end"));
        }
        Ok(Self {
            documents,
            nodes,
            pool: std::str::from_utf8(pool).map_err(|_| stored("strings that are not UTF-8"))?,
            lines,
            text_len: u32_at(bytes, 4),
        })
    }

    fn check(&self) -> Result<(), Error> {
        let count = self.node_count();
        for at in 0..self.document_count() {
            let root = u32_at(self.documents, at * DOCUMENT + 8);
            let document = self.document_range(at);
            if root >= count || document.start > document.end || document.end > self.text_length() {
                return Err(stored("a document outside of the table"));
            }
        }
        for index in 0..count {
            let node = NodeRef { view: *self, index };
            let sound = match node.code() {
                code::MAP | code::LIST => {
                    let size = node.payload();
                    size >= 1 && size <= count - index && node.children_fit()
                }
                code::NULL | code::BOOL | code::SMALL => true,
                code::INT => self.string(node.payload()).parse::<i64>().is_ok(),
                code::UINT => self.string(node.payload()).parse::<u64>().is_ok(),
                code::FLOAT => u64::from_str_radix(self.string(node.payload()), 16).is_ok(),
                code::STR => self.find_string(node.payload()).is_some(),
                _ => false,
            };
            let key = node.field(16);
            let spans = node.field(4) <= node.field(8) && node.field(8) <= self.text_len;
            if !sound || !spans || (key != NO_KEY && self.find_string(key).is_none()) {
                return Err(stored("a node that does not fit its table"));
            }
        }
        Ok(())
    }

    fn node_count(&self) -> u32 {
        u32::try_from(self.nodes.len() / NODE).unwrap_or(u32::MAX)
    }

    /// How many documents the text holds; those without a value do not count.
    pub fn document_count(&self) -> usize {
        self.documents.len() / DOCUMENT
    }

    /// The root of document `at`, counted from 0.
    pub fn document(&self, at: usize) -> Option<NodeRef<'a>> {
        (at < self.document_count()).then(|| NodeRef {
            view: *self,
            index: u32_at(self.documents, at * DOCUMENT + 8),
        })
    }

    /// The roots of the documents, in order.
    pub fn documents(&self) -> impl Iterator<Item = NodeRef<'a>> + use<'a> {
        let view = *self;
        (0..view.document_count()).filter_map(move |at| view.document(at))
    }

    /// The bytes of document `at` in the text, with its `---` line and up to the next document.
    pub fn document_range(&self, at: usize) -> Range<usize> {
        let record = at * DOCUMENT;
        size(u32_at(self.documents, record))..size(u32_at(self.documents, record + 4))
    }

    /// Length in bytes of the text to which the tree belongs.
    pub fn text_length(&self) -> usize {
        size(self.text_len)
    }

    /// Whether the tree can belong to `text`: the length, and each span on a character.
    pub(super) fn fits(&self, text: &str) -> bool {
        text.len() == self.text_length()
            && (0..self.node_count()).all(|index| {
                let node = NodeRef { view: *self, index };
                let key = node.key_span().unwrap_or(0..0);
                text.get(node.span()).is_some() && text.get(key).is_some()
            })
            && (0..self.document_count()).all(|at| text.get(self.document_range(at)).is_some())
    }

    /// The line, from 1, in which the byte `offset` of the text stands.
    pub fn line(&self, offset: usize) -> usize {
        let (mut line, mut end, mut at) = (0, 0_usize, 0);
        while at < self.lines.len() {
            let (mut length, mut shift) = (0_usize, 0_u32);
            while let Some(&byte) = self.lines.get(at) {
                at += 1;
                length |= usize::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            line += 1;
            end = end.saturating_add(length);
            if offset < end {
                return line;
            }
        }
        line.max(1)
    }

    fn find_string(&self, at: u32) -> Option<&'a str> {
        let mut at = size(at);
        let bytes = self.pool.as_bytes();
        let (mut length, mut shift) = (0_usize, 0_u32);
        loop {
            let byte = *bytes.get(at)?;
            at += 1;
            length |= usize::from(byte & 0x3f).checked_shl(shift)?;
            shift += 6;
            if byte & 0x40 == 0 {
                return self.pool.get(at..at.checked_add(length)?);
            }
        }
    }

    fn string(&self, at: u32) -> &'a str {
        self.find_string(at).unwrap_or_default()
    }
}

/// A node of a tree that is read in place.
#[derive(Debug, Clone, Copy)]
pub struct NodeRef<'a> {
    pub(super) view: TreeView<'a>,
    pub(super) index: u32,
}

impl<'a> NodeRef<'a> {
    fn record(&self) -> &'a [u8] {
        let at = size(self.index).saturating_mul(NODE);
        self.view.nodes.get(at..at + NODE).unwrap_or(&[0; NODE])
    }

    fn field(&self, at: usize) -> u32 {
        u32_at(self.record(), at)
    }

    pub(super) fn code(&self) -> u8 {
        self.record()[0]
    }

    pub(super) fn flags(&self) -> u8 {
        self.record()[1]
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags() & flag != 0
    }

    fn payload(&self) -> u32 {
        self.field(20)
    }

    /// How many records the node and all below it take.
    pub(super) fn size(&self) -> u32 {
        match self.code() {
            code::MAP | code::LIST => self.payload().max(1),
            _ => 1,
        }
    }

    fn children_fit(&self) -> bool {
        let end = self.index + self.size();
        let mut next = self.index + 1;
        while next < end {
            let child = NodeRef {
                view: self.view,
                index: next,
            };
            next = match next.checked_add(child.size()) {
                Some(next) => next,
                None => return false,
            };
        }
        next == end
    }

    /// What the node is.
    pub fn kind(&self) -> Kind {
        match self.code() {
            code::MAP => Kind::Map,
            code::LIST => Kind::List,
            _ => Kind::Scalar,
        }
    }

    /// How the scalar is written; `Plain` for maps and lists.
    pub fn style(&self) -> Style {
        match self.flags() & flag::STYLE {
            1 => Style::Single,
            2 => Style::Double,
            3 => Style::Literal,
            4 => Style::Folded,
            _ => Style::Plain,
        }
    }

    /// Whether a map or list is written in braces or brackets.
    pub fn is_flow(&self) -> bool {
        self.has(flag::FLOW)
    }

    /// The value of a scalar; none for maps and lists.
    pub fn scalar(&self) -> Option<Scalar<'a>> {
        let text = || self.view.string(self.payload());
        Some(match self.code() {
            code::MAP | code::LIST => return None,
            code::BOOL => Scalar::Bool(self.payload() != 0),
            code::SMALL => Scalar::Int(i64::from(self.payload().cast_signed())),
            code::INT => Scalar::Int(text().parse().unwrap_or_default()),
            code::UINT => Scalar::UInt(text().parse().unwrap_or_default()),
            code::FLOAT => Scalar::Float(f64::from_bits(
                u64::from_str_radix(text(), 16).unwrap_or_default(),
            )),
            code::STR => Scalar::Str(text()),
            _ => Scalar::Null,
        })
    }

    /// The key under which the node stands in its map.
    pub fn key(&self) -> Option<&'a str> {
        let at = self.field(16);
        (at != NO_KEY).then(|| self.view.string(at))
    }

    /// The bytes of the node in the text, with its tag and anchor and without comments.
    ///
    /// For a node that an alias brought, the place of the alias; below it, of the original.
    pub fn span(&self) -> Range<usize> {
        size(self.field(4))..size(self.field(8))
    }

    /// The bytes of the key in the text, with quotes; for an element of a block list, of its dash.
    pub fn key_span(&self) -> Option<Range<usize>> {
        let start = size(self.field(12));
        let length = usize::from(u16::from_le_bytes([self.record()[2], self.record()[3]]));
        (length > 0).then(|| start..start + length)
    }

    /// The line, from 1, in which the node's key, or else the node, begins.
    pub fn line(&self) -> usize {
        let start = self.key_span().map_or(self.span().start, |key| key.start);
        self.view.line(start)
    }

    /// Every record directly below, the hidden ones too.
    pub(super) fn children(&self) -> impl Iterator<Item = NodeRef<'a>> + use<'a> {
        let view = self.view;
        let end = self.index.saturating_add(self.size());
        let mut next = self.index.saturating_add(1);
        std::iter::from_fn(move || {
            let child = NodeRef { view, index: next };
            (next < end).then(|| {
                next = next.saturating_add(child.size());
                child
            })
        })
    }

    /// The elements of a list or the values of a map, in order.
    pub fn items(&self) -> impl Iterator<Item = NodeRef<'a>> + use<'a> {
        self.children().filter(|child| !child.has(flag::HIDDEN))
    }

    /// The keys and values of a map, in order; nothing for other nodes.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, NodeRef<'a>)> + use<'a> {
        self.items().filter_map(|child| Some((child.key()?, child)))
    }

    /// How many elements or entries there are; 0 for scalars.
    pub fn len(&self) -> usize {
        self.items().count()
    }

    /// Whether there is no element and no entry.
    pub fn is_empty(&self) -> bool {
        self.items().next().is_none()
    }

    /// The value under `key` of a map.
    pub fn get(&self, key: &str) -> Option<Self> {
        if self.code() != code::MAP {
            return None;
        }
        self.items().find(|child| child.key() == Some(key))
    }

    /// Element `at` of a list, from 0.
    pub fn item(&self, at: usize) -> Option<Self> {
        if self.code() != code::LIST {
            return None;
        }
        self.items().nth(at)
    }
}
