//! `unit delete`

use serde::Deserialize;

use crate::app::App;
use crate::app::delete::DeleteOptions;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Deletes units from the store; their history stays.
#[derive(Debug)]
pub struct UnitDelete;

/// Arguments of [`UnitDelete`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// Remove them from their targets first.
    #[arg(long)]
    pub destroy: bool,
    /// Delete them although they are live; their objects stay on the target.
    #[arg(long, conflicts_with = "destroy")]
    pub force: bool,
}

impl Operation for UnitDelete {
    const NAME: &'static str = "unit delete";
    const ABOUT: &'static str = "Delete units; live ones only with --destroy or --force";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "unit delete traderx/reference-data",
        "unit delete --space traderx --destroy",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let options = DeleteOptions {
            recursive: false,
            destroy: args.destroy,
            force: args.force,
        };
        app.delete_units(&selection, options).map(Output::Outcome)
    }
}
