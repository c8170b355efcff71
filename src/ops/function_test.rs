//! `function test`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Runs the tests of functions.
#[derive(Debug)]
pub struct FunctionTest;

/// Arguments of [`FunctionTest`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// A function, or a folder of functions; all of the project where it is left out.
    pub what: Option<String>,
    /// Write a `JUnit` report to this file.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<String>,
}

impl Operation for FunctionTest {
    const NAME: &'static str = "function test";
    const ABOUT: &'static str = "Run the examples and tests of functions";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "function test",
        "function test set-replicas",
        "function test --junit report.xml",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        app.test_functions(args.what.as_deref(), args.junit.as_deref())
            .map(|report| Output::Report {
                exit_code: report.exit_code(),
                value: report.to_json(),
                text: report.to_string(),
            })
    }
}
