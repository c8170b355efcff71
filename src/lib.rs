//! Windlass: a local-first configuration database and automation engine for Kubernetes fleets,
//! scripted in Rhai.

pub mod clock;
pub mod id;
pub mod store;
