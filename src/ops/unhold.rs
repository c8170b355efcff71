//! `unhold`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::{Selecting, shown};
use crate::ops::{Effect, Operation, Output};

/// Ends holds.
#[derive(Debug)]
pub struct Unhold;

/// Arguments of [`Unhold`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for Unhold {
    const NAME: &'static str = "unhold";
    const ABOUT: &'static str = "End the holds of units";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["unhold traderx-prod-eu/trade-service"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        shown(app.unhold(&selection)?)
    }
}
