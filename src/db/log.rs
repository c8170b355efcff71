//! The record of what an operation changed, and the chain that holds operations together.
//!
//! Changes are collected while a transaction writes and go to the store in parts, each a byte with
//! the version of the form (1), the length unpacked (4 bytes, little-endian) and zstd over the
//! changes in postcard, sorted by key. The operation holds the hash of all parts unpacked, and its
//! own hash covers every stored byte before it, the hash of the operation before included.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::buffer::Buffer;
use super::codec::{self, Stored};
use super::key::Key;
use super::view::shown;
use super::{Error, View};
use crate::id::{OpId, UnitId};
use crate::model::{Hash, Operation};

const FORM: u8 = 1;
const LEVEL: i32 = 1;

/// The longest part that is believed to have been written; parts are cut far below.
const MAX_PART: usize = 1 << 30;

/// What was under a key before an operation changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// This record, as it was stored.
    Record(Vec<u8>),
    /// A value with this hash, which is not kept.
    Hash(Hash),
}

impl Before {
    /// The hash of the stored bytes; none for nothing.
    pub fn hash(&self) -> Option<Hash> {
        match self {
            Self::Nothing => None,
            Self::Record(bytes) => Some(Hash::of(bytes)),
            Self::Hash(hash) => Some(*hash),
        }
    }

    /// The record, read; none when there was nothing or it is not kept.
    ///
    /// # Errors
    /// When it is damaged or a newer version wrote it.
    pub fn record<T: Stored>(&self) -> Result<Option<T>, Error> {
        match self {
            Self::Record(bytes) => codec::decode(bytes, "before an operation").map(Some),
            Self::Nothing | Self::Hash(_) => Ok(None),
        }
    }
}

/// A change of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// What was there before.
    pub before: Before,
    /// The hash of the stored bytes after; none when nothing is there any more.
    pub after: Option<Hash>,
}

/// A change as it is stored.
#[derive(Serialize, Deserialize)]
struct Line {
    key: Vec<u8>,
    before: Before,
    after: Option<Hash>,
}

/// Collects the changes of an open transaction.
#[derive(Default)]
pub(super) struct Recorder {
    before: BTreeMap<Vec<u8>, Before>,
    units: BTreeSet<UnitId>,
    parts: u32,
    digest: blake3::Hasher,
}

impl Recorder {
    /// Whether the state before the first change of a key is known already.
    pub(super) fn knows(&self, key: &[u8]) -> bool {
        self.before.contains_key(key)
    }

    pub(super) fn note(&mut self, key: Vec<u8>, before: Before) {
        self.before.entry(key).or_insert(before);
    }

    pub(super) fn touch(&mut self, unit: UnitId) {
        self.units.insert(unit);
    }

    /// Writes what was collected as one part, unless it comes to nothing. The buffer must still
    /// hold the values.
    pub(super) fn write_part(&mut self, op: OpId, buffer: &mut Buffer) {
        let mut plain = Vec::new();
        for (key, before) in std::mem::take(&mut self.before) {
            let after = buffer.written(&key).flatten().map(Hash::of);
            if before.hash() != after {
                let line = Line { key, before, after };
                plain = postcard::to_extend(&line, plain)
                    .expect("a line has no part of unknown length, and memory cannot run full");
            }
        }
        if plain.is_empty() {
            return;
        }
        self.digest.update(&plain);
        let mut stored = vec![FORM];
        let length = u32::try_from(plain.len()).unwrap_or(u32::MAX);
        stored.extend_from_slice(&length.to_le_bytes());
        let packed = zstd::bulk::compress(&plain, LEVEL)
            .expect("compressing needs nothing but memory, which cannot run full");
        stored.extend_from_slice(&packed);
        buffer.insert(Key::Changes(op, self.parts).encode(), Some(stored));
        self.parts += 1;
    }

    /// Whether nothing has changed.
    pub(super) fn is_empty(&self) -> bool {
        self.parts == 0
    }

    /// Units, number of parts and hash of the changes.
    pub(super) fn finish(self) -> (Vec<UnitId>, u32, Hash) {
        let digest = Hash::from_bytes(*self.digest.finalize().as_bytes());
        (self.units.into_iter().collect(), self.parts, digest)
    }
}

/// One part of the changes of an operation.
pub(super) struct Part {
    pub(super) plain: Vec<u8>,
    pub(super) changes: Vec<Change>,
}

/// Reads a part of the changes of an operation.
pub(super) fn read_part(view: &View, op: OpId, part: u32) -> Result<Part, Error> {
    let which = || format!("part {part} of {op}");
    let damaged = |detail: &str| Error::damaged("changes", which(), detail);
    let key = Key::Changes(op, part).encode();
    let stored = view.snapshot().get(&key)?.ok_or_else(|| Error::NotFound {
        what: "changes",
        which: which(),
    })?;
    let Some((&[form, a, b, c, d], packed)) = stored.split_first_chunk::<5>() else {
        return Err(damaged("they are too short"));
    };
    if form > FORM {
        return Err(Error::NewerFormat {
            what: "changes",
            known: FORM,
            found: form,
        });
    }
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > MAX_PART {
        return Err(damaged("their length is impossible"));
    }
    let plain =
        zstd::bulk::decompress(packed, length).map_err(|_| damaged("they cannot be unpacked"))?;
    let mut changes = Vec::new();
    let mut rest = plain.as_slice();
    while !rest.is_empty() {
        let (line, after): (Line, &[u8]) =
            postcard::take_from_bytes(rest).map_err(|error| damaged(&error.to_string()))?;
        rest = after;
        changes.push(Change {
            key: Key::decode(&line.key)
                .ok_or_else(|| damaged(&format!("`{}` is no key", shown(&line.key))))?,
            before: line.before,
            after: line.after,
        });
    }
    Ok(Part { plain, changes })
}

/// The stored form of an operation, its hash set.
pub(super) fn seal(operation: &mut Operation) -> Vec<u8> {
    let mut stored = codec::encode(operation);
    let body = stored.len() - Hash::BYTES;
    operation.hash = Hash::of(&stored[..body]);
    stored.truncate(body);
    stored.extend_from_slice(operation.hash.as_bytes());
    stored
}

/// The hash that a stored operation should have.
pub(super) fn hash_of_stored(stored: &[u8]) -> Option<Hash> {
    let body = stored.len().checked_sub(Hash::BYTES)?;
    Some(Hash::of(&stored[..body]))
}
