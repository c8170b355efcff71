//! `release`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::SelectingFlags;
use crate::ops::{Effect, Operation, Output};

/// Give paths back: merges treat them as any other.
#[derive(Debug)]
pub struct Release;

/// Arguments of [`Release`].
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

impl Operation for Release {
    const NAME: &'static str = "release";
    const ABOUT: &'static str = "Give paths back: merges treat them as any other";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "release spec.replicas --space 'traderx-prod-*'",
        "release spec.replicas --unit prod-us/ledger --resource Deployment/ledger",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let resource = args.resource.as_deref();
        app.set_protected(&selection, &args.path, resource, false)
            .map(Output::Outcome)
    }
}
