//! What can go wrong with entities in a store.

use crate::id::OpId;
use crate::store;

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An entity that was named is not there.
    #[error("expected {what} `{which}`, found none")]
    NotFound {
        /// What kind of entity.
        what: &'static str,
        /// Which one.
        which: String,
    },
    /// A name is taken.
    #[error("expected an unused name, found {what} `{which}`")]
    Exists {
        /// What kind of entity.
        what: &'static str,
        /// Which one.
        which: String,
    },
    /// An entity that others refer to was to be deleted.
    #[error("expected {what} `{which}` to be empty, found {found}")]
    InUse {
        /// What kind of entity.
        what: &'static str,
        /// Which one.
        which: String,
        /// What is in it.
        found: String,
    },
    /// A stored value cannot be read.
    #[error("expected a readable record of {what} `{which}`, found damage: {detail}")]
    Damaged {
        /// What kind of record.
        what: &'static str,
        /// Which one.
        which: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A stored value was written by a later version of this program.
    #[error(
        "expected {what} in format {known} or older, found format {found}: use a newer version"
    )]
    NewerFormat {
        /// What kind of record.
        what: &'static str,
        /// The newest format this version reads.
        known: u8,
        /// The format found.
        found: u8,
    },
    /// An earlier error ended the transaction; nothing of it was written.
    #[error("an earlier error ended {op} and nothing was written: {cause}")]
    Poisoned {
        /// The operation that was to be.
        op: OpId,
        /// The earlier error.
        cause: String,
    },
}

impl Error {
    pub(super) fn damaged(what: &'static str, which: impl ToString, detail: impl ToString) -> Self {
        Self::Damaged {
            what,
            which: which.to_string(),
            detail: detail.to_string(),
        }
    }
}
