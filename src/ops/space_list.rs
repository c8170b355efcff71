//! `space list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Lists spaces.
#[derive(Debug)]
pub struct SpaceList;

/// Arguments of [`SpaceList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// A glob of spaces (`prod-*`); all where it is left out.
    pub pattern: Option<String>,
}

impl Operation for SpaceList {
    const NAME: &'static str = "space list";
    const ABOUT: &'static str = "List spaces with what is in them";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["space list", "space list 'traderx-prod-*'"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.space_table(args.pattern.as_deref().unwrap_or("*"))
            .map(Output::Table)
    }
}
