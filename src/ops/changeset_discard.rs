//! `changeset discard`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Gives a changeset up.
#[derive(Debug)]
pub struct ChangesetDiscard;

/// Arguments of [`ChangesetDiscard`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
}

impl Operation for ChangesetDiscard {
    const NAME: &'static str = "changeset discard";
    const ABOUT: &'static str = "Give a changeset up; what is staged in it is not written";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["changeset discard market-data-v2"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.discard_changeset(&args.slug)?;
        let described = app.describe_changeset(&args.slug)?;
        Ok(object(described.text, described.value))
    }
}
