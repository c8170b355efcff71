//! `worker list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Lists workers.
#[derive(Debug)]
pub struct WorkerList;

/// Arguments of [`WorkerList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Only the workers of a space, or of those that a glob matches.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
}

impl Operation for WorkerList {
    const NAME: &'static str = "worker list";
    const ABOUT: &'static str = "List workers";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] =
        &["worker list", "worker list --space 'traderx-prod-*'"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.worker_table(args.space.as_deref().unwrap_or("*"))
            .map(Output::Table)
    }
}
