//! Revisions.

use serde::{Deserialize, Serialize};

use super::Hash;
use crate::clock::Timestamp;
use crate::id::{OpId, UnitId};
use crate::path::Path;
use crate::yaml::ResourceId;

/// An immutable, numbered state of a unit's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Revision {
    /// The unit.
    pub unit: UnitId,
    /// Its number, from 1.
    pub num: u32,
    /// Hash of its text.
    pub data: Hash,
    /// Who made it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// What made it.
    pub source: RevisionSource,
    /// In words.
    pub description: String,
    /// The operation that made it.
    pub op: OpId,
    /// The places that it changed.
    pub edits: Vec<EditRecord>,
    /// Hash of the bookkeeping that it found.
    pub bookkeeping_before: Hash,
    /// Hash of the bookkeeping that it left.
    pub bookkeeping_after: Hash,
}

/// One place that a revision changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EditRecord {
    /// In which resource.
    pub resource: ResourceId,
    /// Where in it.
    pub path: Path,
}

/// What made a revision. New ones go to the end: the position is what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RevisionSource {
    /// The creation of the unit.
    Create,
    /// The cloning of another unit.
    Clone {
        /// That unit.
        unit: UnitId,
        /// Its revision then.
        revision: u32,
    },
    /// A patch.
    Patch,
    /// A function.
    Function {
        /// Its name.
        name: String,
        /// Its arguments, as they would be typed.
        args: String,
    },
    /// A merge of the upstream.
    Upgrade {
        /// The revision of the upstream that was the base.
        from: u32,
        /// The one that was merged.
        to: u32,
    },
    /// A merge of a range of another unit's revisions.
    Merge {
        /// That unit.
        unit: UnitId,
        /// The revision that was the base.
        base: u32,
        /// The one that was merged.
        end: u32,
    },
    /// An earlier revision brought back.
    Restore {
        /// Its number.
        revision: u32,
    },
    /// New text given as a whole.
    Update,
    /// A text from outside merged on a later run.
    Ensure {
        /// Its name.
        source: String,
    },
    /// A file taken in.
    Import {
        /// The file, relative to the imported folder.
        file: String,
    },
    /// Two texts of one file, merged as base and incoming.
    MergeText {
        /// Its name.
        source: String,
    },
    /// An operation undone.
    Undo {
        /// That operation.
        op: OpId,
    },
    /// A conflict settled.
    Resolve,
    /// A copy of another unit's data, without a link to it.
    Copy {
        /// The unit.
        unit: UnitId,
        /// Its revision.
        revision: u32,
    },
}
