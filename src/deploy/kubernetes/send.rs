//! Making planned units true: what goes first, what may go at once, and what stays after a failure.

mod progress;
mod step;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Mutex;

use crate::deploy::error::Error;
use crate::deploy::kind::Rank;
use crate::deploy::object::{Object, UnitObjects};
use crate::deploy::plan::{Action, Planned};
use crate::deploy::target::{Applied, ApplyOptions, ObjectPlan, Sent, UnitPlan};

use super::answer::Subject;
use super::connect::Api;
use super::definition::{self, Defined};
use super::discovery::{Resource, Types};
use super::need::namespaces_wanted;

use progress::{Progress, inventory, nothing_sent};

/// Units, each with what is planned for it.
pub(super) type Planneds<'a> = [(&'a UnitObjects, &'a UnitPlan)];

/// What is known while a batch is sent.
struct Batch<'a> {
    api: &'a Api,
    types: Types,
    defined: Defined,
    options: &'a ApplyOptions,
    /// The namespaces that are missing and no object of the batch.
    missing: Mutex<BTreeSet<String>>,
    has_failed: Cell<bool>,
}

impl Api {
    /// See [`crate::deploy::Target::send`].
    pub(super) async fn send(&self, units: &Planneds<'_>, options: &ApplyOptions) -> Vec<Sent> {
        match self.batch(units, options).await {
            Ok(batch) => batch.send(units).await,
            Err(error) => nothing_sent(units, error),
        }
    }

    async fn batch<'a>(
        &'a self,
        units: &Planneds<'_>,
        options: &'a ApplyOptions,
    ) -> Result<Batch<'a>, Error> {
        let types = self
            .types(versions(units))
            .await
            .map_err(|failure| self.failed(failure))?;
        let missing = self.missing_namespaces(units).await?;
        Ok(Batch {
            api: self,
            types,
            defined: Defined::of(units.iter().flat_map(|(unit, _)| &unit.objects)),
            options,
            missing: Mutex::new(missing),
            has_failed: Cell::new(false),
        })
    }

    /// The namespaces that objects are to go to, that are not there and that no object of the
    /// batch is. One that may not be looked at is taken to be there.
    pub(super) async fn missing_namespaces(
        &self,
        units: &Planneds<'_>,
    ) -> Result<BTreeSet<String>, Error> {
        let steps = || units.iter().flat_map(|(_, plan)| &plan.steps);
        let is_namespace = |step: &&ObjectPlan| {
            step.resource.group.is_empty() && step.resource.kind == "Namespace"
        };
        let own: BTreeSet<&str> = steps()
            .filter(is_namespace)
            .map(|step| step.resource.name.as_str())
            .collect();
        // Where something is already, there is a namespace.
        let settled: BTreeSet<&str> = steps()
            .filter(|step| step.action != Action::Create)
            .map(|step| step.resource.namespace.as_str())
            .collect();
        let needed: BTreeSet<&str> = steps()
            .map(|step| step.resource.namespace.as_str())
            .filter(|name| !name.is_empty() && !own.contains(name) && !settled.contains(name))
            .collect();
        let wanted = namespaces_wanted(needed);
        let looked = self.look(&wanted).await?;
        let missing = wanted
            .into_iter()
            .filter(|wanted| looked.refused(wanted).is_none() && looked.get(&wanted.id).is_none());
        Ok(missing.map(|wanted| wanted.id.name).collect())
    }
}

/// The versions and kinds of what is to be done.
pub(super) fn versions(units: &Planneds<'_>) -> BTreeSet<(String, String)> {
    let plans = units.iter().map(|(_, plan)| plan);
    plans
        .flat_map(|plan| {
            plan.steps.iter().map(|step| {
                (
                    api_version(plan, step).to_owned(),
                    step.resource.kind.clone(),
                )
            })
        })
        .collect()
}

/// The version of the API that a step is for.
pub(super) fn api_version<'a>(plan: &'a UnitPlan, step: &'a ObjectPlan) -> &'a str {
    let value = step
        .value
        .as_ref()
        .and_then(|value| value.get("apiVersion"));
    value.and_then(Value::as_str).unwrap_or_else(|| {
        let mut had = plan.pending.objects.iter();
        let had = had.find(|object| object.id == step.resource);
        had.map_or("", |object| &object.api_version)
    })
}

