//! The one integration test binary: a module for each topic.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    let_underscore_drop,
    reason = "a test that cannot go on fails, says what it left out, and may look at its environment"
)]

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
mod hostile_input;
mod layers;
mod log_tamper;
mod merge;
mod merge_law;
mod mistakes;
mod patch;
mod preview;
mod processes;
mod query;
mod refuse;
mod rollout;
mod script_error;
mod stages;
mod store_conformance;
mod sweep;
mod upgrade;
mod world;
mod writers;
