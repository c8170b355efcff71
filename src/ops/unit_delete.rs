//! `unit delete`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Deletes units from the store; their history stays.
#[derive(Debug)]
pub struct UnitDelete;

/// Arguments of [`UnitDelete`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for UnitDelete {
    const NAME: &'static str = "unit delete";
    const ABOUT: &'static str = "Delete units; refused while they are live";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["unit delete traderx/reference-data"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        app.delete_units(&selection).map(Output::Outcome)
    }
}
