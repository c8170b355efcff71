//! Checking the log: the chain, what it says of every record, and the indexes.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use super::index::{self, Entry};
use super::key::{Counter, Key, prefix};
use super::log::{self, hash_of_stored};
use super::pack::{self, Place};
use super::view::shown;
use super::{Change, Error, View, blob, codec};
use crate::id::OpId;
use crate::model::{Hash, Operation, Unit};
use crate::store::Range;

/// How many problems are listed; one that damages much is told often enough.
const MAX_PROBLEMS: usize = 100;

/// What checking the log found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// How many operations there are.
    pub operations: u64,
    /// How many records and texts were compared with what the log says of them.
    pub records: u64,
    /// What is wrong; at most the first hundred.
    pub problems: Vec<Problem>,
}

impl Verification {
    /// Whether everything is as it was written.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, op: Option<OpId>, what: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                op,
                what: what.into(),
            });
        }
    }
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The operation at which it shows, if it is one.
    pub op: Option<OpId>,
    /// In words.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.op {
            Some(op) => write!(f, "{op}: {}", self.what),
            None => f.pad(&self.what),
        }
    }
}

impl View {
    /// Checks that no operation was edited or dropped, and that every record, text and index is
    /// what the log makes of it. Holds one hash for each record in memory.
    ///
    /// # Errors
    /// When the store cannot be read; what is wrong in it is in the result.
    pub fn verify_log(&self) -> Result<Verification, Error> {
        let mut found = Verification::default();
        let expected = self.verify_chain(&mut found)?;
        self.verify_values(expected, &mut found)?;
        Ok(found)
    }

