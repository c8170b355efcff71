//! `hold`

use serde::Deserialize;

use crate::app::App;
use crate::error::Result;
use crate::ops::selecting::{Selecting, shown};
use crate::ops::{Effect, Operation, Output};

/// Holds units.
#[derive(Debug)]
pub struct Hold;

/// Arguments of [`Hold`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// When it ends by itself: a duration from now (`2h`) or a time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

impl Operation for Hold {
    const NAME: &'static str = "hold";
    const ABOUT: &'static str = "Hold units: applies are refused and workers leave them alone";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "hold traderx-prod-eu/trade-service --until 2h -m 'INC-4312'",
        "hold --space 'traderx-prod-*'",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let selection = args.selecting.resolve_for_write(app)?;
        let until = args.until.as_deref();
        let until = until.map(|until| app.instant_ahead(until)).transpose()?;
        shown(app.hold(&selection, until, None)?)
    }
}
