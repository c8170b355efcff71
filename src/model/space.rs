//! Spaces.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Labels;
use crate::clock::Timestamp;
use crate::id::{Slug, SpaceId};

/// A named container of units: an environment, a region, a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Space {
    /// Its number.
    pub id: SpaceId,
    /// Its name, unique in the store.
    pub slug: Slug,
    /// Its labels.
    pub labels: Labels,
    /// Where its units deploy unless they say otherwise.
    pub target: Option<Slug>,
    /// When it was made.
    pub created: Timestamp,
    /// The gates that are switched on for its units, such as `conflicts/open`.
    pub gates: BTreeSet<String>,
}
