//! Writes the table of nodes that [`super::tree`] reads.

use std::borrow::Cow;
use std::collections::HashMap;

use super::resolve::Resolved;
use super::tree::{DOCUMENT, HEADER, NO_KEY, NODE, Tree, VERSION, code, flag};

/// The place and the name of a key; for an element of a list, of its dash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) name: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Key {
    /// An element of a flow list or a root: no key and no dash.
    pub(super) const NONE: Self = Self {
        name: NO_KEY,
        start: 0,
        end: 0,
    };
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) code: u8,
    pub(super) flags: u8,
    pub(super) key: Key,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) payload: u32,
}

/// Collects nodes and documents and lays them out.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) records: Vec<Record>,
    pub(super) documents: Vec<(usize, usize, usize)>,
    pool: Vec<u8>,
    known: HashMap<String, u32>,
}

/// Strings up to this length, in bytes, are stored once however often they occur.
const INTERNED: usize = 64;

impl Builder {
    pub(super) fn with_room_for(text: &str) -> Self {
        Self {
            records: Vec::with_capacity(text.len() / 16),
            documents: Vec::new(),
            pool: Vec::with_capacity(text.len() / 2),
            known: HashMap::with_capacity(text.len() / 24),
        }
    }

    /// The place of `text` in the pool.
    pub(super) fn string(&mut self, text: Cow<'_, str>) -> u32 {
        if let Some(&at) = self.known.get(text.as_ref()) {
            return at;
        }
        let at = self.push(&text);
        if text.len() <= INTERNED {
            self.known.insert(text.into_owned(), at);
        }
        at
    }

    /// Writes the length in groups of six bits, so that the pool stays UTF-8, then the text.
    fn push(&mut self, text: &str) -> u32 {
        let at = narrow(self.pool.len());
        let mut length = text.len();
        while length > 0x3f {
            self.pool.push(0x40 | low_bits(length, 0x3f));
            length >>= 6;
        }
        self.pool.push(low_bits(length, 0x3f));
        self.pool.extend_from_slice(text.as_bytes());
        at
    }

    pub(super) fn scalar(&mut self, value: Resolved<'_>) -> (u8, u32) {
        match value {
            Resolved::Null => (code::NULL, 0),
            Resolved::Bool(b) => (code::BOOL, u32::from(b)),
            Resolved::Int(i) => match i32::try_from(i) {
                Ok(small) => (code::SMALL, small.cast_unsigned()),
                Err(_) => (code::INT, self.string(i.to_string().into())),
            },
            Resolved::UInt(u) => (code::UINT, self.string(u.to_string().into())),
            Resolved::Float(f) => {
                let bits = format!("{:x}", f.to_bits());
                (code::FLOAT, self.string(bits.into()))
            }
            Resolved::Str(s) => (code::STR, self.string(s)),
        }
    }

    /// Copies the node `from` and all below it to the end, as the value of `key`.
    pub(super) fn copy(&mut self, from: usize, key: Key, span: Option<(usize, usize)>) {
        let count = self.size(from);
        for at in from..from + count {
            let mut record = self.records[at];
            record.flags = (record.flags | flag::ALIAS) & !flag::ANCHOR;
            if at == from {
                record.key = key;
                record.flags &= !flag::HIDDEN;
                (record.start, record.end) = span.unwrap_or((record.start, record.end));
            }
            self.records.push(record);
        }
    }

    pub(super) fn size(&self, at: usize) -> usize {
        match self.records[at].code {
            code::MAP | code::LIST => usize::try_from(self.records[at].payload)
                .unwrap_or(1)
                .max(1),
            _ => 1,
        }
    }

    /// The indexes of the records directly below `at`.
    pub(super) fn children(&self, at: usize) -> Vec<usize> {
        let end = at + self.size(at);
        let mut children = Vec::new();
        let mut next = at + 1;
        while next < end {
            children.push(next);
            next += self.size(next);
        }
        children
    }

    pub(super) fn finish(self, text: &str) -> Tree {
        let lines = line_lengths(text);
        let room = HEADER
            + self.documents.len() * DOCUMENT
            + self.records.len() * NODE
            + self.pool.len()
            + lines.len();
        let mut bytes = Vec::with_capacity(room);
        bytes.extend_from_slice(&[VERSION, 0, 0, 0]);
        for length in [
            text.len(),
            self.records.len(),
            self.documents.len(),
            self.pool.len(),
            lines.len(),
        ] {
            bytes.extend_from_slice(&narrow(length).to_le_bytes());
        }
        for &(start, end, root) in &self.documents {
            for number in [start, end, root] {
                bytes.extend_from_slice(&narrow(number).to_le_bytes());
            }
        }
        for record in &self.records {
            let key_length = u16::try_from(record.key.end - record.key.start).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&[record.code, record.flags]);
            bytes.extend_from_slice(&key_length.to_le_bytes());
            for number in [
                narrow(record.start),
                narrow(record.end),
                narrow(record.key.start),
                record.key.name,
                record.payload,
            ] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes.extend_from_slice(&self.pool);
        bytes.extend_from_slice(&lines);
        Tree::trusted(bytes)
    }
}

/// Offsets fit: `Stream::parse` refuses texts of more than 64 MiB.
pub(super) fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn low_bits(number: usize, mask: u8) -> u8 {
    u8::try_from(number & usize::from(mask)).unwrap_or(mask)
}

fn line_lengths(text: &str) -> Vec<u8> {
    let mut table = Vec::with_capacity(text.len() / 24 + 4);
    for line in text.split_inclusive('\n') {
        let mut length = line.len();
        while length > 0x7f {
            table.push(0x80 | low_bits(length, 0x7f));
            length >>= 7;
        }
        table.push(low_bits(length, 0x7f));
    }
    table
}
