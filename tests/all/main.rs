//! The one integration test binary: a module for each topic.
#![expect(
    clippy::unwrap_used,
    reason = "the functions that tests share are tests, too: what they cannot do has failed"
)]

mod crash;
mod db;
mod format;
mod log_tamper;
mod processes;
mod store_conformance;
