//! `filter delete`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::object;
use crate::ops::{Effect, Operation, Output};

/// Deletes a filter.
#[derive(Debug)]
pub struct FilterDelete;

/// Arguments of [`FilterDelete`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The filter: `name` or `space/name`.
    pub filter: String,
    /// The space it is looked for in first.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
}

impl Operation for FilterDelete {
    const NAME: &'static str = "filter delete";
    const ABOUT: &'static str = "Delete a filter; the units it selects stay";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &["filter delete high-volume-trading"];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let filter = app.delete_filter(&args.filter, args.space.as_deref())?;
        let reference = app.filter_reference(&filter)?;
        Ok(object(
            format!("filter {reference} deleted\n"),
            serde_json::json!({ "Filter": reference, "Result": "deleted" }),
        ))
    }
}
