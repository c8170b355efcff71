//! `unit export`

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Prints units as one stream of YAML.
#[derive(Debug)]
pub struct UnitExport;

/// Arguments of [`UnitExport`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
}

impl Operation for UnitExport {
    const NAME: &'static str = "unit export";
    const ABOUT: &'static str =
        "Print units as one stream of YAML; with --format yaml or json, their records and data";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "unit export --space traderx-prod",
        "unit export --space traderx-prod --format yaml",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let mut text = String::new();
        let mut records = Vec::with_capacity(selection.pins().len());
        for pin in selection.pins() {
            let record = app.record(pin.unit)?;
            let field = |name: &str| record[name].as_str().unwrap_or_default();
            let (space, slug, data) = (field("Space"), field("Slug"), field("Data"));
            let _ = writeln!(text, "---\n# {space}/{slug} r{}", record["Revision"]);
            text.push_str(data.trim_start_matches("---\n"));
            if !data.ends_with('\n') {
                text.push('\n');
            }
            records.push(record);
        }
        Ok(Output::Report {
            text,
            value: Value::Array(records),
            exit_code: 0,
        })
    }
}
