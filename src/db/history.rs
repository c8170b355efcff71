//! Reads of revisions, conflicts and operations.

use std::ops::ControlFlow;

use super::key::{Counter, Key, prefix};
use super::{Change, Error, View, log};
use crate::id::{ConflictId, OpId, RunId, UnitId};
use crate::model::{Conflict, Operation, Revision};
use crate::store::Range;

/// Revisions.
impl View {
    /// A revision of a unit.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn revision(&self, unit: UnitId, num: u32) -> Result<Revision, Error> {
        self.get(&Key::Revision(unit, num), format!("{num} of {unit}"))
    }

    /// The newest revisions of a unit, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn revisions(&self, unit: UnitId, limit: usize) -> Result<Vec<Revision>, Error> {
        let range = Range::prefix(&prefix::revisions_of(unit)).descending();
        self.records(&range, limit)
    }

    /// Visits the revisions of a unit, newest first.
    ///
    /// # Errors
    /// What `f` returns, and when the store cannot be read.
    pub fn scan_revisions<E: From<Error>>(
        &self,
        unit: UnitId,
        f: impl FnMut(Revision) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let range = Range::prefix(&prefix::revisions_of(unit)).descending();
        self.scan_records(&range, f)
    }
}

/// Conflicts.
impl View {
    /// A conflict by number.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn conflict(&self, conflict: ConflictId) -> Result<Conflict, Error> {
        self.get(&Key::Conflict(conflict), conflict)
    }

    /// The conflicts of a unit, settled ones included, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn conflicts_of(&self, unit: UnitId) -> Result<Vec<Conflict>, Error> {
        let numbers = self.keys(&prefix::conflicts_of(unit), |key| match key {
            Key::ConflictOf(_, conflict) => Some(conflict),
            _ => None,
        })?;
        numbers
            .into_iter()
            .map(|conflict| self.conflict(conflict))
            .collect()
    }

    /// Visits all conflicts, oldest first.
    ///
    /// # Errors
    /// What `f` returns, and when the store cannot be read.
    pub fn scan_conflicts<E: From<Error>>(
        &self,
        f: impl FnMut(Conflict) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.scan_records(&Range::prefix(&prefix::of(b'c')), f)
    }
}

/// Operations.
impl View {
    /// The number of the newest operation; none in an empty store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn last_operation(&self) -> Result<Option<OpId>, Error> {
        let last = self.counter(Counter::Operation)?;
        Ok((last > 0).then_some(OpId(last)))
    }

    /// An operation by number.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn operation(&self, op: OpId) -> Result<Operation, Error> {
        self.get(&Key::Operation(op), op)
    }

    /// An operation by number, if it is there; that of an open transaction is not yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_operation(&self, op: OpId) -> Result<Option<Operation>, Error> {
        self.find(&Key::Operation(op), op)
    }

    /// Operations, newest first, at most `limit`; with `before` only those older than it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn operations(&self, before: Option<OpId>, limit: usize) -> Result<Vec<Operation>, Error> {
        let mut range = Range::prefix(&prefix::of(b'o')).descending();
        if let Some(before) = before {
            range = range.after(&Key::Operation(before).encode());
        }
        self.records(&range, limit)
    }

    /// Visits all operations, newest first.
    ///
    /// # Errors
    /// What `f` returns, and when the store cannot be read.
    pub fn scan_operations<E: From<Error>>(
        &self,
        f: impl FnMut(Operation) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.scan_records(&Range::prefix(&prefix::of(b'o')).descending(), f)
    }

    /// The numbers of the operations of a run, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn operations_of(&self, run: RunId) -> Result<Vec<OpId>, Error> {
        self.keys(&prefix::operations_of(run), |key| match key {
            Key::RunOperation(_, op) => Some(op),
            _ => None,
        })
    }

    /// Visits what an operation changed.
    ///
    /// A long operation may tell of a record more than once: the first [`Change::before`] and the
    /// last [`Change::after`] are those of the operation as a whole.
    ///
    /// # Errors
    /// What `f` returns, [`Error::NotFound`], and when the store cannot be read.
    pub fn changes<E: From<Error>>(
        &self,
        op: OpId,
        mut f: impl FnMut(Change) -> Result<(), E>,
    ) -> Result<(), E> {
        let operation = self.operation(op)?;
        for part in 0..operation.parts {
            for change in log::read_part(self, op, part)?.changes {
                f(change)?;
            }
        }
        Ok(())
    }
}
