//! The one integration test binary: a module for each topic.
#![expect(
    clippy::unwrap_used,
    let_underscore_drop,
    unreachable_pub,
    reason = "helpers of tests fail the test, what a command printed need not be looked at, and all \
              of this is one binary"
)]

mod account;
mod applies;
mod authoring;
mod backup;
mod blame;
mod changeset;
mod cli;
mod command_line;
mod commit;
mod corpus;
mod crash;
mod cub;
mod db;
mod deploy;
mod docs;
mod dry_run;
mod edit;
mod export;
mod filters;
mod find;
#[cfg(feature = "kubernetes")]
mod fleet;
mod format;
mod functions;
mod help_examples;
mod hostile;
mod hostile_input;
mod import;
mod installed;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod lateral;
mod layers;
mod listing;
mod log_tamper;
mod merge;
mod merge_law;
mod mistakes;
mod patch;
mod preview;
mod processes;
mod query;
mod read;
mod refuse;
mod registry;
mod removal;
mod repl;
mod rollback;
mod rollout;
mod script_error;
mod script_files;
mod stages;
mod store_conformance;
mod sweep;
mod terminal;
mod tools;
mod undo;
mod upgrade;
mod world;
mod writers;
