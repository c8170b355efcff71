//! `changeset delete`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Deletes a changeset.
#[derive(Debug)]
pub struct ChangesetDelete;

/// Arguments of [`ChangesetDelete`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
}

impl Operation for ChangesetDelete {
    const NAME: &'static str = "changeset delete";
    const ABOUT: &'static str = "Delete a changeset; what it wrote stays written";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["changeset delete market-data-v2"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.delete_changeset(&args.slug)?;
        let text = format!("changeset {} deleted\n", args.slug);
        Ok(object(
            text,
            serde_json::json!({ "Name": args.slug, "Result": "deleted" }),
        ))
    }
}
