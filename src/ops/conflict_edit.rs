//! `conflict edit`

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::conflict::Decision;
use crate::app::conflict_edit::EditedValue;
use crate::error::{Error, Kind, Result};
use crate::ops::file::NamedFile;
use crate::ops::selecting::shown;
use crate::ops::{Effect, Operation, Output};

/// Decide a conflict with another value.
#[derive(Debug)]
pub struct ConflictEdit;

/// Arguments of [`ConflictEdit`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The conflict: `c41`.
    pub id: String,
    /// The value, as YAML. Without it and --file, $VISUAL or $EDITOR opens.
    #[arg(
        long,
        value_name = "YAML",
        conflicts_with = "file",
        allow_hyphen_values = true
    )]
    pub value: Option<String>,
    /// The file that holds the value.
    #[arg(long, value_name = "FILE")]
    pub file: Option<NamedFile>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for ConflictEdit {
    const NAME: &'static str = "conflict edit";
    const ABOUT: &'static str = "Decide a conflict with a value that is neither side's";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "conflict edit c42",
        "conflict edit c42 --value registry.corp/ledger:v2.5.1",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let value = match (&args.value, &args.file) {
            (Some(value), None) => EditedValue::parse(value)?,
            (None, Some(file)) => {
                let edited = EditedValue::parse(&file.read(app)?);
                edited.map_err(|error| error.context(format!("file         {}", file.name())))?
            }
            _ => {
                return Err(Error::new(
                    Kind::Usage,
                    "expected either a value or a file for the conflict",
                )
                .hint("--value YAML or --file FILE"));
            }
        };
        let options = ChangeOptions {
            dry_run: args.dry_run,
            ..ChangeOptions::default()
        };
        shown(app.decide(&[args.id.parse()?], &Decision::Edit(value), options)?)
    }
}
