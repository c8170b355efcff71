//! `worker delete`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Deletes a worker.
#[derive(Debug)]
pub struct WorkerDelete;

/// Arguments of [`WorkerDelete`].
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

impl Operation for WorkerDelete {
    const NAME: &'static str = "worker delete";
    const ALSO: &'static [&'static str] = &["worker uninstall"];
    const ABOUT: &'static str = "Delete a worker; the target of its space stays, and what is live";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["worker delete worker --space traderx"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let slug = args.slug.as_deref().unwrap_or("worker").parse()?;
        let space = app.space_named(&args.space)?;
        app.delete_worker(&slug, &space)?;
        Ok(object(
            format!("worker {slug} of {}: deleted\n", space.slug),
            serde_json::json!({ "Name": slug, "Space": space.slug, "Result": "deleted" }),
        ))
    }
}
