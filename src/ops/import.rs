//! `import`

use serde::Deserialize;

use crate::app::App;
use crate::app::import::{IMPORT_SOURCE, ImportOptions, Secrets};
use crate::error::{Error, Kind, Result};
use crate::ops::file::NamedFile;
use crate::ops::{Effect, Operation, Output};

/// Imports a folder of YAML.
#[derive(Debug)]
pub struct Import;

/// Arguments of [`Import`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The folder: of manifests, or one that `export` wrote.
    pub folder: NamedFile,
    /// The space of manifests; it is made where there is none. An exported folder names its own.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
    /// The name under which the texts are remembered.
    #[arg(long, value_name = "NAME", default_value = "import")]
    pub source: Option<String>,
    /// Import the good files even where others are refused.
    #[arg(long)]
    pub skip_refused: bool,
    /// What to do with files that hold a Secret: refuse, keep-out or allow.
    #[arg(long, value_name = "HOW", default_value = "keep-out", value_parser = ["refuse", "keep-out", "allow"])]
    pub secrets: Option<String>,
    /// Delete the units that were imported under the same source before and are gone from it;
    /// they are only listed otherwise.
    #[arg(long)]
    pub prune: bool,
    /// Paths that merges are to keep as they are (can be repeated, or separated by commas).
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub protect: Vec<String>,
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
        "import fleet",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let options = ImportOptions {
            source: args.source.unwrap_or_else(|| IMPORT_SOURCE.to_owned()),
            skip_refused: args.skip_refused,
            secrets: args
                .secrets
                .as_deref()
                .map_or(Ok(Secrets::default()), str::parse)?,
            prune: args.prune,
            protect: args.protect,
            dry_run: args.dry_run,
        };
        let folder = args.folder.readable(app)?;
        let outcome = match (app.is_export(&folder), args.space) {
            (true, None) if options.prune || !options.protect.is_empty() => Err(not_for_exports()),
            (true, None) => app.import_export(&folder, &options),
            (false, Some(space)) => {
                app.import_folder(&space.parse()?, &folder.to_string_lossy(), &options)
            }
            (is_export, _) => Err(unclear_space(is_export)),
        };
        outcome.map(Output::Outcome)
    }
}

fn unclear_space(is_export: bool) -> Error {
    if is_export {
        return Error::new(
            Kind::Usage,
            "expected no --space with an exported folder, which names its spaces, found one",
        )
        .hint("windlass import FOLDER/SPACE --space OTHER takes the manifests of one space alone");
    }
    Error::new(
        Kind::Usage,
        "expected --space with a folder of manifests, found none",
    )
    .hint("windlass import FOLDER --space NAME")
}

fn not_for_exports() -> Error {
    Error::new(
        Kind::Usage,
        "expected --prune and --protect with a folder of manifests, found an exported folder",
    )
    .hint("its .meta.yaml files say what is protected; windlass unit delete deletes units")
}
