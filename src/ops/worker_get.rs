//! `worker get`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Shows one worker.
#[derive(Debug)]
pub struct WorkerGet;

/// Arguments of [`WorkerGet`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    #[arg(default_value = "worker")]
    pub slug: Option<String>,
    /// Its space.
    #[arg(long, value_name = "SPACE", required = true)]
    pub space: String,
}

impl Operation for WorkerGet {
    const NAME: &'static str = "worker get";
    const ABOUT: &'static str = "Show one worker: its settings, and when it was seen last";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["worker get worker --space traderx"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let slug = args.slug.as_deref().unwrap_or("worker").parse()?;
        let space = app.space_named(&args.space)?;
        app.worker_record(&slug, &space).map(Output::fields)
    }
}
