//! The one integration test binary: a module for each topic.

mod cli;
mod functions;
mod layers;
mod query;
mod stages;
mod store_conformance;
mod world;
