//! Read-only handles and the snapshots taken through them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redb::{
    AccessGuard, DatabaseError, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase as _,
    ReadableTable, TableError, TransactionError,
};

use super::{MapSnapshot, Patience, TABLE, builder, io_at, opening, storage, table};
use crate::store::{Error, Range, Snapshot, Visit};

/// A read-only handle, kept open: it blocks nobody and sees every commit.
pub(super) struct Reading {
    path: PathBuf,
    identity: Option<Identity>,
    database: Arc<ReadOnlyDatabase>,
}

impl Reading {
    /// Opens the file for reading; a store whose writer was killed is put right first.
    pub(super) fn open(path: &Path, patience: Patience) -> Result<Self, Error> {
        loop {
            let identity = Identity::of(path);
            match builder().open_read_only(path) {
                Ok(database) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        identity,
                        database: Arc::new(database),
                    });
                }
                // Only who opens for writing may repair, which closing it again completes. It is
                // refused while another process does just that, or has begun to write meanwhile.
                Err(DatabaseError::RepairAborted | DatabaseError::DatabaseAlreadyOpen) => {
                    match builder().open(path) {
                        Ok(repaired) => drop(repaired),
                        Err(DatabaseError::DatabaseAlreadyOpen) => {}
                        Err(error) => return Err(opening(path, error)),
                    }
                }
                Err(error) => return Err(opening(path, error)),
            }
            let Some(left) = patience.left() else {
                return Err(Error::Locked {
                    path: path.to_owned(),
                    waited: patience.waited(),
                    holder: super::Note::of(path),
                });
            };
            std::thread::sleep(left.min(Duration::from_millis(1)));
        }
    }

    /// Whether the handle is open on the file that stands at `path` now.
    pub(super) fn is_of(&self, path: &Path) -> bool {
        self.identity == Identity::of(path)
    }

    pub(super) fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        let begun = self.database.begin_read().map_err(|error| match error {
            TransactionError::Storage(error) => storage(&self.path, error),
            other => io_at(&self.path, std::io::Error::other(other.to_string())),
        })?;
        match begun.open_table(TABLE) {
            Ok(keys) => Ok(Box::new(EmbeddedSnapshot {
                path: self.path.clone(),
                keys,
                _database: Arc::clone(&self.database),
            })),
            Err(TableError::TableDoesNotExist(_)) => Ok(Box::new(MapSnapshot::empty())),
            Err(error) => Err(table(&self.path, error)),
        }
    }
}

/// What tells a file from another one that was put in its place.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl Identity {
    fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Some(Self {
                device_and_inode: (file.dev(), file.ino()),
            })
        }
        #[cfg(not(unix))]
        {
            drop(file);
            Some(Self {})
        }
    }
}

struct EmbeddedSnapshot {
    path: PathBuf,
    keys: ReadOnlyTable<&'static [u8], &'static [u8]>,
    _database: Arc<ReadOnlyDatabase>,
}

impl EmbeddedSnapshot {
    fn failed(&self, error: redb::StorageError) -> Error {
        storage(&self.path, error)
    }
}

impl Snapshot for EmbeddedSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let found = ReadableTable::get(&self.keys, key).map_err(|error| self.failed(error))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    fn get_with(&self, key: &[u8], f: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), Error> {
        let found = ReadableTable::get(&self.keys, key).map_err(|error| self.failed(error))?;
        f(found.as_ref().map(AccessGuard::value));
        Ok(())
    }

    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        let mut found = self
            .keys
            .range::<&[u8]>(range.bounds())
            .map_err(|error| self.failed(error))?;
        while let Some(entry) = if range.is_descending() {
            found.next_back()
        } else {
            found.next()
        } {
            let (key, value) = entry.map_err(|error| self.failed(error))?;
            if f(key.value(), value.value()).is_break() {
                break;
            }
        }
        Ok(())
    }
}
