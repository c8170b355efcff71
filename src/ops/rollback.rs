//! `rollback`

use serde::Deserialize;

use crate::app::App;
use crate::app::rollback::{RollbackOptions, RollbackTo};
use crate::app::rollback_target::RollbackTarget;
use crate::app::rollout::duration;
use crate::error::{Error, Kind, Result};
use crate::id::{ApplyId, OpId};
use crate::model::RevisionRef;
use crate::ops::selecting::Selecting;
use crate::ops::{Effect, Operation, Output};

/// Puts units back.
#[derive(Debug)]
pub struct Rollback;

/// Arguments of [`Rollback`].
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Args {
    /// Which units; or an apply (`a-93`) or operation (`op-12`) whose units go back to before it.
    #[command(flatten)]
    #[serde(flatten)]
    pub selecting: Selecting,
    /// Where to: prev-live (the default), live, N-1 (one before live), a number; or a time, as
    /// `02:40` or `2026-11-22T14:07`: what was live then.
    #[arg(long, value_name = "REVISION", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// Wait until what was sent is ready.
    #[arg(long)]
    pub wait: bool,
    /// How long to wait: `60s`, `5m`.
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// When the hold ends by itself: a duration from now (`2h`) or a time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Pass this gate, and say so in the log (can be repeated).
    #[arg(long, value_name = "GATE")]
    pub override_gate: Vec<String>,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

impl Operation for Rollback {
    const NAME: &'static str = "rollback";
    const ABOUT: &'static str =
        "Put units back to an earlier revision, in the store and on their targets, and hold them";
    const EFFECT: Effect = Effect::Deploy;
    const EXAMPLES: &'static [&'static str] = &[
        "rollback traderx-prod-eu/trade-service -m 'INC-4312'",
        "rollback traderx-prod-eu/trade-service --to r46 --wait",
        "rollback --space 'traderx-prod-*' --dry-run",
        "rollback a-93 --wait",
    ];
    type Args = Args;

    fn run(app: &App, args: Args) -> Result<Output> {
        let target = target(app, &args)?;
        let until = args.until.as_deref();
        let options = RollbackOptions {
            to: target.to,
            wait: args.wait,
            timeout: args.timeout.as_deref().map(duration).transpose()?,
            until: until.map(|until| app.instant_ahead(until)).transpose()?,
            overridden: args.override_gate,
            dry_run: args.dry_run,
        };
        app.rollback(&target.selection, &options)
            .map(Output::Outcome)
    }
}

/// Which units, and where each goes.
fn target(app: &App, args: &Args) -> Result<RollbackTarget> {
    let selector = args.selecting.selector.as_deref().unwrap_or_default();
    let numbered = |prefix: &str| {
        let digits = selector.strip_prefix(prefix)?;
        digits.parse::<u64>().ok()
    };
    let moment = match (numbered(ApplyId::PREFIX), numbered(OpId::PREFIX)) {
        (Some(apply), _) => Some(app.before_apply(ApplyId(apply))?),
        (None, Some(op)) => Some(app.before_operation(OpId(op))?),
        (None, None) => None,
    };
    match (moment, &args.to) {
        (Some(moment), None) => Ok(moment),
        (Some(_), Some(_)) => Err(Error::new(
            Kind::Usage,
            format!("expected `{selector}` alone, which says where to, found --to as well"),
        )),
        (None, to) => {
            let selection = args.selecting.resolve_for_write(app)?;
            let Some(to) = to else {
                let to = RollbackTo::Revision(RevisionRef::PreviousLive);
                return Ok(RollbackTarget { selection, to });
            };
            match to.parse::<RevisionRef>() {
                Ok(revision) => Ok(RollbackTarget {
                    selection,
                    to: RollbackTo::Revision(revision),
                }),
                Err(error) => match app.instant_past(to) {
                    Some(at) => app.live_at(&selection, at),
                    None => Err(error.into()),
                },
            }
        }
    }
}
