//! Ordered bytes to bytes: snapshot reads and atomic writes, over several backends.
//!
//! A store may be a network away: reads come in batches, and a [`Writer`] takes its changes in
//! batches too. Nothing above this module assumes that a read is cheap.
//!
//! - [`Embedded`]: one redb file, shared by any number of processes; the default.
//! - [`Memory`]: for tests.
//! - [`Overlay`]: a writer over a snapshot that can never be committed; for previews.

use std::ops::{self, ControlFlow};

mod change;
mod embedded;
mod error;
mod gate;
mod memory;
mod overlay;
mod range;

pub use change::Batch;
pub(crate) use change::Changes;
pub use embedded::{DEFAULT_LOCK_TIMEOUT, Embedded, OnCreate};
pub use error::Error;
pub use gate::{Holder, OnWait, Waiting};
pub use memory::Memory;
pub use overlay::Overlay;
pub use range::Range;

/// Called with each key of a scan and its value, until it breaks off.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// A place that keeps keys and values.
pub trait Store: Send + Sync {
    /// Looks at the newest committed state. Never waits for a writer.
    ///
    /// A store that does not exist yet reads as empty.
    ///
    /// # Errors
    /// When the store cannot be opened.
    fn read(&self) -> Result<Box<dyn Snapshot>, Error>;

    /// Begins the one write transaction that may be open, waiting for another to end.
    ///
    /// `intent` is a verb such as `import`; whoever has to wait for this writer is told it.
    ///
    /// # Errors
    /// [`Error::Locked`] when another writer stays longer than the lock timeout; others when the
    /// store cannot be opened or made.
    fn write(&self, intent: &str) -> Result<Box<dyn Writer>, Error>;

    /// Whether the store has been made; the first write makes it.
    fn exists(&self) -> bool;
}

/// The state of a store at one moment.
pub trait Snapshot: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The values of several keys, in their order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, Error>;

    /// Shows the value of a key in place, without copying where the backend allows.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get_with(&self, key: &[u8], f: &mut dyn FnMut(Option<&[u8]>)) -> Result<(), Error>;

    /// Shows a part of the value of a key, given in bytes; none when the key is not there or its
    /// value ends before the part does.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get_part(
        &self,
        key: &[u8],
        part: ops::Range<usize>,
        f: &mut dyn FnMut(Option<&[u8]>),
    ) -> Result<(), Error> {
        self.get_with(key, &mut |value| {
            f(value.and_then(|value| value.get(part.clone())));
        })
    }

    /// Visits the keys of a range in their order until `f` breaks off.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan(&self, range: &Range, f: &mut Visit<'_>) -> Result<(), Error>;
}

/// A write transaction, which reads its own writes. Dropping it changes nothing.
///
/// After the first error it is poisoned: every later call fails and nothing is written.
pub trait Writer: Snapshot {
    /// Applies changes, seen by later reads of this transaction only.
    ///
    /// # Errors
    /// When the backend refuses; the transaction is poisoned then.
    fn apply(&mut self, batch: Batch) -> Result<(), Error>;

    /// Makes all changes durable and visible at once.
    ///
    /// # Errors
    /// When the transaction is poisoned or a preview, or the disk refuses. Nothing is written then.
    fn commit(self: Box<Self>) -> Result<(), Error>;

    /// Whether this transaction made the store.
    fn is_first(&self) -> bool {
        false
    }
}
