//! `drift show`

use serde::Deserialize;

use crate::app::App;
use crate::app::drift;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Shows drift.
#[derive(Debug)]
pub struct DriftShow;

/// Arguments of [`DriftShow`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for DriftShow {
    const NAME: &'static str = "drift show";
    const ABOUT: &'static str = "Show every field that has drifted: applied, desired, live";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["drift show traderx-prod-eu/trade-service"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_one(app)?;
        let found = app.drift(&selection)?;
        Ok(Output::Report {
            text: drift::describe(&found),
            value: drift::to_json(&found),
            exit_code: 0,
        })
    }
}
