//! Stored filters: a clause under a name.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{Slug, SpaceId};

/// A named WHERE clause over units. What it selects is decided when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Filter {
    /// Its name, unique in its space, or among those without one.
    pub slug: Slug,
    /// The space it belongs to; none where it belongs to the store. It says nothing of where the
    /// units are.
    pub space: Option<SpaceId>,
    /// The clause, as it was typed. It could be read when it was stored.
    pub clause: String,
    /// A glob that the names of the units' spaces must match.
    pub from_space: Option<String>,
    /// When it was made.
    pub created: Timestamp,
}
