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
pub struct Args {}

impl Operation for TargetList {
    const NAME: &'static str = "target list";
    const ABOUT: &'static str = "List targets";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["target list"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let Args {} = args;
        app.target_table().map(Output::Table)
    }
}
