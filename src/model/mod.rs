//! The entities and their rules. Nothing here reads or writes.

use std::collections::BTreeMap;

mod bookkeeping;
mod conflict;
mod hash;
mod operation;
mod revision;
mod space;
mod target;
mod unit;

pub use bookkeeping::{Bookkeeping, SourceText};
pub use conflict::{Conflict, Side};
pub use hash::{Hash, InvalidHash};
pub use operation::Operation;
pub use revision::{EditRecord, Revision, RevisionSource};
pub use space::Space;
pub use target::{Probe, Target, Worker, WorkerMode};
pub use unit::{Status, Unit, Upstream};

/// Labels, sorted by key.
pub type Labels = BTreeMap<String, String>;
