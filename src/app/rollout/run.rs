//! Sending units: plan all, take them, send level by level, look how they fare.

use std::collections::BTreeMap;

use crate::app::App;
use crate::app::difference::Grouping;
use crate::app::dispatch::{Destination, Destinations, Dispatch};
use crate::app::outcome::{Outcome, Status as Done};
use crate::app::progress::Counting;
use crate::app::rollout::consignment::{Consignment, consignment, skip};
use crate::app::rollout::lease::{Renewal, member, note, refuse_outdated};
use crate::app::rollout::preview::{add_changes, unchecked};
use crate::app::rollout::report::RolloutReport;
use crate::app::rollout::shipment::{
    Holding, Shipment, inventories_bytes, past_gates, placements, put_inventory, shipments,
};
use crate::app::rollout::words::Looked;
use crate::app::rollout::{ApplyOptions, millis};
use crate::app::select::Selection;
use crate::db::View;
use crate::deploy::{
    self, Applied, Deployed, ObjectPreview, Planned, Sent, UnitObjects, UnitPlan, WaitOptions,
};
use crate::error::Result;
use crate::id::{Slug, UnitId};
use crate::model::{Apply, ApplyStep, Status, Unit};

/// Of how many units that are not ready an apply that does not wait asks why.
const MAX_EXPLAINED: usize = 100;

/// One apply on its way.
pub(super) struct Rollout<'a, 'd> {
    pub(super) app: &'a App,
    pub(super) dispatch: &'a mut Dispatch<'d>,
    pub(super) options: &'a ApplyOptions,
    pub(super) destinations: Destinations,
    pub(super) verb: &'a str,
}

impl Rollout<'_, '_> {
    pub(super) fn run(mut self, selection: &Selection) -> Result<Outcome> {
        let (app, options) = (self.app, self.options);
        let (shipments, elsewhere) = self.dispatch.read(|view| {
            app.refuse_moved(view, selection)?;
            let shipments = shipments(view, selection, options.revision)?;
            let elsewhere = left_elsewhere(view, &shipments)?;
            Ok((shipments, elsewhere))
        })?;
        let (open, gated) = past_gates(shipments, &options.gates)?;
        let levels = deploy::order(&placements(&open))?;
        let planned = self.plan(open)?;
        let mut outcome = Outcome {
            verb: "apply".to_owned(),
            is_partial: true,
            ..Outcome::default()
        };
        if planned.iter().any(Consignment::has_failed) {
            outcome.is_partial = false;
            self.refuse(planned, &mut outcome)?;
        } else {
            let mut apply = self.begin(selection, &levels, &planned)?;
            self.ship(levels, planned, apply.as_mut(), &mut outcome)?;
            outcome.apply = apply.map(|apply| apply.id);
        }
        for destination in self.destinations.0.values() {
            let name = self
                .dispatch
                .with(destination, "", |target| Ok(target.describe()))?;
            outcome.notes.push(format!("target: {name}"));
        }
        outcome.notes.extend(elsewhere);
        outcome.reports.extend(gated);
        Ok(outcome)
    }

    /// Waits for units, and sends nothing.
    pub(super) fn wait(mut self, selection: &Selection) -> Result<Outcome> {
        let shipments = self
            .dispatch
            .read(|view| shipments(view, selection, None))?;
        let mut counting = self.app.counting("wait", shipments.len());
        let mut units: Vec<Consignment> = shipments
            .into_iter()
            .map(|shipment| consignment(shipment, Ok(UnitPlan::default())))
            .collect();
        let mut record = Record::of(&units);
        self.look(&mut units, &mut record, None, &mut counting)?;
        record.steps.clear();
        self.keep(&units, &mut record, None, true)?;
        Ok(Outcome {
            verb: "wait".to_owned(),
            reports: units.into_iter().map(|unit| unit.report).collect(),
            ..Outcome::default()
        })
    }

    fn for_targets(&self) -> deploy::ApplyOptions {
        deploy::ApplyOptions {
            force: self.options.force.clone(),
            ..deploy::ApplyOptions::default()
        }
    }

    /// Asks every target once what applying would do.
    fn plan(&mut self, open: Vec<Shipment>) -> Result<Vec<Consignment>> {
        let options = deploy::ApplyOptions {
            dry_run: self.app.is_rehearsing(),
            ..self.for_targets()
        };
        let plans = self
            .dispatch
            .ask(&self.destinations, &open, self.verb, |target, units| {
                let units: Vec<_> = units
                    .iter()
                    .map(|unit| (&unit.objects, unit.inventory.as_ref()))
                    .collect();
                Ok(target.plan(&units, &options)?)
            })?;
        let planned = open.into_iter().zip(plans);
        Ok(planned
            .map(|(shipment, plan)| consignment(shipment, plan))
            .collect())
    }

