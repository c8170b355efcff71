//! `unit get`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Shows one unit.
#[derive(Debug)]
pub struct UnitGet;

/// Arguments of [`UnitGet`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for UnitGet {
    const NAME: &'static str = "unit get";
    const ABOUT: &'static str = "Show one unit: its attributes and its data, as JSON";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "unit get traderx/reference-data",
        "unit get reference-data --space traderx",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_one(app)?;
        app.record(selection.pins()[0].unit).map(Output::Record)
    }
}
