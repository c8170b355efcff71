//! `status`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Shows how the fleet stands.
#[derive(Debug)]
pub struct Status;

/// Arguments of [`Status`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Only this space, or a glob of spaces.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
}

impl Operation for Status {
    const NAME: &'static str = "status";
    const ABOUT: &'static str = "Show how the fleet stands, and what needs you, worst first";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["status", "status --space 'traderx-prod-*'"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let status = app.fleet_status(args.space.as_deref())?;
        Ok(Output::Report {
            text: format!("{status:#}"),
            value: status.to_json(),
            exit_code: 0,
        })
    }
}