    /// Something cannot be sent at all: nothing is.
    fn refuse(&mut self, mut planned: Vec<Consignment>, outcome: &mut Outcome) -> Result<()> {
        let failed = planned.iter().find(|unit| unit.has_failed());
        let failed = failed.map(|unit| unit.shipment.reference().to_owned());
        let mut record = Record::of(&planned);
        for unit in &mut planned {
            if let Done::Failed(error) = &unit.report.status {
                let record = &mut unit.shipment.unit;
                record.set_status(Status::Failed, &error.to_string());
                record.last_applied = Some(unit.shipment.objects.revision);
            } else if let Some(failed) = &failed {
                unit.report.status = Done::Skipped(format!("not sent: {failed} failed"));
            }
        }
        self.keep(&planned, &mut record, None, true)?;
        let reports = planned.into_iter().map(|unit| unit.report);
        outcome.reports.extend(reports);
        Ok(())
    }

    /// Takes the units, where there is something to send, and keeps what they may have from now on.
    fn begin(
        &mut self,
        selection: &Selection,
        levels: &[Vec<UnitId>],
        planned: &[Consignment],
    ) -> Result<Option<Apply>> {
        if planned.iter().all(|unit| !unit.plan.is_change()) {
            return Ok(None);
        }
        let (app, wait) = (self.app, self.options.wait);
        let by_unit: BTreeMap<UnitId, &Consignment> = planned
            .iter()
            .map(|unit| (unit.shipment.unit.id, unit))
            .collect();
        let members = levels.iter().flatten().filter_map(|unit| {
            let found = by_unit.get(unit)?;
            let revision = Some(found.shipment.revision());
            Some(member(&found.shipment, revision, found.plan.is_change()))
        });
        let members = members.collect();
        let remembered: Vec<&Consignment> = planned
            .iter()
            .filter(|unit| unit.may_hold_more() && self.remembers(&unit.shipment.target))
            .collect();
        let verb = self.verb;
        let apply = self.dispatch.write(verb, |transaction| {
            refuse_outdated(transaction, planned.iter().map(|unit| &unit.shipment))?;
            let apply = app.begin_apply(transaction, selection, verb, wait, members)?;
            for unit in remembered {
                let target = &unit.shipment.target;
                let pending = Some(&unit.plan.pending);
                put_inventory(transaction, unit.shipment.unit.id, target, pending)?;
            }
            Ok(apply)
        })?;
        Ok(Some(apply))
    }

    /// Whether the store remembers what a unit has on a target.
    fn remembers(&self, target: &Slug) -> bool {
        let is_sandbox = self
            .destinations
            .get(target)
            .is_ok_and(Destination::is_sandbox);
        !is_sandbox && !self.app.is_rehearsing()
    }

    fn ship(
        &mut self,
        levels: Vec<Vec<UnitId>>,
        planned: Vec<Consignment>,
        mut apply: Option<&mut Apply>,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let mut counting = self.app.counting("apply", planned.len());
        let mut by_unit: BTreeMap<UnitId, Consignment> = planned
            .into_iter()
            .map(|unit| (unit.shipment.unit.id, unit))
            .collect();
        let mut report = RolloutReport::new(self.options.wait);
        let mut changes = Grouping::default();
        let mut failed: Option<String> = None;
        let last = levels.len().saturating_sub(1);
        for (number, level) in levels.into_iter().enumerate() {
            let mut units: Vec<Consignment> = level
                .iter()
                .filter_map(|unit| by_unit.remove(unit))
                .collect();
            if let Some(earlier) = &failed {
                skip(&mut units, earlier);
            } else {
                let mut record = Record::of(&units);
                self.send(&mut units, &mut record)?;
                if self.options.wait {
                    self.keep(&units, &mut record, apply.as_deref_mut(), false)?;
                }
                self.look(&mut units, &mut record, apply.as_deref_mut(), &mut counting)?;
                let first = units.iter().find(|unit| unit.has_failed());
                failed = first.map(|unit| unit.shipment.reference().to_owned());
                let is_end = number == last || failed.is_some();
                self.keep(&units, &mut record, apply.as_deref_mut(), is_end)?;
            }
            let previewed: Vec<_> = units.iter().map(Consignment::previewed).collect();
            add_changes(&mut changes, &previewed)?;
            for unit in units {
                outcome
                    .notes
                    .extend(unchecked(unit.shipment.reference(), &unit.previews));
                report.add(unit.told());
                outcome.reports.push(unit.report);
            }
        }
        outcome.changes = changes.finish().to_string();
        report.apply = apply.map(|apply| apply.id);
        outcome.rollout = Some(Box::new(report));
        Ok(())
    }

