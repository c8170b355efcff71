//! Holds: units that nobody is to deploy for now.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Why and until when a unit is not to be deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Hold {
    /// Who said so.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// When it ends by itself; it stays until it is taken away where this is none.
    pub until: Option<Timestamp>,
    /// Why, in the words of who said so.
    pub why: Option<String>,
}

impl Hold {
    /// Whether it still holds at an instant.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
