//! Conflict rows as they are stored.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{ConflictId, OpId, UnitId};
use crate::yaml::merge::{ConflictRow, RowState};

/// A path that incoming and local both changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Conflict {
    /// Its number.
    pub id: ConflictId,
    /// The unit.
    pub unit: UnitId,
    /// The operation that found it.
    pub op: OpId,
    /// The place and the values on the three sides.
    pub row: ConflictRow,
    /// When it was found.
    pub at: Timestamp,
    /// Who made the merge.
    pub actor: String,
    /// Who made the incoming change.
    pub incoming_by: Option<Side>,
    /// Who made the local change.
    pub local_by: Option<Side>,
}

impl Conflict {
    /// Whether nobody has settled it yet.
    pub fn is_open(&self) -> bool {
        self.row.state == RowState::Open
    }
}

/// Who made one side of a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Side {
    /// Who.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// In which unit.
    pub unit: UnitId,
    /// In which revision of it.
    pub revision: u32,
}
