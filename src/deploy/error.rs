//! Why something could not be deployed.

use crate::path::Path;

/// Why a target refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Whoever waited broke it off.
    #[error("the wait was broken off; what was sent stays sent")]
    Stopped,
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
    /// How to reach the target is not known: no configuration, no such context, or one that cannot
    /// be read.
    #[error("cannot tell how to reach the cluster: {reason}")]
    Config {
        /// What was expected, and what was found.
        reason: String,
    },
    /// The target does not answer.
    #[error("{target} does not answer: {reason}")]
    Unreachable {
        /// The target, as it describes itself.
        target: String,
        /// What happened instead.
        reason: String,
    },
    /// The target does not know who asks: credentials are missing, wrong or have expired.
    #[error("{target} does not accept our credentials: {reason}")]
    Unauthorized {
        /// The target, as it describes itself.
        target: String,
        /// What the target said.
        reason: String,
    },
    /// The target does not let us do this.
    #[error(
        "{target} does not allow to {verb} `{object}`{}: {reason}",
        of_unit(unit)
    )]
    Forbidden {
        /// The target, as it describes itself.
        target: Box<str>,
        /// What was to be done: `list`, `patch`, …
        verb: Box<str>,
        /// The object, or the kind of objects.
        object: Box<str>,
        /// The unit that it is of; empty where that is not known.
        unit: Box<str>,
        /// What the target said.
        reason: Box<str>,
    },
    /// The target has no such kind of object.
    #[error(
        "expected {target} to know `{api_version}` `{kind}`, which `{unit}` holds as `{object}`, found that it does not"
    )]
    UnknownKind {
        /// The target, as it describes itself.
        target: Box<str>,
        /// The version of the API that the object is written for.
        api_version: Box<str>,
        /// The kind.
        kind: Box<str>,
        /// The object.
        object: Box<str>,
        /// The unit.
        unit: Box<str>,
    },
    /// Fields of an object belong to other field managers, with other values.
    #[error("`{object}` of `{unit}` has {} that others set: {}", fields(conflicts.len()), conflict_list(conflicts))]
    Conflicts {
        /// The object.
        object: String,
        /// The unit.
        unit: String,
        /// Who set which field.
        conflicts: Vec<FieldConflict>,
    },
    /// The target refuses an object: its validation, an admission rule, a field that cannot be
    /// changed.
    #[error("{target} refuses `{object}` of `{unit}`: {reason}")]
    Rejected {
        /// The target, as it describes itself.
        target: String,
        /// The object.
        object: String,
        /// The unit.
        unit: String,
        /// What the target said.
        reason: String,
    },
    /// The namespace of an object is being deleted.
    #[error(
        "expected namespace `{namespace}` of `{unit}` to stay, found that {target} is deleting it"
    )]
    Terminating {
        /// The target, as it describes itself.
        target: String,
        /// The namespace.
        namespace: String,
        /// The unit.
        unit: String,
    },
    /// An object was deleted and is still there.
    #[error("expected `{object}` to be gone after {seconds} s, found it there: {reason}")]
    StillThere {
        /// The object.
        object: String,
        /// How long was waited.
        seconds: u64,
        /// What keeps it, as far as that can be told.
        reason: String,
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

/// A field that another manager set to another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// Who set it: a field manager, such as `kubectl-edit`.
    pub manager: String,
    /// The field.
    pub path: String,
}

fn of_unit(unit: &str) -> String {
    match unit {
        "" => String::new(),
        unit => format!(" of `{unit}`"),
    }
}

fn fields(count: usize) -> String {
    match count {
        1 => "a field".to_owned(),
        count => format!("{count} fields"),
    }
}

fn conflict_list(conflicts: &[FieldConflict]) -> String {
    let each = conflicts
        .iter()
        .map(|conflict| format!("{} ({})", conflict.path, conflict.manager));
    each.collect::<Vec<_>>().join(", ")
}

/// What went wrong where the sandbox keeps its cluster.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox cannot reach its records: {0}")]
pub struct StateError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
