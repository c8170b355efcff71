//! `conflict list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Lists conflict rows.
#[derive(Debug)]
pub struct ConflictList;

/// Arguments of [`ConflictList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// Decided ones and those of protected paths, too.
    #[arg(long)]
    pub all: bool,
}

impl Operation for ConflictList {
    const NAME: &'static str = "conflict list";
    const ABOUT: &'static str = "List merge conflicts that wait for a decision";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] =
        &["conflict list", "conflict list 'prod-*/ledger' --all"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let mut selecting = args.selecting;
        let clause = selecting.flags.clause.take();
        let mut rows = app.conflicts_of(&selecting.resolve(app)?)?;
        rows.retain(|row| args.all || row.is_open());
        if let Some(clause) = clause {
            rows = app.conflicts_where(rows, &clause)?;
        }
        app.conflict_table(&rows).map(Output::Table)
    }
}
