//! Deploying: apply, destroy, live state. The cluster changes here and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::app::cluster::Slot;
use crate::app::gate::{Gate, GatePolicy, gates_of, in_words, refusal};
use crate::app::history::resolve;
use crate::app::outcome::{Outcome, Status as Done, UnitReport, plural};
use crate::app::progress::Counting;
use crate::app::record::target;
use crate::app::related::Related;
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::db::View;
use crate::deploy::{
    self, Applied, LiveState, Object, Owner, Placement, Target as _, UnitObjects, WaitOptions,
};
use crate::error::{Error, Kind, Result};
use crate::id::{OpId, UnitId};
use crate::model::{Hash, RevisionRef, Space, Status, Unit};

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
}

/// Reads a duration such as `60s`, `5m` or `1h 30m`.
///
/// # Errors
/// [`Kind::Usage`] when it is none, or negative.
pub fn duration(text: &str) -> Result<Duration> {
    let parsed = text.parse::<jiff::SignedDuration>();
    parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("expected a duration such as 60s or 5m, found `{text}`"),
            )
        })
}

/// A unit on its way to a target.
struct Shipment {
    unit: Unit,
    revision: u32,
    objects: UnitObjects,
    gates: Vec<Gate>,
}

impl Shipment {
    fn reference(&self) -> &str {
        &self.objects.owner.name
    }

    fn report(&self) -> UnitReport {
        let live = self.unit.live.unwrap_or(0);
        UnitReport {
            before: live,
            after: live,
            ..UnitReport::unchanged(&self.unit, self.reference().to_owned())
        }
    }
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
            return self.rehearse(
                || self.apply(selection, &options),
                |_, outcome| {
                    Ok(Outcome {
                        is_preview: true,
                        op: None,
                        ..outcome
                    })
                },
            );
        }
        options.gates.check()?;
        let (mut outcome, op) = self.write_slot(apply_verb(options), |slot| {
            let transaction = slot.transaction()?;
            self.refuse_moved(transaction, selection)?;
            let shipments = shipments(transaction, selection, options.revision)?;
            let (open, gated) = past_gates(shipments, &options.gates)?;
            let counting = self.counting("apply", open.len());
            let mut outcome = ship(slot, open, options, counting)?;
            outcome.reports.extend(gated);
            Ok(outcome)
        })?;
        if outcome.reports.is_empty() && !options.allow_empty {
            return Err(outcome.empty().unwrap_or_else(nothing_to_do));
        }
        outcome.op = op;
        outcome.is_preview = self.is_rehearsing();
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
        let (mut outcome, op) = self.write_slot(Verb::new("destroy"), |slot| {
            let transaction = slot.transaction()?;
            self.refuse_moved(transaction, selection)?;
            let shipments = shipments(transaction, selection, None)?;
            let counting = self.counting("destroy", shipments.len());
            recall(slot, shipments, counting)
        })?;
        if outcome.reports.is_empty() {
            return Err(outcome.empty().unwrap_or_else(nothing_to_do));
        }
        outcome.op = op;
        Ok(outcome)
    }

    /// Waits until units are ready, or `timeout` has passed on the target's clock.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn wait_ready(&self, selection: &Selection, timeout: Duration) -> Result<Outcome> {
        let options = ApplyOptions {
            wait: true,
            timeout: Some(timeout),
            ..ApplyOptions::default()
        };
        let (mut outcome, op) = self.write_slot(Verb::new("wait"), |slot| {
            let shipments = shipments(slot.transaction()?, selection, None)?;
            let mut outcome = Outcome {
                verb: "wait".to_owned(),
                ..Outcome::default()
            };
            for mut shipment in shipments {
                let mut report = shipment.report();
                look(slot, &mut shipment, &options, &mut report)?;
                outcome.reports.push(report);
            }
            Ok(outcome)
        })?;
        outcome.op = op;
        outcome.is_partial = true;
        Ok(outcome)
    }

    /// What a unit's target runs, as JSON.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when the unit has no target.
    pub fn live_state(&self, unit: UnitId) -> Result<Value> {
        self.settle_abandoned()?;
        let selection = self.selection_of(unit)?;
        let mut slot = Slot::new(self.0.db.overlay()?);
        let shipment = shipments(slot.transaction()?, &selection, None)?;
        let Some(shipment) = shipment.into_iter().next() else {
            return Err(nothing_to_do());
        };
        let live = slot.with_sandbox(|sandbox| Ok(sandbox.live(&shipment.objects.owner)?))?;
        serde_json::to_value(&live).map_err(|error| {
            Error::new(
                Kind::Internal,
                format!("cannot write the live state: {error}"),
            )
        })
    }

    /// What differs between the revisions that are live and the heads.
    ///
    /// # Errors
    /// When a unit was deleted meanwhile.
    pub fn diff_live(&self, selection: &Selection) -> Result<String> {
        self.diff(selection, None, None)
    }
}

