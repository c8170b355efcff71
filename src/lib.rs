//! Windlass: a local-first configuration database and automation engine for Kubernetes fleets,
//! scripted in Rhai.

pub mod clock;
pub mod error;
pub mod id;
pub mod path;
pub mod query;
pub mod runtime;
pub mod script;
pub mod yaml;
