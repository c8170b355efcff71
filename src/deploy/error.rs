//! Why something could not be deployed.

use crate::path::Path;

/// Why a target refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The target's own validation refuses an object; nothing was sent.
    #[error("{target} refuses `{object}`: at `{path}` expected {expected}, found {found}")]
    Invalid {
        /// The target, as it describes itself.
        target: String,
        /// The object.
        object: String,
        /// The field.
        path: String,
        /// What may stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A unit holds one object twice.
    #[error("expected each object once in `{unit}`, found `{object}` twice")]
    Duplicate {
        /// The unit.
        unit: String,
        /// The object.
        object: String,
    },
    /// An object belongs to another unit or store; nothing was sent.
    #[error("expected `{object}` to be free or of `{unit}`, found it owned by `{owner}`")]
    Owned {
        /// The object.
        object: String,
        /// The unit that was to be applied.
        unit: String,
        /// The unit that has it, and the store if that is another one.
        owner: String,
    },
    /// Somebody else set a field of the object to another value; nothing was sent.
    #[error("`{path}` of `{object}` was set to {live} by `{manager}`, and the unit says {desired}")]
    Drifted {
        /// The object.
        object: String,
        /// The field.
        path: Path,
        /// The value in the cluster.
        live: Box<str>,
        /// Who set it.
        manager: Box<str>,
        /// The value that the unit has.
        desired: Box<str>,
    },
    /// The target refused an object while it was applied; what came before it was sent.
    #[error("{target} refused `{object}` after {sent} objects were sent: {reason}")]
    Refused {
        /// The target, as it describes itself.
        target: String,
        /// The object.
        object: String,
        /// How many objects had been sent before.
        sent: usize,
        /// What the target said.
        reason: String,
    },
    /// The connection was lost while objects were sent.
    #[error("the connection to {target} was lost after {sent} of {total} objects were sent")]
    Disconnected {
        /// The target, as it describes itself.
        target: String,
        /// How many objects had been sent.
        sent: usize,
        /// How many there were.
        total: usize,
    },
    /// A namespace to be deleted still holds objects of other units.
    #[error("expected namespace `{namespace}` to hold nothing of other units, found `{object}`")]
    Occupied {
        /// The namespace.
        namespace: String,
        /// One of the objects, with its owner.
        object: String,
    },
    /// There is no such object in the cluster.
    #[error("expected `{object}` in {target}, found none")]
    NoObject {
        /// The target, as it describes itself.
        target: String,
        /// The object.
        object: String,
    },
    /// A label that orders units is not a number.
    #[error("expected a number in label `order` of `{unit}`, found `{found}`")]
    Order {
        /// The unit.
        unit: String,
        /// The label's value.
        found: String,
    },
    /// A stored record of the sandbox cannot be read.
    #[error("expected a record of the sandbox under `{key}`, found something else")]
    Corrupt {
        /// Its key.
        key: String,
    },
    /// The place where the sandbox keeps its cluster failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// What went wrong where the sandbox keeps its cluster.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox cannot reach its records: {0}")]
pub struct StateError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
