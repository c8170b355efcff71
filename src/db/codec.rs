//! How values are written: a byte with the version of the form, then postcard.
//!
//! A form, once released, is read for ever (`tests/data/format-v1`). A changed entity gets the
//! next version, and [`Stored::from_older`] a branch that reads the one before into a copy of the
//! old struct and makes the new one from it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, older};
use crate::model::{
    Apply, Bookkeeping, ChangeSet, Conflict, Filter, InstalledFunction, Intent, Operation, Probe,
    Revision, Space, Target, Unit, Worker,
};

/// An entity with a stored form.
pub trait Stored: Serialize + DeserializeOwned {
    /// What it is called in errors.
    const NAME: &'static str;

    /// The version that is written.
    const VERSION: u8 = 1;

    /// Reads a form older than [`Stored::VERSION`]; none when there never was such a version.
    fn from_older(version: u8, bytes: &[u8]) -> Option<postcard::Result<Self>> {
        let _ = (version, bytes);
        None
    }
}

macro_rules! stored {
    ($($entity:ty as $name:literal;)*) => {
        $(impl Stored for $entity {
            const NAME: &'static str = $name;
        })*
    };
}

impl Stored for Space {
    const NAME: &'static str = "space";
    const VERSION: u8 = 2;

    fn from_older(version: u8, bytes: &[u8]) -> Option<postcard::Result<Self>> {
        (version == 1).then(|| postcard::from_bytes::<older::Space1>(bytes).map(Into::into))
    }
}

impl Stored for Unit {
    const NAME: &'static str = "unit";
    const VERSION: u8 = 3;

    fn from_older(version: u8, bytes: &[u8]) -> Option<postcard::Result<Self>> {
        match version {
            1 => Some(postcard::from_bytes::<older::Unit1>(bytes).map(Into::into)),
            2 => Some(postcard::from_bytes::<older::Unit2>(bytes).map(Into::into)),
            _ => None,
        }
    }
}

impl Stored for Worker {
    const NAME: &'static str = "worker";
    const VERSION: u8 = 2;

    fn from_older(version: u8, bytes: &[u8]) -> Option<postcard::Result<Self>> {
        (version == 1).then(|| postcard::from_bytes::<older::Worker1>(bytes).map(Into::into))
    }
}

stored! {
    Revision as "revision";
    Bookkeeping as "bookkeeping";
    Conflict as "conflict";
    Operation as "operation";
    Target as "target";
    Filter as "filter";
    InstalledFunction as "function";
    ChangeSet as "changeset";
    Intent as "intent";
    Apply as "apply";
    Probe as "heartbeat";
}

/// The stored form of an entity.
///
/// # Panics
/// For a value with a map or list of unknown length, which no entity has.
pub fn encode<T: Stored>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![T::VERSION])
        .expect("an entity has no map or list of unknown length, and memory cannot run full")
}

/// Reads a stored form of any version up to the present one.
///
/// # Errors
/// [`Error::NewerFormat`] and [`Error::Damaged`]; `which` says in them what was read.
pub fn decode<T: Stored>(bytes: &[u8], which: impl ToString) -> Result<T, Error> {
    let Some((&version, rest)) = bytes.split_first() else {
        return Err(Error::damaged(T::NAME, which, "it is empty"));
    };
    if version > T::VERSION {
        return Err(Error::NewerFormat {
            what: T::NAME,
            known: T::VERSION,
            found: version,
        });
    }
    let read = if version == T::VERSION {
        Some(postcard::from_bytes(rest))
    } else {
        T::from_older(version, rest)
    };
    match read {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(Error::damaged(T::NAME, which, error)),
        None => Err(Error::damaged(
            T::NAME,
            which,
            format!("there is no format {version}"),
        )),
    }
}
