//! `upgrade`

use serde::Deserialize;

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::upgrade::UpgradeOptions;
use crate::error::Result;
use crate::ops::selecting::{Selecting, StagingFlags, shown};
use crate::ops::{Effect, Operation, Output};

/// Merges what changed upstream into variants.
#[derive(Debug)]
pub struct Upgrade;

/// Arguments of [`Upgrade`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// Where both sides changed a path, take the incoming value.
    #[arg(long)]
    pub prefer_incoming: bool,
    /// Refuse, rather than store a conflict, where both sides changed a path.
    #[arg(long)]
    pub strict: bool,
    /// How many steps down chains of variants; all of them where it is left out.
    #[arg(long, value_name = "NUMBER")]
    pub hops: Option<usize>,
    /// Only show what would be written.
    #[arg(long)]
    pub dry_run: bool,
    /// Where the change is kept.
    #[command(flatten)]
    #[serde(flatten)]
    pub staging: StagingFlags,
}

impl Operation for Upgrade {
    const NAME: &'static str = "upgrade";
    const ABOUT: &'static str =
        "Merge what changed upstream into variants, and keep what is theirs";
    const EFFECT: Effect = Effect::Write;
    const EXAMPLES: &'static [&'static str] = &[
        "upgrade 'traderx-prod-*/trade-service'",
        "upgrade --space 'traderx-prod-*' --dry-run",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let app = &args.staging.app(app)?;
        let selection = args.selecting.resolve_for_write(app)?;
        let options = UpgradeOptions {
            change: ChangeOptions {
                allow_empty: args.selecting.flags.allow_empty,
                dry_run: args.dry_run,
            },
            prefer_incoming: args.prefer_incoming,
            strict: args.strict,
            hops: args.hops,
        };
        shown(app.upgrade(&selection, options)?)
    }
}
