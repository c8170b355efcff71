//! `space get`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Shows one space.
#[derive(Debug)]
pub struct SpaceGet;

/// Arguments of [`SpaceGet`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
}

impl Operation for SpaceGet {
    const NAME: &'static str = "space get";
    const ABOUT: &'static str = "Show one space: its labels, target, gates and what is in it";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["space get traderx-dev"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let space = app.space_named(&args.slug)?;
        app.space_record(&space).map(Output::fields)
    }
}
