//! `unit list`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Lists units.
#[derive(Debug)]
pub struct UnitList;

/// Arguments of [`UnitList`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// The columns: attributes such as Name, `Space.Slug`, `HeadRevisionNum`, or data paths.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// The column to sort by, in the order of amounts where all are numbers or quantities.
    #[arg(long, value_name = "COLUMN")]
    pub sort_by: Option<String>,
    /// Print only the names, `space/unit` a line.
    #[arg(long)]
    pub names: bool,
}

impl Operation for UnitList {
    const NAME: &'static str = "unit list";
    const ABOUT: &'static str = "List units";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "unit list",
        "unit list --space 'traderx-*' --where \"UpgradeNeeded = true\" --names",
        "unit list --where \"replicas > 2\" --columns Name,Space.Slug,spec.replicas",
        "unit list --filter high-volume-trading --sort-by spec.replicas",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        if let Some(lines) = args.selecting.explain(app)? {
            return Ok(Output::Text(lines));
        }
        let mut selection = args.selecting.resolve(app)?;
        if let Some(column) = &args.sort_by {
            selection = app.sorted(&selection, column)?;
        }
        if args.names {
            let names = app.references(&selection)?;
            let text = names.join("\n") + if names.is_empty() { "" } else { "\n" };
            return Ok(Output::Report {
                text,
                value: names.into(),
                exit_code: 0,
            });
        }
        app.table(&selection, &args.columns).map(Output::Table)
    }
}
