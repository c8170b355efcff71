//! The one integration test binary: a module for each topic.

mod crash;
mod db;
mod format;
mod log_tamper;
mod processes;
mod store_conformance;
