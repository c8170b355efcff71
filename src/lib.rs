//! Windlass: a local-first configuration database and automation engine for Kubernetes fleets,
//! scripted in Rhai.

pub mod app;
pub mod cli;
pub mod clock;
pub mod db;
pub mod deploy;
pub mod error;
pub mod id;
pub mod model;
pub mod ops;
pub mod path;
pub mod query;
pub mod repl;
pub mod runtime;
pub mod script;
pub mod session;
pub mod store;
pub mod yaml;
