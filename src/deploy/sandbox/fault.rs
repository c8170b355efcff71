//! Failures that can be set up in the sandbox, to rehearse what to do about them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::path::Path;
use crate::yaml::ResourceId;

/// A failure to rehearse. Stays until it is cleared, but for a lost connection, which happens once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// The cluster refuses the object when it is sent.
    Refuse {
        /// The object, with its namespace.
        object: ResourceId,
        /// What the cluster says.
        reason: String,
    },
    /// The pods of the workload never become ready.
    NeverReady {
        /// The workload, with its namespace.
        object: ResourceId,
    },
    /// Somebody else changes a field of a live object; happens at once, and once.
    Drift {
        /// The object, with its namespace.
        object: ResourceId,
        /// The field.
        path: Path,
        /// Its new value.
        value: Value,
        /// Who does it: a field manager, such as `kubectl-edit`.
        manager: String,
    },
    /// Somebody else deletes a live object; happens at once, and once.
    Delete {
        /// The object, with its namespace.
        object: ResourceId,
    },
    /// The connection is lost when so many more objects have been sent.
    LoseConnection {
        /// Number of objects that still get through.
        after: usize,
    },
}

impl Fault {
    /// The key of the record that holds it. One fault of a sort for an object.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Refuse { object, .. } => refuse_key(object),
            Self::NeverReady { object } => never_ready_key(object),
            Self::Drift { object, .. } | Self::Delete { object } => {
                format!("fault/once/{}", object.full())
            }
            Self::LoseConnection { .. } => CONNECTION.to_owned(),
        }
    }
}

pub(super) const CONNECTION: &str = "fault/connection";

pub(super) fn refuse_key(object: &ResourceId) -> String {
    format!("fault/refuse/{}", object.full())
}

pub(super) fn never_ready_key(object: &ResourceId) -> String {
    format!("fault/never-ready/{}", object.full())
}
