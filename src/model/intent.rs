//! Intents: what a changeset that is being applied is about to make true.

use serde::{Deserialize, Serialize};

use super::Hash;
use crate::clock::Timestamp;
use crate::id::{Slug, UnitId};

/// Written before anything is sent, and gone when all of it is true or all of it was put back.
///
/// A command that finds one whose process is gone finishes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Intent {
    /// The changeset that is being applied.
    pub changeset: Slug,
    /// Who applies it.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// The process that does it.
    pub process: Process,
    /// When that process has to be given up at the latest; it moves on with every unit that is
    /// sent.
    pub until: Timestamp,
    /// What is done with each unit, in the order in which it is done.
    pub members: Vec<IntentMember>,
}

/// A process of some machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Process {
    /// The machine since its last start, and the process namespace; empty where that cannot be
    /// told.
    pub host: String,
    /// The number of the process.
    pub pid: u32,
    /// When it started, in the machine's own ticks.
    pub started: u64,
}

/// What is done with one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IntentMember {
    /// The unit.
    pub unit: UnitId,
    /// What becomes of its head.
    pub head: HeadStep,
    /// What becomes of what its target runs.
    pub live: LiveStep,
    /// What its target had of the objects that are touched, as JSON.
    pub image: String,
}

/// What becomes of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeadStep {
    /// It stays.
    Keep,
    /// The staged data becomes the new head.
    Write,
    /// The data of an earlier revision becomes the new head.
    Restore {
        /// The number of that revision.
        revision: u32,
    },
}

/// What becomes of what a target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LiveStep {
    /// It stays.
    Keep,
    /// This data is sent.
    Send {
        /// The number that the live revision has afterwards.
        revision: u32,
        /// Hash of its text.
        data: Hash,
    },
    /// The unit is removed from its target.
    Withdraw,
}
