//! One unit of a rollout: what is planned for it, and what becomes of it.

use crate::app::outcome::{Status as Done, UnitReport};
use crate::app::rollout::preview::PreviewedUnit;
use crate::app::rollout::report::Told;
use crate::app::rollout::shipment::{Holding, Shipment};
use crate::app::rollout::words::{Looked, counted, not_ready, steps_in_words};
use crate::deploy::{self, LiveState, ObjectPreview, Sent, UnitPlan};
use crate::error::Error;
use crate::id::UnitId;
use crate::model::{ApplyStep, Status, Unit};

/// A unit with what applying it would do.
pub(super) struct Consignment {
    pub(super) shipment: Shipment,
    pub(super) plan: UnitPlan,
    pub(super) report: UnitReport,
    /// How it fares, where that is known without another look.
    pub(super) live: Option<LiveState>,
    /// In a rehearsal, what the target would make of it.
    pub(super) previews: Vec<ObjectPreview>,
}

impl Consignment {
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.report.status, Done::Failed(_))
    }

    /// What the target would make of it.
    pub(super) fn previewed(&self) -> PreviewedUnit<'_> {
        PreviewedUnit {
            reference: self.shipment.reference(),
            revisions: (self.report.before, self.shipment.revision()),
            objects: &self.previews,
        }
    }

    /// Whether sending it may leave objects on the target that the store does not remember yet.
    pub(super) fn may_hold_more(&self) -> bool {
        let remembered = self.shipment.inventory.iter();
        let remembered = remembered.flat_map(|inventory| &inventory.objects);
        let pending = self.plan.pending.objects.iter();
        self.plan.is_change()
            && !pending
                .map(|object| &object.id)
                .eq(remembered.map(|object| &object.id))
    }
}

pub(super) fn skip(units: &mut [Consignment], earlier: &str) {
    for unit in units {
        unit.report.status = Done::Skipped(format!("not sent: {earlier} failed"));
    }
}

pub(super) fn consignment(
    shipment: Shipment,
    plan: Result<UnitPlan, deploy::Error>,
) -> Consignment {
    let mut report = shipment.report();
    let plan = plan.unwrap_or_else(|error| {
        report.status = Done::Failed(Error::from(error));
        UnitPlan::default()
    });
    Consignment {
        shipment,
        live: plan.live.clone(),
        plan,
        report,
        previews: Vec::new(),
    }
}

impl Consignment {
    /// Takes in what became of it; what it has on the target now, if something was sent.
    pub(super) fn take_in(&mut self, sent: Sent, steps: &mut Vec<(UnitId, ApplyStep)>) -> Holding {
        let id = self.shipment.unit.id;
        let unit = &mut self.shipment.unit;
        match sent {
            Sent::Done(applied) => {
                unit.last_applied = Some(self.shipment.objects.revision);
                unit.set_live(Some(self.shipment.objects.revision));
                self.report.after = self.shipment.objects.revision;
                if applied.is_changed() {
                    self.report.status = Done::Changed;
                }
                self.report.note = counted(applied.objects.iter().map(|object| object.action));
                self.live = applied.live;
                self.shipment.inventory.clone_from(&applied.inventory);
                steps.push((id, ApplyStep::Sent));
                Holding::Now(applied.inventory)
            }
            Sent::Failed { error, inventory } => {
                unit.last_applied = Some(self.shipment.objects.revision);
                unit.set_status(Status::Failed, &error.to_string());
                self.report.status = Done::Failed(Error::from(*error));
                steps.push((id, ApplyStep::Failed));
                inventory.map_or(Holding::AsBefore, |inventory| Holding::Now(Some(inventory)))
            }
            Sent::NotSent => {
                self.report.status = Done::Skipped("not sent: another unit failed".to_owned());
                Holding::AsBefore
            }
        }
    }

    /// Nothing was to be sent: the target has all of it.
    pub(super) fn same(&mut self) {
        let revision = self.shipment.objects.revision;
        let unit = &mut self.shipment.unit;
        unit.last_applied = Some(revision);
        unit.set_live(Some(revision));
        self.report.after = revision;
        self.report.note = steps_in_words(&self.plan);
    }

    /// What the report of the whole rollout says of it.
    pub(super) fn told(&self) -> Told {
        let unit = &self.shipment.unit;
        Told {
            unit: unit.id,
            reference: self.shipment.reference().to_owned(),
            order: unit.labels.get("order").cloned(),
            before: self.report.before,
            revision: self.shipment.revision(),
            objects: steps_in_words(&self.plan),
            is_change: self.plan.is_change(),
            status: self.report.status.clone(),
            live: self.live.clone(),
        }
    }

    pub(super) fn settle(&mut self, before: &Unit) {
        let is_told = matches!(self.report.status, Done::Unchanged);
        if is_told && self.shipment.unit != *before {
            self.report.status = Done::Changed;
        }
    }

    /// Takes in how it fares; how far it is then.
    pub(super) fn fares(
        &mut self,
        looked: Looked,
        is_waiting: bool,
    ) -> Option<(UnitId, ApplyStep)> {
        let id = self.shipment.unit.id;
        let is_sent = self.plan.is_change();
        let Some(live) = looked.into_state() else {
            self.shipment.unit.set_status(Status::Ready, "");
            return is_sent.then_some((id, ApplyStep::Done));
        };
        self.live = Some(live.clone());
        self.shipment.unit.set_status(live.status, &live.reason);
        live.append_to(&mut self.report.note);
        if is_waiting && live.status != Status::Ready {
            self.report.status = Done::Failed(not_ready(&self.shipment.objects.owner.name, &live));
            return Some((id, ApplyStep::Failed));
        }
        is_sent.then_some((id, ApplyStep::Done))
    }
}
