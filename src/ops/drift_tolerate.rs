//! `drift tolerate`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::{Selecting, SelectingFlags, shown};
use crate::ops::{Effect, Operation, Output};

/// Tolerates drift.
#[derive(Debug)]
pub struct DriftTolerate;

/// Arguments of [`DriftTolerate`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// A unit, a glob or a WHERE clause.
    #[arg(value_name = "SELECTOR")]
    pub selector: String,
    /// The field, with everything below it.
    #[arg(value_name = "PATH")]
    pub path: String,
    /// The space, a glob of spaces, or `*` for all.
    #[command(flatten)]
    #[serde(flatten)]
    pub flags: SelectingFlags,
    /// The object, as `Kind/name`; every object where it is left out.
    #[arg(long, value_name = "RESOURCE")]
    pub on: Option<String>,
    /// When it ends by itself: a duration from now (`7d`) or a time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// End the tolerance of this field.
    #[arg(long)]
    pub end: bool,
}

impl Operation for DriftTolerate {
    const NAME: &'static str = "drift tolerate";
    const ABOUT: &'static str = "Let a field of live objects differ, until a time or for good";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "drift tolerate traderx-prod-eu/trade-service spec.replicas --until 7d -m 'load test'",
        "drift tolerate traderx-prod-eu/trade-service spec.replicas --end",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selecting = Selecting {
            selector: Some(args.selector),
            flags: args.flags,
        };
        let selection = selecting.resolve_for_write(app)?;
        let path = args.path.parse()?;
        if args.end {
            return shown(app.end_tolerance(&selection, &path)?);
        }
        let until = args.until.as_deref();
        let until = until.map(|until| app.instant_ahead(until)).transpose()?;
        let on = args.on.as_deref();
        shown(app.tolerate_drift(&selection, &path, on, until)?)
    }
}
