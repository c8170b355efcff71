//! `unit destroy`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Removes units from their targets.
#[derive(Debug)]
pub struct UnitDestroy;

/// Arguments of [`UnitDestroy`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for UnitDestroy {
    const NAME: &'static str = "unit destroy";
    const ALSO: &'static [&'static str] = &["destroy"];
    const ABOUT: &'static str = "Remove units from their targets; the records stay";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &["unit destroy traderx/reference-data"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        app.destroy(&selection).map(Output::Outcome)
    }
}
