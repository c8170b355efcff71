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
        let selection = args.selecting.resolve(app)?;
        let rows = app.conflicts_of(&selection)?;
        let rows: Vec<_> = rows
            .into_iter()
            .filter(|row| args.all || row.is_open())
            .collect();
        app.conflict_table(&rows).map(Output::Table)
    }
}
