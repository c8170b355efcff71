//! `undo`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Take an operation on desired state back, as a new operation.
#[derive(Debug)]
pub struct Undo;

/// Arguments of [`Undo`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// An operation (`op-7`) or a whole run (`run-3`); the newest that is not undone where none
    /// is given.
    #[arg(value_name = "OPERATION")]
    pub what: Option<String>,
    /// Only say what would happen.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for Undo {
    const NAME: &'static str = "undo";
    const ABOUT: &'static str =
        "Take an operation on desired state back, as a new operation; never touches a cluster";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["undo", "undo op-7 --dry-run", "undo run-3"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.undo(args.what.as_deref(), args.dry_run)
            .map(Output::Outcome)
    }
}
