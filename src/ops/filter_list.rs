//! `filter list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Lists filters.
#[derive(Debug)]
pub struct FilterList;

/// Arguments of [`FilterList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Only the filters of this space, or of the spaces that a glob matches.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
}

impl Operation for FilterList {
    const NAME: &'static str = "filter list";
    const ABOUT: &'static str = "List stored filters";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] =
        &["filter list", "filter list --space traderx-filters"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.filter_table(args.space.as_deref()).map(Output::Table)
    }
}
