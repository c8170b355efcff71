//! The one integration test binary: a module for each topic.

mod account;
mod cli;
mod corpus;
mod deploy;
mod edit;
mod functions;
mod hostile;
mod layers;
mod merge;
mod merge_law;
mod mistakes;
mod patch;
mod query;
mod refuse;
mod stages;
mod store_conformance;
mod sweep;
mod world;
