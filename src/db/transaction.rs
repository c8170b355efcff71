//! Write transactions: records with their indexes and before-images, and the operation at the end.

use std::collections::BTreeMap;
use std::ops::Deref;

use super::buffer::Buffer;
use super::codec;
use super::index::{self, Entry};
use super::key::{Counter, IN_SPACE, Key};
use super::log::{Before, Recorder, seal};
use super::pack::Open;
use super::{Error, FORMAT, View};
use crate::clock::{Clock, Timestamp};
use crate::id::{ApplyId, ConflictId, OpId, RunId, Slug, SpaceId, UnitId};
use crate::model::{
    Apply, ChangeSet, Conflict, Filter, Hash, InstalledFunction, Intent, Operation, Space, Target,
    Unit, Worker,
};
use crate::store::Writer;

/// An open write transaction. It reads like a [`View`], its own writes included.
///
/// Whatever it writes is one operation. Dropping it writes nothing. The first error of a write
/// method poisons it: every later write, and [`Transaction::finish`], fails.
pub struct Transaction {
    view: View,
    clock: Clock,
    at: Timestamp,
    op: OpId,
    recorder: Recorder,
    counters: BTreeMap<Counter, u64>,
    poisoned: Option<String>,
    /// The revisions made here that a later write of the same step amends.
    pub(super) amendable: BTreeMap<UnitId, u32>,
}

/// What an operation says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperationDraft {
    /// What it did, such as `patch`.
    pub verb: String,
    /// Its arguments, a JSON text.
    pub args: String,
    /// Who made it.
    pub actor: String,
    /// What the actor said about it.
    pub message: Option<String>,
    /// The run of a script or command that it belongs to.
    pub run: Option<RunId>,
}

impl OperationDraft {
    /// An operation without arguments, message or run.
    pub fn new(verb: impl Into<String>, actor: impl Into<String>) -> Self {
        Self {
            verb: verb.into(),
            args: "{}".to_owned(),
            actor: actor.into(),
            message: None,
            run: None,
        }
    }
}

impl Deref for Transaction {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

/// Beginning and end.
impl Transaction {
    pub(super) fn begin(writer: Box<dyn Writer>, clock: Clock) -> Result<Self, Error> {
        let at = clock.now();
        let view = View::of_buffer(Buffer::new(writer), at);
        view.check_format()?;
        let last = view.counter(Counter::Operation)?;
        Ok(Self {
            view,
            clock,
            at,
            op: OpId(last + 1),
            recorder: Recorder::default(),
            counters: BTreeMap::new(),
            poisoned: None,
            amendable: BTreeMap::new(),
        })
    }

    /// When the transaction began: the time of everything it writes.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The number that its operation will have.
    pub fn op(&self) -> OpId {
        self.op
    }

    /// Begins a step: revisions made so far stay as they are, later writes make new ones.
    ///
    /// Within a step a unit gets at most one new revision.
    pub fn next_step(&mut self) {
        self.amendable.clear();
    }

    /// The clock by which it is dated.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Makes everything written so far, given numbers and half-filled packs included, readable
    /// for a transaction that is laid over this one.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn settle(&mut self) -> Result<(), Error> {
        for (counter, last) in &self.counters {
            let key = Key::Counter(*counter).encode();
            self.view
                .buffer()
                .insert(key, Some(last.to_be_bytes().to_vec()));
        }
        self.flush()
    }

    /// Whether it makes the store.
    pub fn is_first(&mut self) -> bool {
        self.view.buffer().is_first()
    }

