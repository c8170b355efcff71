//! `doctor`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Checks what everything stands on.
#[derive(Debug)]
pub struct Doctor;

/// Arguments of [`Doctor`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Check this target alone.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
}

impl Operation for Doctor {
    const NAME: &'static str = "doctor";
    const ABOUT: &'static str =
        "Check project, store, history, functions, workers and targets, and say what to do";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["doctor", "doctor --target us-1"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let target = args.target.as_deref().map(str::parse).transpose()?;
        let diagnosis = app.diagnose(target.as_ref())?;
        Ok(Output::Report {
            text: format!("{diagnosis:#}"),
            value: diagnosis.to_json(),
            exit_code: diagnosis.exit_code(),
        })
    }
}
