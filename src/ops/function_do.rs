//! `function run`

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::functions::{is_mutating, refuse_dry_run};
use crate::error::Result;
use crate::ops::selecting::{SelectingFlags, shown};
use crate::ops::{Effect, Operation, Output};

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
}

impl Operation for FunctionDo {
    const NAME: &'static str = "function run";
    const ABOUT: &'static str = "Run a function over units";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["function run --help"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let change = ChangeOptions {
            allow_empty: args.selecting.allow_empty,
            dry_run: args.dry_run,
        };
        let (name, positional, named) = (&args.function, &args.args, &args.named);
        if is_mutating(&*app.catalogue()?.get(name)?) {
            let outcome = app.run_function(&selection, name, positional, named, change)?;
            return shown(outcome);
        }
        refuse_dry_run(name, change)?;
        let rows = app.ask_function(&selection, name, positional, named)?;
        Ok(Output::Table(app.rows_table(&rows)))
    }
}
