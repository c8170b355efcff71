//! `function explain`

use serde::Deserialize;

use crate::app;
use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Shows a function's documentation.
#[derive(Debug)]
pub struct FunctionExplain;

/// Arguments of [`FunctionExplain`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub name: String,
    /// Print the text of its file and nothing else.
    #[arg(long)]
    pub source: bool,
}

impl Operation for FunctionExplain {
    const NAME: &'static str = "function explain";
    const ABOUT: &'static str = "Show a function's parameters, documentation and examples";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "function explain set-replicas",
        "function explain set-replicas --source",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let function = app.catalogue()?.get(&args.name)?;
        if args.source {
            return Ok(Output::Text(function.source.to_string()));
        }
        Ok(object(
            app::functions::explain(&function),
            app::functions::to_json(&function),
        ))
    }
}
