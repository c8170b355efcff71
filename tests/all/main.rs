//! The one integration test binary: a module for each topic.

mod account;
mod cli;
mod corpus;
mod crash;
mod db;
mod deploy;
mod edit;
mod format;
mod functions;
mod hostile;
mod layers;
mod log_tamper;
mod merge;
mod merge_law;
mod mistakes;
mod patch;
mod processes;
mod query;
mod refuse;
mod stages;
mod store_conformance;
mod sweep;
mod world;
