//! `function test`

use std::fmt::Write as _;

use serde::Deserialize;

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::ops::selecting::{Selecting, object};
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
    /// With --add-case: the arguments of the function, in their order.
    pub args: Vec<String>,
    /// Keep the data of this unit as a test: what goes in, and what the function makes of it now.
    /// Where the function fails, the test asks that it does not.
    #[arg(long, value_name = "UNIT", requires = "what", conflicts_with = "junit")]
    pub add_case: Option<String>,
    /// Take what functions make of their fixtures now for what is wanted.
    #[arg(long, conflicts_with = "add_case")]
    pub update: bool,
    /// Run again whenever a file of the project's functions changes, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["add_case", "update", "junit"])]
    pub watch: bool,
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
        "function test set-team payments --add-case traderx/reference-data",
        "function test --update",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        if let Some(unit) = &args.add_case {
            return add_case(app, &args, unit);
        }
        if let Some(first) = args.args.first() {
            return Err(Error::new(
                Kind::Usage,
                format!("expected no arguments without --add-case, found `{first}`"),
            ));
        }
        if args.watch {
            return Err(Error::new(
                Kind::Usage,
                "expected a command line for --watch, found a script",
            ));
        }
        if args.update {
            let updated = app.update_fixtures(args.what.as_deref())?;
            let lines = updated.iter().map(|file| format!("updated {file}\n"));
            let text = match updated.len() {
                0 => "every fixture is as it was\n".to_owned(),
                _ => lines.collect(),
            };
            return Ok(object(text, serde_json::json!({ "Updated": updated })));
        }
        app.test_functions(args.what.as_deref(), args.junit.as_deref())
            .map(|report| Output::Report {
                exit_code: report.exit_code(),
                value: report.to_json(),
                text: report.to_string(),
            })
    }
}

fn add_case(app: &App, args: &Args, unit: &str) -> Result<Output> {
    let selecting = Selecting {
        selector: Some(unit.to_owned()),
        ..Selecting::default()
    };
    let selection = selecting.resolve_one(app)?;
    let name = args.what.as_deref().unwrap_or_default();
    let (folder, failure) = app.add_case(name, &selection, &args.args)?;
    let mut text = format!("{folder} written\n");
    if let Some(error) = &failure {
        let _ = writeln!(text, "  {name} fails on it now: {}", error.message());
        let _ = writeln!(
            text,
            "  once it does not, windlass function test {name} --update keeps what it makes of it"
        );
    }
    let _ = writeln!(text, "  windlass function test {name}");
    let failed = failure.as_ref().map(Error::to_json);
    Ok(object(
        text,
        serde_json::json!({ "Folder": folder, "Error": failed }),
    ))
}
