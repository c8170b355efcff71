//! `space new-prefix`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Finds two words that no space begins with.
#[derive(Debug)]
pub struct SpaceNewPrefix;

/// Arguments of [`SpaceNewPrefix`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The same number gives the same words, as long as they are free; else `WINDLASS_SEED`, else
    /// chance.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl Operation for SpaceNewPrefix {
    const NAME: &'static str = "space new-prefix";
    const ABOUT: &'static str = "Find two words that no space begins with, to begin names with";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["space new-prefix", "space new-prefix --seed 7"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let prefix = app.new_prefix(args.seed)?;
        Ok(object(
            format!("{prefix}\n"),
            serde_json::json!({ "Prefix": prefix }),
        ))
    }
}
