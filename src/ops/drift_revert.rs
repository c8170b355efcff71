//! `drift revert`

use serde::Deserialize;

use crate::app::App;
use crate::app::gate::GatePolicy;
use crate::error::Result;
use crate::ops::selecting::{DriftedFields, Selecting};
use crate::ops::{Effect, Operation, Output};

/// Reverts drift.
#[derive(Debug)]
pub struct DriftRevert;

/// Arguments of [`DriftRevert`].
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
    /// Pass this gate, and say so in the log (can be repeated).
    #[arg(long, value_name = "GATE")]
    pub override_gate: Vec<String>,
    /// Only show what would be sent.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for DriftRevert {
    const NAME: &'static str = "drift revert";
    const ABOUT: &'static str =
        "Force live fields back to what was applied; units stay as they are";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] =
        &["drift revert traderx-prod-eu/trade-service --path spec.replicas"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let filter = args.fields.filter()?;
        let gates = GatePolicy {
            skip: false,
            overridden: args.override_gate,
        };
        let outcome = app.revert_drift(&selection, &filter, gates, args.dry_run)?;
        Ok(Output::Outcome(outcome))
    }
}
