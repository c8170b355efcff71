//! A store in one file: every key with its value, in order, compressed, with a hash at the end.
//!
//! The form is independent of the pages of the store's file: what was deleted is not in it, and a
//! store of any kind can be made of it.
//!
//! ```text
//! "windlass backup\n" · version, 4 bytes · zstd of the entries · blake3 of all before it
//! entry: length of the key, 4 bytes · length of the value, 4 bytes · key · value
//! ```

use std::io::{Read as _, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Db, Error, Verification};
use crate::clock::Clock;
use crate::store::{self, Batch, Memory, Range, Snapshot};

/// The first bytes of a backup.
const MAGIC: &[u8] = b"windlass backup\n";

/// The form of the file.
const VERSION: u32 = 1;

/// How many bytes a hash has.
const HASH: usize = blake3::OUT_LEN;

/// The level of compression: the texts inside are compressed already.
const LEVEL: i32 = 3;

/// How many bytes of entries are given to a store at a time.
const BATCH_BYTES: usize = 8 << 20;

/// A file that is no whole backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// It does not begin like one.
    #[error("expected a backup of windlass, found another file")]
    NotABackup,
    /// A later version of this program wrote it.
    #[error("expected a backup of version {VERSION}, found version {0}")]
    Newer(u32),
    /// Its bytes are others than those that were written.
    #[error("expected a whole backup, found damage: {0}")]
    Damaged(String),
}

impl Db {
    /// The newest committed state as the bytes of a backup. Never waits for a writer.
    ///
    /// # Errors
    /// When the store cannot be read, or a newer version wrote it.
    pub fn back_up(&self) -> Result<Vec<u8>, Error> {
        let reader = self.read()?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_be_bytes());
        let packed =
            pack(reader.snapshot()).map_err(|error| Error::damaged("backup", "entries", error))?;
        bytes.extend(packed?);
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes());
        Ok(bytes)
    }

    /// Puts what a backup holds in the place of everything there is, in one transaction.
    ///
    /// # Errors
    /// When the store cannot be written; it is as before then.
    pub fn replace_with(&self, backup: &Backup) -> Result<(), Error> {
        let mut writer = self.store.write("backup restore")?;
        let mut old = Vec::new();
        writer.scan(&Range::all(), &mut |key, _| {
            old.push(key.to_vec());
            ControlFlow::Continue(())
        })?;
        let mut batch = Batch::default();
        for key in old {
            batch.delete(key);
        }
        writer.apply(batch)?;
        let mut batch = Batch::default();
        let mut size = 0;
        for (key, value) in backup.entries() {
            size += key.len() + value.len();
            batch.put(key, value);
            if size > BATCH_BYTES {
                writer.apply(std::mem::take(&mut batch))?;
                size = 0;
            }
        }
        writer.apply(batch)?;
        Ok(writer.commit()?)
    }
}

/// The compressed entries; an error of the store within one of compression.
fn pack(snapshot: &dyn Snapshot) -> std::io::Result<Result<Vec<u8>, store::Error>> {
    let mut out = zstd::Encoder::new(Vec::new(), LEVEL)?;
    let mut failed = Ok(());
    let scanned = snapshot.scan(&Range::all(), &mut |key, value| {
        failed = write_entry(&mut out, key, value);
        if failed.is_ok() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    failed?;
    let bytes = out.finish()?;
    Ok(scanned.map(|()| bytes))
}

fn write_entry(out: &mut impl Write, key: &[u8], value: &[u8]) -> std::io::Result<()> {
    for part in [key, value] {
        let length = u32::try_from(part.len()).map_err(std::io::Error::other)?;
        out.write_all(&length.to_be_bytes())?;
    }
    out.write_all(key)?;
    out.write_all(value)
}

/// A backup that was read: whole, with its hash as it should be.
#[derive(Debug, Clone)]
pub struct Backup {
    entries: Vec<u8>,
}

impl Backup {
    /// Reads a backup and checks its hash.
    ///
    /// # Errors
    /// When the bytes are no backup, one of a later version, or not those that were written.
    pub fn read(bytes: &[u8]) -> Result<Self, BackupError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(BackupError::NotABackup)?;
        let damaged = |what: &str| BackupError::Damaged(what.to_owned());
        let (version, rest) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| damaged("it ends too early"))?;
        let version = u32::from_be_bytes(*version);
        if version != VERSION {
            return Err(BackupError::Newer(version));
        }
        let (packed, hash) = rest
            .split_last_chunk::<HASH>()
            .ok_or_else(|| damaged("it ends too early"))?;
        let written = &bytes[..bytes.len() - HASH];
        if blake3::hash(written) != blake3::Hash::from_bytes(*hash) {
            return Err(damaged("its hash is another"));
        }
        let mut entries = Vec::new();
        zstd::Decoder::new(packed)
            .and_then(|mut decoder| decoder.read_to_end(&mut entries))
            .map_err(|error| damaged(&error.to_string()))?;
        let backup = Self { entries };
        let covered: usize = backup
            .entries()
            .map(|(key, value)| 8 + key.len() + value.len())
            .sum();
        if covered != backup.entries.len() {
            return Err(damaged("its last entry is cut off"));
        }
        Ok(backup)
    }

    /// Keys and values, in the order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = self.entries.as_slice();
        std::iter::from_fn(move || {
            let (key, after) = rest.split_first_chunk::<4>()?;
            let (value, after) = after.split_first_chunk::<4>()?;
            let (key, after) = after.split_at_checked(u32::from_be_bytes(*key) as usize)?;
            let (value, after) = after.split_at_checked(u32::from_be_bytes(*value) as usize)?;
            rest = after;
            Some((key, value))
        })
    }

    /// Checks all that it holds, as [`super::View::verify_log`] does.
    ///
    /// # Errors
    /// When a newer version wrote it; what is wrong in it is in the result.
    pub fn verify(&self, clock: Clock) -> Result<Verification, Error> {
        let db = Db::new(Arc::new(Memory::new()), clock);
        db.replace_with(self)?;
        db.read()?.verify_log()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store as _;

    fn backup() -> Vec<u8> {
        let store = Memory::new();
        let mut writer = store.write("test").unwrap();
        let mut batch = Batch::default();
        batch.put("a", "1");
        batch.put("b", "");
        writer.apply(batch).unwrap();
        writer.commit().unwrap();
        Db::new(Arc::new(store), Clock::System)
            .back_up()
            .unwrap_or_default()
    }

    #[test]
    fn every_byte_that_is_another_and_every_cut_is_found() {
        let bytes = backup();
        assert_eq!(Backup::read(&bytes).unwrap().entries().count(), 2);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(Backup::read(&other).is_err(), "byte {at}");
            assert!(Backup::read(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
