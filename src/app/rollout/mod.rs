//! Deploying: apply, destroy, live state. Clusters change here and nowhere else.

use std::time::Duration;

use serde_json::Value;

use crate::app::gate::GatePolicy;
use crate::app::outcome::Outcome;
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::deploy::LiveState;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{RevisionRef, Status};
use crate::path::Path;
use crate::yaml::ResourceId;

mod consignment;
mod lease;
mod preview;
mod recall;
mod report;
mod run;
mod shipment;
mod waves;
mod words;

pub(crate) use lease::Renewal;
pub(crate) use shipment::{Shipment, namespace, put_inventory, shipment, shipments};

pub use preview::TargetDiff;
pub use report::RolloutReport;
pub use waves::Waves;

use recall::Recall;
use run::Rollout;
use shipment::past_gates;

/// What an apply does.
#[derive(Debug, Clone, Default)]
pub struct ApplyOptions {
    /// Wait until what was sent is ready.
    pub wait: bool,
    /// How long to wait; the workloads' own deadlines where it is none.
    pub timeout: Option<Duration>,
    /// The revision to send; the head where it is none. The head stays as it is.
    pub revision: Option<RevisionRef>,
    /// What to do about gates.
    pub gates: GatePolicy,
    /// Matching no unit is no error.
    pub allow_empty: bool,
    /// Only say what would be sent.
    pub dry_run: bool,
    /// What the operation is called, where it is more than an apply.
    pub title: Option<String>,
    /// Fields that are set although somebody else changed them in the cluster.
    pub force: Vec<(ResourceId, Path)>,
}

/// Reads a duration such as `60s`, `5m`, `1h 30m` or `7d`.
///
/// # Errors
/// [`Kind::Usage`] when it is none, or negative.
pub fn duration(text: &str) -> Result<Duration> {
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let span = text.parse::<jiff::Span>();
    span.ok()
        .and_then(|span| span.to_duration(days).ok())
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("expected a duration such as 60s or 5m, found `{text}`"),
            )
        })
}

impl App {
    /// Sends units to their targets: by `Labels.order`, then by kind; stops at the first failure.
    ///
    /// What was sent before a failure stays, and the outcome says so.
    ///
    /// # Errors
    /// Before anything is sent: a unit without a target, a revision that does not exist, a label
    /// `order` that is no number, a selection that moved, a call inside [`App::atomic`].
    pub fn apply(&self, selection: &Selection, options: &ApplyOptions) -> Result<Outcome> {
        self.refuse_inside_atomic("apply")?;
        if options.dry_run {
            let options = ApplyOptions {
                dry_run: false,
                wait: false,
                ..options.clone()
            };
            return self.as_preview(|| self.apply(selection, &options));
        }
        options.gates.check()?;
        let verb = apply_verb(options);
        let destinations = self.destinations_of(selection)?;
        let (mut outcome, op) =
            self.dispatched(destinations.is_sandbox(), verb.clone(), |dispatch| {
                let rollout = Rollout {
                    app: self,
                    dispatch,
                    options,
                    destinations,
                    verb: &verb.text,
                };
                rollout.run(selection)
            })?;
        if outcome.reports.is_empty() && !options.allow_empty {
            return Err(outcome.empty().unwrap_or_else(nothing_to_do));
        }
        outcome.op = op;
        outcome.is_preview = self.is_rehearsing();
        if let Some(rollout) = outcome.rollout.as_ref().filter(|_| !outcome.is_preview) {
            outcome.aftermath = self.aftermath(rollout)?;
        }
        Ok(outcome)
    }

    /// Refuses units whose gates are closed, before anything is written.
    pub(crate) fn refuse_gated(&self, selection: &Selection, gates: &GatePolicy) -> Result<()> {
        gates.check()?;
        self.read(|view| {
            let shipments = shipments(view, selection, None)?;
            past_gates(shipments, gates).map(drop)
        })
    }

