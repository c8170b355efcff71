//! `drift list`

use serde::Deserialize;

use crate::app::App;
use crate::app::drift;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Lists drift.
#[derive(Debug)]
pub struct DriftList;

/// Arguments of [`DriftList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// End with 1 where a field has drifted that nobody tolerates.
    #[arg(long)]
    pub exit_code: bool,
}

impl Operation for DriftList {
    const NAME: &'static str = "drift list";
    const ABOUT: &'static str = "List the live units whose fields are no longer what was applied";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "drift list --space 'traderx-prod-*'",
        "drift list --exit-code",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve(app)?;
        let found = app.drift(&selection)?;
        let table = drift::table(&found);
        let is_open = found.iter().any(|unit| unit.open().next().is_some());
        Ok(Output::Report {
            text: if table.rows().is_empty() {
                drift::describe(&found)
            } else {
                format!("{table:#}")
            },
            value: table.to_json(),
            exit_code: u8::from(is_open && args.exit_code),
        })
    }
}
