//! The one integration test binary: a module for each topic.
#![expect(
    clippy::unwrap_used,
    reason = "the functions that tests share are tests, too: what they cannot do has failed"
)]

mod account;
mod corpus;
mod crash;
mod db;
mod edit;
mod format;
mod log_tamper;
mod merge;
mod merge_law;
mod patch;
mod processes;
mod refuse;
mod store_conformance;
mod sweep;
