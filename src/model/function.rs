//! Functions that are installed in a store.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::Slug;

/// A function that everybody has who uses the store, whatever folder they are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstalledFunction {
    /// Its name: small letters, digits and dashes.
    pub name: Slug,
    /// The text of its file, at most 256 KiB. It could be used when it was installed.
    pub text: String,
    /// When this text was installed.
    pub installed: Timestamp,
    /// Who installed it.
    pub by: String,
}
