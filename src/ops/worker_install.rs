//! `worker install`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Makes sure of a worker.
#[derive(Debug)]
pub struct WorkerInstall;

/// Arguments of [`WorkerInstall`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
    /// The space whose units it deploys.
    #[arg(long, value_name = "SPACE", required = true)]
    pub space: String,
    /// Wait for one answer of the target.
    #[arg(long)]
    pub wait: bool,
}

impl Operation for WorkerInstall {
    const NAME: &'static str = "worker install";
    const ABOUT: &'static str = "Make sure of a space's worker, and of a target for its units";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["worker install worker --space traderx --wait"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let space = app.space_named(&args.space)?.id;
        let worker = app.install_worker(&args.slug.parse()?, space, args.wait)?;
        Ok(object(format!("{worker}\n"), worker.to_json()))
    }
}
