//! `unit tree`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Shows variants below what they were cloned from.
#[derive(Debug)]
pub struct UnitTree;

/// Arguments of [`UnitTree`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// The columns after NODE and UNIT.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// What stands in the column NODE.
    #[arg(long, value_name = "WHAT", value_parser = ["space"], default_value = "space")]
    pub node: Option<String>,
}

impl Operation for UnitTree {
    const NAME: &'static str = "unit tree";
    const ALSO: &'static [&'static str] = &["tree"];
    const ABOUT: &'static str = "Show variants below what they were cloned from";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "unit tree trade-service --space '*' --columns UpgradeNeeded",
        "unit tree --space '*'",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve(app)?;
        app.tree_of(&selection, &args.columns).map(Output::Table)
    }
}
