//! `whoami`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Shows the actor.
#[derive(Debug)]
pub struct WhoAmI;

/// Arguments of [`WhoAmI`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {}

impl Operation for WhoAmI {
    const NAME: &'static str = "whoami";
    const ALSO: &'static [&'static str] = &["auth status"];
    const ABOUT: &'static str = "Show who operations will name";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["whoami"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let Args {} = args;
        let actor = app.actor();
        Ok(object(
            format!("{actor}\n"),
            serde_json::json!({ "Actor": actor }),
        ))
    }
}
