//! `revision list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::{Selecting, object};
use crate::ops::{Effect, Operation, Output};

/// Lists a unit's revisions.
#[derive(Debug)]
pub struct RevisionList;

/// Arguments of [`RevisionList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// How many, at most.
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<usize>,
    /// As lines for an audit: `Rev 47: time | author | change`.
    #[arg(long)]
    pub lines: bool,
}

impl Operation for RevisionList {
    const NAME: &'static str = "revision list";
    const ALSO: &'static [&'static str] = &["unit revision list"];
    const ABOUT: &'static str = "List a unit's revisions, the newest first";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "revision list traderx-prod-eu/trade-service --limit 3",
        "revision list traderx-prod-eu/trade-service --lines",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_one(app)?;
        let unit = selection.pins()[0].unit;
        let table = app.revision_table(unit, args.limit)?;
        if args.lines {
            let lines = app.history(unit, args.limit)?;
            return Ok(object(lines + "\n", table.to_json()));
        }
        Ok(Output::Table(table))
    }
}