    /// Whether it has changed anything so far.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn is_changed(&mut self) -> Result<bool, Error> {
        self.flush()?;
        Ok(!self.recorder.is_empty())
    }

    /// Commits everything as one operation; none, and nothing is written, when nothing changed.
    ///
    /// # Errors
    /// [`Error::Poisoned`] after an earlier error, the store's preview error for an overlay, and
    /// when the disk refuses. Nothing is written then.
    pub fn finish(mut self, draft: OperationDraft) -> Result<Option<Operation>, Error> {
        self.flush()?;
        if self.recorder.is_empty() {
            return Ok(None);
        }
        let previous = match self.op.0 - 1 {
            0 => Hash::ZERO,
            last => self.operation(OpId(last))?.hash,
        };
        let (units, parts, changes) = std::mem::take(&mut self.recorder).finish();
        let mut operation = Operation {
            id: self.op,
            at: self.at,
            actor: draft.actor,
            verb: draft.verb,
            args: draft.args,
            units,
            run: draft.run,
            message: draft.message,
            clock_fixed: self.clock.is_fixed(),
            parts,
            changes,
            previous,
            hash: Hash::ZERO,
        };
        let stored = seal(&mut operation);
        self.counters.insert(Counter::Operation, self.op.0);
        let counters = std::mem::take(&mut self.counters);
        let mut buffer = self.view.into_buffer();
        buffer.insert(Key::Operation(operation.id).encode(), Some(stored));
        for (key, value) in index::of_operation(&operation) {
            buffer.insert(key.encode(), Some(value));
        }
        for (counter, last) in counters {
            let key = Key::Counter(counter).encode();
            buffer.insert(key, Some(last.to_be_bytes().to_vec()));
        }
        buffer.insert(Key::Format.encode(), Some(vec![FORMAT]));
        buffer.commit()?;
        Ok(Some(operation))
    }

    fn next(&mut self, counter: Counter) -> Result<u64, Error> {
        let last = match self.counters.get(&counter) {
            Some(last) => *last,
            None => self.view.counter(counter)?,
        };
        self.counters.insert(counter, last + 1);
        Ok(last + 1)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.guarded(|writing| {
            writing.close_pack()?;
            let buffer = writing.view.buffer();
            writing.recorder.write_part(writing.op, buffer);
            Ok(buffer.flush()?)
        })
    }

    /// Runs a write; an error of it ends the transaction.
    pub(super) fn guarded<R>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<R, Error>,
    ) -> Result<R, Error> {
        if let Some(cause) = &self.poisoned {
            return Err(Error::Poisoned {
                op: self.op,
                cause: cause.clone(),
            });
        }
        write(self).inspect_err(|error| self.poisoned = Some(error.to_string()))
    }
}

/// Numbers. One that is given but not used for anything that is written is given again.
impl Transaction {
    /// A number for a new space.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new_space_id(&mut self) -> Result<SpaceId, Error> {
        self.next(Counter::Space).map(SpaceId)
    }

    /// A number for a new unit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new_unit_id(&mut self) -> Result<UnitId, Error> {
        self.next(Counter::Unit).map(UnitId)
    }

    /// A number for a new conflict.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new_conflict_id(&mut self) -> Result<ConflictId, Error> {
        self.next(Counter::Conflict).map(ConflictId)
    }

    /// A number for the run that this operation is the first of.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new_run_id(&mut self) -> Result<RunId, Error> {
        self.next(Counter::Run).map(RunId)
    }

    /// A number for a call of apply or destroy.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new_apply_id(&mut self) -> Result<ApplyId, Error> {
        self.next(Counter::Apply).map(ApplyId)
    }
}

/// Spaces and units.
impl Transaction {
    /// Writes a space, new or not.
    ///
    /// # Errors
    /// [`Error::Exists`] when another space has the slug, and when the store cannot be used; the
    /// transaction is poisoned then.
    pub fn put_space(&mut self, space: &Space) -> Result<(), Error> {
        self.guarded(|writing| {
            let old = writing.find::<Space>(&Key::Space(space.id), space.id)?;
            let entries = index::of_space(space);
            writing.put_entries(
                &old.iter().flat_map(index::of_space).collect::<Vec<_>>(),
                &entries,
            )?;
            writing.put_record(&Key::Space(space.id), Some(codec::encode(space)))?;
            Ok(())
        })
    }

    /// Deletes an empty space.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] when anything is in it; and when the store cannot be
    /// used. The transaction is poisoned then.
    pub fn delete_space(&mut self, space: SpaceId) -> Result<(), Error> {
        self.guarded(|writing| {
            let old = writing.space(space)?;
            let units = ("unit", writing.unit_ids_in(space)?.len());
            let others = writing.contents_of(space)?;
            let found: Vec<String> = std::iter::once(units)
                .filter(|(_, count)| *count > 0)
                .chain(others)
                .map(|(kind, count)| format!("{count} {kind}{}", if count == 1 { "" } else { "s" }))
                .collect();
            if !found.is_empty() {
                return Err(Error::InUse {
                    what: "space",
                    which: old.slug.to_string(),
                    found: found.join(" and "),
                });
            }
            writing.put_entries(&index::of_space(&old), &[])?;
            writing.put_record(&Key::Space(space), None)?;
            Ok(())
        })
    }

