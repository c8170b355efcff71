//! `filter get`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Shows one filter.
#[derive(Debug)]
pub struct FilterGet;

/// Arguments of [`FilterGet`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The filter: `name` or `space/name`.
    pub filter: String,
    /// The space it is looked for in first.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
}

impl Operation for FilterGet {
    const NAME: &'static str = "filter get";
    const ABOUT: &'static str = "Show a filter and how many units it selects now";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "filter get high-volume-trading",
        "filter get traderx-filters/core",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let filter = app.filter_named(&args.filter, args.space.as_deref())?;
        let record = app.filter_record(&filter)?;
        Ok(Output::fields(record))
    }
}
