//! `takeover`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Takes objects over.
#[derive(Debug)]
pub struct Takeover;

/// Arguments of [`Takeover`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// Whom they are taken from: field managers, `unit:SPACE/UNIT`, `store:ID` (can be repeated, or
    /// separated by commas).
    #[arg(long, value_name = "WHO", value_delimiter = ',', required = true)]
    pub from: Vec<String>,
    /// Only show what would be taken.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for Takeover {
    const NAME: &'static str = "takeover";
    const ABOUT: &'static str =
        "Make objects that are in a cluster already the units' own, as they are";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &[
        "takeover traderx-prod-us/trade-service --from kubectl-client-side-apply --dry-run",
        "takeover traderx-prod-us/trade-service --from helm,kubectl-edit",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        app.takeover(&selection, &args.from, args.dry_run)
            .map(Output::Outcome)
    }
}
