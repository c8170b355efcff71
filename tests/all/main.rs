//! The one integration test binary: a module for each topic.

mod account;
mod corpus;
mod deploy;
mod edit;
mod merge;
mod query;
mod store_conformance;
mod sweep;
