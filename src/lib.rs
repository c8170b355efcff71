//! Windlass: a local-first configuration database and automation engine for Kubernetes fleets,
//! scripted in Rhai.

pub mod clock;
pub mod db;
pub mod deploy;
pub mod id;
pub mod model;
pub mod path;
pub mod query;
pub mod store;
pub mod yaml;
