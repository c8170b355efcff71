//! `unit live-state`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Shows what a unit's target runs.
#[derive(Debug)]
pub struct UnitLiveState;

/// Arguments of [`UnitLiveState`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for UnitLiveState {
    const NAME: &'static str = "unit live-state";
    const ALSO: &'static [&'static str] = &["live-state", "unit get-live-state"];
    const ABOUT: &'static str = "Show what a unit's target runs";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["unit live-state traderx/reference-data"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_one(app)?;
        app.live_state(selection.pins()[0].unit).map(Output::Record)
    }
}
