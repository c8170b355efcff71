//! What a unit has beside its data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Hash;
use crate::clock::Timestamp;
use crate::id::UnitId;
use crate::yaml::PathSet;

/// Merge pointers, owned and protected paths, and source texts of a unit.
///
/// Stored by its hash, so that revisions can tell the bookkeeping before and after them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Bookkeeping {
    /// The revision of the upstream last taken.
    pub upstream_revision: Option<u32>,
    /// Of each unit that was merged from, the revision last taken.
    pub merges: BTreeMap<UnitId, u32>,
    /// The paths that count as local changes whatever their values.
    pub owned: PathSet,
    /// The paths that merges keep.
    pub protected: PathSet,
    /// The texts from outside that were taken, by name.
    pub sources: BTreeMap<String, SourceText>,
}

/// A text from outside, such as a file, as it was last taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SourceText {
    /// Hash of the text, which is stored like a unit's data.
    pub digest: Hash,
    /// When it was taken.
    pub at: Timestamp,
}
