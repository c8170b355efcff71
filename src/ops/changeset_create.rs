//! `changeset create`

use serde::Deserialize;

use crate::app::App;
use crate::app::changeset::ChangeSetOptions;
use crate::app::outcome::plural;
use crate::error::Result;
use crate::ops::selecting::{SelectingFlags, object};
use crate::ops::{Effect, Operation, Output};

/// Makes a changeset.
#[derive(Debug)]
pub struct ChangesetCreate;

/// Arguments of [`ChangesetCreate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name: a-z, 0-9, `-`, `_` and `.`.
    pub slug: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Leave it as it is where it exists already.
    #[arg(long)]
    pub allow_exists: bool,
    /// The units whose present state it pins; none for staged writes.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: SelectingFlags,
}

impl Operation for ChangesetCreate {
    const NAME: &'static str = "changeset create";
    const ABOUT: &'static str =
        "Make a changeset: for staged writes, or of the present state of units";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "changeset create market-data-v2",
        "changeset create last-good --space 'traderx-prod-*' --where '*'",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let slug = args.slug.parse()?;
        let options = ChangeSetOptions {
            description: args.description.unwrap_or_default(),
            pinned: args
                .selecting
                .is_said()
                .then(|| args.selecting.request(None)),
        };
        let made = if args.allow_exists {
            app.ensure_changeset(&slug, &options)?
        } else {
            app.create_changeset(&slug, &options)?
        };
        let word = if made.is_new { "created" } else { "unchanged" };
        let units = made.changeset.entries.len();
        Ok(object(
            format!("changeset {slug} {word}, {}\n", plural(units, "unit")),
            serde_json::json!({ "Name": slug, "Units": units, "Result": word }),
        ))
    }
}
