//! `version`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Shows the version.
#[derive(Debug)]
pub struct Version;

/// Arguments of [`Version`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {}

impl Operation for Version {
    const NAME: &'static str = "version";
    const ABOUT: &'static str = "Show the version of the program";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["version"];
    type Args = Args;

    fn run(_: &App, args: Args) -> Result<Output> {
        let Args {} = args;
        let version = env!("CARGO_PKG_VERSION");
        Ok(object(
            format!("windlass {version}\n"),
            serde_json::json!({ "Version": version }),
        ))
    }
}
