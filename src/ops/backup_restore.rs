//! `backup restore`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::file::NamedFile;
use crate::ops::{Effect, Operation, Output};

/// Make the store what a backup holds.
#[derive(Debug)]
pub struct BackupRestore;

/// Arguments of [`BackupRestore`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The file of the backup.
    pub file: NamedFile,
    /// Replace a store that is there; a backup of it is kept beside it.
    #[arg(long)]
    pub force: bool,
}

impl Operation for BackupRestore {
    const NAME: &'static str = "backup restore";
    const ABOUT: &'static str = "Make the store what a backup holds";
    const EFFECT: Effect = Effect::Replace;
    const EXAMPLES: &'static [&'static str] = &["backup restore daily.backup"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let report = app.restore_backup(&args.file.readable(app)?, args.force)?;
        Ok(Output::Report {
            text: report.text(),
            value: report.to_json(),
            exit_code: report.exit_code(),
        })
    }
}
