//! `log show`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Shows one operation in full.
#[derive(Debug)]
pub struct LogShow;

/// Arguments of [`LogShow`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The operation: `op-7`.
    #[arg(value_name = "OPERATION")]
    pub operation: String,
}

impl Operation for LogShow {
    const NAME: &'static str = "log show";
    const ABOUT: &'static str = "Show one operation in full: who, why, and what it changed";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["log show op-7"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let (text, value) = app.operation_shown(args.operation.parse()?)?;
        Ok(object(text, value))
    }
}
