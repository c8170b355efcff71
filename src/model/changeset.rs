//! Changesets: what several units are to become together.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EditRecord, Hash, RevisionSource};
use crate::clock::Timestamp;
use crate::id::{Slug, UnitId};

/// A map from units to what each is pinned to; applied, all of it becomes true or nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangeSet {
    /// Its name, unique in the store.
    pub slug: Slug,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// What has become of it.
    pub state: ChangeSetState,
    /// Why it could not be applied when that was tried last.
    pub reason: Option<String>,
    /// What chose its units, where it pins what was there when it was made.
    pub clause: Option<String>,
    /// When it was applied last.
    pub applied: Option<Timestamp>,
    /// Its units, in the order in which they joined.
    pub entries: Vec<ChangeSetEntry>,
}

impl ChangeSet {
    /// The entry of a unit.
    pub fn entry(&self, unit: UnitId) -> Option<&ChangeSetEntry> {
        self.entries.iter().find(|entry| entry.unit == unit)
    }
}

/// What has become of a changeset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeSetState {
    /// It waits to be applied.
    Open,
    /// It is true, or was when it was applied.
    Applied,
    /// It was given up.
    Discarded,
}

impl fmt::Display for ChangeSetState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "Open",
            Self::Applied => "Applied",
            Self::Discarded => "Discarded",
        })
    }
}

/// What one unit of a changeset is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ChangeSetEntry {
    /// The unit.
    pub unit: UnitId,
    /// Who answers for the change: a team or a person.
    pub owner: String,
    /// Who wrote it.
    pub by: String,
    /// What it is pinned to.
    pub pinned: Pinned,
}

/// New data, or the state in which the unit was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pinned {
    /// Data that readers do not see until the changeset is applied.
    Staged(Staged),
    /// The head and the live revision when the changeset was made.
    Present {
        /// The newest revision.
        head: u32,
        /// The revision that was live, if one was.
        live: Option<u32>,
    },
}

/// New data of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Staged {
    /// The head that it was made from.
    pub base: u32,
    /// Hash of the new text.
    pub data: Hash,
    /// Hash of the new bookkeeping.
    pub bookkeeping: Hash,
    /// What made it, the last of several.
    pub source: RevisionSource,
    /// In words, all of several.
    pub description: String,
    /// The places that it changes.
    pub edits: Vec<EditRecord>,
}