    /// Deletes what a space holds beside its units: workers and the like.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn clear_space(&mut self, space: SpaceId) -> Result<(), Error> {
        self.guarded(|writing| {
            for (_, letter) in IN_SPACE {
                for key in writing.keys_in_space(letter, space)? {
                    writing.put_record(&key, None)?;
                }
            }
            Ok(())
        })
    }

    /// Writes the record of a unit, new or not; its data is written by
    /// [`Transaction::write_revision`]. [`Unit::open_conflicts`] stays what it is: it is counted.
    ///
    /// # Errors
    /// [`Error::Exists`] when another unit of the space has the slug, [`Error::NotFound`] when the
    /// space is not there, and when the store cannot be used. The transaction is poisoned then.
    pub fn put_unit(&mut self, unit: &Unit) -> Result<(), Error> {
        self.guarded(|writing| {
            let old = writing.find_unit_by_id(unit.id)?;
            let mut unit = unit.clone();
            unit.open_conflicts = old.as_ref().map_or(0, |old| old.open_conflicts);
            writing.put_unit_over(old.as_ref(), &unit)
        })
    }

    /// Deletes a unit with its conflicts. Its revisions and data stay, as evidence.
    ///
    /// # Errors
    /// [`Error::NotFound`], and when the store cannot be used; the transaction is poisoned then.
    pub fn delete_unit(&mut self, unit: UnitId) -> Result<(), Error> {
        self.guarded(|writing| {
            let old = writing.unit(unit)?;
            for conflict in writing.conflicts_of(unit)? {
                writing.put_entries(&index::of_conflict(&conflict), &[])?;
                writing.put_record(&Key::Conflict(conflict.id), None)?;
            }
            writing.put_entries(&index::of_unit(&old), &[])?;
            writing.recorder.touch(unit);
            writing.put_record(&Key::Unit(unit), None)?;
            Ok(())
        })
    }

    /// Writes the record of a unit over what is known to be stored.
    pub(super) fn put_unit_over(&mut self, old: Option<&Unit>, unit: &Unit) -> Result<(), Error> {
        let same_place = old.is_some_and(|old| old.space == unit.space);
        if !same_place
            && self
                .snapshot()
                .get(&Key::Space(unit.space).encode())?
                .is_none()
        {
            return Err(Error::NotFound {
                what: "space",
                which: unit.space.to_string(),
            });
        }
        if old.is_none_or(|old| !index::same_of_unit(old, unit)) {
            let gone = old.map(index::of_unit).unwrap_or_default();
            self.put_entries(&gone, &index::of_unit(unit))?;
        }
        if self.put_record(&Key::Unit(unit.id), Some(codec::encode(unit)))? {
            self.recorder.touch(unit.id);
        }
        Ok(())
    }
}

/// Conflicts, targets, workers, filters, functions and the sandbox's records.
impl Transaction {
    /// Writes a conflict, new or not, and counts the open ones of its unit.
    ///
    /// # Errors
    /// [`Error::NotFound`] when its unit is not there, and when the store cannot be used; the
    /// transaction is poisoned then.
    pub fn put_conflict(&mut self, conflict: &Conflict) -> Result<(), Error> {
        self.guarded(|writing| {
            let key = Key::Conflict(conflict.id);
            let old = writing.find::<Conflict>(&key, conflict.id)?;
            let was_open = old.as_ref().is_some_and(Conflict::is_open);
            let gone: Vec<Entry> = old.iter().flat_map(index::of_conflict).collect();
            writing.put_entries(&gone, &index::of_conflict(conflict))?;
            if writing.put_record(&key, Some(codec::encode(conflict)))? {
                writing.recorder.touch(conflict.unit);
            }
            writing.count_open(conflict.unit, was_open, conflict.is_open())
        })
    }

    /// Deletes a conflict, as when a later merge of the same path replaces it.
    ///
    /// # Errors
    /// [`Error::NotFound`], and when the store cannot be used; the transaction is poisoned then.
    pub fn delete_conflict(&mut self, conflict: ConflictId) -> Result<(), Error> {
        self.guarded(|writing| {
            let old = writing.conflict(conflict)?;
            writing.put_entries(&index::of_conflict(&old), &[])?;
            writing.put_record(&Key::Conflict(conflict), None)?;
            writing.recorder.touch(old.unit);
            writing.count_open(old.unit, old.is_open(), false)
        })
    }