    /// Removes units from their targets, in the reverse order; their records stay.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn destroy(&self, selection: &Selection) -> Result<Outcome> {
        self.refuse_inside_atomic("destroy")?;
        let verb = Verb::new("destroy");
        let destinations = self.destinations_of(selection)?;
        let (mut outcome, op) = self.dispatched(destinations.is_sandbox(), verb, |dispatch| {
            let recall = Recall {
                app: self,
                dispatch,
                destinations,
            };
            recall.run(selection)
        })?;
        if outcome.reports.is_empty() {
            return Err(outcome.empty().unwrap_or_else(nothing_to_do));
        }
        outcome.op = op;
        Ok(outcome)
    }

    /// Waits until units are ready, or `timeout` has passed on the target's clock; the workloads'
    /// own deadlines where it is none.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn wait_ready(&self, selection: &Selection, timeout: Option<Duration>) -> Result<Outcome> {
        let options = ApplyOptions {
            wait: true,
            timeout,
            ..ApplyOptions::default()
        };
        let verb = Verb::new("wait");
        let destinations = self.destinations_of(selection)?;
        let (mut outcome, op) = self.dispatched(destinations.is_sandbox(), verb, |dispatch| {
            let rollout = Rollout {
                app: self,
                dispatch,
                options: &options,
                destinations,
                verb: "wait",
            };
            rollout.wait(selection)
        })?;
        outcome.op = op;
        outcome.is_partial = true;
        Ok(outcome)
    }

    /// What a unit's target runs, as JSON.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the unit has no target, [`Kind::Unavailable`] when that does not
    /// answer.
    pub fn live_state(&self, unit: UnitId) -> Result<Value> {
        let live = self.live_states(&self.selection_of(unit)?)?;
        let Some(live) = live.first() else {
            return Err(nothing_to_do());
        };
        serde_json::to_value(live).map_err(|error| {
            Error::new(
                Kind::Internal,
                format!("cannot write the live state: {error}"),
            )
        })
    }

    /// What the targets of units run, in the order of the selection.
    ///
    /// # Errors
    /// As [`Self::live_state`].
    pub(crate) fn live_states(&self, selection: &Selection) -> Result<Vec<LiveState>> {
        self.settle_abandoned()?;
        let destinations = self.destinations_of(selection)?;
        self.looking(|dispatch| {
            let shipments = dispatch.read(|view| shipments(view, selection, None))?;
            dispatch.ask(&destinations, &shipments, "", |target, units| {
                Ok(target.live(&Shipment::all_deployed(units))?)
            })
        })
    }

    /// Brings the status of live units up to date; a line for each that changed.
    ///
    /// A unit whose last apply failed keeps saying so.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub(crate) fn refresh_status(&self, selection: &Selection) -> Result<Vec<String>> {
        let live = self.live_states(selection)?;
        let units = self.read(|view| {
            let pins = selection.pins().iter();
            pins.map(|pin| Ok(view.unit(pin.unit)?))
                .collect::<Result<Vec<_>>>()
        })?;
        let names = self.references(selection)?;
        let changed = units
            .into_iter()
            .zip(live)
            .zip(names)
            .filter(|((unit, live), _)| {
                let is_told = unit.status == Status::Failed && unit.last_applied != unit.live;
                !is_told && unit.status != live.status
            });
        let changed: Vec<_> = changed.collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        self.write(Verb::new("status"), |transaction| {
            let mut lines = Vec::with_capacity(changed.len());
            for ((unit, live), reference) in &changed {
                let mut unit = transaction.unit(unit.id)?;
                lines.push(format!(
                    "{} {} → {}: {}",
                    reference, unit.status, live.status, live.reason
                ));
                unit.set_status(live.status, &live.reason);
                transaction.put_unit(&unit)?;
            }
            Ok(lines)
        })
        .map(|(lines, _)| lines)
    }
}

pub(crate) fn nothing_to_do() -> Error {
    Error::new(Kind::NotFound, "expected at least one unit, found none")
}

/// What is written into the log: which gates were to be passed, and which revision was sent.
fn apply_verb(options: &ApplyOptions) -> Verb {
    let mut text = options.title.clone().unwrap_or_else(|| "apply".to_owned());
    let mut args = serde_json::Map::new();
    if let Some(revision) = options.revision {
        text = format!("{text} --revision {revision}");
        args.insert("Revision".to_owned(), revision.to_string().into());
    }
    for gate in &options.gates.overridden {
        text = format!("{text} --override-gate {gate}");
    }
    if !options.gates.overridden.is_empty() {
        let gates = options.gates.overridden.clone();
        args.insert("OverrideGate".to_owned(), gates.into());
    }
    Verb::with(text, args.into())
}

/// A duration as targets take it.
pub(crate) fn millis(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}
