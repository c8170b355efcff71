//! Sending one object.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::deploy::error::Error;
use crate::path::Path;
use crate::yaml::ResourceId;

use super::answer::{Failure, Refusal, Subject};
use super::connect::Api;
use super::discovery::Resource;
use super::request::Call;
use super::{fields, mark};

/// Between two tries while a kind is not there yet whose definition was just sent.
const POLL: Duration = Duration::from_millis(500);
/// How often an object that changed meanwhile is tried again.
const MEANWHILE: u32 = 3;
/// Before it is.
const PAUSE: Duration = Duration::from_millis(50);

/// Which fields of others are set all the same.
#[derive(Debug, Clone, Copy)]
pub(super) enum Force<'a> {
    /// Those that the user listed.
    Listed(&'a [(ResourceId, Path)]),
    /// Those that are ours as well in this object: what is there is what we sent.
    Held(Option<&'a Value>),
}

/// An error, and whether what was asked for may have been done all the same.
#[derive(Debug)]
pub(super) struct Unsent {
    pub(super) error: Error,
    pub(super) is_unknown: bool,
}

/// An object to be sent.
pub(super) struct Sending<'a> {
    pub(super) resource: &'a Resource,
    pub(super) id: &'a ResourceId,
    pub(super) unit: &'a str,
    pub(super) force: Force<'a>,
    /// Whether its definition is of the same batch.
    pub(super) is_defined_here: bool,
    /// Whether the cluster is only asked.
    pub(super) is_dry: bool,
}

impl<'a> Sending<'a> {
    pub(super) fn subject(&self, verb: &'static str) -> Subject<'a> {
        Subject {
            verb,
            id: self.id,
            api_version: &self.resource.api_version,
            unit: self.unit,
        }
    }

    fn address(&self, force: bool) -> String {
        format!(
            "{}?fieldManager={}&fieldValidation=Strict&force={force}{}",
            self.resource.object(self.id),
            fields::MANAGER,
            if self.is_dry { "&dryRun=All" } else { "" }
        )
    }

    /// Whether a field may be set that another manager has.
    fn is_covered(&self, path: &Path) -> bool {
        match self.force {
            Force::Listed(listed) => listed
                .iter()
                .any(|(id, place)| id.full() == self.id.full() && place.matches(path)),
            Force::Held(object) => object.is_some_and(|object| fields::is_applied(object, path)),
        }
    }

    /// What is left of conflicts when those are taken away that may be set.
    fn uncovered(&self, mut error: Error, refusal: &Refusal) -> Option<Error> {
        let rest: Vec<_> = refusal
            .conflicts()
            .into_iter()
            .filter(|(path, _)| !self.is_covered(path))
            .map(|(_, conflict)| conflict)
            .collect();
        if rest.is_empty() {
            return None;
        }
        if let Error::Conflicts { conflicts, .. } = &mut error {
            *conflicts = rest;
        }
        Some(error)
    }
}

impl Api {
    /// Applies an object; the object as the cluster then has it.
    pub(super) async fn apply(
        &self,
        sending: &Sending<'_>,
        value: &Value,
    ) -> Result<Value, Failure> {
        let begun = Instant::now();
        let mut value = Cow::Borrowed(value);
        let (mut force, mut again) = (false, 0);
        loop {
            let answer = match self
                .call(&Call::apply(sending.address(force), &value))
                .await
            {
                Ok(answer) => answer,
                Err(Failure::Refused(refusal)) => {
                    let conflicts = refusal.conflicts();
                    if is_of_replicas(&conflicts) && self.is_autoscaled(sending.id).await? {
                        leave_replicas(value.to_mut());
                    } else if !force
                        && !conflicts.is_empty()
                        && conflicts.iter().all(|(path, _)| sending.is_covered(path))
                    {
                        force = true;
                    } else if refusal.code == 409 && conflicts.is_empty() && again < MEANWHILE {
                        again += 1;
                        sleep(PAUSE).await;
                    } else if refusal.is_no_type()
                        && sending.is_defined_here
                        && begun.elapsed() < self.timeouts.definition
                    {
                        sleep(POLL).await;
                    } else {
                        return Err(Failure::Refused(refusal));
                    }
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            // The cluster takes fields of what it is deleting; they would go with it.
            if !sending.is_dry && mark::is_going(&answer) {
                self.wait_gone(sending.resource, sending.id, mark::metadata(&answer, "uid"))
                    .await?;
                continue;
            }
            return Ok(answer);
        }
    }

    /// What a failure to apply an object is, the conflicts that the user allowed left out.
    pub(super) fn unsent(&self, sending: &Sending<'_>, failure: Failure) -> Unsent {
        let is_unknown = failure.is_lost();
        let error = self.error(failure.clone(), sending.subject("patch"));
        let error = match (&failure, error) {
            (
                Failure::Refused(refusal),
                Error::Conflicts {
                    object,
                    unit,
                    conflicts,
                },
            ) => {
                let all = || Error::Conflicts {
                    object: object.clone(),
                    unit: unit.clone(),
                    conflicts: conflicts.clone(),
                };
                sending.uncovered(all(), refusal).unwrap_or_else(all)
            }
            (_, error) => error,
        };
        Unsent { error, is_unknown }
    }

    async fn is_autoscaled(&self, id: &ResourceId) -> Result<bool, Failure> {
        let namespaces = [id.namespace.as_str()].into_iter().collect();
        Ok(self.autoscaled(&namespaces).await?.contains(id))
    }
}

fn is_of_replicas(conflicts: &[(Path, crate::deploy::error::FieldConflict)]) -> bool {
    !conflicts.is_empty()
        && conflicts
            .iter()
            .all(|(_, conflict)| conflict.path == "spec.replicas")
}

fn leave_replicas(value: &mut Value) {
    if let Some(spec) = value.get_mut("spec").and_then(Value::as_object_mut) {
        spec.shift_remove("replicas");
    }
}
