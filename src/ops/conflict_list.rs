//! `conflict list`

use serde::Deserialize;

use crate::app::App;
use crate::app::conflict::state_word;
use crate::error::{Error, Kind, Result};
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
    /// Those in this state: open, kept, taken, edited, or all.
    #[arg(long, value_name = "STATE", conflicts_with = "all")]
    pub state: Option<String>,
}

impl Operation for ConflictList {
    const NAME: &'static str = "conflict list";
    const ABOUT: &'static str = "List merge conflicts that wait for a decision";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] =
        &["conflict list", "conflict list 'prod-*/ledger' --all"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let state = match (args.all, args.state.as_deref()) {
            (true, _) | (false, Some("all")) => None,
            (false, None) => Some("open"),
            (false, Some(state @ ("open" | "kept" | "taken" | "edited"))) => Some(state),
            (false, Some(other)) => {
                return Err(Error::new(
                    Kind::Usage,
                    format!(
                        "expected a state of open, kept, taken, edited or all, found `{other}`"
                    ),
                ));
            }
        };
        let mut selecting = args.selecting;
        let clause = selecting.flags.clause.take();
        let mut rows = app.conflicts_of(&selecting.resolve(app)?)?;
        rows.retain(|row| state.is_none_or(|state| state == state_word(row.row.state)));
        if let Some(clause) = clause {
            rows = app.conflicts_where(rows, &clause)?;
        }
        app.conflict_table(&rows).map(Output::Table)
    }
}