    fn count_open(&mut self, unit: UnitId, was: bool, is: bool) -> Result<(), Error> {
        if was != is {
            let old = self.unit(unit)?;
            let mut unit = old.clone();
            unit.open_conflicts = if is {
                unit.open_conflicts.saturating_add(1)
            } else {
                unit.open_conflicts.saturating_sub(1)
            };
            self.put_unit_over(Some(&old), &unit)?;
        }
        Ok(())
    }

    /// Writes a target, new or not.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_target(&mut self, target: &Target) -> Result<(), Error> {
        let key = Key::Target(target.slug.clone());
        self.put_plain(&key, Some(codec::encode(target)))
    }

    /// Deletes a target; nothing happens when it is not there.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn delete_target(&mut self, slug: &Slug) -> Result<(), Error> {
        let key = Key::Target(slug.clone());
        self.put_plain(&key, None)
    }

    /// Writes a changeset, new or not.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_changeset(&mut self, changeset: &ChangeSet) -> Result<(), Error> {
        let key = Key::ChangeSet(changeset.slug.clone());
        self.put_plain(&key, Some(codec::encode(changeset)))
    }

    /// Deletes a changeset; nothing happens when it is not there.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn delete_changeset(&mut self, slug: &Slug) -> Result<(), Error> {
        self.put_plain(&Key::ChangeSet(slug.clone()), None)
    }

    /// Writes the intent of a changeset, new or not.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_intent(&mut self, intent: &Intent) -> Result<(), Error> {
        let key = Key::Intent(intent.changeset.clone());
        self.put_plain(&key, Some(codec::encode(intent)))
    }

    /// Closes the intent of a changeset; nothing happens when it is not there.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn delete_intent(&mut self, changeset: &Slug) -> Result<(), Error> {
        self.put_plain(&Key::Intent(changeset.clone()), None)
    }

    /// Writes an apply, new or not.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_apply(&mut self, apply: &Apply) -> Result<(), Error> {
        self.guarded(|writing| {
            let old = writing.find_apply(apply.id)?;
            let gone = old.as_ref().map(index::of_apply).unwrap_or_default();
            writing.put_entries(&gone, &index::of_apply(apply))?;
            writing.put_record(&Key::Apply(apply.id), Some(codec::encode(apply)))?;
            Ok(())
        })
    }

    /// Writes what a unit has on a target; it has nothing there where this is none.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_inventory(
        &mut self,
        unit: UnitId,
        target: &Slug,
        inventory: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        self.put_plain(&Key::Inventory(unit, target.clone()), inventory)
    }

    /// Writes a worker, new or not.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_worker(&mut self, worker: &Worker) -> Result<(), Error> {
        let key = Key::Worker(worker.space, worker.slug.clone());
        self.put_plain(&key, Some(codec::encode(worker)))
    }

    /// Deletes a worker; nothing happens when it is not there.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn delete_worker(&mut self, space: SpaceId, slug: &Slug) -> Result<(), Error> {
        let key = Key::Worker(space, slug.clone());
        self.put_plain(&key, None)
    }

    /// Writes a filter, new or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] when its space is not there, and when the store cannot be used; the
    /// transaction is poisoned then.
    pub fn put_filter(&mut self, filter: &Filter) -> Result<(), Error> {
        if let Some(space) = filter.space {
            self.guarded(|writing| writing.space(space).map(drop))?;
        }
        let key = Key::Filter(filter.space, filter.slug.clone());
        self.put_plain(&key, Some(codec::encode(filter)))
    }

    /// Deletes a filter; nothing happens when it is not there.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn delete_filter(&mut self, space: Option<SpaceId>, slug: &Slug) -> Result<(), Error> {
        self.put_plain(&Key::Filter(space, slug.clone()), None)
    }

    /// Installs a function, or gives an installed one another text.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_function(&mut self, function: &InstalledFunction) -> Result<(), Error> {
        let key = Key::Function(function.name.clone());
        self.put_plain(&key, Some(codec::encode(function)))
    }

    /// Uninstalls a function; nothing happens when it is not there.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn delete_function(&mut self, name: &Slug) -> Result<(), Error> {
        self.put_plain(&Key::Function(name.clone()), None)
    }

    /// Writes a record of the sandbox. The log keeps only the hash of what was there before:
    /// an undo never touches a cluster.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_cluster(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), Error> {
        let key = Key::Cluster(key.to_vec());
        self.put_plain(&key, Some(value))
    }

    /// Deletes a record of the sandbox; nothing happens when it is not there.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn delete_cluster(&mut self, key: &[u8]) -> Result<(), Error> {
        let key = Key::Cluster(key.to_vec());
        self.put_plain(&key, None)
    }
}

