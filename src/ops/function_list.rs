//! `function list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Lists functions.
#[derive(Debug)]
pub struct FunctionList;

/// Arguments of [`FunctionList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {}

impl Operation for FunctionList {
    const NAME: &'static str = "function list";
    const ABOUT: &'static str = "List the functions there are";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["function list"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let Args {} = args;
        app.function_table().map(Output::Table)
    }
}
