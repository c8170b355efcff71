//! `changeset remove`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Takes a unit out.
#[derive(Debug)]
pub struct ChangesetRemove;

/// Arguments of [`ChangesetRemove`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
    /// The unit, as space/unit.
    pub unit: String,
}

impl Operation for ChangesetRemove {
    const NAME: &'static str = "changeset remove";
    const ABOUT: &'static str = "Take a unit out of an open changeset";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] =
        &["changeset remove market-data-v2 traderx-prod-us/trade-service"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let unit = app.unit_named(&args.unit)?;
        app.remove_from_changeset(&args.slug, unit)?;
        let described = app.describe_changeset(&args.slug)?;
        Ok(object(described.text, described.value))
    }
}