pub(crate) fn nothing_to_do() -> Error {
    Error::new(Kind::NotFound, "expected at least one unit, found none")
}

/// The units of a selection as objects, in its order.
fn shipments(
    view: &View,
    selection: &Selection,
    revision: Option<RevisionRef>,
) -> Result<Vec<Shipment>> {
    let store = store_id(view)?;
    let mut related = Related::new(view);
    let mut without_target = BTreeSet::new();
    let mut shipments = Vec::with_capacity(selection.pins().len());
    for pin in selection.pins() {
        let unit = view.unit(pin.unit)?;
        let space = related.space(unit.space)?;
        let Some(slug) = target(&unit, &space) else {
            without_target.insert(format!("{}/{}", space.slug, unit.slug));
            continue;
        };
        let namespace = namespace(view, slug, &space)?;
        let (number, data) = match revision {
            None => (unit.head, unit.data),
            Some(revision) => {
                let found = resolve(view, &unit, revision)?;
                (found.num, found.data)
            }
        };
        let stream = view.stream(&data)?;
        let name = format!("{}/{}", space.slug, unit.slug);
        let owner = Owner {
            unit: unit.id,
            store: store.clone(),
            name,
        };
        let objects = UnitObjects {
            owner,
            revision: number,
            namespace,
            objects: Object::all(&stream),
        };
        shipments.push(Shipment {
            revision: number,
            objects,
            gates: gates_of(&unit, &space, view.now()),
            unit,
        });
    }
    match without_target.first() {
        None => Ok(shipments),
        Some(first) => Err(no_target(first, without_target.len())),
    }
}

/// One revision of a unit as objects.
///
/// # Errors
/// [`Kind::Invalid`] when the unit has no target.
pub(crate) fn unit_objects(
    view: &View,
    unit: &Unit,
    space: &Space,
    revision: u32,
    data: &Hash,
) -> Result<UnitObjects> {
    let name = format!("{}/{}", space.slug, unit.slug);
    let slug = target(unit, space).ok_or_else(|| no_target(&name, 1))?;
    Ok(UnitObjects {
        namespace: namespace(view, slug, space)?,
        owner: Owner {
            unit: unit.id,
            store: store_id(view)?,
            name,
        },
        revision,
        objects: Object::all(&view.stream(data)?),
    })
}

