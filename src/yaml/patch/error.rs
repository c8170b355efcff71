//! Why a patch cannot be turned into edits.

use crate::path::Path;

/// A patch that does not fit the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The patch is not a map.
    #[error("expected a map as patch, found {found}")]
    NotMap {
        /// What it is.
        found: &'static str,
    },
    /// The patch names a resource that the text has not.
    #[error("expected one of {there}, found a patch for `{wanted}`")]
    NoResource {
        /// What the patch names.
        wanted: String,
        /// The resources of the text.
        there: String,
    },
    /// The patch does not say for which resource it is, and several would do.
    #[error("expected `kind` and `metadata.name` in the patch, since it could be for {candidates}")]
    Ambiguous {
        /// The resources that would do.
        candidates: String,
    },
    /// No resource has the places that the patch is for.
    #[error("expected a resource that has `{path}`, found {there}")]
    NoPlace {
        /// The first place that is missing everywhere.
        path: Path,
        /// The resources of the text.
        there: String,
    },
    /// A top-level key that the resource has not and that is no shorthand.
    #[error("expected a top-level key of `{resource}` ({known}), found `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
        /// The resource that would get it.
        resource: String,
        /// The keys that it has.
        known: String,
    },
    /// An element of a list does not say which it is.
    #[error("expected `{key}` in the element for `{path}`, which has {count} elements")]
    Unnamed {
        /// The list.
        path: Path,
        /// The missing merge key.
        key: &'static str,
        /// How many elements the list has.
        count: usize,
    },
    /// The shorthand `image` fits no container alone.
    #[error("expected a container named `{wanted}` or a single one, found {there}")]
    NoContainer {
        /// The name of the unit.
        wanted: String,
        /// The containers.
        there: String,
    },
}
