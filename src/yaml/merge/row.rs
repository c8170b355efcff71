//! What a merge has to say: rows for the places where it could not do both sides' will.

use serde::{Deserialize, Serialize};

use crate::path::Path;
use crate::yaml::ResourceId;

/// Which side stands where both changed the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    /// Local stays, and the row is open.
    #[default]
    Local,
    /// Incoming is taken, and the row says so.
    Incoming,
}

/// Why there is a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Both sides changed the place, or the variant owns it.
    BothChanged,
    /// Local removed the node, incoming changed something in it.
    RemovedLocally,
    /// Incoming removed the node, local changed something in it.
    RemovedIncoming,
    /// One side renamed an element of a list, the other changed something in it.
    Renamed,
    /// Both sides moved the elements of a list.
    Order,
    /// The fields that the sides set exclude one another.
    Union,
    /// Both sides changed the same lines of a text.
    OverlappingLines,
    /// Both sides changed the same elements of a list without merge keys.
    List,
    /// The variant declared the place its own.
    Protected,
    /// A document was removed on one side and changed on the other.
    Document,
}

impl Reason {
    /// The reason in a few words, as tables show it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::BothChanged => "both changed",
            Self::RemovedLocally => "removed here, changed upstream",
            Self::RemovedIncoming => "removed upstream, changed here",
            Self::Renamed => "renamed on one side, changed on the other",
            Self::Order => "both moved elements",
            Self::Union => "fields that exclude one another",
            Self::OverlappingLines => "both changed the same lines",
            Self::List => "both changed the same elements",
            Self::Protected => "protected",
            Self::Document => "document removed on one side, changed on the other",
        }
    }
}

/// What was decided about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Nothing yet; the unit holds local's state.
    Open,
    /// Local stays.
    Kept,
    /// Incoming was taken.
    Taken,
    /// Something else was written.
    Edited,
}

/// A place where a merge could not do both sides' will.
///
/// The texts are YAML, without indentation; none stands for "not there". For [`Reason::Union`]
/// they hold the fields of the union alone; for [`Reason::Order`] the keys of the elements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictRow {
    /// The resource, as local calls it (as incoming does if local has it not).
    pub resource: ResourceId,
    /// The place in the merged text; where it has no such node, the place it would have.
    pub path: Path,
    /// The node in the common ancestor.
    pub base: Option<String>,
    /// The node in the text that was merged into.
    pub local: Option<String>,
    /// The node in the text that was merged.
    pub incoming: Option<String>,
    /// Why there is a row.
    pub reason: Reason,
    /// What was decided.
    pub state: RowState,
}
