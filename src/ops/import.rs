//! `import`

use serde::Deserialize;

use crate::app::App;
use crate::app::import::{IMPORT_SOURCE, ImportOptions};
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Imports a folder of YAML.
#[derive(Debug)]
pub struct Import;

/// Arguments of [`Import`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The folder.
    pub folder: String,
    /// The space; it is made where there is none.
    #[arg(long, value_name = "SPACE", required = true)]
    pub space: String,
    /// The name under which the texts are remembered.
    #[arg(long, value_name = "NAME", default_value = "import")]
    pub source: Option<String>,
    /// Import the good files even where others are refused.
    #[arg(long)]
    pub skip_refused: bool,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for Import {
    const NAME: &'static str = "import";
    const ABOUT: &'static str =
        "Import a folder of YAML: one unit a file, merged when it is imported again";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "import k8s --space bench",
        "import k8s --space bench --dry-run",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let options = ImportOptions {
            source: args.source.unwrap_or_else(|| IMPORT_SOURCE.to_owned()),
            skip_refused: args.skip_refused,
            dry_run: args.dry_run,
        };
        app.import_folder(&args.space.parse()?, &args.folder, &options)
            .map(Output::Outcome)
    }
}
