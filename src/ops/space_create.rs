//! `space create`

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::app::App;
use crate::app::create::SpaceOptions;
use crate::error::Result;
use crate::ops::selecting::{label, object};
use crate::ops::{Effect, Operation, Output};

/// Makes a space.
#[derive(Debug)]
pub struct SpaceCreate;

/// Arguments of [`SpaceCreate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name: a-z, 0-9, `-`, `_` and `.`.
    pub slug: String,
    /// A label (can be repeated).
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    #[serde(rename = "label")]
    pub labels: Vec<(String, String)>,
    /// The target where its units deploy.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// Leave it as it is where it exists already.
    #[arg(long)]
    pub allow_exists: bool,
}

impl Operation for SpaceCreate {
    const NAME: &'static str = "space create";
    const ABOUT: &'static str = "Make a space";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "space create traderx",
        "space create prod-us --label environment=prod --allow-exists",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let slug = args.slug.parse()?;
        let labels: BTreeMap<String, String> = args.labels.into_iter().collect();
        let options = SpaceOptions {
            labels,
            target: args.target.map(|slug| slug.parse()).transpose()?,
        };
        let made = if args.allow_exists {
            app.ensure_space(&slug, &options)?
        } else {
            app.create_space(&slug, &options)?
        };
        Ok(object(
            format!("space {slug} {}\n", made.status.word()),
            serde_json::json!({ "Slug": slug, "SpaceID": made.id.to_string(), "Result": made.status.word() }),
        ))
    }
}
