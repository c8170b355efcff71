//! `filter create`

use serde::Deserialize;

use crate::app::App;
use crate::app::filter::FilterOptions;
use crate::error::{Error, Kind, Result};
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// What filters can be of.
const UNIT: &str = "Unit";

/// Stores a clause under a name.
#[derive(Debug)]
pub struct FilterCreate;

/// Arguments of [`FilterCreate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
    /// What it selects: Unit.
    pub from: Option<String>,
    /// The WHERE clause, evaluated whenever the filter is used.
    #[arg(long = "where", value_name = "CLAUSE", required = true, aliases = ["where-field", "where-data"])]
    #[serde(rename = "where", alias = "where_field", alias = "where_data")]
    pub clause: Option<String>,
    /// The space it belongs to; without it, the filter belongs to the store.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
    /// A glob that the spaces of the units must match.
    #[arg(long, value_name = "GLOB")]
    pub from_space: Option<String>,
    /// Make sure of it: change its clause where it exists already.
    #[arg(long)]
    pub allow_exists: bool,
}

impl Operation for FilterCreate {
    const NAME: &'static str = "filter create";
    const ABOUT: &'static str = "Store a WHERE clause under a name";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "filter create high-volume-trading Unit --where-field \"Data CONTAINS 'replicas:' AND replicas > 2\"",
        "filter create core --space traderx-filters --where \"Labels.tier = 'core'\" --from-space 'traderx-prod-*'",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        if let Some(from) = args.from.filter(|from| from != UNIT) {
            return Err(Error::new(
                Kind::Usage,
                format!("expected a filter of {UNIT}, found one of `{from}`"),
            )
            .hint(format!(
                "windlass filter create {} {UNIT} --where CLAUSE",
                args.slug
            )));
        }
        let clause = args.clause.ok_or_else(|| {
            Error::new(Kind::Usage, "expected a clause in `where`, found none")
                .hint("'*' is the clause that every unit meets")
        })?;
        let slug = args.slug.parse()?;
        let options = FilterOptions {
            space: args.space,
            from_space: args.from_space,
        };
        let made = if args.allow_exists {
            app.ensure_filter(&slug, &clause, &options)?
        } else {
            app.create_filter(&slug, &clause, &options)?
        };
        let reference = app.filter_reference(&made.filter)?;
        let word = made.status.word();
        Ok(object(
            format!("filter {reference} {word}\n"),
            serde_json::json!({ "Filter": reference, "Clause": clause, "Result": word }),
        ))
    }
}
