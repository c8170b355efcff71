//! `unit apply`

use serde::Deserialize;

use crate::app::App;
use crate::app::gate::GatePolicy;
use crate::app::rollout::{ApplyOptions, Waves, duration};
use crate::error::Result;
use crate::id::{ApplyId, OpId};
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
    /// Go on with this apply, `a-93`: the units that it left, as they are now.
    #[arg(long, value_name = "APPLY", conflicts_with_all = ["op", "revision"])]
    pub resume: Option<ApplyId>,
    /// Deploy the units that this operation changed, as they are now.
    #[arg(long, value_name = "OPERATION")]
    pub op: Option<OpId>,
    /// Deploy wave after wave, by the values of this column; each must become ready before the next
    /// begins.
    #[arg(long, value_name = "COLUMN")]
    pub waves: Option<String>,
    /// How long a wave must stay ready: `10m`.
    #[arg(long, value_name = "DURATION", requires = "waves")]
    pub soak: Option<String>,
    /// Only show what would be sent.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for UnitApply {
    const NAME: &'static str = "unit apply";
    const ALSO: &'static [&'static str] = &["apply"];
    const ABOUT: &'static str = "Deploy units to their targets";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &[
        "unit apply traderx/reference-data",
        "unit apply --space 'traderx-prod-*' --where '*' --wait",
        "unit apply traderx-prod-eu/trade-service --revision N-1",
        "unit apply --space 'traderx-prod-*' --waves Space.Labels.wave --soak 10m",
        "unit apply --resume a-93",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = match (args.resume, args.op) {
            (Some(apply), _) => app.unfinished(apply)?,
            (None, Some(op)) => app.units_of_operation(op)?,
            (None, None) => args.selecting.resolve_for_write(app)?,
        };
        let soak = args.soak.as_deref().map(duration).transpose()?;
        let waves = args.waves.map(|column| Waves {
            column,
            soak: soak.unwrap_or_default(),
        });
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
            ..ApplyOptions::default()
        };
        let outcome = match waves {
            Some(waves) => app.apply_in_waves(&selection, &waves, &options),
            None => app.apply(&selection, &options),
        };
        outcome.map(Output::Outcome)
    }
}
