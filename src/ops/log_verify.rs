//! `log verify`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Checks the operation log.
#[derive(Debug)]
pub struct LogVerify;

/// Arguments of [`LogVerify`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {}

impl Operation for LogVerify {
    const NAME: &'static str = "log verify";
    const ABOUT: &'static str = "Check that nobody changed history: recompute every hash";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["log verify"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let Args {} = args;
        let report = app.verify_log()?;
        Ok(Output::Report {
            text: report.text(),
            value: report.to_json(),
            exit_code: report.exit_code(),
        })
    }
}
