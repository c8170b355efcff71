//! The entities and their rules. Nothing here reads or writes.

use std::collections::BTreeMap;

mod apply;
mod bookkeeping;
mod changeset;
mod conflict;
mod filter;
mod function;
mod hash;
mod hold;
mod intent;
mod operation;
mod revision;
mod revision_ref;
mod space;
mod target;
mod tolerance;
mod unit;

pub use apply::{Apply, ApplyMember, ApplyStep};
pub use bookkeeping::{Bookkeeping, SourceText};
pub use changeset::{ChangeSet, ChangeSetEntry, ChangeSetState, Pinned, Staged};
pub use conflict::{Conflict, Side};
pub use filter::Filter;
pub use function::InstalledFunction;
pub use hash::{Hash, InvalidHash};
pub use hold::Hold;
pub use intent::{HeadStep, Intent, IntentMember, LiveStep, Process};
pub use operation::Operation;
pub use revision::{EditRecord, Revision, RevisionSource};
pub use revision_ref::{InvalidRevision, RevisionRef};
pub use space::Space;
pub use target::{Probe, Target, Worker, WorkerMode};
pub use tolerance::Tolerance;
pub use unit::{Status, Unit, Upstream};

/// Labels, sorted by key.
pub type Labels = BTreeMap<String, String>;
