//! `unit create`

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::app::App;
use crate::app::create::UnitOptions;
use crate::app::outcome::Outcome;
use crate::error::{Error, Kind, Result};
use crate::ops::selecting::label;
use crate::ops::{Effect, Operation, Output};

/// Makes a unit.
#[derive(Debug)]
pub struct UnitCreate;

/// Arguments of [`UnitCreate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
    /// The file with its YAML.
    pub file: Option<String>,
    /// The space it is made in.
    #[arg(long, value_name = "SPACE", required = true)]
    pub space: String,
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
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let space = app.space_named(&args.space)?.id;
        let slug = args.slug.parse()?;
        let labels: BTreeMap<String, String> = args.labels.into_iter().collect();
        let made = match (args.file, args.upstream_unit) {
            (Some(file), None) => {
                let text = app.project().read_file(&file)?;
                app.create_unit(
                    space,
                    &slug,
                    &text,
                    &UnitOptions {
                        labels,
                        source: None,
                    },
                )?
            }
            (None, Some(upstream)) => {
                let reference = match args.upstream_space {
                    Some(space) => format!("{space}/{upstream}"),
                    None => upstream,
                };
                let source = app.unit_named(&reference)?;
                app.create_clone(space, source, &slug, &labels)?
            }
            _ => {
                return Err(Error::new(
                    Kind::Usage,
                    "expected a file or --upstream-unit, found neither",
                )
                .hint("windlass unit create --space SPACE SLUG FILE"));
            }
        };
        Ok(Output::Outcome(Outcome {
            verb: "unit create".to_owned(),
            op: made.op,
            reports: made.report.into_iter().collect(),
            ..Outcome::default()
        }))
    }
}
