//! `backup create`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::file::NamedFile;
use crate::ops::{Effect, Operation, Output};

/// Write the whole store into one file.
#[derive(Debug)]
pub struct BackupCreate;

/// Arguments of [`BackupCreate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The file of the backup.
    pub file: NamedFile,
    /// Replace a file that is there.
    #[arg(long)]
    pub force: bool,
}

impl Operation for BackupCreate {
    const NAME: &'static str = "backup create";
    const ABOUT: &'static str = "Write the whole store into one file";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["backup create daily.backup"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let report = app.create_backup(&args.file.writable(app)?, args.force)?;
        Ok(Output::Report {
            text: report.text(),
            value: report.to_json(),
            exit_code: report.exit_code(),
        })
    }
}
