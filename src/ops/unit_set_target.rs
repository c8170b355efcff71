//! `unit set-target`

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::error::Result;
use crate::ops::selecting::{Selecting, SelectingFlags, shown};
use crate::ops::{Effect, Operation, Output};

/// Sets where units deploy.
#[derive(Debug)]
pub struct UnitSetTarget;

/// Arguments of [`UnitSetTarget`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
#[command(allow_missing_positional = true)]
pub struct Args {
    /// A unit, a glob (`prod-*/ledger`) or a WHERE clause; flags say which units as well.
    #[arg(value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// The target; `-` gives units that of their space back.
    pub target: String,
    /// The same as flags.
    #[command(flatten)]
    #[serde(flatten)]
    pub flags: SelectingFlags,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for UnitSetTarget {
    const NAME: &'static str = "unit set-target";
    const ABOUT: &'static str = "Set where units deploy, in place of the target of their space";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "unit set-target trade-service us-1 --space traderx-prod-us",
        "unit set-target - --space traderx-prod-us",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let target = match args.target.as_str() {
            "-" => None,
            slug => Some(slug.parse()?),
        };
        let options = ChangeOptions {
            allow_empty: args.flags.allow_empty,
            dry_run: args.dry_run,
        };
        let selecting = Selecting {
            selector: args.selector,
            flags: args.flags,
        };
        let selection = selecting.resolve_for_write(app)?;
        shown(app.set_target(&selection, target.as_ref(), options)?)
    }
}
