//! `backup verify`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::file::NamedFile;
use crate::ops::{Effect, Operation, Output};

/// Check everything that a backup holds.
#[derive(Debug)]
pub struct BackupVerify;

/// Arguments of [`BackupVerify`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The file of the backup.
    pub file: NamedFile,
}

impl Operation for BackupVerify {
    const NAME: &'static str = "backup verify";
    const ABOUT: &'static str = "Check everything that a backup holds";
    const EFFECT: Effect = Effect::Read;
    const EXAMPLES: &'static [&'static str] = &["backup verify daily.backup"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let report = app.verify_backup(&args.file.readable(app)?)?;
        Ok(Output::Report {
            text: report.text(),
            value: report.to_json(),
            exit_code: report.exit_code(),
        })
    }
}
