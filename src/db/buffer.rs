//! Writes of a transaction on their way to the store.

use std::collections::HashMap;
use std::ops;

use super::pack::Open;
use crate::store::{Changes, Error, Range, Snapshot, Visit, Writer};

/// How many bytes are held back before they go to the store's own transaction. Enough to sort
/// what a bulk call writes, small enough to forget.
const LIMIT: usize = 4 << 20;

/// A writer with changes before it, read as one.
pub(super) struct Buffer {
    writer: Box<dyn Writer>,
    changes: Changes,
    /// What the writer has under keys that were read ahead. Nobody else writes meanwhile.
    known: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Texts that wait until a pack is full.
    open: Option<Open>,
}

impl Buffer {
    pub(super) fn new(writer: Box<dyn Writer>) -> Self {
        Self {
            writer,
            changes: Changes::default(),
            known: HashMap::new(),
            open: None,
        }
    }

    pub(super) fn open(&mut self) -> &mut Option<Open> {
        &mut self.open
    }

    /// The bytes so far of the pack that is being filled, if it is this one.
    pub(super) fn open_pack(&self, number: u64) -> Option<&[u8]> {
        self.open
            .as_ref()
            .filter(|open| open.number() == number)
            .map(Open::bytes)
    }

    /// Reads keys all at once that will be asked for one by one; forgets those of before.
    pub(super) fn read_ahead(&mut self, keys: Vec<Vec<u8>>) -> Result<(), Error> {
        let values = self.writer.get_many(&keys)?;
        self.known.clear();
        self.known.extend(keys.into_iter().zip(values));
        Ok(())
    }

    pub(super) fn insert(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.changes.insert(key, value);
    }

    pub(super) fn is_full(&self) -> bool {
        self.changes.bytes() >= LIMIT
    }

    /// What was written of a key since the last flush: nothing, that it is gone, or its value.
    #[expect(
        clippy::option_option,
        reason = "unchanged, deleted and written are three states"
    )]
    pub(super) fn written(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.changes.find(key)
    }

    /// What is known of a key without asking the writer.
    #[expect(
        clippy::option_option,
        reason = "not known, known to be absent, and a value are three"
    )]
    fn held(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.changes
            .find(key)
            .or_else(|| self.known.get(key).map(Option::as_deref))
    }

    /// Hands everything on to the store's transaction.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if !self.known.is_empty() {
            for key in self.changes.keys() {
                self.known.remove(key);
            }
        }
        self.writer.apply(self.changes.take())
    }

    pub(super) fn commit(mut self) -> Result<(), Error> {
        self.flush()?;
        self.writer.commit()
    }

    pub(super) fn is_first(&self) -> bool {
        self.writer.is_first()
    }
}

impl Snapshot for Buffer {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.held(key) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => self.writer.get(key),
        }
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        if keys.iter().any(|key| self.held(key).is_none()) {
            return self.changes.get_many_over(&*self.writer, keys);
        }
        let held = keys.iter().map(|key| self.held(key).flatten());
        Ok(held.map(|value| value.map(<[u8]>::to_vec)).collect())
    }

    fn get_with(&self, key: &[u8], f: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), Error> {
        match self.held(key) {
            Some(value) => {
                f(value);
                Ok(())
            }
            None => self.writer.get_with(key, f),
        }
    }

    fn get_part(
        &self,
        key: &[u8],
        part: ops::Range<usize>,
        f: &mut dyn FnMut(Option<&[u8]>),
    ) -> Result<(), Error> {
        self.changes.get_part_over(&*self.writer, key, part, f)
    }

    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> Result<(), Error> {
        self.changes.scan_over(&*self.writer, range, f)
    }
}
