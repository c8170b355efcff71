//! The write transaction of the embedded store: opened for it, closed after it.

use std::ops;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{CommitError, Database, ReadableTable as _, Table, TransactionError, WriteTransaction};

use super::{Note, OnCreate, Pass, TABLE, io_at, storage, table};
use crate::store::gate::Holder;
use crate::store::{Batch, Error, Range, Snapshot, Visit, Writer};

/// How much of a scan is copied at a time. The table cannot stay open meanwhile: who scans may
/// read other keys, and redb opens a table only once in a write transaction.
const SCAN_ENTRIES: usize = 512;
const SCAN_BYTES: usize = 256 << 10;

type Keys<'a> = Table<'a, &'static [u8], &'static [u8]>;

pub(super) struct EmbeddedWriter {
    path: PathBuf,
    /// None once it is committed or given up.
    transaction: Mutex<Option<WriteTransaction>>,
    poisoned: Option<String>,
    on_create: Option<OnCreate>,
    first: bool,
    // Dropped in this order: the note speaks only for who still has the lock, the file is closed
    // and its lock given back, and only then may the next writer of this process try.
    note: Option<Note>,
    database: Option<Database>,
    _pass: Pass,
}

impl EmbeddedWriter {
    pub(super) fn begin(
        path: &Path,
        database: Database,
        intent: &str,
        on_create: Option<OnCreate>,
        first: bool,
        pass: Pass,
    ) -> Result<Self, Error> {
        let note = Note::leave(path, &Holder::here(intent));
        let mut transaction = database.begin_write().map_err(|error| match error {
            TransactionError::Storage(error) => storage(path, error),
            other => io_at(path, std::io::Error::other(other.to_string())),
        })?;
        // Without it, whoever opens the store after a kill reads all of it first.
        transaction.set_quick_repair(true);
        Ok(Self {
            path: path.to_owned(),
            transaction: Mutex::new(Some(transaction)),
            poisoned: None,
            on_create,
            first,
            note: Some(note),
            database: Some(database),
            _pass: pass,
        })
    }

    fn transaction(&self) -> MutexGuard<'_, Option<WriteTransaction>> {
        self.transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), Error> {
        match &self.poisoned {
            Some(cause) => Err(Error::Poisoned {
                cause: cause.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Runs `f` on the table, which is open only meanwhile.
    fn with_keys<R>(
        &self,
        f: impl FnOnce(&mut Keys<'_>) -> Result<R, redb::StorageError>,
    ) -> Result<R, Error> {
        self.check()?;
        let held = self.transaction();
        let transaction = held
            .as_ref()
            .expect("only commit and drop take the transaction");
        let mut keys = transaction
            .open_table(TABLE)
            .map_err(|error| table(&self.path, error))?;
        f(&mut keys).map_err(|error| storage(&self.path, error))
    }
}

impl Snapshot for EmbeddedWriter {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.with_keys(|keys| Ok(keys.get(key)?.map(|value| value.value().to_vec())))
    }

    fn get_many(&self, wanted: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.with_keys(|keys| {
            wanted
                .iter()
                .map(|key| {
                    Ok(keys
                        .get(key.as_slice())?
                        .map(|value| value.value().to_vec()))
                })
                .collect()
        })
    }

    fn get_with(&self, key: &[u8], f: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), Error> {
        // Copied, because `f` may read another key, and the table cannot be open twice.
        let value = self.get(key)?;
        f(value.as_deref());
        Ok(())
    }

    fn get_part(
        &self,
        key: &[u8],
        part: ops::Range<usize>,
        f: &mut dyn FnMut(Option<&[u8]>),
    ) -> Result<(), Error> {
        let found = self.with_keys(|keys| {
            let value = keys.get(key)?;
            let found = value.as_ref().and_then(|value| value.value().get(part));
            Ok(found.map(<[u8]>::to_vec))
        })?;
        f(found.as_deref());
        Ok(())
    }

    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> Result<(), Error> {
        let mut rest = range.clone();
        while !rest.is_empty() {
            let (part, complete) = self.with_keys(|keys| copy_part(keys, &rest))?;
            for (key, value) in &part {
                if f(key, value).is_break() {
                    return Ok(());
                }
            }
            match part.last() {
                Some((last, _)) if !complete => rest = rest.after(last),
                _ => break,
            }
        }
        Ok(())
    }
}

type Part = Vec<(Vec<u8>, Vec<u8>)>;

/// Copies the beginning of a range; true when that was all of it.
fn copy_part(keys: &Keys<'_>, range: &Range) -> Result<(Part, bool), redb::StorageError> {
    let mut part = Part::new();
    let mut bytes = 0;
    let mut found = keys.range::<&[u8]>(range.bounds())?;
    while let Some(entry) = if range.is_descending() {
        found.next_back()
    } else {
        found.next()
    } {
        let (key, value) = entry?;
        bytes += key.value().len() + value.value().len();
        part.push((key.value().to_vec(), value.value().to_vec()));
        if part.len() == SCAN_ENTRIES || bytes >= SCAN_BYTES {
            return Ok((part, false));
        }
    }
    Ok((part, true))
}

impl Writer for EmbeddedWriter {
    fn apply(&mut self, batch: Batch) -> Result<(), Error> {
        let applied = self.with_keys(|keys| {
            for (key, value) in batch {
                match value {
                    Some(value) => drop(keys.insert(key.as_slice(), value.as_slice())?),
                    None => drop(keys.remove(key.as_slice())?),
                }
            }
            Ok(())
        });
        if let Err(error) = &applied
            && self.poisoned.is_none()
        {
            self.poisoned = Some(error.to_string());
        }
        applied
    }

    fn commit(mut self: Box<Self>) -> Result<(), Error> {
        self.check()?;
        let taken = self.transaction().take();
        let transaction = taken.expect("only this call and drop take the transaction");
        transaction.commit().map_err(|error| match error {
            CommitError::Storage(error) => storage(&self.path, error),
            other => Error::Poisoned {
                cause: other.to_string(),
            },
        })?;
        self.close();
        if let Some(on_create) = self.on_create.take() {
            on_create(&self.path);
        }
        Ok(())
    }

    fn is_first(&self) -> bool {
        self.first
    }
}

impl EmbeddedWriter {
    fn close(&mut self) {
        // Aborts, unless the transaction was committed.
        drop(self.transaction().take());
        drop(self.note.take());
        // What was committed is on disk; closing only marks that the file needs no repair.
        drop(self.database.take());
    }
}

impl Drop for EmbeddedWriter {
    fn drop(&mut self) {
        self.close();
    }
}
