//! Reads of targets, workers, filters, functions and the sandbox's records.

use std::ops::ControlFlow;

use super::key::{IN_SPACE, Key, prefix};
use super::{Error, View};
use crate::id::{ApplyId, Slug, SpaceId, UnitId};
use crate::model::{Apply, ChangeSet, Filter, InstalledFunction, Intent, Probe, Target, Worker};
use crate::store::{Range, Visit};

impl View {
    /// A target by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_target(&self, slug: &Slug) -> Result<Option<Target>, Error> {
        self.find(&Key::Target(slug.clone()), slug)
    }

    /// All targets, sorted by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn targets(&self) -> Result<Vec<Target>, Error> {
        self.records(&Range::prefix(&prefix::of(b'a')), usize::MAX)
    }

    /// A changeset by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_changeset(&self, slug: &Slug) -> Result<Option<ChangeSet>, Error> {
        self.find(&Key::ChangeSet(slug.clone()), slug)
    }

    /// All changesets, sorted by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn changesets(&self) -> Result<Vec<ChangeSet>, Error> {
        self.records(&Range::prefix(&prefix::of(b'h')), usize::MAX)
    }

    /// The changesets that are being applied just now, or were when their process ended: nearly
    /// always none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn intents(&self) -> Result<Vec<Intent>, Error> {
        self.records(&Range::prefix(&prefix::of(b'i')), usize::MAX)
    }

    /// An apply by its number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_apply(&self, id: ApplyId) -> Result<Option<Apply>, Error> {
        self.find(&Key::Apply(id), id)
    }

    /// The newest applies, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn applies(&self, limit: usize) -> Result<Vec<Apply>, Error> {
        self.records(&Range::prefix(&prefix::of(b'd')).descending(), limit)
    }

    /// The applies that have not ended, the oldest first: nearly always none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open_applies(&self) -> Result<Vec<Apply>, Error> {
        let mut open = Vec::new();
        let range = Range::prefix(&prefix::of(b'O'));
        self.snapshot().scan(&range, &mut |key, _| {
            if let Some(Key::OpenApply(id)) = Key::decode(key) {
                open.push(id);
            }
            ControlFlow::Continue(())
        })?;
        let applies = open.into_iter().map(|id| self.get(&Key::Apply(id), id));
        applies.collect()
    }

    /// What a unit has on a target, as that target's code wrote it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn inventory(&self, unit: UnitId, target: &Slug) -> Result<Option<Vec<u8>>, Error> {
        let key = Key::Inventory(unit, target.clone());
        Ok(self.snapshot().get(&key.encode())?)
    }

    /// The targets on which a unit has anything, sorted by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn inventoried(&self, unit: UnitId) -> Result<Vec<Slug>, Error> {
        let mut targets = Vec::new();
        let range = Range::prefix(&prefix::inventories_of(unit));
        self.snapshot().scan(&range, &mut |key, _| {
            if let Some(Key::Inventory(_, target)) = Key::decode(key) {
                targets.push(target);
            }
            ControlFlow::Continue(())
        })?;
        Ok(targets)
    }

    /// The last sign of life of a worker's process; none where it never ran.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn heartbeat(&self, space: SpaceId, worker: &Slug) -> Result<Option<Probe>, Error> {
        self.find(&Key::Heartbeat(space, worker.clone()), worker)
    }

    /// A worker of a space by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_worker(&self, space: SpaceId, slug: &Slug) -> Result<Option<Worker>, Error> {
        self.find(&Key::Worker(space, slug.clone()), slug)
    }

    /// The workers of a space, sorted by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn workers_in(&self, space: SpaceId) -> Result<Vec<Worker>, Error> {
        self.records(&Range::prefix(&prefix::workers_of(space)), usize::MAX)
    }

    /// All workers, sorted by the number of their space and then by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn workers(&self) -> Result<Vec<Worker>, Error> {
        self.records(&Range::prefix(&prefix::of(b'w')), usize::MAX)
    }

    /// A filter of a space, or of the store where none is given, by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_filter(
        &self,
        space: Option<SpaceId>,
        slug: &Slug,
    ) -> Result<Option<Filter>, Error> {
        self.find(&Key::Filter(space, slug.clone()), slug)
    }

    /// The filters of a space, sorted by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn filters_in(&self, space: SpaceId) -> Result<Vec<Filter>, Error> {
        self.records(&Range::prefix(&prefix::filters_of(space)), usize::MAX)
    }

    /// All filters, those of the store first, then by the number of their space, and by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn filters(&self) -> Result<Vec<Filter>, Error> {
        self.records(&Range::prefix(&prefix::of(b'f')), usize::MAX)
    }

    /// An installed function by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_function(&self, name: &Slug) -> Result<Option<InstalledFunction>, Error> {
        self.find(&Key::Function(name.clone()), name)
    }

    /// All installed functions, sorted by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn functions(&self) -> Result<Vec<InstalledFunction>, Error> {
        self.records(&Range::prefix(&prefix::of(b'l')), usize::MAX)
    }

    /// What a space holds beside its units, kind by kind, with how many there are; kinds of which
    /// there are none are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn contents_of(&self, space: SpaceId) -> Result<Vec<(&'static str, usize)>, Error> {
        let mut contents = Vec::new();
        for (kind, letter) in IN_SPACE {
            match self.keys_in_space(letter, space)?.len() {
                0 => {}
                count => contents.push((kind, count)),
            }
        }
        Ok(contents)
    }

    /// The keys of one kind of record that belong to a space.
    pub(super) fn keys_in_space(&self, letter: u8, space: SpaceId) -> Result<Vec<Key>, Error> {
        let mut keys = Vec::new();
        let range = Range::prefix(&prefix::in_space(letter, space));
        self.snapshot().scan(&range, &mut |key, _| {
            keys.extend(Key::decode(key));
            ControlFlow::Continue(())
        })?;
        Ok(keys)
    }

    /// A record of the sandbox.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn cluster_record(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.snapshot().get(&Key::Cluster(key.to_vec()).encode())?)
    }

    /// Visits the records of the sandbox whose keys begin with `prefix`, in the order of the keys.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn scan_cluster(&self, prefix: &[u8], f: &mut Visit<'_>) -> Result<(), Error> {
        let range = Range::prefix(&Key::Cluster(prefix.to_vec()).encode());
        Ok(self
            .snapshot()
            .scan(&range, &mut |key, value| f(&key[1..], value))?)
    }
}
