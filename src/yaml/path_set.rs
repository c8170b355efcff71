//! Sets of places in the resources of a unit: what a variant owns, what it protects.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ResourceId;
use crate::path::Path;

/// A set of places, each a resource (or every resource of the unit) and a path or pattern.
///
/// ```
/// use windlass::yaml::{PathSet, ResourceId};
///
/// let api = ResourceId { kind: "Deployment".into(), name: "api".into(), ..Default::default() };
/// let mut owned = PathSet::default();
/// owned.insert(None, "spec.replicas".parse().unwrap());
/// assert!(owned.covers(&api, &"spec.replicas".parse().unwrap()));
/// assert!(owned.touches(&api, &"spec".parse().unwrap()));
/// assert!(!owned.covers(&api, &"spec".parse().unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PathSet(BTreeSet<(Option<ResourceId>, Path)>);

impl PathSet {
    /// Adds a place; true if it was not there.
    pub fn insert(&mut self, resource: Option<ResourceId>, path: Path) -> bool {
        self.0.insert((resource, path))
    }

    /// Removes exactly this place; true if it was there.
    pub fn remove(&mut self, resource: Option<&ResourceId>, path: &Path) -> bool {
        self.0.remove(&(resource.cloned(), path.clone()))
    }

    /// Whether exactly this place is in the set.
    pub fn contains(&self, resource: Option<&ResourceId>, path: &Path) -> bool {
        self.0.contains(&(resource.cloned(), path.clone()))
    }

    /// Keeps the places for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(Option<&ResourceId>, &Path) -> bool) {
        self.0
            .retain(|(resource, path)| keep(resource.as_ref(), path));
    }

    /// Whether the place, or one around it, is in the set.
    pub fn covers(&self, resource: &ResourceId, path: &Path) -> bool {
        self.of(resource).any(|member| member.matches(path))
    }

    /// Whether the place, one around it, or one inside of it is in the set.
    pub fn touches(&self, resource: &ResourceId, path: &Path) -> bool {
        self.of(resource).any(|member| {
            let length = member.len().min(path.len());
            let head = Path::from(member.segments()[..length].to_vec());
            head.matches(path)
        })
    }

    /// The paths that hold for one resource.
    pub fn of(&self, resource: &ResourceId) -> impl Iterator<Item = &Path> {
        self.iter()
            .filter(move |(named, _)| named.is_none_or(|named| named == resource))
            .map(|(_, path)| path)
    }

    /// The places, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&ResourceId>, &Path)> {
        self.0
            .iter()
            .map(|(resource, path)| (resource.as_ref(), path))
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<(Option<ResourceId>, Path)> for PathSet {
    fn extend<T: IntoIterator<Item = (Option<ResourceId>, Path)>>(&mut self, places: T) {
        self.0.extend(places);
    }
}

impl FromIterator<(Option<ResourceId>, Path)> for PathSet {
    fn from_iter<T: IntoIterator<Item = (Option<ResourceId>, Path)>>(places: T) -> Self {
        Self(places.into_iter().collect())
    }
}
