//! `unit create`

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::create::UnitOptions;
use crate::app::outcome::Outcome;
use crate::app::skeleton::ObjectType;
use crate::error::{Error, Kind, Result};
use crate::ops::file::NamedFile;
use crate::ops::selecting::{SelectingFlags, label, shown};
use crate::ops::{Effect, Operation, Output};

/// Makes a unit.
#[derive(Debug)]
pub struct UnitCreate;

/// Arguments of [`UnitCreate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    #[arg(required_unless_present = "dest_space", conflicts_with = "dest_space")]
    pub slug: Option<String>,
    /// The file with its YAML; `-` is standard input.
    pub file: Option<NamedFile>,
    /// The same as a flag.
    #[arg(long, value_name = "FILE", aliases = ["data-file", "data"], conflicts_with_all = ["file", "dest_space", "upstream_unit"])]
    pub filename: Option<NamedFile>,
    /// The kind of its object: the file must have one, and without a file it is made, to be filled
    /// in: `k8s/Deployment`.
    #[arg(long = "type", value_name = "TYPE", conflicts_with_all = ["dest_space", "upstream_unit"])]
    #[serde(rename = "type")]
    pub object_type: Option<String>,
    /// The space it is made in; with --dest-space, the space or spaces of the units to clone.
    #[arg(long, value_name = "SPACE", required_unless_present = "dest_space")]
    pub space: Option<String>,
    /// Make a variant of every unit that is selected in this space, under its own name.
    #[arg(long, value_name = "SPACE", conflicts_with_all = ["file", "upstream_unit"])]
    pub dest_space: Option<String>,
    /// With --dest-space: the stored filter, or clause, that the units must meet.
    #[arg(long, value_name = "FILTER", requires = "dest_space")]
    pub filter: Option<String>,
    /// With --dest-space: the WHERE clause that the units must meet.
    #[arg(long = "where", value_name = "CLAUSE", requires = "dest_space", aliases = ["where-field", "where-data"])]
    #[serde(rename = "where", alias = "where_field", alias = "where_data")]
    pub clause: Option<String>,
    /// With --dest-space: do nothing, rather than fail, where no unit matches.
    #[arg(long, requires = "dest_space")]
    pub allow_empty: bool,
    /// With --dest-space: only show what would be written.
    #[arg(long, requires = "dest_space")]
    pub dry_run: bool,
    /// The unit to make a variant of: `space/unit`, or `unit` with --upstream-space.
    #[arg(long, value_name = "UNIT", conflicts_with = "file")]
    pub upstream_unit: Option<String>,
    /// The space of the upstream unit.
    #[arg(long, value_name = "SPACE", requires = "upstream_unit")]
    pub upstream_space: Option<String>,
    /// A label (can be repeated).
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    #[serde(rename = "label")]
    pub labels: Vec<(String, String)>,
}

impl Operation for UnitCreate {
    const NAME: &'static str = "unit create";
    const ABOUT: &'static str = "Make a unit from a file, or as a variant of another";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "unit create --space traderx reference-data k8s/reference-data.yaml",
        "unit create --space prod reference-data --upstream-unit traderx/reference-data",
        "unit create --space prod cache --type k8s/StatefulSet",
        "unit create --dest-space prod-us --space traderx-base --filter core --label region=us",
    ];
    type Args = Args;

    fn run(app: &App, mut args: Args) -> Result<Output> {
        args.file = args.file.or_else(|| args.filename.take());
        if args.dest_space.is_some() {
            return clone_all(app, args);
        }
        let (Some(space), Some(slug)) = (&args.space, &args.slug) else {
            return Err(nothing_to_make());
        };
        let space = app.space_named(space)?.id;
        let slug = slug.parse()?;
        let labels: BTreeMap<String, String> = args.labels.into_iter().collect();
        let object_type = args.object_type.as_deref().map(str::parse::<ObjectType>);
        let object_type = object_type.transpose()?;
        let text = match (&args.file, &object_type) {
            (Some(file), None) => Some(file.read(app)?),
            (Some(file), Some(wanted)) => {
                let text = file.read(app)?;
                let checked = wanted.check(&text);
                checked.map_err(|error| error.context(format!("file         {}", file.name())))?;
                Some(text)
            }
            (None, Some(wanted)) => Some(wanted.skeleton(&slug)?),
            (None, None) => None,
        };
        let made = match (text, args.upstream_unit) {
            (Some(text), None) => app.create_unit(
                space,
                &slug,
                &text,
                &UnitOptions {
                    labels,
                    source: None,
                },
            )?,
            (None, Some(upstream)) => {
                let reference = match args.upstream_space {
                    Some(space) => format!("{space}/{upstream}"),
                    None => upstream,
                };
                let source = app.unit_named(&reference)?;
                app.create_clone(space, source, &slug, &labels)?
            }
            _ => return Err(nothing_to_make()),
        };
        Ok(Output::Outcome(Outcome {
            verb: "unit create".to_owned(),
            op: made.op,
            reports: made.report.into_iter().collect(),
            ..Outcome::default()
        }))
    }
}

/// Variants of many units at once.
fn clone_all(app: &App, args: Args) -> Result<Output> {
    let has_other = args.slug.is_some() || args.file.is_some() || args.upstream_unit.is_some();
    let space = match args.dest_space {
        Some(space) if !has_other => app.space_named(&space)?.id,
        _ => return Err(nothing_to_make()),
    };
    let selecting = SelectingFlags {
        space: args.space,
        clause: args.clause,
        filter: args.filter,
        ..SelectingFlags::default()
    };
    let options = ChangeOptions {
        allow_empty: args.allow_empty,
        dry_run: args.dry_run,
    };
    let labels = args.labels.into_iter().collect();
    let selection = selecting.resolve_for_write(app)?;
    shown(app.clone_all(&selection, space, &labels, options)?)
}

fn nothing_to_make() -> Error {
    Error::new(
        Kind::Usage,
        "expected a name with a file, a type or an upstream unit, or --dest-space and the units to \
         clone",
    )
    .hint("windlass unit create --space SPACE SLUG FILE")
    .hint("windlass unit create --dest-space DEST --space SPACE --where CLAUSE")
}