/// Keys and values.
impl Transaction {
    /// Writes or deletes a record that nothing else depends on.
    fn put_plain(&mut self, key: &Key, value: Option<Vec<u8>>) -> Result<(), Error> {
        self.guarded(|writing| writing.put_record(key, value).map(drop))
    }

    /// Writes or deletes a record, noting what was there before. An equal value changes nothing,
    /// and false says so.
    pub(super) fn put_record(&mut self, key: &Key, value: Option<Vec<u8>>) -> Result<bool, Error> {
        let encoded = key.encode();
        let current = self.snapshot().get(&encoded)?;
        if current == value {
            return Ok(false);
        }
        if !self.recorder.knows(&encoded) {
            let before = match (key, current) {
                (_, None) => Before::Nothing,
                (Key::Cluster(_) | Key::Inventory(..), Some(bytes)) => {
                    Before::Hash(Hash::of(&bytes))
                }
                (_, Some(bytes)) => Before::Record(bytes),
            };
            self.recorder.note(encoded.clone(), before);
        }
        self.insert(encoded, value)?;
        Ok(true)
    }

    /// Puts a text and its tree into the pack that is being filled.
    pub(super) fn put_packed(&mut self, hash: Hash, text: &[u8], tree: &[u8]) -> Result<(), Error> {
        let is_full = |open: &Option<Open>| {
            open.as_ref()
                .is_some_and(|open| open.is_full_with(text, tree))
        };
        if is_full(self.buffer().open()) {
            self.close_pack()?;
        }
        if self.buffer().open().is_none() {
            let number = self.next(Counter::Pack)?;
            *self.buffer().open() = Some(Open::new(number));
        }
        if let Some(open) = self.buffer().open() {
            let place = open.add(hash, text, tree);
            self.insert(Key::Text(hash).encode(), Some(place.encode()))?;
        }
        Ok(())
    }

    /// Writes the pack that was being filled.
    fn close_pack(&mut self) -> Result<(), Error> {
        let Some(open) = self.buffer().open().take() else {
            return Ok(());
        };
        let key = Key::Pack(open.number()).encode();
        self.recorder.note(key.clone(), Before::Nothing);
        self.insert(key, Some(open.into_bytes()))
    }

    pub(super) fn buffer(&mut self) -> &mut Buffer {
        self.view.buffer()
    }

    /// Writes content under its hash, unless it is there.
    pub(super) fn put_content(
        &mut self,
        key: &Key,
        make: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), Error> {
        let encoded = key.encode();
        let mut is_there = false;
        self.snapshot()
            .get_with(&encoded, &mut |value| is_there = value.is_some())?;
        if is_there {
            return Ok(());
        }
        self.recorder.note(encoded.clone(), Before::Nothing);
        self.insert(encoded, Some(make()))
    }

    /// Notes that the operation is about a unit.
    pub(super) fn touch(&mut self, unit: UnitId) {
        self.recorder.touch(unit);
    }

    /// Replaces the index entries of a record by those of its new state.
    pub(super) fn put_entries(&mut self, old: &[Entry], new: &[Entry]) -> Result<(), Error> {
        for entry in old.iter().filter(|entry| !new.contains(entry)) {
            self.insert(entry.0.encode(), None)?;
        }
        for entry in new.iter().filter(|entry| !old.contains(entry)) {
            let key = entry.0.encode();
            match &entry.0 {
                Key::SpaceSlug(slug) => self.check_unused(&key, "space", slug)?,
                Key::UnitSlug(_, slug) => self.check_unused(&key, "unit", slug)?,
                _ => {}
            }
            self.insert(key, Some(entry.1.clone()))?;
        }
        Ok(())
    }

    fn check_unused(&self, key: &[u8], what: &'static str, slug: &Slug) -> Result<(), Error> {
        match self.snapshot().get(key)? {
            None => Ok(()),
            Some(_) => Err(Error::Exists {
                what,
                which: slug.to_string(),
            }),
        }
    }

    fn insert(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), Error> {
        let buffer = self.view.buffer();
        buffer.insert(key, value);
        if buffer.is_full() {
            self.recorder.write_part(self.op, buffer);
            Ok(buffer.flush()?)
        } else {
            Ok(())
        }
    }
}
