//! `unit apply`

use serde::Deserialize;

use crate::app::App;
use crate::app::gate::GatePolicy;
use crate::app::rollout::{ApplyOptions, duration};
use crate::error::Result;
use crate::model::RevisionRef;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Deploys units.
#[derive(Debug)]
pub struct UnitApply;

/// Arguments of [`UnitApply`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// Wait until what was sent is ready.
    #[arg(long)]
    pub wait: bool,
    /// How long to wait: `60s`, `5m`.
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// Deploy this revision, and leave the head as it is: a number, N-1 (one before live),
    /// live, prev-live.
    #[arg(long, value_name = "REVISION", allow_hyphen_values = true)]
    pub revision: Option<RevisionRef>,
    /// Pass this gate, and say so in the log (can be repeated).
    #[arg(long, value_name = "GATE")]
    pub override_gate: Vec<String>,
    /// Leave out units that a gate keeps back, rather than refuse.
    #[arg(long)]
    pub skip_gated: bool,
    /// Only show what would be sent.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for UnitApply {
    const NAME: &'static str = "unit apply";
    const ABOUT: &'static str = "Deploy units to their targets";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &[
        "unit apply traderx/reference-data",
        "unit apply --space 'traderx-prod-*' --where '*' --wait",
        "unit apply traderx-prod-eu/trade-service --revision N-1",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let options = ApplyOptions {
            wait: args.wait,
            timeout: args.timeout.as_deref().map(duration).transpose()?,
            revision: args.revision,
            allow_empty: args.selecting.flags.allow_empty,
            gates: GatePolicy {
                skip: args.skip_gated,
                overridden: args.override_gate,
            },
            dry_run: args.dry_run,
        };
        app.apply(&selection, &options).map(Output::Outcome)
    }
}
