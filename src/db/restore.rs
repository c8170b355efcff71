//! What an operation made of each record as a whole, and putting records back as they were.

use std::collections::BTreeMap;

use super::key::Key;
use super::log::Before;
use super::{Change, Error, Transaction, View, codec, index};
use crate::id::{OpId, UnitId};
use crate::model::{Conflict, Hash, Unit};

/// What a key stands for, as far as undoing is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Desired state: an undo puts it back.
    Record,
    /// What a target runs: no undo touches it.
    Cluster,
    /// Revisions and content, which stay as evidence; indexes, counters and the log.
    Kept,
}

impl Key {
    /// What the key stands for.
    pub fn role(&self) -> Role {
        match self {
            Self::Space(_)
            | Self::Unit(_)
            | Self::Conflict(_)
            | Self::Target(_)
            | Self::Worker(..)
            | Self::Filter(..)
            | Self::Function(_)
            | Self::ChangeSet(_) => Role::Record,
            Self::Cluster(_) | Self::Intent(_) | Self::Apply(_) | Self::Inventory(..) => {
                Role::Cluster
            }
            Self::Format
            | Self::Heartbeat(..)
            | Self::Counter(_)
            | Self::Revision(..)
            | Self::Text(_)
            | Self::Pack(_)
            | Self::Bookkeeping(_)
            | Self::SpaceSlug(_)
            | Self::UnitSlug(..)
            | Self::Slug(..)
            | Self::Label(..)
            | Self::Variant(..)
            | Self::Kind(..)
            | Self::ConflictOf(..)
            | Self::RunOperation(..)
            | Self::OpenApply(_)
            | Self::Operation(_)
            | Self::Changes(..) => Role::Kept,
        }
    }
}

impl View {
    /// What an operation made of the records of desired state and of the cluster, once each,
    /// sorted by key; what came back to where it was is left out.
    ///
    /// # Errors
    /// [`Error::NotFound`], and when the store cannot be read.
    pub fn net_changes(&self, op: OpId) -> Result<Vec<Change>, Error> {
        let mut net: BTreeMap<Key, Change> = BTreeMap::new();
        self.changes(op, |change| {
            if change.key.role() != Role::Kept {
                match net.get_mut(&change.key) {
                    Some(whole) => whole.after = change.after,
                    None => drop(net.insert(change.key.clone(), change)),
                }
            }
            Ok::<_, Error>(())
        })?;
        let moved = |change: &Change| change.before.hash() != change.after;
        Ok(net.into_values().filter(moved).collect())
    }

    /// The bytes stored under a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stored(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.snapshot().get(&key.encode())?)
    }
}

impl Before {
    /// The stored bytes; none for nothing.
    ///
    /// # Errors
    /// [`Error::Damaged`] where only a hash was kept, which is so for no record.
    pub fn bytes(&self, key: &Key) -> Result<Option<&[u8]>, Error> {
        match self {
            Self::Nothing => Ok(None),
            Self::Record(bytes) => Ok(Some(bytes)),
            Self::Hash(_) => Err(Error::damaged(
                "record",
                format!("{key:?}"),
                "the log has not kept it",
            )),
        }
    }
}

impl Transaction {
    /// Puts a record of desired state back as it was stored, or deletes it; its indexes follow.
    /// What it refers to, and what refers to it, is for the caller to look after. False when it
    /// is so already.
    ///
    /// # Errors
    /// [`Error::Exists`] when its slug is taken, [`Error::Damaged`] when the bytes are no such
    /// record, and when the store cannot be used; the transaction is poisoned then.
    pub fn restore(&mut self, key: &Key, stored: Option<&[u8]>) -> Result<bool, Error> {
        self.guarded(|writing| {
            let old = writing.stored(key)?;
            if old.as_deref() == stored {
                return Ok(false);
            }
            let entries = |stored: Option<&[u8]>| {
                stored.map_or(Ok(Vec::new()), |stored| index::of_stored(key, stored))
            };
            writing.put_entries(&entries(old.as_deref())?, &entries(stored)?)?;
            for stored in [old.as_deref(), stored].into_iter().flatten() {
                match key {
                    Key::Unit(unit) => writing.touch(*unit),
                    Key::Conflict(id) => {
                        let conflict: Conflict = codec::decode(stored, id)?;
                        writing.touch(conflict.unit);
                    }
                    _ => {}
                }
            }
            writing.put_record(key, stored.map(<[u8]>::to_vec))
        })
    }

    /// Writes the record of a unit as it is given, its count of open conflicts made anew.
    ///
    /// # Errors
    /// As [`Transaction::put_unit`].
    pub fn put_unit_counted(&mut self, unit: &Unit) -> Result<Unit, Error> {
        self.guarded(|writing| {
            let old = writing.find_unit_by_id(unit.id)?;
            let mut unit = unit.clone();
            let rows = writing.conflicts_of(unit.id)?;
            let open = rows.iter().filter(|row| row.is_open()).count();
            unit.open_conflicts = u32::try_from(open).unwrap_or(u32::MAX);
            writing.put_unit_over(old.as_ref(), &unit)?;
            Ok(unit)
        })
    }

    /// Brings a deleted unit back as it was, with its history: revisions that were made of it
    /// between then and its deletion stay, and its head is a new one after them.
    ///
    /// # Errors
    /// [`Error::Exists`] when its slug is taken, and when the store cannot be used; the
    /// transaction is poisoned then.
    pub fn revive_unit(&mut self, unit: &Unit, stored: &[u8]) -> Result<bool, Error> {
        let newest = self.newest_revision(unit.id)?;
        let Some((num, data)) = newest.filter(|(num, _)| *num > unit.head) else {
            self.restore(&Key::Unit(unit.id), Some(stored))?;
            return Ok(false);
        };
        let mut moved = unit.clone();
        moved.head = num;
        moved.data = data;
        self.restore(&Key::Unit(unit.id), Some(&codec::encode(&moved)))?;
        Ok(true)
    }

    fn newest_revision(&self, unit: UnitId) -> Result<Option<(u32, Hash)>, Error> {
        let newest = self.revisions(unit, 1)?.into_iter().next();
        Ok(newest.map(|revision| (revision.num, revision.data)))
    }
}
