//! `export`

use serde::Deserialize;

use crate::app::App;
use crate::app::export::ExportOptions;
use crate::app::select::{Request, Selection};
use crate::error::Result;
use crate::ops::file::NamedFile;
use crate::ops::selecting::SelectingFlags;
use crate::ops::{Effect, Operation, Output};

/// Exports units to a folder.
#[derive(Debug)]
pub struct Export;

/// Arguments of [`Export`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The folder; it is made where there is none.
    pub folder: NamedFile,
    /// Units, globs (`prod-*/ledger`) or WHERE clauses; everything where nothing is said.
    #[arg(value_name = "SELECTOR")]
    pub selectors: Vec<String>,
    /// The same as flags.
    #[command(flatten)]
    #[serde(flatten)]
    pub flags: SelectingFlags,
    /// Only compare: list what differs, and end with 5 where something does.
    #[arg(long)]
    pub check: bool,
    /// Replace files that were edited, or that no export wrote.
    #[arg(long, conflicts_with = "check")]
    pub force: bool,
}

impl Args {
    fn selection(&self, app: &App) -> Result<Option<Selection>> {
        if self.selectors.is_empty() {
            let request = self.flags.request(None);
            let is_all = request.says_nothing();
            return if is_all {
                Ok(None)
            } else {
                app.select(&request).map(Some)
            };
        }
        let mut all = Selection::default();
        for selector in &self.selectors {
            let request: Request = self.flags.request(Some(selector));
            for pin in app.select(&request)?.pins() {
                if !all.pins().contains(pin) {
                    all.push(*pin);
                }
            }
        }
        Ok(Some(all))
    }
}

impl Operation for Export {
    const NAME: &'static str = "export";
    const ABOUT: &'static str =
        "Write units as files that can be reviewed, compared and imported again";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &[
        "export fleet",
        "export fleet 'prod-*/web' --space 'prod-*'",
        "export fleet --check",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let folder = &args.folder.writable_folder(app)?;
        let options = ExportOptions {
            selection: args.selection(app)?,
            force: args.force,
        };
        if args.check {
            let found = app.check_export(folder, &options)?;
            return Ok(Output::Report {
                text: found.text(),
                value: found.to_json(),
                exit_code: found.exit_code(),
            });
        }
        let done = app.export(folder, &options)?;
        Ok(Output::Report {
            text: done.text(),
            value: done.to_json(),
            exit_code: 0,
        })
    }
}
