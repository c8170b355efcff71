//! `hold list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Lists holds.
#[derive(Debug)]
pub struct HoldList;

/// Arguments of [`HoldList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for HoldList {
    const NAME: &'static str = "hold list";
    const ABOUT: &'static str = "List the units that are held, by whom and until when";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["hold list", "hold list --space 'traderx-prod-*'"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve(app)?;
        app.hold_table(&selection).map(Output::Table)
    }
}
