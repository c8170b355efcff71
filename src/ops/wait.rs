//! `wait`

use serde::Deserialize;

use crate::app::App;
use crate::app::rollout::duration;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Waits for units.
#[derive(Debug)]
pub struct Wait;

/// Arguments of [`Wait`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// How long to wait: `60s`, `5m`; the workloads' own deadlines where it is left out.
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
}

impl Operation for Wait {
    const NAME: &'static str = "wait";
    const ABOUT: &'static str = "Wait until units are ready on their targets";
    const EFFECT: Effect = Effect::Deploy;
    // It sends nothing.
    const ASKS: bool = false;
    const EXAMPLES: &'static [&'static str] = &["wait traderx-prod-eu/trade-service --timeout 60s"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let timeout = args.timeout.as_deref().map(duration).transpose()?;
        app.wait_ready(&selection, timeout).map(Output::Outcome)
    }
}
