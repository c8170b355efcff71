//! `protect`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::SelectingFlags;
use crate::ops::{Effect, Operation, Output};

/// Declare paths the variants' own: merges keep them and do not ask.
#[derive(Debug)]
pub struct Protect;

/// Arguments of [`Protect`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The path: `spec.replicas`.
    pub path: String,
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: SelectingFlags,
    /// Only in this resource: `Deployment/api`.
    #[arg(long, value_name = "KIND/NAME")]
    pub resource: Option<String>,
}

impl Operation for Protect {
    const NAME: &'static str = "protect";
    const ABOUT: &'static str = "Declare paths the variants' own: merges keep them and do not ask";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "protect spec.replicas --space 'traderx-prod-*'",
        "protect spec.replicas --unit prod-us/ledger --resource Deployment/ledger",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let resource = args.resource.as_deref();
        app.set_protected(&selection, &args.path, resource, true)
            .map(Output::Outcome)
    }
}
