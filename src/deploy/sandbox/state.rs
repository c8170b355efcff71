//! Where the sandbox keeps its cluster: records by key, and what they hold.
//!
//! | key | holds |
//! | --- | --- |
//! | `clock` | milliseconds since the cluster was made |
//! | `object/GROUP/KIND/NAMESPACE/NAME` | [`Held`] |
//! | `unit/STORE/NUMBER` | [`Remembered`] |
//! | `fault/…` | a [`Fault`](super::Fault) |

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::deploy::error::{Error, StateError};
use crate::deploy::object::{Object, Owner};
use crate::yaml::ResourceId;

use super::workload::Pods;

/// Where the sandbox keeps its cluster.
///
/// What one call of a target's method writes should become true together; whoever implements this
/// decides when that is (the database: when the transaction commits). After a failed apply the
/// records hold what was sent before the failure, as a cluster would.
pub trait ClusterState: Send + Sync {
    /// The record under a key.
    ///
    /// # Errors
    /// When the records cannot be read.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError>;

    /// Writes a record.
    ///
    /// # Errors
    /// When it cannot be written.
    fn put(&self, key: &str, value: &[u8]) -> Result<(), StateError>;

    /// Removes a record, if it is there.
    ///
    /// # Errors
    /// When it cannot be written.
    fn delete(&self, key: &str) -> Result<(), StateError>;

    /// All records whose keys begin so, sorted by key.
    ///
    /// # Errors
    /// When the records cannot be read.
    fn scan(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StateError>;
}

/// A cluster kept in memory.
#[derive(Debug, Default)]
pub struct MemoryState(Mutex<BTreeMap<String, Vec<u8>>>);

impl MemoryState {
    fn records(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        // Each use leaves the map whole, so a panic of another thread does no harm.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClusterState for MemoryState {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.records().get(key).cloned())
    }

    fn put(&self, key: &str, value: &[u8]) -> Result<(), StateError> {
        self.records().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn delete(&self, key: &str) -> Result<(), StateError> {
        self.records().remove(key);
        Ok(())
    }

    fn scan(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let records = self.records();
        let found = records
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix));
        Ok(found
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }
}

/// An object in the cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Held {
    /// As its owner applied it.
    pub(super) applied: Object,
    /// As it is, if somebody changed it since.
    pub(super) changed: Option<Value>,
    /// Who changed which field, by path.
    pub(super) managers: BTreeMap<String, String>,
    /// Whose it is; `None` for what the sandbox itself made.
    pub(super) owner: Option<Owner>,
    /// The pods, if it is a workload.
    pub(super) pods: Option<Pods>,
}

impl Held {
    /// The object as it is.
    pub(super) fn live(&self) -> &Value {
        self.changed.as_ref().unwrap_or(&self.applied.value)
    }
}

/// What a unit has in the cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// The revision last sent.
    pub(super) revision: u32,
    /// Its objects, in the order of applying.
    pub(super) objects: Vec<ResourceId>,
}

pub(super) const CLOCK: &str = "clock";

pub(super) fn object_key(id: &ResourceId) -> String {
    format!("object/{}", id.full())
}

pub(super) fn unit_key(owner: &Owner) -> String {
    format!("unit/{}/{}", owner.store, owner.unit.0)
}

/// Typed access to the records.
pub(super) struct Records<'a>(pub(super) &'a dyn ClusterState);

impl Records<'_> {
    pub(super) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let Some(bytes) = self.0.get(key)? else {
            return Ok(None);
        };
        decode(key, &bytes).map(Some)
    }

    pub(super) fn put<T: Serialize>(&self, key: &str, record: &T) -> Result<(), Error> {
        let bytes = serde_json::to_vec(record).map_err(|_| Error::Corrupt {
            key: key.to_owned(),
        })?;
        Ok(self.0.put(key, &bytes)?)
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), Error> {
        Ok(self.0.delete(key)?)
    }

    pub(super) fn scan<T: DeserializeOwned>(&self, prefix: &str) -> Result<Vec<T>, Error> {
        let found = self.0.scan(prefix)?;
        found
            .iter()
            .map(|(key, bytes)| decode(key, bytes))
            .collect()
    }

    pub(super) fn now(&self) -> Result<u64, Error> {
        Ok(self.get(CLOCK)?.unwrap_or(0))
    }
}

fn decode<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|_| Error::Corrupt {
        key: key.to_owned(),
    })
}