/// What is written into the log: which gates were to be passed, and which revision was sent.
fn apply_verb(options: &ApplyOptions) -> Verb {
    let mut text = "apply".to_owned();
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

/// The units whose gates are open or passed, and a report of each that is left out.
fn past_gates(
    shipments: Vec<Shipment>,
    policy: &GatePolicy,
) -> Result<(Vec<Shipment>, Vec<UnitReport>)> {
    let mut open = Vec::with_capacity(shipments.len());
    let mut gated = Vec::new();
    for mut shipment in shipments {
        let closed = policy.closed(std::mem::take(&mut shipment.gates));
        if closed.is_empty() {
            open.push(shipment);
        } else {
            gated.push((shipment, closed));
        }
    }
    if !policy.skip && !gated.is_empty() {
        let named = gated
            .into_iter()
            .map(|(shipment, gates)| (shipment.reference().to_owned(), gates));
        return Err(refusal(&named.collect::<Vec<_>>()));
    }
    let report = |(shipment, gates): (Shipment, Vec<Gate>)| UnitReport {
        status: Done::Skipped(format!("gated: {}", in_words(&gates))),
        ..shipment.report()
    };
    Ok((open, gated.into_iter().map(report).collect()))
}

fn no_target(first: &str, count: usize) -> Error {
    let others = match count {
        1 => String::new(),
        count => format!(" and {}", plural(count - 1, "other")),
    };
    let space = first.split('/').next().unwrap_or_default();
    Error::new(
        Kind::Invalid,
        format!("expected a target for `{first}`{others}, found none"),
    )
    .hint(format!(
        "windlass worker install worker --space {space} --wait sets the sandbox"
    ))
    .context("nothing was sent")
}

/// The namespace of objects that name none: the target's, else the space's name.
pub(crate) fn namespace(view: &View, slug: &str, space: &Space) -> Result<String> {
    let target = match slug.parse() {
        Ok(slug) => view.find_target(&slug)?,
        Err(_) => None,
    };
    let Some(target) = target else {
        return Err(Error::new(
            Kind::NotFound,
            format!(
                "expected a target `{slug}` for space `{}`, found none",
                space.slug
            ),
        )
        .hint(format!("windlass target create {slug} makes it")));
    };
    let named = target.parameters.get("namespace").cloned();
    Ok(named.unwrap_or_else(|| space.slug.to_string()))
}

/// By which a cluster's objects tell stores apart: the hash of the store's first operation.
fn store_id(view: &View) -> Result<String> {
    match view.last_operation()? {
        None => Ok(String::new()),
        Some(_) => Ok(view.operation(OpId(1))?.hash.short()),
    }
}

fn placements(shipments: &[Shipment]) -> Vec<Placement> {
    let placement = |shipment: &Shipment| Placement {
        unit: shipment.unit.id,
        name: shipment.reference().to_owned(),
        order: shipment.unit.labels.get("order").cloned(),
        kinds: shipment.unit.kinds.clone(),
    };
    shipments.iter().map(placement).collect()
}

fn ship(
    slot: &mut Slot,
    shipments: Vec<Shipment>,
    options: &ApplyOptions,
    mut counting: Counting<'_>,
) -> Result<Outcome> {
    let levels = deploy::order(&placements(&shipments))?;
    let mut by_unit: BTreeMap<UnitId, Shipment> = shipments
        .into_iter()
        .map(|shipment| (shipment.unit.id, shipment))
        .collect();
    let mut outcome = Outcome {
        verb: "apply".to_owned(),
        is_partial: true,
        ..Outcome::default()
    };
    let mut failed = None;
    for level in levels {
        let mut sent = Vec::new();
        for unit in level {
            let Some(mut shipment) = by_unit.remove(&unit) else {
                continue;
            };
            let mut report = shipment.report();
            if let Some(earlier) = &failed {
                report.status = Done::Skipped(format!("not sent: {earlier} failed"));
                outcome.reports.push(report);
                continue;
            }
            send(slot, &mut shipment, &mut report)?;
            if matches!(report.status, Done::Failed(_)) {
                failed = Some(shipment.reference().to_owned());
                outcome.reports.push(report);
            } else {
                sent.push((shipment, report));
            }
        }
        for (mut shipment, mut report) in sent {
            look(slot, &mut shipment, options, &mut report)?;
            counting.step(1);
            if matches!(report.status, Done::Failed(_)) && failed.is_none() {
                failed = Some(shipment.reference().to_owned());
            }
            outcome.reports.push(report);
        }
    }
    let name = slot.with_sandbox(|sandbox| Ok(sandbox.describe()))?;
    outcome.notes.push(format!("target: {name}"));
    Ok(outcome)
}

/// Sends one unit; the report says how that went.
fn send(slot: &mut Slot, shipment: &mut Shipment, report: &mut UnitReport) -> Result<()> {
    let options = deploy::ApplyOptions::default();
    let sent = slot.with_sandbox(|sandbox| Ok(sandbox.apply(&shipment.objects, &options)))?;
    let before = shipment.unit.clone();
    let unit = &mut shipment.unit;
    unit.last_applied = Some(shipment.revision);
    match sent {
        Ok(applied) => {
            unit.set_live(Some(shipment.revision));
            report.after = shipment.revision;
            if applied.is_changed() || *unit != before {
                report.status = Done::Changed;
            }
            report.note = describe(&applied);
        }
        Err(error) => {
            unit.status = Status::Failed;
            unit.status_reason = Some(error.to_string());
            report.status = Done::Failed(Error::from(error));
        }
    }
    store_status(slot, &before, unit)
}

/// Looks how a unit fares, waiting for it where that is asked for.
fn look(
    slot: &mut Slot,
    shipment: &mut Shipment,
    options: &ApplyOptions,
    report: &mut UnitReport,
) -> Result<()> {
    let owner = &shipment.objects.owner;
    let live: LiveState = slot.with_sandbox(|sandbox| {
        if !options.wait {
            return Ok(sandbox.live(owner)?);
        }
        let timeout = options
            .timeout
            .map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        let wait = WaitOptions {
            timeout,
            ..WaitOptions::default()
        };
        let waited = sandbox.wait(owner, &wait, &mut |_| {})?;
        let status = match waited.state.status {
            // The time is up: it is there, and does not work.
            Status::Progressing => Status::Degraded,
            status => status,
        };
        Ok(LiveState {
            status,
            reason: waited.reason,
            ..waited.state
        })
    })?;
    let before = shipment.unit.clone();
    let unit = &mut shipment.unit;
    unit.status = live.status;
    unit.status_reason = (!live.reason.is_empty()).then(|| live.reason.clone());
    let word = format!("{:?}", live.status);
    if !report.note.is_empty() {
        report.note.push_str(", ");
    }
    // How many objects there are was said already.
    let reason = match (live.status, live.reason.split_once(" in place, ")) {
        (Status::Ready, Some((_, pods))) => pods,
        _ => live.reason.as_str(),
    };
    report.note.push_str(&word);
    if !reason.is_empty() {
        report.note.push_str(": ");
        report.note.push_str(reason);
    }
    if options.wait && live.status != Status::Ready {
        report.status = Done::Failed(
            Error::new(
                Kind::Unavailable,
                format!(
                    "expected `{}` to become ready, found it {:?}: {}",
                    shipment.objects.owner.name, live.status, live.reason
                ),
            )
            .hint(format!(
                "windlass unit live-state {} shows more",
                shipment.objects.owner.name
            )),
        );
    }
    store_status(slot, &before, unit)
}

fn store_status(slot: &mut Slot, before: &Unit, unit: &Unit) -> Result<()> {
    if before != unit {
        slot.transaction()?.put_unit(unit)?;
    }
    Ok(())
}

fn recall(
    slot: &mut Slot,
    shipments: Vec<Shipment>,
    mut counting: Counting<'_>,
) -> Result<Outcome> {
    let levels = deploy::destroy_order(&placements(&shipments))?;
    let mut by_unit: BTreeMap<UnitId, Shipment> = shipments
        .into_iter()
        .map(|shipment| (shipment.unit.id, shipment))
        .collect();
    let mut outcome = Outcome {
        verb: "destroy".to_owned(),
        is_partial: true,
        ..Outcome::default()
    };
    let mut failed = None;
    for unit in levels.into_iter().flatten() {
        let Some(mut shipment) = by_unit.remove(&unit) else {
            continue;
        };
        let mut report = shipment.report();
        counting.step(1);
        if let Some(earlier) = &failed {
            report.status = Done::Skipped(format!("not destroyed: {earlier} failed"));
            outcome.reports.push(report);
            continue;
        }
        let owner = &shipment.objects.owner;
        match slot.with_sandbox(|sandbox| Ok(sandbox.destroy(owner)))? {
            Ok(applied) => {
                let before = shipment.unit.clone();
                let unit = &mut shipment.unit;
                unit.set_live(None);
                unit.status = Status::NoLive;
                unit.status_reason = None;
                report.after = 0;
                report.note = describe(&applied);
                if applied.is_changed() || *unit != before {
                    report.status = Done::Changed;
                }
                store_status(slot, &before, unit)?;
            }
            Err(error) => {
                failed = Some(shipment.reference().to_owned());
                report.status = Done::Failed(Error::from(error));
            }
        }
        outcome.reports.push(report);
    }
    Ok(outcome)
}

fn describe(applied: &Applied) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for object in &applied.objects {
        let word = match object.action {
            deploy::Action::Create => "created",
            deploy::Action::Update => "changed",
            deploy::Action::Keep => "same",
            deploy::Action::Delete => "deleted",
        };
        *counts.entry(word).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}
