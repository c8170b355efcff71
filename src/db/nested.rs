//! A transaction in memory over one that is in memory itself: a preview inside a rehearsal.

use std::ops;
use std::sync::Arc;

use super::{Error, Transaction};
use crate::store::{self, Overlay, Range, Snapshot, Visit};

/// A transaction as what lies below another one.
struct Below(Arc<Transaction>);

impl Snapshot for Below {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, store::Error> {
        self.0.snapshot().get(key)
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, store::Error> {
        self.0.snapshot().get_many(keys)
    }

    fn get_with(&self, key: &[u8], f: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), store::Error> {
        self.0.snapshot().get_with(key, f)
    }

    fn get_part(
        &self,
        key: &[u8],
        part: ops::Range<usize>,
        f: &mut dyn FnMut(Option<&[u8]>),
    ) -> Result<(), store::Error> {
        self.0.snapshot().get_part(key, part, f)
    }

    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> Result<(), store::Error> {
        self.0.snapshot().scan(range, f)
    }
}

impl Transaction {
    /// Begins a transaction in memory that reads what `below` has written so far; it can never be
    /// committed. `below` must have been readied by [`Transaction::settle`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn over(below: &Arc<Self>) -> Result<Self, Error> {
        let overlay = Overlay::new(Box::new(Below(Arc::clone(below))));
        Self::begin(Box::new(overlay), below.clock())
    }

    /// As [`Self::over`], as a part of the same step: what `below` has made a revision of is
    /// amended, as if both were one transaction.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn continuing(below: &Arc<Self>) -> Result<Self, Error> {
        let mut over = Self::over(below)?;
        over.amendable.clone_from(&below.amendable);
        Ok(over)
    }
}