    /// Sends the units of a level that need it.
    fn send(&mut self, units: &mut [Consignment], record: &mut Record) -> Result<()> {
        for (slug, destination) in &self.destinations.0 {
            let mine: Vec<usize> = (0..units.len())
                .filter(|at| units[*at].shipment.target == *slug && units[*at].plan.is_change())
                .collect();
            if mine.is_empty() {
                continue;
            }
            let batch: Vec<(&UnitObjects, &UnitPlan)> = mine
                .iter()
                .map(|at| (&units[*at].shipment.objects, &units[*at].plan))
                .collect();
            let verb = self.verb;
            let is_rehearsal = self.app.may_only_ask(destination);
            let options = self.for_targets();
            let sent = self.dispatch.with(destination, verb, |target| {
                if is_rehearsal {
                    return rehearsed(target, &batch, &options);
                }
                let sent = target.send(&batch, &options).into_iter();
                Ok(sent.map(|sent| (sent, Vec::new())).collect())
            })?;
            let is_remembered = self.remembers(slug);
            for (at, (sent, previews)) in mine.into_iter().zip(sent) {
                let unit = &mut units[at];
                unit.previews = previews;
                if let Holding::Now(inventory) = unit.take_in(sent, &mut record.steps)
                    && is_remembered
                {
                    let id = unit.shipment.unit.id;
                    record.inventories.push((id, slug.clone(), inventory));
                }
            }
        }
        for (unit, before) in units.iter_mut().zip(&record.befores) {
            if !unit.plan.is_change() {
                unit.same();
            }
            unit.settle(before);
        }
        Ok(())
    }

