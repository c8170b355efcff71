//! `worker create`

use serde::Deserialize;

use crate::app::App;
use crate::app::rollout::duration;
use crate::app::worker::WorkerSettings;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Makes a worker of a space.
#[derive(Debug)]
pub struct WorkerCreate;

/// Arguments of [`WorkerCreate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    #[arg(default_value = "worker")]
    pub slug: Option<String>,
    /// The space whose units it deploys.
    #[arg(long, value_name = "SPACE", required = true)]
    pub space: String,
    /// How long between two of its looks.
    #[arg(long, value_name = "DURATION", default_value = "10s", alias = "poll")]
    pub poll_interval: Option<String>,
    /// Whether it applies every new head.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub auto_apply: Option<bool>,
    /// Leave it as it is where it exists already.
    #[arg(long)]
    pub allow_exists: bool,
}

impl Operation for WorkerCreate {
    const NAME: &'static str = "worker create";
    const ABOUT: &'static str = "Make a worker, with the settings that `worker run` takes; the sandbox where its space has no target";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "worker create --space traderx-dev --poll-interval 10s --auto-apply true",
        "worker create nightly --space traderx-dev --poll-interval 1h",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let slug = args.slug.as_deref().unwrap_or("worker").parse()?;
        let usual = WorkerSettings::default();
        let poll = args.poll_interval.as_deref().map(duration).transpose()?;
        let settings = WorkerSettings {
            poll: poll.unwrap_or(usual.poll),
            auto_apply: args.auto_apply.unwrap_or(usual.auto_apply),
        };
        let space = app.space_named(&args.space)?;
        let is_new = app.create_worker(&slug, space.id, &settings, args.allow_exists)?;
        let word = if is_new { "created" } else { "unchanged" };
        Ok(object(
            format!("worker {slug} of {}: {word}\n", space.slug),
            serde_json::json!({ "Name": slug, "Space": space.slug, "Result": word }),
        ))
    }
}
