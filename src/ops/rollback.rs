//! `rollback`

use serde::Deserialize;

use crate::app::App;
use crate::app::rollback::RollbackOptions;
use crate::app::rollout::duration;
use crate::error::Result;
use crate::model::RevisionRef;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Puts units back.
#[derive(Debug)]
pub struct Rollback;

/// Arguments of [`Rollback`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// Where to: prev-live (the default), live, N-1 (one before live), or a number.
    #[arg(long, value_name = "REVISION", allow_hyphen_values = true)]
    pub to: Option<RevisionRef>,
    /// Wait until what was sent is ready.
    #[arg(long)]
    pub wait: bool,
    /// How long to wait: `60s`, `5m`.
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// When the hold ends by itself: a duration from now (`2h`) or a time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Pass this gate, and say so in the log (can be repeated).
    #[arg(long, value_name = "GATE")]
    pub override_gate: Vec<String>,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for Rollback {
    const NAME: &'static str = "rollback";
    const ABOUT: &'static str =
        "Put units back to an earlier revision, in the store and on their targets, and hold them";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &[
        "rollback traderx-prod-eu/trade-service -m 'INC-4312'",
        "rollback traderx-prod-eu/trade-service --to r46 --wait",
        "rollback --space 'traderx-prod-*' --dry-run",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let until = args.until.as_deref();
        let options = RollbackOptions {
            to: args.to.unwrap_or(RevisionRef::PreviousLive),
            wait: args.wait,
            timeout: args.timeout.as_deref().map(duration).transpose()?,
            until: until.map(|until| app.instant_ahead(until)).transpose()?,
            overridden: args.override_gate,
            dry_run: args.dry_run,
        };
        app.rollback(&selection, &options).map(Output::Outcome)
    }
}
