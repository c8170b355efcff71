//! `target list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Lists targets.
#[derive(Debug)]
pub struct TargetList;

/// Arguments of [`TargetList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Only the targets of a space, or of those that a glob matches; with the names by which `cub`
    /// calls the targets of their workers.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
}

impl Operation for TargetList {
    const NAME: &'static str = "target list";
    const ABOUT: &'static str = "List targets";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["target list", "target list --space traderx"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.target_table(args.space.as_deref()).map(Output::Table)
    }
}
