//! `log`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Lists operations.
#[derive(Debug)]
pub struct Log;

/// Arguments of [`Log`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// How many, at most.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub limit: usize,
}

impl Operation for Log {
    const NAME: &'static str = "log";
    const ABOUT: &'static str = "List operations, the newest first";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["log", "log --limit 5"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.log_table(args.limit).map(Output::Table)
    }
}
