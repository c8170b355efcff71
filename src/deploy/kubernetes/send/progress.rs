//! How far the units of a batch are, and what each has in the cluster then.

use std::collections::BTreeMap;

use crate::deploy::error::Error;
use crate::deploy::inventory::{AppliedObject, Inventory};
use crate::deploy::live::ObjectState;
use crate::deploy::plan::Action;
use crate::deploy::target::{ObjectPlan, Sent, UnitPlan};
use crate::yaml::ResourceId;

use super::Planneds;

/// What became of a step.
#[derive(Debug, Default)]
pub(super) enum Outcome {
    /// It was not sent.
    #[default]
    Unsent,
    /// It was sent and refused.
    Refused,
    /// It was sent, and there was no answer.
    Unknown,
    /// It was done; with what there is now.
    Done(Option<Box<AppliedObject>>),
}

/// How far a unit is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) outcomes: Vec<Outcome>,
    /// How the object of each step fares, as far as that is known.
    pub(super) states: Vec<Option<ObjectState>>,
    pub(super) namespaces: Vec<String>,
    pub(super) error: Option<Error>,
    pub(super) is_begun: bool,
}

/// A whole batch that could not be begun.
pub(super) fn nothing_sent(units: &Planneds<'_>, error: Error) -> Vec<Sent> {
    let mut error = Some(error);
    let sent = units.iter().map(|(_, plan)| match error.take() {
        None => Sent::NotSent,
        Some(error) => Sent::Failed {
            error: Box::new(error),
            inventory: inventory(plan, &mut Progress::new(plan)),
        },
    });
    sent.collect()
}

impl Progress {
    pub(super) fn new(plan: &UnitPlan) -> Self {
        let done = |step: &ObjectPlan| match step.action {
            Action::Keep => Outcome::Done(kept(plan, &step.resource).map(Box::new)),
            _ => Outcome::Unsent,
        };
        Self {
            outcomes: plan.steps.iter().map(done).collect(),
            states: plan.steps.iter().map(|step| seen(plan, step)).collect(),
            ..Self::default()
        }
    }

    /// How the objects fare that the unit has after all its steps were done; none where that is
    /// not known of each.
    pub(super) fn fared(&mut self, plan: &UnitPlan) -> Option<Vec<ObjectState>> {
        let steps = plan.steps.iter().zip(std::mem::take(&mut self.states));
        steps
            .filter(|(step, _)| step.action != Action::Delete)
            .map(|(_, state)| state)
            .collect()
    }
}

/// How an object fares that is kept, from the look that the plan was made of.
fn seen(plan: &UnitPlan, step: &ObjectPlan) -> Option<ObjectState> {
    let mut seen = plan.seen.iter();
    seen.find(|state| step.action == Action::Keep && state.resource == step.resource)
        .cloned()
}

fn kept(plan: &UnitPlan, id: &ResourceId) -> Option<AppliedObject> {
    plan.pending
        .objects
        .iter()
        .find(|object| object.id == *id)
        .cloned()
}

/// What a unit has after its steps came to these outcomes.
pub(super) fn inventory(plan: &UnitPlan, progress: &mut Progress) -> Option<Inventory> {
    let outcomes = progress.outcomes.iter_mut().map(std::mem::take);
    let mut by_object: BTreeMap<String, (Action, Outcome)> = plan
        .steps
        .iter()
        .zip(outcomes)
        .map(|(step, outcome)| (step.resource.full(), (step.action, outcome)))
        .collect();
    let objects = plan.pending.objects.iter().filter_map(|object| {
        // What has no step was found to be gone, or somebody else's.
        let (action, outcome) = by_object.remove(&object.id.full())?;
        match (action, outcome) {
            (_, Outcome::Done(applied)) => applied.map(|applied| *applied),
            (Action::Create, Outcome::Unsent | Outcome::Refused) => None,
            _ => Some(object.clone()),
        }
    });
    let objects: Vec<AppliedObject> = objects.collect();
    (!objects.is_empty()).then_some(Inventory {
        revision: plan.pending.revision,
        objects,
    })
}