impl Batch<'_> {
    async fn send(&self, units: &Planneds<'_>) -> Vec<Sent> {
        let mut progress: Vec<Progress> =
            units.iter().map(|(_, plan)| Progress::new(plan)).collect();
        for rank in [Rank::Namespace, Rank::Definition] {
            self.send_shared(units, &mut progress, rank).await;
        }
        let rest = units
            .iter()
            .zip(progress)
            .map(|((unit, plan), progress)| async move {
                if self.has_failed.get() && !progress.is_begun {
                    return Sent::NotSent;
                }
                self.send_unit(unit, plan, progress).await
            });
        self.api.at_once(rest).await
    }

    /// Sends the namespaces or definitions that other units of the batch stand on.
    async fn send_shared(&self, units: &Planneds<'_>, progress: &mut [Progress], rank: Rank) {
        for (at, (unit, plan)) in units.iter().enumerate() {
            let shared = |step: &ObjectPlan| {
                Rank::of(&step.resource.kind) == rank
                    && units.iter().enumerate().any(|(other, (_, plan))| {
                        other != at && plan.steps.iter().any(|other| stands_on(other, step))
                    })
            };
            let steps: Vec<usize> = (0..plan.steps.len())
                .filter(|at| shared(&plan.steps[*at]))
                .collect();
            if steps.is_empty() || self.has_failed.get() {
                continue;
            }
            let progress = &mut progress[at];
            self.send_steps(unit, plan, progress, steps.clone()).await;
            for step in steps.iter().map(|at| &plan.steps[*at]) {
                if progress.error.is_none() {
                    self.establish(unit, plan, step, progress).await;
                }
            }
        }
    }

    async fn send_unit(&self, unit: &UnitObjects, plan: &UnitPlan, mut progress: Progress) -> Sent {
        progress.is_begun = true;
        let ranks: BTreeSet<Rank> = plan
            .steps
            .iter()
            .map(|step| Rank::of(&step.resource.kind))
            .collect();
        for rank in ranks {
            let steps = (0..plan.steps.len()).filter(|at| {
                let step = &plan.steps[*at];
                Rank::of(&step.resource.kind) == rank && step.action != Action::Delete
            });
            let steps: Vec<usize> = steps.collect();
            if progress.error.is_none() {
                self.send_steps(unit, plan, &mut progress, steps).await;
            }
            if progress.error.is_none() && rank == Rank::Definition {
                self.wait_definitions(unit, plan, &mut progress).await;
            }
        }
        if progress.error.is_none() {
            self.delete_steps(unit, plan, &mut progress).await;
        }
        self.ended(unit, plan, progress)
    }

    fn ended(&self, unit: &UnitObjects, plan: &UnitPlan, mut progress: Progress) -> Sent {
        let inventory = inventory(plan, &mut progress);
        if let Some(error) = progress.error {
            return Sent::Failed {
                error: Box::new(error),
                inventory,
            };
        }
        let objects = plan.steps.iter().map(|step| Planned {
            resource: step.resource.clone(),
            action: step.action,
        });
        let live = if plan.is_change() {
            let fared = progress.fared(plan);
            fared.map(|objects| self.api.live_state(Some(unit.revision), objects))
        } else {
            plan.live.clone()
        };
        Sent::Done(Applied {
            target: self.api.describe(),
            objects: objects.collect(),
            namespaces: progress.namespaces,
            inventory,
            live,
        })
    }

    /// The first error of a unit is the one that is told.
    fn fail(&self, progress: &mut Progress, error: Error) {
        self.has_failed.set(true);
        progress.error.get_or_insert(error);
    }

    fn resource(&self, api_version: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.types
            .get(api_version, kind)
            .or_else(|| self.defined.get(api_version, kind))
    }

    /// Waits for the definitions of a unit whose kinds it has objects of.
    async fn wait_definitions(&self, unit: &UnitObjects, plan: &UnitPlan, progress: &mut Progress) {
        let definitions = plan.steps.iter().filter(|step| {
            step.resource.kind == definition::KIND
                && step.value.is_some()
                && plan.steps.iter().any(|other| stands_on(other, step))
        });
        for step in definitions {
            self.establish(unit, plan, step, progress).await;
        }
    }

    /// Waits until a definition is in force; one that does not come into force is its unit's error.
    async fn establish(
        &self,
        unit: &UnitObjects,
        plan: &UnitPlan,
        step: &ObjectPlan,
        progress: &mut Progress,
    ) {
        let version = api_version(plan, step);
        let (definition::KIND, Some(resource)) = (
            step.resource.kind.as_str(),
            self.resource(version, definition::KIND),
        ) else {
            return;
        };
        if let Err(failure) = self.api.wait_established(resource, &step.resource).await {
            let about = Subject {
                verb: "get",
                id: &step.resource,
                api_version: version,
                unit: &unit.owner.name,
            };
            self.fail(progress, self.api.error(failure, about));
        }
    }
}

/// Whether a step needs what another one makes.
fn stands_on(step: &ObjectPlan, other: &ObjectPlan) -> bool {
    if other.action == Action::Delete {
        return false;
    }
    match (other.resource.kind.as_str(), &step.value, &other.value) {
        ("Namespace", ..) => step.resource.namespace == other.resource.name,
        (definition::KIND, Some(value), Some(definition)) => {
            let object = Object::new(other.resource.clone(), definition.clone());
            Defined::of([&object]).defines(value)
        }
        _ => false,
    }
}
