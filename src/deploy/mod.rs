//! Targets: apply, destroy, live state, drift, waiting.
//!
//! A [`Target`] takes the objects of units that may go at once; [`order()`] says which go first. The
//! embedded [`Sandbox`] is a cluster simulated in records of the store, behind [`ClusterState`];
//! [`Kubernetes`] is a real one. Targets are asked synchronously; one that talks over a network
//! bridges to its client inside.

mod error;
mod image;
mod inventory;
mod kind;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod live;
mod object;
mod order;
mod plan;
mod sandbox;
mod target;
mod validate;

pub use error::{Error, FieldConflict, StateError};
pub use image::{Captured, Image};
pub use inventory::{AppliedObject, Inventory};
pub use kind::{KINDS, KindRow, Rank, Readiness, kind, plural};
#[cfg(feature = "kubernetes")]
pub use kubernetes::{Kubernetes, KubernetesSettings, KubernetesTimeouts};
pub use live::{Condition, Drift, LiveState, ObjectState, Phase, PodState, WaitResult};
pub use object::{Object, Owner, PLACEHOLDER, PLACEHOLDER_NUMBER, UnitObjects, value_at};
pub use order::{Placement, destroy_order, order};
pub use plan::{Action, Plan, Planned, Present, plan};
pub use sandbox::{ClusterState, Fault, MemoryState, Sandbox};
pub use target::{
    Applied, ApplyOptions, Deployed, Identity, ObjectPlan, ObjectPreview, Sent, TakenObject,
    Takeover, Target, UnitPlan, WaitOptions,
};
