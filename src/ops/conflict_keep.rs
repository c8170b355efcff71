//! `conflict keep`

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::conflict::Decision;
use crate::error::Result;
use crate::ops::selecting::conflict_ids as ids;
use crate::ops::{Effect, Operation, Output};

/// Decide conflicts for the local value.
#[derive(Debug)]
pub struct ConflictKeep;

/// Arguments of [`ConflictKeep`].
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
    /// Do not ask again for these paths.
    #[arg(long)]
    pub protect: bool,
}

impl Operation for ConflictKeep {
    const NAME: &'static str = "conflict keep";
    const ABOUT: &'static str = "Decide conflicts for the local value";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "conflict keep c41 -m 'INC-4312 until 2.5.1'",
        "conflict keep c41 --protect",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.decide(
            &ids(app, &args.ids, args.clause.as_deref())?,
            &Decision::Keep {
                protect: args.protect,
            },
            ChangeOptions {
                dry_run: args.dry_run,
                ..ChangeOptions::default()
            },
        )
        .map(Output::Outcome)
    }
}
