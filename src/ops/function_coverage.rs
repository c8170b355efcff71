//! `function coverage`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Says what tests run of functions.
#[derive(Debug)]
pub struct FunctionCoverage;

/// Arguments of [`FunctionCoverage`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// A function; all of the project where it is left out.
    pub name: Option<String>,
    /// Fail where less of all lines is run, in per cent.
    #[arg(long, value_name = "PERCENT")]
    pub min: Option<usize>,
}

impl Operation for FunctionCoverage {
    const NAME: &'static str = "function coverage";
    const ABOUT: &'static str = "Show which lines of functions their examples and tests run";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["function coverage", "function coverage --min 80"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let report = app.function_coverage(args.name.as_deref())?;
        let is_enough = args.min.is_none_or(|min| report.percent() >= min);
        Ok(Output::Report {
            text: format!("{report:#}"),
            value: serde_json::json!({
                "Functions": report.table().to_json(),
                "Percent": report.percent(),
            }),
            exit_code: u8::from(!is_enough),
        })
    }
}
