//! Tolerated drift: fields that may differ in a cluster for a while.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::path::Path;

/// A field that may be other than what was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tolerance {
    /// The object as `Kind/name`; every object of the unit where this is none.
    pub resource: Option<String>,
    /// The field, with everything below it.
    pub path: Path,
    /// Who said so.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
    /// When it ends by itself; it stays until it is taken away where this is none.
    pub until: Option<Timestamp>,
    /// Why, in the words of who said so.
    pub why: Option<String>,
}

impl Tolerance {
    /// Whether it covers a field of an object at an instant.
    ///
    /// ```
    /// use windlass::clock::Timestamp;
    /// use windlass::model::Tolerance;
    ///
    /// let tolerance = Tolerance {
    ///     resource: None,
    ///     path: "spec.replicas".parse().unwrap(),
    ///     by: "sam".into(),
    ///     at: Timestamp::default(),
    ///     until: None,
    ///     why: None,
    /// };
    /// let now = Timestamp::default();
    /// assert!(tolerance.covers("Deployment/api", &"spec.replicas".parse().unwrap(), now));
    /// assert!(!tolerance.covers("Deployment/api", &"spec.template".parse().unwrap(), now));
    /// ```
    pub fn covers(&self, resource: &str, path: &Path, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
            && self
                .resource
                .as_deref()
                .is_none_or(|meant| meant == resource)
            && path.starts_with(&self.path)
    }
}