    /// Follows the chain and returns the hash of each record after the last operation.
    fn verify_chain(&self, found: &mut Verification) -> Result<BTreeMap<Vec<u8>, Hash>, Error> {
        let mut chain = Chain::default();
        let mut failed = Ok(());
        self.snapshot()
            .scan(&Range::prefix(&prefix::of(b'o')), &mut |key, stored| {
                failed = self.verify_operation(key, stored, &mut chain, found);
                if failed.is_ok() {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        failed?;
        let last = self.counter(Counter::Operation)?;
        if chain.last != last {
            let said = OpId(last);
            let what = format!("expected {said} to be the last operation, the log ends before it");
            found.add(Some(OpId(chain.last)), what);
        }
        let parts = self.keys(&prefix::of(b'p'), Some)?.len() as u64;
        if parts != chain.parts {
            let what = format!("expected {} parts of changes, found {parts}", chain.parts);
            found.add(None, what);
        }
        found.operations = chain.last;
        Ok(chain.records)
    }

    fn verify_operation(
        &self,
        key: &[u8],
        stored: &[u8],
        chain: &mut Chain,
        found: &mut Verification,
    ) -> Result<(), Error> {
        let Some(Key::Operation(id)) = Key::decode(key) else {
            found.add(None, format!("`{}` is no operation's key", shown(key)));
            return Ok(());
        };
        if id.0 != chain.last + 1 {
            let what = format!("expected {} before it, found none", OpId(id.0 - 1));
            found.add(Some(id), what);
        }
        chain.last = id.0;
        let operation: Operation = match codec::decode(stored, id) {
            Ok(operation) => operation,
            Err(error) => {
                found.add(Some(id), error.to_string());
                return Ok(());
            }
        };
        if operation.id != id {
            found.add(Some(id), format!("it says that it is {}", operation.id));
        }
        if hash_of_stored(stored) != Some(operation.hash) {
            found.add(Some(id), "its hash is another: it was edited");
        }
        if operation.previous != chain.previous {
            found.add(Some(id), "the hash of the operation before it is another");
        }
        chain.previous = operation.hash;
        chain.parts += u64::from(operation.parts);
        let mut digest = blake3::Hasher::new();
        for part in 0..operation.parts {
            match log::read_part(self, id, part) {
                Ok(read) => {
                    digest.update(&read.plain);
                    for change in read.changes {
                        chain.follow(id, change, found);
                    }
                }
                Err(Error::Store(error)) => return Err(error.into()),
                Err(error) => found.add(Some(id), error.to_string()),
            }
        }
        if *digest.finalize().as_bytes() != *operation.changes.as_bytes() {
            found.add(Some(id), "its changes are others: they were edited");
        }
        Ok(())
    }

    /// Compares every value in the store with what it should be.
    fn verify_values(
        &self,
        mut expected: BTreeMap<Vec<u8>, Hash>,
        found: &mut Verification,
    ) -> Result<(), Error> {
        let mut entries_due = 0_u64;
        let mut entries_there = 0_u64;
        let mut failed = Ok(());
        self.snapshot().scan(&Range::all(), &mut |raw, value| {
            let Some(key) = Key::decode(raw) else {
                found.add(None, format!("`{}` is no key", shown(raw)));
                return ControlFlow::Continue(());
            };
            match &key {
                Key::Format | Key::Counter(_) | Key::Heartbeat(..) | Key::Changes(..) => {}
                key if index::is_entry(key) => entries_there += 1,
                Key::Operation(_) => {}
                _ => {
                    found.records += 1;
                    match expected.remove(raw) {
                        Some(hash) if hash == Hash::of(value) => {}
                        Some(_) => found.add(None, format!("{key:?} is not what was written")),
                        None => found.add(None, format!("{key:?} is in no operation")),
                    }
                }
            }
            match self.verify_value(&key, value, found) {
                Ok(entries) => entries_due += entries,
                Err(error) => failed = Err(error),
            }
            if failed.is_ok() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        failed?;
        for key in expected.keys() {
            found.add(None, format!("{} is missing", shown(key)));
        }
        if entries_there != entries_due {
            let what = format!("expected {entries_due} index entries, found {entries_there}");
            found.add(None, what);
        }
        Ok(())
    }

    /// Checks that a value can be read, is what its key says, and has its index entries; returns
    /// how many it has.
    fn verify_value(
        &self,
        key: &Key,
        value: &[u8],
        found: &mut Verification,
    ) -> Result<u64, Error> {
        let entries = match entries_of(key, value) {
            Ok(entries) => entries,
            Err(error) => {
                found.add(None, error.to_string());
                return Ok(0);
            }
        };
        let mut due = 0;
        for (entry, expected) in &entries {
            let there = self.snapshot().get(&entry.encode())?;
            if there.as_ref() == Some(expected) {
                due += 1;
            } else if !is_later_place(entry, expected, there.as_deref()) {
                found.add(None, format!("the index lacks {entry:?}"));
            }
        }
        if let Key::Unit(id) = key
            && let Ok(unit) = codec::decode::<Unit>(value, id)
            && unit.head > 0
        {
            match self.revision(unit.id, unit.head) {
                Ok(revision) if revision.data == unit.data => {}
                Ok(_) => found.add(None, format!("{id} has other data than its head")),
                Err(Error::Store(error)) => return Err(error.into()),
                Err(error) => found.add(None, error.to_string()),
            }
        }
        Ok(due)
    }
}

/// The index entries of a value; an error when it is not what its key says.
fn entries_of(key: &Key, value: &[u8]) -> Result<Vec<Entry>, Error> {
    match key {
        // One that cannot be read was told of with the chain.
        Key::Operation(id) => Ok(codec::decode::<Operation>(value, id)
            .map(|operation| index::of_operation(&operation))
            .unwrap_or_default()),
        Key::Pack(number) => pack::entries(*number, value)
            .ok_or_else(|| Error::damaged("pack", number, "it cannot be taken apart"))?
            .into_iter()
            .map(|(hash, place)| {
                let packed = value.get(place.text()).unwrap_or_default();
                let text = blob::unpack(packed, &hash)?;
                if Hash::of(text.as_bytes()) == hash {
                    Ok((Key::Text(hash), place.encode()))
                } else {
                    Err(Error::damaged("text", hash, "its hash is another"))
                }
            })
            .collect(),
        Key::Bookkeeping(hash) if Hash::of(value) != *hash => {
            Err(Error::damaged("bookkeeping", hash, "its hash is another"))
        }
        _ => index::of_stored(key, value),
    }
}

/// Whether an entry for a text points to a later pack, which has the text once more.
fn is_later_place(entry: &Key, expected: &[u8], there: Option<&[u8]>) -> bool {
    matches!(entry, Key::Text(_))
        && there
            .and_then(Place::decode)
            .is_some_and(|there| Place::decode(expected).is_some_and(|place| place < there))
}

/// What is known after some operations.
#[derive(Default)]
struct Chain {
    last: u64,
    previous: Hash,
    parts: u64,
    records: BTreeMap<Vec<u8>, Hash>,
}

impl Chain {
    fn follow(&mut self, op: OpId, change: Change, found: &mut Verification) {
        let key = change.key.encode();
        if self.records.get(&key).copied() != change.before.hash() {
            let what = format!("{:?} was another before it", change.key);
            found.add(Some(op), what);
        }
        match change.after {
            Some(hash) => self.records.insert(key, hash),
            None => self.records.remove(&key),
        };
    }
}
