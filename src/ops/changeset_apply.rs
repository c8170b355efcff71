//! `changeset apply`

use serde::Deserialize;

use crate::app::App;
use crate::app::changeset::ApplyChangeSet;
use crate::app::gate::GatePolicy;
use crate::app::rollout::duration;
use crate::error::Result;
use crate::ops::{Effect, Operation, Output};

/// Applies a changeset.
#[derive(Debug)]
pub struct ChangesetApply;

/// Arguments of [`ChangesetApply`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Its name.
    pub slug: String,
    /// The space that it is about: a changeset with units of other spaces is refused.
    #[arg(long, value_name = "SPACE")]
    pub space: Option<String>,
    /// Not becoming ready is a refusal as well: everything is put back then.
    #[arg(long)]
    pub wait: bool,
    /// How long to wait for each unit: `60s`, `5m`.
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// Pass this gate, and say so in the log (can be repeated).
    #[arg(long, value_name = "GATE")]
    pub override_gate: Vec<String>,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for ChangesetApply {
    const NAME: &'static str = "changeset apply";
    const ABOUT: &'static str = "Make all of a changeset true, desired and live, or nothing";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &[
        "changeset apply market-data-v2",
        "changeset apply market-data-v2 --dry-run",
        "changeset apply market-data-v2 --wait --timeout 60s",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let options = ApplyChangeSet {
            wait: args.wait,
            timeout: args.timeout.as_deref().map(duration).transpose()?,
            gates: GatePolicy {
                skip: false,
                overridden: args.override_gate,
            },
            dry_run: args.dry_run,
        };
        if let Some(space) = &args.space {
            app.check_changeset_space(&args.slug, space)?;
        }
        app.apply_changeset(&args.slug, &options)
            .map(Output::Outcome)
    }
}
