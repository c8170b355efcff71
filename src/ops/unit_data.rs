//! `unit data`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Prints a unit's YAML.
#[derive(Debug)]
pub struct UnitData;

/// Arguments of [`UnitData`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// The revision; the head where it is left out.
    #[arg(long, value_name = "N")]
    pub revision: Option<u32>,
}

impl Operation for UnitData {
    const NAME: &'static str = "unit data";
    const ABOUT: &'static str = "Print a unit's YAML, byte for byte";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "unit data traderx/reference-data",
        "unit data traderx/reference-data --revision 1",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_one(app)?;
        app.data(selection.pins()[0].unit, args.revision)
            .map(Output::Text)
    }
}
