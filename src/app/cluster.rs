//! The sandbox's cluster in the store: it is written in the transaction that deploys.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::db::Transaction;
use crate::deploy::{ClusterState, Sandbox, StateError};
use crate::error::{Error, Kind, Result};

/// A transaction that can be handed to a target and taken back.
pub(crate) struct Slot(Option<Transaction>);

impl Slot {
    pub(crate) fn new(transaction: Transaction) -> Self {
        Self(Some(transaction))
    }

    pub(crate) fn into_transaction(self) -> Result<Transaction> {
        self.0.ok_or_else(lost)
    }

    /// Takes the transaction out, to be put back.
    pub(crate) fn take(&mut self) -> Result<Transaction> {
        self.0.take().ok_or_else(lost)
    }

    pub(crate) fn transaction(&mut self) -> Result<&mut Transaction> {
        self.0.as_mut().ok_or_else(lost)
    }

    /// Runs `work` with the sandbox whose cluster is in the transaction.
    pub(crate) fn with_sandbox<T>(
        &mut self,
        work: impl FnOnce(&Sandbox) -> Result<T>,
    ) -> Result<T> {
        let state = Arc::new(Records(Mutex::new(self.0.take().ok_or_else(lost)?)));
        let sandbox = Sandbox::new(Arc::clone(&state) as Arc<dyn ClusterState>);
        let result = work(&sandbox);
        drop(sandbox);
        let records = Arc::into_inner(state).ok_or_else(lost)?;
        self.0 = Some(
            records
                .0
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        );
        result
    }
}

fn lost() -> Error {
    Error::new(Kind::Internal, "the transaction of a deployment was lost")
}

struct Records(Mutex<Transaction>);

impl Records {
    fn transaction(&self) -> MutexGuard<'_, Transaction> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(error: crate::db::Error) -> StateError {
    StateError(Box::new(error))
}

impl ClusterState for Records {
    fn get(&self, key: &str) -> std::result::Result<Option<Vec<u8>>, StateError> {
        self.transaction()
            .cluster_record(key.as_bytes())
            .map_err(failed)
    }

    fn put(&self, key: &str, value: &[u8]) -> std::result::Result<(), StateError> {
        let mut transaction = self.transaction();
        if transaction
            .cluster_record(key.as_bytes())
            .map_err(failed)?
            .as_deref()
            == Some(value)
        {
            return Ok(());
        }
        transaction
            .put_cluster(key.as_bytes(), value.to_vec())
            .map_err(failed)
    }

    fn delete(&self, key: &str) -> std::result::Result<(), StateError> {
        self.transaction()
            .delete_cluster(key.as_bytes())
            .map_err(failed)
    }

    fn scan(&self, prefix: &str) -> std::result::Result<Vec<(String, Vec<u8>)>, StateError> {
        let mut found = Vec::new();
        self.transaction()
            .scan_cluster(prefix.as_bytes(), &mut |key, value| {
                found.push((String::from_utf8_lossy(key).into_owned(), value.to_vec()));
                ControlFlow::Continue(())
            })
            .map_err(failed)?;
        Ok(found)
    }
}
