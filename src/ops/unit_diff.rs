//! `unit diff`

use std::fmt::Write as _;

use serde::Deserialize;

use crate::app::rollout::TargetDiff;
use crate::app::{App, style};
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Shows what differs between revisions.
#[derive(Debug)]
pub struct UnitDiff;

/// Arguments of [`UnitDiff`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// The earlier revision; the live one where it is left out.
    #[arg(long, value_name = "N")]
    pub from: Option<u32>,
    /// The later revision; the head where it is left out.
    #[arg(long, value_name = "N")]
    pub to: Option<u32>,
    /// Ask the targets what applying the heads would change there.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub live: bool,
    /// With --live, end with 1 where something would change.
    #[arg(long, requires = "live")]
    pub exit_code: bool,
}

impl Operation for UnitDiff {
    const NAME: &'static str = "unit diff";
    const ALSO: &'static [&'static str] = &["diff"];
    const ABOUT: &'static str = "Show what differs between two revisions, between live and head, or what a target would change";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "unit diff traderx/reference-data",
        "unit diff traderx/reference-data --from 1 --to 2",
        "unit diff --space 'traderx-prod-*' --live",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve(app)?;
        if args.live {
            let found = app.target_diff(&selection)?;
            let code = u8::from(found.is_refused || (args.exit_code && found.is_change));
            return Ok(shown(found, code));
        }
        let text = app.diff(&selection, args.from, args.to)?;
        Ok(Output::Report {
            text: style::lines(&text),
            value: text.into(),
            exit_code: 0,
        })
    }
}

fn shown(found: TargetDiff, exit_code: u8) -> Output {
    let mut text = format!("{}\n", found.summary);
    for note in &found.notes {
        let _ = writeln!(text, "  {note}");
    }
    text.push_str(&style::lines(&found.changes));
    Output::Report {
        text,
        value: serde_json::json!({
            "Summary": found.summary,
            "Objects": found.objects,
            "Notes": found.notes,
            "Changes": found.changes,
        }),
        exit_code,
    }
}
