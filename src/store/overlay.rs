//! A writer over a snapshot whose changes live in memory and can never be committed.

use std::ops;

use super::{Batch, Changes, Error, Range, Snapshot, Visit, Writer};

/// Changes laid over a snapshot: what previews and dry runs write to.
///
/// ```
/// use windlass::store::{Batch, Memory, Overlay, Snapshot, Store, Visit, Writer};
///
/// let store = Memory::new();
/// let mut overlay = Overlay::new(store.read().unwrap());
/// let mut batch = Batch::default();
/// batch.put("key", "value");
/// overlay.apply(batch).unwrap();
/// assert_eq!(overlay.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
/// assert!(Box::new(overlay).commit().is_err());
/// ```
pub struct Overlay {
    base: Box<dyn Snapshot>,
    changes: Changes,
}

impl Overlay {
    /// Lays nothing yet over a snapshot.
    pub fn new(base: Box<dyn Snapshot>) -> Self {
        Self {
            base,
            changes: Changes::default(),
        }
    }
}

impl Snapshot for Overlay {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.changes.get_over(&*self.base, key)
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.changes.get_many_over(&*self.base, keys)
    }

    fn get_with(&self, key: &[u8], f: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), Error> {
        self.changes.get_with_over(&*self.base, key, f)
    }

    fn get_part(
        &self,
        key: &[u8],
        part: ops::Range<usize>,
        f: &mut dyn FnMut(Option<&[u8]>),
    ) -> Result<(), Error> {
        self.changes.get_part_over(&*self.base, key, part, f)
    }

    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> Result<(), Error> {
        self.changes.scan_over(&*self.base, range, f)
    }
}

impl Writer for Overlay {
    fn apply(&mut self, batch: Batch) -> Result<(), Error> {
        self.changes.apply(batch);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        Err(Error::Preview)
    }
}
