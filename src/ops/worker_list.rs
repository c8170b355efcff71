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
pub struct Args {}

impl Operation for WorkerList {
    const NAME: &'static str = "worker list";
    const ABOUT: &'static str = "List workers";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["worker list"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let Args {} = args;
        app.worker_table().map(Output::Table)
    }
}
