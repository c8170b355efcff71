//! `changeset get`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Shows a changeset.
#[derive(Debug)]
pub struct ChangesetGet;

/// Arguments of [`ChangesetGet`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
}

impl Operation for ChangesetGet {
    const NAME: &'static str = "changeset get";
    const ABOUT: &'static str = "Show a changeset: what it changes, and who answers for it";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["changeset get market-data-v2"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let described = app.describe_changeset(&args.slug)?;
        Ok(object(described.text, described.value))
    }
}
