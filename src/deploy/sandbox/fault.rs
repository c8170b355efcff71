//! Failures that can be set up in the sandbox, to rehearse what to do about them.

use serde::{Deserialize, Serialize};

use crate::yaml::ResourceId;

/// A failure to rehearse. Stays until it is cleared, but for a lost connection, which happens once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
