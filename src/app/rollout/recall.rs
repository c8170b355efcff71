//! Removing units from their targets.

use std::collections::BTreeMap;

use crate::app::App;
use crate::app::dispatch::{Destination, Destinations, Dispatch};
use crate::app::outcome::{Outcome, Status as Done, UnitReport};
use crate::app::rollout::lease::{member, note, refuse_outdated};
use crate::app::rollout::shipment::{Holding, Shipment, placements, put_inventory, shipments};
use crate::app::rollout::words::counted;
use crate::app::select::Selection;
use crate::db::Transaction;
use crate::deploy::{self, Applied, Deployed, Sent};
use crate::error::{Error, Result};
use crate::id::UnitId;
use crate::model::{Apply, ApplyStep, Status, Unit};

/// One destroy on its way.
pub(super) struct Recall<'a, 'd> {
    pub(super) app: &'a App,
    pub(super) dispatch: &'a mut Dispatch<'d>,
    pub(super) destinations: Destinations,
}

impl Recall<'_, '_> {
    pub(super) fn run(mut self, selection: &Selection) -> Result<Outcome> {
        let app = self.app;
        let shipments = self.dispatch.read(|view| {
            app.refuse_moved(view, selection)?;
            shipments(view, selection, None)
        })?;
        let levels = deploy::destroy_order(&placements(&shipments))?;
        let mut outcome = Outcome {
            verb: "destroy".to_owned(),
            is_partial: true,
            ..Outcome::default()
        };
        let mut apply = self.begin(selection, &levels, &shipments)?;
        let mut counting = app.counting("destroy", shipments.len());
        let mut by_unit: BTreeMap<UnitId, Shipment> = shipments
            .into_iter()
            .map(|shipment| (shipment.unit.id, shipment))
            .collect();
        let mut failed: Option<String> = None;
        for level in levels {
            let units: Vec<Shipment> = level
                .iter()
                .filter_map(|unit| by_unit.remove(unit))
                .collect();
            counting.step(units.len());
            for (slug, destination) in self.destinations.0.clone() {
                let mine: Vec<Shipment> = units
                    .iter()
                    .filter(|unit| unit.target == slug)
                    .cloned()
                    .collect();
                let reports = self.recall(&destination, mine, apply.as_mut(), failed.as_deref())?;
                let first = reports
                    .iter()
                    .find(|report| matches!(report.status, Done::Failed(_)));
                failed = failed.or(first.map(|report| report.reference.clone()));
                outcome.reports.extend(reports);
            }
        }
        if let Some(apply) = &mut apply {
            self.dispatch
                .write(&format!("{}: end", apply.id), |transaction| {
                    apply.ended = Some(transaction.at());
                    Ok(transaction.put_apply(apply)?)
                })?;
        }
        outcome.apply = apply.map(|apply| apply.id);
        Ok(outcome)
    }

    /// Takes the units, where one may be deployed.
    fn begin(
        &mut self,
        selection: &Selection,
        levels: &[Vec<UnitId>],
        shipments: &[Shipment],
    ) -> Result<Option<Apply>> {
        let may_be_there = |unit: &Shipment| {
            unit.inventory.is_some() || unit.unit.live.is_some() || unit.unit.last_applied.is_some()
        };
        if self.app.is_rehearsing() || !shipments.iter().any(may_be_there) {
            return Ok(None);
        }
        let by_unit: BTreeMap<UnitId, &Shipment> =
            shipments.iter().map(|unit| (unit.unit.id, unit)).collect();
        let members = levels.iter().flatten().filter_map(|unit| {
            let found = by_unit.get(unit)?;
            Some(member(found, None, may_be_there(found)))
        });
        let (app, members) = (self.app, members.collect());
        let begin = |transaction: &mut Transaction| {
            refuse_outdated(transaction, shipments.iter())?;
            app.begin_apply(transaction, selection, "destroy", true, members)
        };
        self.dispatch.write("destroy", begin).map(Some)
    }

