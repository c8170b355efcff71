//! Entities in a store: keys, codec, indexes, history and the operation log.
//!
//! ```
//! use std::sync::Arc;
//! use windlass::clock::Clock;
//! use windlass::db::{Db, NewRevision, OperationDraft};
//! use windlass::model::{Labels, RevisionSource, Space, Unit};
//! use windlass::store::Memory;
//! use windlass::yaml::Stream;
//!
//! let db = Db::new(Arc::new(Memory::new()), Clock::System);
//! let mut writing = db.write("create")?;
//! let space = Space {
//!     id: writing.new_space_id()?,
//!     slug: "base".parse().unwrap(),
//!     labels: Labels::new(),
//!     target: None,
//!     created: writing.at(),
//!     gates: std::collections::BTreeSet::new(),
//! };
//! writing.put_space(&space)?;
//! let unit = Unit::new(writing.new_unit_id()?, space.id, "api".parse().unwrap(), writing.at());
//! writing.put_unit(&unit)?;
//! let stream = Stream::parse("kind: Deployment # one\n").unwrap();
//! writing.write_revision(unit.id, NewRevision::of(&stream, RevisionSource::Create, "ada"))?;
//! let operation = writing.finish(OperationDraft::new("create", "ada"))?.unwrap();
//!
//! let reading = db.read()?;
//! let unit = reading.find_unit(space.id, &"api".parse().unwrap())?.unwrap();
//! assert_eq!(unit.head, 1);
//! assert_eq!(unit.kinds, ["Deployment"]);
//! assert_eq!(reading.text(&unit.data)?, "kind: Deployment # one\n");
//! assert_eq!(operation.units, [unit.id]);
//! assert!(reading.verify_log()?.is_sound());
//! # Ok::<(), windlass::db::Error>(())
//! ```

use std::ops::Deref;
use std::sync::Arc;

use crate::clock::Clock;
use crate::id::{Slug, SpaceId};
use crate::model::Probe;
use crate::store::{Batch, Overlay, Store};

mod backup;
mod blob;
mod buffer;
mod codec;
mod error;
mod history;
mod index;
mod key;
mod log;
mod nested;
mod older;
mod pack;
mod place;
mod restore;
mod revision;
mod transaction;
mod verify;
mod view;

pub use backup::{Backup, BackupError};
pub use blob::{Folded, PackedStream, Prepared};
pub use codec::{Stored, decode, encode};
pub use error::Error;
pub use key::{Counter, Key};
pub use log::{Before, Change};
pub use restore::Role;
pub use revision::{NewRevision, Written};
pub use transaction::{OperationDraft, Transaction};
pub use verify::{Problem, Verification};
pub use view::View;

/// The newest format of a store; the first byte written into it.
const FORMAT: u8 = 1;

/// A store seen as entities.
#[derive(Clone)]
pub struct Db {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl Db {
    /// Looks at a store; nothing is read yet.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// The clock that operations and revisions are dated by.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Whether the store has been made; the first write makes it.
    pub fn exists(&self) -> bool {
        self.store.exists()
    }

    /// The newest committed state. Never waits for a writer.
    ///
    /// # Errors
    /// When the store cannot be opened, or a newer version wrote it.
    pub fn read(&self) -> Result<Reader, Error> {
        let view = View::of_snapshot(self.store.read()?, self.clock.now());
        view.check_format()?;
        Ok(Reader { view })
    }

    /// Begins a write transaction, waiting for another to end. `verb` says to those who wait for
    /// this one what it does.
    ///
    /// # Errors
    /// When the wait takes longer than the lock timeout, the store cannot be opened, or a newer
    /// version wrote it.
    pub fn write(&self, verb: &str) -> Result<Transaction, Error> {
        Transaction::begin(self.store.write(verb)?, self.clock)
    }

    /// Notes that workers are alive, in no operation: signs of life come every few seconds, and
    /// nobody asks what they were.
    ///
    /// # Errors
    /// As [`Self::write`], and when the disk refuses.
    pub fn note_heartbeats(
        &self,
        workers: &[(SpaceId, Slug)],
        heartbeat: &Probe,
    ) -> Result<(), Error> {
        let mut writer = self.store.write("worker")?;
        let mut batch = Batch::default();
        for (space, worker) in workers {
            let key = Key::Heartbeat(*space, worker.clone());
            batch.put(key.encode(), encode(heartbeat));
        }
        writer.apply(batch)?;
        Ok(writer.commit()?)
    }

    /// Begins a transaction over the newest committed state that can never be committed: for
    /// previews and dry runs. Blocks nobody.
    ///
    /// # Errors
    /// When the store cannot be opened, or a newer version wrote it.
    pub fn overlay(&self) -> Result<Transaction, Error> {
        let overlay = Overlay::new(self.store.read()?);
        Transaction::begin(Box::new(overlay), self.clock)
    }
}

/// A committed state of the database. Everything readable is on [`View`].
pub struct Reader {
    view: View,
}

impl Deref for Reader {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}
