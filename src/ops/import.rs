//! `import`

use serde::Deserialize;

use crate::app::App;
use crate::app::import::{By, IMPORT_SOURCE, ImportOptions, Manifests, Secrets};
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
    /// A folder of manifests, one file, `-` for standard input, or a folder that `export` wrote.
    #[arg(value_name = "FOLDER|FILE|-")]
    pub folder: NamedFile,
    /// The space of manifests; it is made where there is none. An exported folder names its own.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
    /// The name under which the texts are remembered.
    #[arg(long, value_name = "NAME", default_value = "import")]
    pub source: Option<String>,
    /// What becomes a unit: a file, a workload with what belongs to it, or a resource [default: file
    /// for a folder, workload for a file and standard input]
    #[arg(long, value_name = "WHAT", value_parser = ["file", "workload", "resource"])]
    pub by: Option<String>,
    /// Make the units variants of those of the same names in a space; what differs is their own.
    #[arg(long, value_name = "SPACE")]
    pub upstream: Option<String>,
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
    const ABOUT: &'static str = "Import manifests, merged when they are imported again";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "import k8s --space bench",
        "import k8s --space bench --dry-run",
        "import k8s/trade-service.yaml --space bench --by resource",
        "import k8s --space shop --upstream prod",
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
            by: args.by.as_deref().map(str::parse::<By>).transpose()?,
            upstream: args.upstream.as_deref().map(str::parse).transpose()?,
            prune: args.prune,
            protect: args.protect,
            dry_run: args.dry_run,
        };
        let manifests = if args.folder.is_standard_input() {
            Manifests::Text {
                name: "standard input".to_owned(),
                text: args.folder.read(app)?,
            }
        } else {
            Manifests::Path(args.folder.readable(app)?)
        };
        let export = match &manifests {
            Manifests::Path(path) if app.is_export(path) => Some(path),
            _ => None,
        };
        let outcome = match (export, args.space) {
            (Some(_), None) if options.is_for_manifests() => Err(not_for_exports()),
            (Some(folder), None) => app.import_export(folder, &options),
            (None, Some(space)) => app.import_manifests(&space.parse()?, &manifests, &options),
            (export, _) => Err(unclear_space(export.is_some())),
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
    Error::new(Kind::Usage, "expected --space with manifests, found none")
        .hint("windlass import FOLDER --space NAME; a folder that export wrote names its spaces")
}

fn not_for_exports() -> Error {
    Error::new(
        Kind::Usage,
        "expected --by, --upstream, --prune and --protect with manifests, found an exported folder",
    )
    .hint(
        "its .meta.yaml files say what is linked and protected; windlass unit delete deletes units",
    )
}
