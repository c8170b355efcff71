//! Targets: apply, destroy, live state, drift, waiting.
//!
//! A [`Target`] takes the objects of one unit at a time; [`order()`] says which units go first. The
//! embedded [`Sandbox`] is a cluster simulated in records of the store, behind [`ClusterState`].
//! Targets are asked synchronously; one that talks over a network bridges to its client inside.

mod error;
mod image;
mod kind;
mod live;
mod object;
mod order;
mod plan;
mod sandbox;
mod validate;

pub use error::{Error, StateError};
pub use image::{Captured, Image};
pub use kind::{KindRow, Rank, Readiness, kind};
pub use live::{Condition, Drift, LiveState, ObjectState, Phase, WaitResult};
pub use object::{Object, Owner, PLACEHOLDER, PLACEHOLDER_NUMBER, UnitObjects};
pub use order::{Placement, destroy_order, order};
pub use plan::{Action, Plan, Planned, Present, plan};
pub use sandbox::{ClusterState, Fault, MemoryState, Sandbox};

use crate::path::Path;
use crate::yaml::ResourceId;

/// How a unit is to be applied.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// Check and plan only; send nothing.
    pub dry_run: bool,
    /// Take objects that belong to another unit or store.
    pub takeover: bool,
    /// Fields that are set even though somebody else changed them in the cluster.
    pub force: Vec<(ResourceId, Path)>,
}

/// How long to wait for a unit, in milliseconds of the target's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitOptions {
    /// When to give up; the workloads' own `progressDeadlineSeconds`, else 600 s, if `None`.
    pub timeout: Option<u64>,
    /// How long between two looks; at least 1.
    pub poll: u64,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            timeout: None,
            poll: 2_000,
        }
    }
}

/// What applying or destroying did.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The target, as it describes itself.
    pub target: String,
    /// Each object and what was done with it, in the order in which it was done.
    pub objects: Vec<Planned>,
    /// Namespaces that were missing and have been created.
    pub namespaces: Vec<String>,
}

impl Applied {
    /// Whether anything was done.
    pub fn is_changed(&self) -> bool {
        !self.namespaces.is_empty()
            || self
                .objects
                .iter()
                .any(|object| object.action != Action::Keep)
    }
}

/// A place that units deploy to.
pub trait Target: Send + Sync {
    /// What kind of target it is: `sandbox`, `kubernetes`, …
    fn kind(&self) -> &'static str;

    /// The target for people, so that nobody takes one for another.
    fn describe(&self) -> String;

    /// Asks whether the target is there; the answer in words.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn probe(&self) -> Result<String, Error>;

    /// Makes the objects of a unit true in the cluster: creates, changes, and deletes what the
    /// unit held when it was applied before and holds no longer.
    ///
    /// # Errors
    /// Before anything is sent: an object is invalid, is another unit's, or was changed by somebody
    /// else. While sending: the target refuses an object or is lost; what was sent stays.
    fn apply(&self, unit: &UnitObjects, options: &ApplyOptions) -> Result<Applied, Error>;

    /// Deletes the objects of a unit, the last applied first.
    ///
    /// # Errors
    /// When a namespace of the unit holds objects of others, or the target is lost.
    fn destroy(&self, owner: &Owner) -> Result<Applied, Error>;

    /// Deletes a namespace that an apply created, when its space goes. Says whether it did: one
    /// that something is left in, or that somebody else made, stays.
    ///
    /// # Errors
    /// When the target cannot be reached.
    fn release_namespace(&self, namespace: &str) -> Result<bool, Error>;

    /// What the target has of every object that applying or destroying a unit would touch.
    ///
    /// # Errors
    /// When the target cannot be reached, or an object is invalid.
    fn capture(&self, unit: &UnitObjects) -> Result<Image, Error>;

    /// Brings every object of an image back to what it was: changes what was changed, deletes
    /// what was created, creates what was deleted. What is as it was already is left alone, so
    /// that it can be called again after it failed.
    ///
    /// # Errors
    /// When the target refuses an object or is lost; what was put back stays.
    fn put_back(&self, owner: &Owner, image: &Image) -> Result<(), Error>;

    /// How the objects of a unit fare now.
    ///
    /// # Errors
    /// When the target cannot be reached.
    fn live(&self, owner: &Owner) -> Result<LiveState, Error>;

    /// Which fields of a unit's objects are no longer what was applied.
    ///
    /// # Errors
    /// When the target cannot be reached.
    fn drift(&self, owner: &Owner) -> Result<Vec<Drift>, Error>;

    /// Waits until a unit is ready, and tells `observe` what is seen at each look. Gives up early
    /// on what does not heal: an image not found for 60 s, a pod that crashed 3 times.
    ///
    /// # Errors
    /// When the target cannot be reached. Not becoming ready is a result, not an error.
    fn wait(
        &self,
        owner: &Owner,
        options: &WaitOptions,
        observe: &mut dyn FnMut(&LiveState),
    ) -> Result<WaitResult, Error>;
}
