//! `function install`

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::app::installed::{GivenFunction, InstalledReport};
use crate::error::{Error, Kind, Result};
use crate::ops::file::NamedFile;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Installs functions in the store.
#[derive(Debug)]
pub struct FunctionInstall;

/// Arguments of [`FunctionInstall`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Files NAME.rhai: the name of each is the function's.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<NamedFile>,
    /// Install them without running their examples, tests and fixtures.
    #[arg(long)]
    pub no_test: bool,
}

impl Operation for FunctionInstall {
    const NAME: &'static str = "function install";
    const ABOUT: &'static str = "Install functions in the store, for all who use it";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "function install functions/set-team.rhai",
        "function install functions/*.rhai --message \"for every team\"",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        if args.files.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                "expected files of functions in `files`, found none",
            ));
        }
        let given = args.files.iter().map(|file| read(app, file));
        let given = given.collect::<Result<Vec<GivenFunction>>>()?;
        let reports = app.install_functions(&given, !args.no_test)?;
        let mut text = String::new();
        for report in &reports {
            let _ = write!(text, "function {} {}", report.name, report.status.word());
            match (&report.hidden_by, &report.shadows) {
                (Some(origin), _) => {
                    let _ = writeln!(text, ", hidden here by that of the {origin}");
                }
                (None, Some(origin)) => {
                    let _ = writeln!(text, ", shadows {origin}");
                }
                (None, None) => text.push('\n'),
            }
        }
        Ok(object(text, reports.iter().map(to_json).collect()))
    }
}

fn read(app: &App, file: &NamedFile) -> Result<GivenFunction> {
    if file.is_standard_input() {
        return Err(Error::new(
            Kind::Usage,
            "expected a file NAME.rhai, whose name is the function's, found standard input",
        ));
    }
    Ok(GivenFunction {
        shown: file.name().to_owned(),
        text: file.read(app)?,
        path: file.readable(app)?,
    })
}

fn to_json(report: &InstalledReport) -> Value {
    json!({
        "Function": report.name,
        "Result": report.status.word(),
        "Shadows": report.shadows,
        "HiddenBy": report.hidden_by,
    })
}
