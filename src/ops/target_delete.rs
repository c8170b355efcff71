//! `target delete`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Deletes a target that nothing deploys to.
#[derive(Debug)]
pub struct TargetDelete;

/// Arguments of [`TargetDelete`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
}

impl Operation for TargetDelete {
    const NAME: &'static str = "target delete";
    const ABOUT: &'static str = "Delete a target; refused while a space or a unit uses it";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["target delete sandbox"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.delete_target(&args.slug.parse()?)?;
        Ok(object(
            format!("target {} deleted\n", args.slug),
            serde_json::json!({ "Slug": args.slug, "Result": "deleted" }),
        ))
    }
}