    /// Looks how the units of a level fare, waiting for them where that is asked for.
    fn look(
        &mut self,
        units: &mut [Consignment],
        record: &mut Record,
        mut apply: Option<&mut Apply>,
        counting: &mut Counting<'_>,
    ) -> Result<()> {
        for (slug, destination) in self.destinations.0.clone() {
            let mine: Vec<usize> = (0..units.len())
                .filter(|at| units[*at].shipment.target == slug && !units[*at].has_failed())
                .filter(|at| !matches!(units[*at].report.status, Done::Skipped(_)))
                .collect();
            match self.looked(&destination, units, &mine, apply.as_deref_mut()) {
                Ok(looked) => {
                    for (at, looked) in mine.into_iter().zip(looked) {
                        record
                            .steps
                            .extend(units[at].fares(looked, self.options.wait));
                        counting.step(1);
                    }
                }
                // What was sent is there; only how it fares cannot be told.
                Err(error) if !destination.is_sandbox() => {
                    for at in mine {
                        units[at].report.status = Done::Failed(error.clone());
                        counting.step(1);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn looked(
        &mut self,
        destination: &Destination,
        units: &[Consignment],
        mine: &[usize],
        apply: Option<&mut Apply>,
    ) -> Result<Vec<Looked>> {
        if self.app.may_only_ask(destination) {
            return Ok(mine.iter().map(|_| Looked::Not).collect());
        }
        let unknown = mine.iter().filter(|at| units[**at].live.is_none()).count();
        let is_enough = unknown == 0 || (unknown > MAX_EXPLAINED && !destination.is_sandbox());
        if !self.options.wait && is_enough {
            let known = mine.iter().map(|at| units[*at].live.clone());
            return Ok(known
                .map(|live| live.map_or(Looked::NotReady, Looked::Now))
                .collect());
        }
        let deployed: Vec<Deployed<'_>> = mine
            .iter()
            .map(|at| units[*at].shipment.deployed())
            .collect();
        let verb = format!("{}: look", self.verb);
        if !self.options.wait {
            let live = self
                .dispatch
                .with(destination, &verb, |target| Ok(target.live(&deployed)?))?;
            return Ok(live.into_iter().map(Looked::Now).collect());
        }
        let options = WaitOptions {
            timeout: self.options.timeout.map(millis),
            ..WaitOptions::default()
        };
        let mut renewal = Renewal::of_apply(self.app, destination, apply);
        let app = self.app;
        let waited = self.dispatch.with(destination, &verb, |target| {
            let waited = target.wait(&deployed, &options, &mut |_, _| {
                renewal.tick();
                app.goes_on()
            });
            match waited {
                Err(deploy::Error::Stopped) => Ok(None),
                waited => Ok(Some(waited?)),
            }
        })?;
        match waited {
            Some(waited) => Ok(waited.into_iter().map(Looked::Waited).collect()),
            // As if nobody had wanted to wait.
            None => Ok(mine.iter().map(|_| Looked::NotReady).collect()),
        }
    }

    /// Keeps what became of units since this was done last; with `is_end`, that the apply has ended.
    fn keep(
        &mut self,
        units: &[Consignment],
        record: &mut Record,
        apply: Option<&mut Apply>,
        is_end: bool,
    ) -> Result<()> {
        let nows = units.iter().map(|unit| unit.shipment.unit.clone());
        let befores = std::mem::replace(&mut record.befores, nows.collect());
        let (inventories, steps) = (
            std::mem::take(&mut record.inventories),
            std::mem::take(&mut record.steps),
        );
        let changed: Vec<&Unit> = befores
            .iter()
            .zip(&record.befores)
            .filter_map(|(before, now)| (before != now).then_some(now))
            .collect();
        let is_kept = changed.is_empty() && inventories.is_empty() && steps.is_empty();
        if is_kept && (apply.is_none() || !is_end) {
            return Ok(());
        }
        let verb = match &apply {
            Some(apply) if is_end => format!("{}: ended", apply.id),
            Some(apply) => format!("{}: sent", apply.id),
            None => self.verb.to_owned(),
        };
        let written = inventories_bytes(&inventories)?;
        self.dispatch.write(&verb, |transaction| {
            for ((unit, target, _), bytes) in inventories.iter().zip(written) {
                transaction.put_inventory(*unit, target, bytes)?;
            }
            for now in changed {
                transaction.put_unit(&with_status(transaction.unit(now.id)?, now))?;
            }
            if let Some(apply) = apply {
                if is_end {
                    apply.ended = Some(transaction.at());
                }
                note(transaction, apply, steps)?;
            }
            Ok(())
        })
    }
}

/// What became of the units of a level, and is not kept yet.
struct Record {
    /// The units as the store has them.
    befores: Vec<Unit>,
    /// What each has on its target now.
    inventories: Vec<(UnitId, Slug, Option<deploy::Inventory>)>,
    steps: Vec<(UnitId, ApplyStep)>,
}

impl Record {
    fn of(units: &[Consignment]) -> Self {
        let befores = units.iter().map(|unit| unit.shipment.unit.clone());
        Self {
            befores: befores.collect(),
            inventories: Vec::new(),
            steps: Vec::new(),
        }
    }
}

/// Units that have objects on another target than their own, from when it was theirs.
fn left_elsewhere(view: &View, shipments: &[Shipment]) -> Result<Option<String>> {
    let mut left = Vec::new();
    for shipment in shipments {
        let others = view.inventoried(shipment.unit.id)?.into_iter();
        let others = others.filter(|target| *target != shipment.target);
        left.extend(others.map(|target| format!("{} on {target}", shipment.reference())));
    }
    let Some(first) = left.first() else {
        return Ok(None);
    };
    let more = match left.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    Ok(Some(format!(
        "still there from before: {first}{more}; destroy goes to the target that a unit has"
    )))
}

/// A unit as the store has it, with what a rollout knows of it: between two steps of a rollout
/// somebody may have changed its data.
fn with_status(stored: Unit, known: &Unit) -> Unit {
    let mut unit = stored;
    unit.set_live(known.live);
    unit.last_applied = known.last_applied;
    unit.status = known.status;
    unit.status_reason.clone_from(&known.status_reason);
    unit
}

/// What the target would make of units, as if it had been sent; with the previews themselves.
fn rehearsed(
    target: &dyn deploy::Target,
    batch: &[(&UnitObjects, &UnitPlan)],
    options: &deploy::ApplyOptions,
) -> Result<Vec<(Sent, Vec<ObjectPreview>)>> {
    let previews = target.preview(batch, options)?;
    let sent = previews.into_iter().map(|preview| match preview {
        Err(error) => {
            let failed = Sent::Failed {
                error: Box::new(error),
                inventory: None,
            };
            (failed, Vec::new())
        }
        Ok(objects) => {
            let done = objects.iter().map(|object| Planned {
                resource: object.resource.clone(),
                action: object.action,
            });
            let applied = Applied {
                target: target.describe(),
                objects: done.collect(),
                namespaces: Vec::new(),
                inventory: None,
                live: None,
            };
            (Sent::Done(applied), objects)
        }
    });
    Ok(sent.collect())
}
