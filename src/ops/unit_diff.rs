//! `unit diff`

use serde::Deserialize;

use crate::app::{App, style};
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Shows what differs between revisions.
#[derive(Debug)]
pub struct UnitDiff;

/// Arguments of [`UnitDiff`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// The earlier revision; the live one where it is left out.
    #[arg(long, value_name = "N")]
    pub from: Option<u32>,
    /// The later revision; the head where it is left out.
    #[arg(long, value_name = "N")]
    pub to: Option<u32>,
}

impl Operation for UnitDiff {
    const NAME: &'static str = "unit diff";
    const ABOUT: &'static str = "Show what differs between two revisions, or between live and head";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "unit diff traderx/reference-data",
        "unit diff traderx/reference-data --from 1 --to 2",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve(app)?;
        let text = app.diff(&selection, args.from, args.to)?;
        Ok(Output::Report {
            text: style::lines(&text),
            value: text.into(),
            exit_code: 0,
        })
    }
}
