//! `filter update`

use serde::Deserialize;

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Changes a filter.
#[derive(Debug)]
pub struct FilterUpdate;

/// Arguments of [`FilterUpdate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The filter: `name` or `space/name`.
    pub filter: String,
    /// The space it is looked for in first.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
    /// The new WHERE clause.
    #[arg(long = "where", value_name = "CLAUSE", aliases = ["where-field", "where-data"])]
    #[serde(rename = "where", alias = "where_field", alias = "where_data")]
    pub clause: Option<String>,
    /// A glob that the spaces of the units must match; an empty one is taken away.
    #[arg(long, value_name = "GLOB")]
    pub from_space: Option<String>,
}

impl Operation for FilterUpdate {
    const NAME: &'static str = "filter update";
    const ABOUT: &'static str = "Change the clause of a filter, or where it looks";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "filter update high-volume-trading --where \"replicas > 3\"",
        "filter update core --from-space 'traderx-*'",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        if args.clause.is_none() && args.from_space.is_none() {
            return Err(Error::new(
                Kind::Usage,
                "expected --where or --from-space, found neither",
            ));
        }
        let made = app.update_filter(
            &args.filter,
            args.space.as_deref(),
            args.clause.as_deref(),
            args.from_space.as_deref(),
        )?;
        let reference = app.filter_reference(&made.filter)?;
        let word = made.status.word();
        Ok(object(
            format!("filter {reference} {word}\n"),
            serde_json::json!({
                "Filter": reference,
                "Clause": made.filter.clause,
                "FromSpace": made.filter.from_space,
                "Result": word,
            }),
        ))
    }
}
