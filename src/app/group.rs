//! Groups: calls that a person makes one after another and writes as one operation at the end.
//!
//! Until then they are a rehearsal that stays open between the calls. It is an overlay over a
//! snapshot, so nobody waits for it and others may write meanwhile.

use std::sync::Arc;

use crate::app::cluster::Slot;
use crate::app::preview::Preview;
use crate::app::{App, Open};
use crate::db::Transaction;
use crate::error::{Error, Kind, Result};

/// How many calls that write a group may have: each is a layer that every read goes through.
const MAX_LAYERS: usize = 256;

/// What a rehearsal gave: a value, and what would be written.
#[derive(Debug, Clone)]
pub struct Rehearsed<T> {
    /// What the body returned.
    pub value: T,
    /// What it would write to units.
    pub preview: Preview,
    /// Whether it would write anything at all: spaces and other records have no preview.
    pub is_changed: bool,
}

impl App {
    /// Runs `body` on a copy of the store in memory, and says what it would write.
    ///
    /// # Errors
    /// Those of `body`.
    pub fn rehearsed<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<Rehearsed<T>> {
        self.rehearse_script(body, |transaction, value| {
            Ok(Rehearsed {
                value,
                preview: self.preview_of(transaction)?,
                is_changed: transaction.is_changed()?,
            })
        })
    }

    /// Opens a group on the store as it is now.
    ///
    /// # Errors
    /// [`Kind::Usage`] inside a transaction, a rehearsal or another group.
    pub fn begin_group(&self) -> Result<()> {
        if self.has_open() {
            return Err(Error::new(
                Kind::Usage,
                "expected to begin a group by itself, found one that is open",
            ));
        }
        let transaction = self.overlay()?;
        let mut scope = self.scope();
        let mut open = Open::new(transaction, true, None);
        open.layers = Some(0);
        open.heads_before = scope.own_heads.clone();
        scope.touched.clear();
        scope.open = Some(open);
        Ok(())
    }

    /// Runs `call` in the open group. Later calls see what it wrote; where it fails, nothing of it
    /// stays.
    ///
    /// # Errors
    /// Those of `call`; [`Kind::Usage`] where no group is open; [`Kind::Limit`] when it has too
    /// many calls that write.
    pub fn in_group<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut outer = self.take_group()?;
        let layers = outer.layers.unwrap_or_default();
        let mut below = outer.slot.take()?;
        let over = below.settle().and_then(|()| {
            let below = Arc::new(below);
            Transaction::continuing(&below).map(|over| (below, over))
        });
        // A group whose layers cannot be read is of no use any more: it is dropped.
        let (below, transaction) = over?;
        let heads = self.scope().own_heads.clone();
        let touched = self.scope().touched.clone();
        let mut inner = Open::new(transaction, true, None);
        inner.layers = Some(layers + 1);
        inner.heads_before = std::mem::take(&mut outer.heads_before);
        self.scope().open = Some(inner);
        let result = call();
        let mut inner = self.take_group()?;
        let result = match inner.broken.take() {
            Some(error) if result.is_ok() => Err(error),
            _ => result,
        };
        let has_written = result.is_ok() && inner.slot.transaction()?.is_changed()?;
        if has_written && layers < MAX_LAYERS {
            drop(below);
            self.scope().open = Some(inner);
            return result;
        }
        outer.heads_before = std::mem::take(&mut inner.heads_before);
        drop(inner);
        let Some(transaction) = Arc::into_inner(below) else {
            return Err(Error::new(Kind::Internal, "a call kept its transaction"));
        };
        outer.slot = Slot::new(transaction);
        let mut scope = self.scope();
        scope.open = Some(outer);
        scope.own_heads = heads;
        scope.touched = touched;
        drop(scope);
        if has_written {
            return Err(Error::new(
                Kind::Limit,
                format!("expected at most {MAX_LAYERS} calls that write in a group, found more"),
            )
            .hint("commit what is there, or write with one call to many units"));
        }
        result
    }

    /// What the open group would write.
    ///
    /// # Errors
    /// [`Kind::Usage`] where no group is open.
    pub fn group_preview(&self) -> Result<Preview> {
        self.in_group(|| self.inspect(|transaction| self.preview_of(transaction)))
    }

    /// Drops the open group, if there is one.
    pub fn end_group(&self) {
        let mut scope = self.scope();
        if let Some(open) = scope.open.take_if(|open| open.layers.is_some()) {
            scope.own_heads = open.heads_before;
            scope.touched.clear();
        }
    }

    fn take_group(&self) -> Result<Open> {
        let open = self.scope().open.take_if(|open| open.layers.is_some());
        open.ok_or_else(|| Error::new(Kind::Usage, "expected an open group, found none"))
    }

    /// Whether what is written now is to be one transaction later or at once, so that nothing
    /// which cannot be taken back may happen in between.
    pub(crate) fn is_transaction(&self) -> bool {
        let scope = self.scope();
        let open = scope.open.as_ref();
        open.is_some_and(|open| !open.is_preview || open.layers.is_some())
    }
}
