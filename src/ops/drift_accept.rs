//! `drift accept`

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::error::Result;
use crate::ops::selecting::{DriftedFields, Selecting, shown};
use crate::ops::{Effect, Operation, Output};

/// Accepts drift.
#[derive(Debug)]
pub struct DriftAccept;

/// Arguments of [`DriftAccept`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// Which fields.
    #[command(flatten)]
    #[serde(flatten)]
    pub fields: DriftedFields,
    /// Only show what would change.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for DriftAccept {
    const NAME: &'static str = "drift accept";
    const ABOUT: &'static str = "Take live values into the store";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] =
        &["drift accept traderx-prod-eu/trade-service --path spec.replicas"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let filter = args.fields.filter()?;
        let options = ChangeOptions {
            allow_empty: args.selecting.flags.allow_empty,
            dry_run: args.dry_run,
        };
        shown(app.accept_drift(&selection, &filter, options)?)
    }
}
