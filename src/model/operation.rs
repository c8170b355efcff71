//! Operations: the entries of the log.

use serde::{Deserialize, Serialize};

use super::Hash;
use crate::clock::Timestamp;
use crate::id::{OpId, RunId, UnitId};

/// One committed write transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Operation {
    /// Its number; the first is 1, and none is left out.
    pub id: OpId,
    /// When it began.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// What it did, such as `patch`.
    pub verb: String,
    /// Its arguments, a JSON text.
    pub args: String,
    /// The units whose record, data or conflicts it changed, in the order of their numbers.
    pub units: Vec<UnitId>,
    /// The run of a script or command that it belongs to.
    pub run: Option<RunId>,
    /// What the actor said about it.
    pub message: Option<String>,
    /// Whether the time was set rather than read from the machine's clock.
    pub clock_fixed: bool,
    /// Into how many parts the record of its changes is split.
    pub parts: u32,
    /// Hash of the record of its changes.
    pub changes: Hash,
    /// Hash of the operation before it; [`Hash::ZERO`] for the first.
    pub previous: Hash,
    /// Hash of all of the above. The last field: it covers what is stored before it.
    pub hash: Hash,
}
