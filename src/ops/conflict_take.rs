//! `conflict take`

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::conflict::Decision;
use crate::error::Result;
use crate::ops::selecting::conflict_ids as ids;
use crate::ops::{Effect, Operation, Output};

/// Decide conflicts for the incoming value.
#[derive(Debug)]
pub struct ConflictTake;

/// Arguments of [`ConflictTake`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The conflicts: `c41`.
    #[arg(required_unless_present = "clause")]
    pub ids: Vec<String>,
    /// The open conflicts that meet a clause: `Path LIKE '%.image'`.
    #[arg(long = "where", value_name = "CLAUSE", conflicts_with = "ids")]
    #[serde(rename = "where")]
    pub clause: Option<String>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for ConflictTake {
    const NAME: &'static str = "conflict take";
    const ABOUT: &'static str = "Decide conflicts for the incoming value";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "conflict take c41",
        "conflict take --where \"Path LIKE '%.image'\" --dry-run",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.decide(
            &ids(app, &args.ids, args.clause.as_deref())?,
            &Decision::Take,
            ChangeOptions {
                dry_run: args.dry_run,
                ..ChangeOptions::default()
            },
        )
        .map(Output::Outcome)
    }
}
