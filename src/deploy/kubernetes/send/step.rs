//! Sending the steps of a unit, and deleting what it holds no longer.

use std::cell::Cell;
use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::clock::Clock;
use crate::deploy::inventory::AppliedObject;
use crate::deploy::kind::Rank;
use crate::deploy::live::ObjectState;
use crate::deploy::object::UnitObjects;
use crate::deploy::plan::Action;
use crate::deploy::target::{ObjectPlan, UnitPlan};

use super::super::answer::{Failure, Subject};
use super::super::apply::{Force, Sending, Unsent};
use super::super::connect::Api;
use super::super::discovery::Resource;
use super::super::need::namespace_id;
use super::super::record::{applied, sent_hash};
use super::super::request::Call;
use super::super::status::{Around, object_state};
use super::super::{fields, mark};
use super::progress::{Outcome, Progress};
use super::{Batch, api_version};

/// A step that was done.
struct Done {
    applied: AppliedObject,
    /// How the object fares, from what the cluster answered.
    state: ObjectState,
    /// The namespace that had to be created for it.
    namespace: Option<String>,
}

impl Batch<'_> {
    /// Sends steps of one rank at once; begins none after one has failed.
    pub(super) async fn send_steps(
        &self,
        unit: &UnitObjects,
        plan: &UnitPlan,
        progress: &mut Progress,
        steps: Vec<usize>,
    ) {
        let unsent = steps.into_iter().filter(|at| {
            let is_change = matches!(plan.steps[*at].action, Action::Create | Action::Update);
            is_change && matches!(progress.outcomes[*at], Outcome::Unsent)
        });
        let unsent: Vec<usize> = unsent.collect();
        progress.is_begun |= !unsent.is_empty();
        let is_stopped = Cell::new(false);
        let each = unsent.into_iter().map(|at| {
            let (step, is_stopped) = (&plan.steps[at], &is_stopped);
            async move {
                if is_stopped.get() {
                    return (at, None);
                }
                let sent = self.send_step(unit, plan, step).await;
                is_stopped.set(is_stopped.get() || sent.is_err());
                (at, Some(sent))
            }
        });
        let mut sent = stream::iter(each).buffer_unordered(self.api.connections);
        while let Some((at, sent)) = sent.next().await {
            match sent {
                None => {}
                Some(Ok(done)) => {
                    progress.outcomes[at] = Outcome::Done(Some(Box::new(done.applied)));
                    progress.states[at] = Some(done.state);
                    progress.namespaces.extend(done.namespace);
                }
                Some(Err(unsent)) => {
                    progress.outcomes[at] = if unsent.is_unknown {
                        Outcome::Unknown
                    } else {
                        Outcome::Refused
                    };
                    self.fail(progress, unsent.error);
                }
            }
        }
    }

    async fn send_step(
        &self,
        unit: &UnitObjects,
        plan: &UnitPlan,
        step: &ObjectPlan,
    ) -> Result<Done, Unsent> {
        let (id, version) = (&step.resource, api_version(plan, step));
        let name = unit.owner.name.as_str();
        let (Some(resource), Some(value)) = (self.resource(version, &id.kind), &step.value) else {
            let about = Subject {
                verb: "patch",
                id,
                api_version: version,
                unit: name,
            };
            return Err(Unsent {
                error: self.api.unknown_kind(about),
                is_unknown: false,
            });
        };
        let sending = Sending {
            resource,
            id,
            unit: name,
            force: Force::Listed(&self.options.force),
            is_defined_here: self.defined.get(version, &id.kind).is_some(),
            is_dry: false,
        };
        let unsent = |failure| self.api.unsent(&sending, failure);
        let mut created = self.ensure_namespace(unit, &id.namespace).await?;
        let mut answer = self.api.apply(&sending, value).await;
        if let Err(Failure::Refused(refusal)) = &answer
            && refusal.lacks_namespace()
            && id.kind != "Namespace"
        {
            // It went since it was looked for.
            self.missing.lock().await.insert(id.namespace.clone());
            created = self.ensure_namespace(unit, &id.namespace).await?;
            answer = self.api.apply(&sending, value).await;
        }
        let answer = answer.map_err(unsent)?;
        let sent = sent_hash(unit, id, value);
        let around = Around {
            now: Clock::System.now(),
            ..Around::default()
        };
        Ok(Done {
            state: object_state(id, Some(&answer), &around),
            applied: applied(id.clone(), version, sent, answer),
            namespace: created,
        })
    }

    /// Creates a namespace that is missing. Says which, so that it is told once.
    async fn ensure_namespace(
        &self,
        unit: &UnitObjects,
        name: &str,
    ) -> Result<Option<String>, Unsent> {
        let mut missing = self.missing.lock().await;
        if !missing.contains(name) {
            return Ok(None);
        }
        let is_ours = self.api.create_namespace(unit, name).await?;
        missing.remove(name);
        Ok(is_ours.then(|| name.to_owned()))
    }

    /// Deletes what the unit holds no longer, the last applied first, and waits until it is gone.
    pub(super) async fn delete_steps(
        &self,
        unit: &UnitObjects,
        plan: &UnitPlan,
        progress: &mut Progress,
    ) {
        let deletions = || {
            let steps = plan.steps.iter().enumerate();
            steps.filter(|(_, step)| step.action == Action::Delete)
        };
        let ranks: BTreeSet<Rank> = deletions()
            .map(|(_, step)| Rank::of(&step.resource.kind))
            .collect();
        for rank in ranks.into_iter().rev() {
            let of_rank = deletions().filter(|(_, step)| Rank::of(&step.resource.kind) == rank);
            let each = of_rank.map(|(at, step)| async move {
                let version = api_version(plan, step);
                let Some(resource) = self.resource(version, &step.resource.kind) else {
                    // Its kind is gone, and it went with it.
                    return (at, Ok(()));
                };
                let removed = self
                    .api
                    .remove_object(&unit.owner, &step.resource, resource);
                (at, removed.await)
            });
            for (at, result) in self.api.at_once(each).await {
                match result {
                    Ok(()) => progress.outcomes[at] = Outcome::Done(None),
                    Err(error) => self.fail(progress, error),
                }
            }
            if progress.error.is_some() {
                return;
            }
        }
    }
}

impl Api {
    /// Creates a namespace. Says whether it is ours: somebody may have been faster.
    async fn create_namespace(&self, unit: &UnitObjects, name: &str) -> Result<bool, Unsent> {
        let (resource, id) = (Resource::namespaces(), namespace_id(name));
        let address = format!(
            "{}?fieldManager={}",
            resource.collection(""),
            fields::MANAGER
        );
        let value = mark::namespace(name, &unit.owner.store);
        let Err(failure) = self.call(&Call::create(address, &value)).await else {
            return Ok(true);
        };
        // When an answer was lost, the second try finds what the first one made.
        let found = if failure.code() == Some(409) {
            self.get(&resource, &id).await
        } else {
            Err(failure)
        };
        match found {
            Ok(found) => Ok(found.is_some_and(|found| {
                mark::label(&found, mark::CREATED).is_some()
                    && mark::annotation(&found, mark::STORE) == Some(&unit.owner.store)
            })),
            Err(failure) => {
                let about = Subject {
                    verb: "create",
                    id: &id,
                    api_version: "v1",
                    unit: &unit.owner.name,
                };
                // The object itself was not sent.
                Err(Unsent {
                    error: self.error(failure, about),
                    is_unknown: false,
                })
            }
        }
    }
}
