//! `redo`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Take an undo back, as a new operation.
#[derive(Debug)]
pub struct Redo;

/// Arguments of [`Redo`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// An undo, or the operation that it took back; the newest undo where none is given.
    #[arg(value_name = "OPERATION")]
    pub what: Option<String>,
    /// Only say what would happen.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for Redo {
    const NAME: &'static str = "redo";
    const ABOUT: &'static str = "Take an undo back, as a new operation";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["redo", "redo op-9"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.redo(args.what.as_deref(), args.dry_run)
            .map(Output::Outcome)
    }
}
