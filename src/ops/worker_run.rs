//! `worker run`

use std::time::Duration;

use serde::Deserialize;

use crate::app::App;
use crate::app::rollout::duration;
use crate::app::worker::{Health, WorkerOptions};
use crate::error::{Error, Kind, Result};
use crate::ops::{Effect, Operation, Output};

/// Runs a worker.
#[derive(Debug)]
pub struct WorkerRun;

/// Arguments of [`WorkerRun`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name in each of its spaces.
    #[arg(default_value = "worker")]
    pub slug: Option<String>,
    /// The space, or a glob of the spaces, that it serves.
    #[arg(long, value_name = "SPACE", required = true)]
    pub space: String,
    /// How long between two looks [default: as the worker was made, else 10s].
    #[arg(long, value_name = "DURATION")]
    pub poll: Option<String>,
    /// Apply every new head; what a gate or a hold keeps back is left out [default: as the worker
    /// was made, else false].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub auto_apply: Option<bool>,
    /// Answer /healthz and /readyz on this address, such as 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS")]
    pub health: Option<String>,
    /// Look once, and end.
    #[arg(long)]
    pub once: bool,
}

impl Operation for WorkerRun {
    const NAME: &'static str = "worker run";
    const ABOUT: &'static str =
        "Serve spaces: look at them again and again, tell drift, apply new heads where asked to";
    const EFFECT: Effect = Effect::Deploy;
    // It goes on by itself.
    const ASKS: bool = false;
    const EXAMPLES: &'static [&'static str] = &[
        "worker run --space 'traderx-prod-*' --poll 10s --auto-apply",
        "worker run --space traderx-dev --once",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let slug = args.slug.as_deref().unwrap_or("worker").parse()?;
        let made = app.worker_settings(&slug, &args.space)?.unwrap_or_default();
        let poll = args.poll.as_deref().map(duration).transpose()?;
        let options = WorkerOptions {
            poll: poll.unwrap_or(made.poll),
            auto_apply: args.auto_apply.unwrap_or(made.auto_apply),
            slug,
            spaces: args.space,
            once: args.once,
        };
        let health = match &args.health {
            None => None,
            Some(address) => Some(listen(address, options.poll)?),
        };
        app.serve(&options, health.as_ref())?;
        Ok(Output::Text(String::new()))
    }
}

fn listen(address: &str, poll: Duration) -> Result<Health> {
    Health::listen(address, poll).map_err(|error| {
        Error::new(
            Kind::Usage,
            format!("expected an address to listen on, found `{address}`: {error}"),
        )
        .hint("127.0.0.1:8080, or port 0 for a free one")
    })
}
