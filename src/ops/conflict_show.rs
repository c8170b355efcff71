//! `conflict show`

use serde::Deserialize;

use crate::app::{App, style};
use crate::error::Result;
use crate::ops::selecting::conflict_ids as ids;
use crate::ops::{Effect, Operation, Output};

/// Shows conflict rows in full.
#[derive(Debug)]
pub struct ConflictShow;

/// Arguments of [`ConflictShow`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The conflicts: `c41`.
    #[arg(required = true)]
    pub ids: Vec<String>,
}

impl Operation for ConflictShow {
    const NAME: &'static str = "conflict show";
    const ABOUT: &'static str = "Show conflicts: base, incoming and local, who and when, and why";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["conflict show c41"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let rows = app.conflicts_named(&ids(app, &args.ids, None)?)?;
        let text = app.describe_conflicts(&rows)?;
        let value = app.conflict_table(&rows)?.to_json();
        Ok(Output::Report {
            text: style::lines(&text),
            value,
            exit_code: 0,
        })
    }
}
