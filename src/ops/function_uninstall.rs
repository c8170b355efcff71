//! `function uninstall`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Takes a function out of the store.
#[derive(Debug)]
pub struct FunctionUninstall;

/// Arguments of [`FunctionUninstall`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The installed function.
    pub name: String,
}

impl Operation for FunctionUninstall {
    const NAME: &'static str = "function uninstall";
    const ABOUT: &'static str = "Take an installed function out of the store";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["function uninstall set-team"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let origin = app.uninstall_function(&args.name)?;
        let name = args.name.replace('_', "-");
        let left = origin.as_ref().map_or_else(String::new, |origin| {
            format!(", `{name}` is now that of the {origin}")
        });
        Ok(object(
            format!("function {name} uninstalled{left}\n"),
            serde_json::json!({ "Function": name, "Result": "deleted", "Origin": origin }),
        ))
    }
}
