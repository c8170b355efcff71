//! `function run`

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::functions::{is_mutating, refuse_dry_run};
use crate::error::Result;
use crate::ops::selecting::{SelectingFlags, StagingFlags, shown};
use crate::ops::{Effect, Operation, Output};
use crate::script::Kind;

/// Runs a function over units.
#[derive(Debug)]
pub struct FunctionDo;

/// Arguments of [`FunctionDo`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The function.
    #[arg(skip)]
    pub function: String,
    /// Values for its parameters, in their order.
    #[arg(skip)]
    pub args: Vec<serde_json::Value>,
    /// Values for its parameters, by name.
    #[arg(skip)]
    pub named: serde_json::Map<String, serde_json::Value>,
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: SelectingFlags,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Where the change is kept.
    #[command(flatten)]
    #[serde(flatten)]
    pub staging: StagingFlags,
}

impl Operation for FunctionDo {
    const NAME: &'static str = "function run";
    const ABOUT: &'static str = "Run a function over units";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["function run --help"];
    const SCRIPT_KEYS: &'static [(&'static str, &'static str)] = &[
        ("function", "The function (required)"),
        ("args", "Values for its parameters, in their order: a list"),
        ("named", "Values for its parameters, by name: a map"),
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let app = &args.staging.app(app)?;
        let selection = args.selecting.resolve_for_write(app)?;
        let change = ChangeOptions {
            allow_empty: args.selecting.allow_empty,
            dry_run: args.dry_run,
        };
        let function = app.catalogue()?.get(&args.function)?;
        let (name, positional, named) = (&args.function, &args.args, &args.named);
        if is_mutating(&function) {
            let outcome = app.run_function(&selection, name, positional, named, change)?;
            return shown(outcome);
        }
        refuse_dry_run(name, change)?;
        let rows = app.ask_function(&selection, name, positional, named)?;
        let table = app.rows_table(&rows);
        if function.kind == Kind::Validate && !rows.is_empty() {
            let (text, value) = (table.to_string(), table.to_json());
            return Ok(Output::Report {
                text,
                value,
                exit_code: 1,
            });
        }
        Ok(Output::Table(table))
    }
}
