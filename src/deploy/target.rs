//! What every target can do.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::path::Path;
use crate::yaml::ResourceId;

use super::error::Error;
use super::image::Image;
use super::inventory::Inventory;
use super::live::{Drift, LiveState, ObjectState, WaitResult};
use super::object::{Owner, UnitObjects};
use super::plan::{Action, Planned};

/// How units are to be applied.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// Check and plan only; send nothing. A plan keeps what a preview will ask for.
    pub dry_run: bool,
    /// Take objects that belong to another unit or store, or to nobody.
    pub takeover: bool,
    /// Fields that are set even though somebody else changed them in the cluster.
    pub force: Vec<(ResourceId, Path)>,
}

/// How long to wait for units, in milliseconds of the target's clock.
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

/// Which cluster a target is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Where it is: the address of its API server.
    pub server: String,
    /// What stays the same however it is reached: the uid of the namespace `kube-system`, or the
    /// hash of its authority and address where that may not be read.
    pub cluster: String,
}

/// A unit that is, or may be, in a cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deployed<'a> {
    /// Whose objects are meant.
    pub owner: &'a Owner,
    /// What the store remembers of them. The sandbox remembers by itself and ignores it.
    pub inventory: Option<&'a Inventory>,
}

/// One object of a [`UnitPlan`].
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPlan {
    /// The object.
    pub resource: ResourceId,
    /// What will be done with it.
    pub action: Action,
    /// The object as it will be sent; none where it is deleted.
    pub value: Option<Value>,
    /// The object as it is there, where the plan was asked for with `dry_run` and the look told: a
    /// preview then looks no second time.
    pub live: Option<Value>,
}

/// What applying a unit would do, made from one look at the target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnitPlan {
    /// The steps, in their order.
    pub steps: Vec<ObjectPlan>,
    /// What the unit has or may have in the cluster from the first request on: what it had, and
    /// what is to come. The store keeps it before anything is sent.
    pub pending: Inventory,
    /// How the unit fares, where there is nothing to be sent and the look told.
    pub live: Option<LiveState>,
    /// How those objects fare that are kept, where others are to be sent, as far as the look told.
    pub seen: Vec<ObjectState>,
}

impl UnitPlan {
    /// Whether there is anything to be sent.
    pub fn is_change(&self) -> bool {
        self.steps.iter().any(|step| step.action != Action::Keep)
    }
}

/// What the target would make of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPreview {
    /// The object.
    pub resource: ResourceId,
    /// What would be done with it.
    pub action: Action,
    /// The fields that we own as they are; none where the object is not there.
    pub before: Option<Value>,
    /// The fields that we own as they would be; none where it would be deleted.
    pub after: Option<Value>,
    /// Why the target could not check it, if so: its namespace or its definition is not there yet.
    pub unchecked: Option<String>,
}

/// What applying or destroying a unit did.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The target, as it describes itself.
    pub target: String,
    /// Each object and what was done with it, in the order in which it was done.
    pub objects: Vec<Planned>,
    /// Namespaces that were missing and have been created.
    pub namespaces: Vec<String>,
    /// What the unit has in the cluster from now on; none where it has nothing there, or where the
    /// target remembers by itself.
    pub inventory: Option<Inventory>,
    /// How the unit fares just after, where the target's answers tell.
    pub live: Option<LiveState>,
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

/// What became of one unit of a batch.
#[derive(Debug)]
pub enum Sent {
    /// All of it was done.
    Done(Applied),
    /// Something was refused, or the target was lost; what was sent before stays.
    Failed {
        /// Why.
        error: Box<Error>,
        /// What the unit has in the cluster now, as far as that is known; none where the target
        /// remembers by itself.
        inventory: Option<Inventory>,
    },
    /// It was not begun, because another unit of the batch had failed.
    NotSent,
}

/// What taking over a unit's objects did, or would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Takeover {
    /// The objects, in the order of applying.
    pub objects: Vec<TakenObject>,
    /// What the unit has in the cluster then.
    pub inventory: Option<Inventory>,
}

