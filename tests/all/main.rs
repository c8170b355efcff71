//! The one integration test binary: a module for each topic.

mod account;
mod merge;
mod merge_law;
mod patch;
mod corpus;
mod edit;
mod refuse;
mod sweep;
