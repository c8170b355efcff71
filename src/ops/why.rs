//! `why`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Explains a unit.
#[derive(Debug)]
pub struct Why;

/// Arguments of [`Why`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which unit.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for Why {
    const NAME: &'static str = "why";
    const ABOUT: &'static str =
        "Say why a unit is as it is: data, gates, the last apply, its target, drift";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["why traderx-prod-eu/trade-service"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_one(app)?;
        let why = app.why(selection.pins()[0].unit)?;
        Ok(Output::Report {
            text: why.text(),
            value: why.to_json(),
            exit_code: 0,
        })
    }
}
