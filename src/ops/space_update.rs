//! `space update`

use serde::Deserialize;

use crate::app::App;
use crate::app::spaces::SpaceChange;
use crate::error::Result;
use crate::ops::selecting::label;
use crate::ops::{Effect, Operation, Output};

/// Changes spaces.
#[derive(Debug)]
pub struct SpaceUpdate;

/// Arguments of [`SpaceUpdate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// The space, or a glob of spaces.
    pub slug: String,
    /// A label; KEY= alone removes it (can be repeated).
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    #[serde(rename = "label")]
    pub labels: Vec<(String, String)>,
    /// The target where its units deploy.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// Switch a gate on: `conflicts/open` refuses to apply units with open conflicts (can be
    /// repeated).
    #[arg(long = "gate", value_name = "GATE")]
    #[serde(rename = "gate")]
    pub gates: Vec<String>,
    /// Switch a gate off (can be repeated).
    #[arg(long = "no-gate", value_name = "GATE")]
    #[serde(rename = "no_gate")]
    pub gates_off: Vec<String>,
}

impl Operation for SpaceUpdate {
    const NAME: &'static str = "space update";
    const ABOUT: &'static str = "Change spaces: labels, target, gates";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "space update prod-us --label wave=2 --target us-1",
        "space update 'prod-*' --gate conflicts/open",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let labels = args.labels.into_iter();
        let change = SpaceChange {
            labels: labels
                .map(|(key, value)| (key, (!value.is_empty()).then_some(value)))
                .collect(),
            target: args.target.map(|slug| slug.parse()).transpose()?,
            gates_on: args.gates,
            gates_off: args.gates_off,
        };
        let table = app.update_spaces(&args.slug, &change)?;
        Ok(Output::Table(table))
    }
}
