//! What can go wrong below the entities.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Holder;

/// A failure of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("cannot use the store `{}`: {source}", path.display())]
    Io {
        /// The store's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path names a file of another kind.
    #[error("expected a Windlass store, found another kind of file at `{}`", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file was changed by something other than this program, or the disk lost some of it.
    #[error("the store `{}` is damaged: {detail}", path.display())]
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The file was written, or is in use, by a version that this one cannot share it with.
    #[error("the store `{}` is in use by, or was made by, another version: {detail}", path.display())]
    Incompatible {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// Another writer held the lock for longer than the lock timeout.
    #[error(
        "waited {:.1} s for the lock of the store `{}`, held by {}",
        waited.as_secs_f64(),
        path.display(),
        holder.as_ref().map_or_else(|| "another process".to_owned(), ToString::to_string)
    )]
    Locked {
        /// The store's file.
        path: PathBuf,
        /// How long this writer waited.
        waited: Duration,
        /// Who held it, where that is known.
        holder: Option<Holder>,
    },
    /// A transaction that exists only to look at its result was to be committed.
    #[error("expected a transaction that may write, found a preview")]
    Preview,
    /// An earlier error ended the transaction; nothing of it was written.
    #[error("an earlier error ended this transaction and nothing was written: {cause}")]
    Poisoned {
        /// The earlier error.
        cause: String,
    },
}
