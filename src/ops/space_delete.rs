//! `space delete`

use serde::Deserialize;

use crate::app::App;
use crate::app::delete::DeleteOptions;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Deletes a space.
#[derive(Debug)]
pub struct SpaceDelete;

/// Arguments of [`SpaceDelete`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
    /// Delete what is in it as well: units, workers.
    #[arg(long)]
    pub recursive: bool,
    /// Remove live units from their targets first.
    #[arg(long)]
    pub destroy: bool,
    /// Delete it although units are live (their objects stay on the target) or variants elsewhere
    /// lose their upstream.
    #[arg(long)]
    pub force: bool,
}

impl Operation for SpaceDelete {
    const NAME: &'static str = "space delete";
    const ABOUT: &'static str =
        "Delete a space, and with --recursive what is in it; namespaces made for it go as well";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &[
        "space delete traderx-dev",
        "space delete traderx-prod --recursive --destroy",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let space = app.space_named(&args.slug)?;
        let options = DeleteOptions {
            recursive: args.recursive,
            destroy: args.destroy,
            force: args.force,
        };
        app.delete_space(space.id, options).map(Output::Outcome)
    }
}