/// One object of a [`Takeover`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenObject {
    /// The object.
    pub resource: ResourceId,
    /// The field managers that it was taken from.
    pub managers: Vec<String>,
    /// Fields that those managers set and the unit lacks.
    pub extra: Vec<Path>,
}

/// A place that units deploy to.
///
/// Every method takes units that may go at once and asks the target as few questions as it can:
/// one list a kind, not one request an object.
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

    /// Which cluster it is.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn identity(&self) -> Result<Identity, Error>;

    /// Plans units, each with what the store remembers of it. Nothing is sent.
    ///
    /// # Errors
    /// When the target cannot be reached. For each unit: an object is invalid, of a kind that the
    /// target does not have, or another unit's.
    fn plan(
        &self,
        units: &[(&UnitObjects, Option<&Inventory>)],
        options: &ApplyOptions,
    ) -> Result<Vec<Result<UnitPlan, Error>>, Error>;

    /// Asks the target what it would make of planned units. Nothing is changed.
    ///
    /// # Errors
    /// When the target cannot be reached. For each unit: what it would refuse.
    fn preview(
        &self,
        units: &[(&UnitObjects, &UnitPlan)],
        options: &ApplyOptions,
    ) -> Result<Vec<Result<Vec<ObjectPreview>, Error>>, Error>;

    /// Makes planned units true in the cluster: creates, changes, and deletes what a unit had and
    /// holds no longer. Begins no further unit after one has failed.
    fn send(&self, units: &[(&UnitObjects, &UnitPlan)], options: &ApplyOptions) -> Vec<Sent>;

    /// Deletes the objects of units, the last applied first, and waits until they are gone.
    fn destroy(&self, units: &[Deployed<'_>]) -> Vec<Sent>;

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
    fn capture(&self, unit: &UnitObjects, inventory: Option<&Inventory>) -> Result<Image, Error>;

    /// Brings every object of an image back to what it was: changes what was changed, deletes
    /// what was created, creates what was deleted. What is as it was already is left alone, so
    /// that it can be called again after it failed. Says what the unit has in the cluster then.
    ///
    /// # Errors
    /// When the target refuses an object or is lost, or somebody else changed a field or took an
    /// object since; what was put back stays.
    fn put_back(&self, owner: &Owner, image: &Image) -> Result<Option<Inventory>, Error>;

    /// Makes the objects of a unit its own as they are, whatever the unit says of their fields, and
    /// takes the fields away from the managers `from`. An object of another unit is taken only
    /// where `from` names it, as `unit:SPACE/UNIT` or `store:ID`.
    ///
    /// # Errors
    /// When the target cannot be reached or refuses, an object is not there, or it is another
    /// unit's; objects taken before stay taken.
    fn takeover(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
        from: &[String],
        dry_run: bool,
    ) -> Result<Takeover, Error>;

    /// How the objects of units fare now, each unit's in the order given.
    ///
    /// # Errors
    /// When the target cannot be reached.
    fn live(&self, units: &[Deployed<'_>]) -> Result<Vec<LiveState>, Error>;

    /// Which fields of units' objects are no longer what was applied.
    ///
    /// # Errors
    /// When the target cannot be reached.
    fn drift(&self, units: &[Deployed<'_>]) -> Result<Vec<Vec<Drift>>, Error>;

    /// Waits until units are ready, and tells `observe` what is seen of which unit at each look.
    /// Gives up early on what does not heal: an image not found for 60 s, a pod that crashed 3
    /// times.
    ///
    /// # Errors
    /// When the target cannot be reached; [`Error::Stopped`] once `observe` breaks it off, where
    /// waiting takes time at all. Not becoming ready is a result, not an error.
    fn wait(
        &self,
        units: &[Deployed<'_>],
        options: &WaitOptions,
        observe: &mut dyn FnMut(usize, &LiveState) -> ControlFlow<()>,
    ) -> Result<Vec<WaitResult>, Error>;
}