    fn recall(
        &mut self,
        destination: &Destination,
        units: Vec<Shipment>,
        apply: Option<&mut Apply>,
        failed: Option<&str>,
    ) -> Result<Vec<UnitReport>> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(failed) = failed {
            let skipped = units.iter().map(|unit| UnitReport {
                status: Done::Skipped(format!("not destroyed: {failed} failed")),
                ..unit.report()
            });
            return Ok(skipped.collect());
        }
        let deployed: Vec<Deployed<'_>> = units.iter().map(Shipment::deployed).collect();
        let is_rehearsal = self.app.may_only_ask(destination);
        let sent = self.dispatch.with(destination, "destroy", |target| {
            if is_rehearsal {
                return Ok(deployed
                    .iter()
                    .map(|unit| rehearsed(target, unit))
                    .collect());
            }
            Ok(target.destroy(&deployed))
        })?;
        let mut reports = Vec::with_capacity(units.len());
        let mut steps = Vec::new();
        let mut kept = Vec::new();
        for (mut shipment, sent) in units.into_iter().zip(sent) {
            let before = shipment.unit.clone();
            let had = shipment.inventory.take();
            let (report, inventory) = take_in(&mut shipment, sent, had.clone(), &mut steps);
            reports.push(report);
            let holding = if inventory == had || is_rehearsal {
                Holding::AsBefore
            } else {
                Holding::Now(inventory)
            };
            if before != shipment.unit || holding != Holding::AsBefore {
                kept.push((shipment, holding));
            }
        }
        if !kept.is_empty() || apply.is_some() {
            self.keep(&kept, apply, steps)?;
        }
        Ok(reports)
    }

    fn keep(
        &mut self,
        kept: &[(Shipment, Holding)],
        apply: Option<&mut Apply>,
        steps: Vec<(UnitId, ApplyStep)>,
    ) -> Result<()> {
        self.dispatch.write("destroy: done", |transaction| {
            for (shipment, holding) in kept {
                let mut unit: Unit = transaction.unit(shipment.unit.id)?;
                unit.set_live(shipment.unit.live);
                unit.status = shipment.unit.status;
                unit.status_reason.clone_from(&shipment.unit.status_reason);
                transaction.put_unit(&unit)?;
                if let Holding::Now(inventory) = holding {
                    put_inventory(transaction, unit.id, &shipment.target, inventory.as_ref())?;
                }
            }
            match apply {
                Some(apply) => note(transaction, apply, steps),
                None => Ok(()),
            }
        })
    }
}

/// Takes in what became of a unit: its report, and what it has on the target now.
fn take_in(
    shipment: &mut Shipment,
    sent: Sent,
    had: Option<deploy::Inventory>,
    steps: &mut Vec<(UnitId, ApplyStep)>,
) -> (UnitReport, Option<deploy::Inventory>) {
    let mut report = shipment.report();
    let id = shipment.unit.id;
    match sent {
        Sent::Done(applied) => {
            let before = shipment.unit.clone();
            let unit = &mut shipment.unit;
            unit.set_live(None);
            unit.set_status(Status::NoLive, "");
            report.after = 0;
            report.note = counted(applied.objects.iter().map(|object| object.action));
            if applied.is_changed() || *unit != before {
                report.status = Done::Changed;
            }
            steps.push((id, ApplyStep::Done));
            (report, applied.inventory)
        }
        Sent::Failed { error, inventory } => {
            report.status = Done::Failed(Error::from(*error));
            steps.push((id, ApplyStep::Failed));
            (report, inventory.or(had))
        }
        Sent::NotSent => {
            report.status = Done::Skipped("not destroyed: another unit failed".to_owned());
            (report, had)
        }
    }
}

/// What destroying a unit would do, from what the store remembers of it.
fn rehearsed(target: &dyn deploy::Target, unit: &Deployed<'_>) -> Sent {
    let objects = unit
        .inventory
        .iter()
        .flat_map(|inventory| inventory.objects.iter().rev());
    Sent::Done(Applied {
        target: target.describe(),
        objects: objects
            .map(|object| deploy::Planned {
                resource: object.id.clone(),
                action: deploy::Action::Delete,
            })
            .collect(),
        namespaces: Vec::new(),
        inventory: None,
        live: None,
    })
}
