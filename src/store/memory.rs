//! A store in memory, for tests.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::embedded::DEFAULT_LOCK_TIMEOUT;
use super::gate::{Gate, Pass, Patience};
use super::{Batch, Changes, Error, OnWait, Range, Snapshot, Store, Visit, Writer};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store that lives as long as this value and its clones.
///
/// ```
/// use windlass::store::{Batch, Memory, Store};
///
/// let store = Memory::new();
/// let mut writer = store.write("test").unwrap();
/// let mut batch = Batch::default();
/// batch.put("key", "value");
/// writer.apply(batch).unwrap();
/// writer.commit().unwrap();
/// assert_eq!(store.read().unwrap().get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
/// ```
#[derive(Clone)]
pub struct Memory {
    map: Arc<RwLock<Arc<Map>>>,
    gate: Arc<Gate>,
    lock_timeout: Duration,
    on_wait: Option<OnWait>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self {
            map: Arc::default(),
            gate: Arc::default(),
            lock_timeout: DEFAULT_LOCK_TIMEOUT,
            on_wait: None,
        }
    }

    /// Sets how long a writer waits for another.
    #[must_use]
    pub fn with_lock_timeout(mut self, lock_timeout: Duration) -> Self {
        self.lock_timeout = lock_timeout;
        self
    }

    /// Sets who is told for whom a writer waits.
    #[must_use]
    pub fn with_on_wait(mut self, on_wait: OnWait) -> Self {
        self.on_wait = Some(on_wait);
        self
    }

    fn map(&self) -> Arc<Map> {
        Arc::clone(&self.map.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for Memory {
    fn read(&self) -> Result<Box<dyn Snapshot>, Error> {
        Ok(Box::new(MapSnapshot(self.map())))
    }

    fn write(&self, intent: &str) -> Result<Box<dyn Writer>, Error> {
        let mut patience = Patience::new(self.lock_timeout, self.on_wait.clone());
        let pass = self
            .gate
            .enter(intent, &mut patience)
            .map_err(|holder| Error::Locked {
                path: PathBuf::from("memory"),
                waited: patience.waited(),
                holder,
            })?;
        Ok(Box::new(MemoryWriter {
            base: MapSnapshot(self.map()),
            changes: Changes::default(),
            store: self.clone(),
            _pass: pass,
        }))
    }

    fn exists(&self) -> bool {
        true
    }
}

/// The whole map as it was.
pub(super) struct MapSnapshot(Arc<Map>);

impl MapSnapshot {
    /// A store in which nothing is.
    pub(super) fn empty() -> Self {
        Self(Arc::default())
    }
}

impl Snapshot for MapSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.get(key).cloned())
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        Ok(keys.iter().map(|key| self.0.get(key).cloned()).collect())
    }

    fn get_with(&self, key: &[u8], f: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), Error> {
        f(self.0.get(key).map(Vec::as_slice));
        Ok(())
    }

    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        let mut found = self.0.range::<[u8], _>(range.bounds());
        while let Some((key, value)) = if range.is_descending() {
            found.next_back()
        } else {
            found.next()
        } {
            if f(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

struct MemoryWriter {
    base: MapSnapshot,
    changes: Changes,
    store: Memory,
    _pass: Pass,
}

impl Snapshot for MemoryWriter {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.changes.get_over(&self.base, key)
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.changes.get_many_over(&self.base, keys)
    }

    fn get_with(&self, key: &[u8], f: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), Error> {
        self.changes.get_with_over(&self.base, key, f)
    }

    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> Result<(), Error> {
        self.changes.scan_over(&self.base, range, f)
    }
}

impl Writer for MemoryWriter {
    fn apply(&mut self, batch: Batch) -> Result<(), Error> {
        self.changes.apply(batch);
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), Error> {
        // The snapshot of this writer must go first, or every commit would copy the whole map.
        self.base = MapSnapshot::empty();
        let mut shared = self
            .store
            .map
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let map = Arc::make_mut(&mut shared);
        for (key, value) in self.changes.take() {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        Ok(())
    }
}
