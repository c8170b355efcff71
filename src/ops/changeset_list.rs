//! `changeset list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Lists changesets.
#[derive(Debug)]
pub struct ChangesetList;

/// Arguments of [`ChangesetList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {}

impl Operation for ChangesetList {
    const NAME: &'static str = "changeset list";
    const ABOUT: &'static str = "List changesets";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["changeset list"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let Args {} = args;
        app.changeset_table().map(Output::Table)
    }
}
