//! What a cluster says of the objects of a unit.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::model::Status;
use crate::path::Path;
use crate::yaml::ResourceId;

/// The live state of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LiveState {
    /// The target, as it describes itself.
    pub target: String,
    /// How the unit fares as a whole.
    pub status: Status,
    /// Why, in words: what is waited for, or what failed.
    pub reason: String,
    /// The revision that was last sent; `None` if nothing of the unit is there.
    pub revision: Option<u32>,
    /// Each object, in the order of applying.
    pub objects: Vec<ObjectState>,
}

/// How an object fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// As it is to be.
    Running,
    /// On its way there.
    Pending,
    /// It will not get there by waiting, or it is gone.
    Failed,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Running => "Running",
            Self::Pending => "Pending",
            Self::Failed => "Failed",
        })
    }
}

/// The live state of one object. The numbers are there for workloads only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ObjectState {
    /// Which object.
    pub resource: ResourceId,
    /// How it fares.
    pub status: Phase,
    /// Why, in words.
    pub reason: String,
    /// Number of pods there are to be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replicas: Option<u32>,
    /// Number of pods that are ready, old ones included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ready_replicas: Option<u32>,
    /// Number of pods of the newest template.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub updated_replicas: Option<u32>,
    /// What the controllers say.
    pub conditions: Vec<Condition>,
    /// The pods that are not ready, as far as they were looked at.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pods: Vec<PodState>,
    /// Whether it fails in a way that waiting does not heal.
    #[serde(skip)]
    pub hopeless: bool,
}

/// A pod that is not ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PodState {
    /// Its name.
    pub pod: String,
    /// The node that it is on; empty as long as none was found for it.
    pub node: String,
    /// Since when it is so, as far as the cluster says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<Timestamp>,
    /// One word, as Kubernetes has it: `ImagePullBackOff`, `Unschedulable`, …
    pub state: String,
    /// Why, in words.
    pub reason: String,
}

/// One condition of an object, as Kubernetes has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Condition {
    /// Its type, such as `Available`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// `True` or `False`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// In words.
    pub message: String,
}

/// A field that is not what was applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Drift {
    /// The object.
    pub resource: ResourceId,
    /// The field; the root if the object is gone.
    pub path: Path,
    /// What was applied.
    pub applied: Option<Value>,
    /// What is there.
    pub live: Option<Value>,
}

/// How waiting ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WaitResult {
    /// `Ready`, or `Failed` if it will not become ready or was not in time.
    pub status: Status,
    /// Why, in words.
    pub reason: String,
    /// Time waited, in milliseconds of the target's clock.
    pub waited: u64,
    /// The state at the end.
    pub state: LiveState,
}

impl WaitResult {
    /// How waiting ends at a look, if it does: the unit is ready or nothing of it is there, it
    /// will not become ready, or the time is up. Times in milliseconds.
    pub(super) fn of(state: LiveState, waited: u64, timeout: u64) -> Option<Self> {
        let hopeless = state.objects.iter().find(|object| object.hopeless);
        let (status, reason) = match (state.status, hopeless) {
            (Status::Ready | Status::NoLive, _) => (state.status, state.reason.clone()),
            (_, Some(object)) => (
                Status::Failed,
                format!(
                    "{} will not become ready: {}",
                    object.resource, object.reason
                ),
            ),
            _ if waited >= timeout => (
                Status::Failed,
                format!("not ready after {} s: {}", timeout / 1_000, state.reason),
            ),
            _ => return None,
        };
        Some(Self {
            status,
            reason,
            waited,
            state,
        })
    }
}

/// The status of a unit from its objects, with the reason.
pub(super) fn overall(objects: &[ObjectState]) -> (Status, String) {
    if objects.is_empty() {
        return (Status::NoLive, "nothing is deployed".to_owned());
    }
    let worst = [Phase::Failed, Phase::Pending]
        .into_iter()
        .find_map(|phase| objects.iter().find(|object| object.status == phase));
    match worst {
        None => (Status::Ready, ready(objects)),
        Some(object) => {
            let status = match object.status {
                Phase::Failed => Status::Degraded,
                _ => Status::Progressing,
            };
            (status, format!("{}: {}", object.resource, object.reason))
        }
    }
}

fn ready(objects: &[ObjectState]) -> String {
    let pods: u32 = objects
        .iter()
        .filter_map(|object| object.ready_replicas)
        .sum();
    let noun = |count: usize, noun: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {noun}{plural}")
    };
    let objects = noun(objects.len(), "object");
    match pods {
        0 => format!("{objects} in place"),
        pods => format!(
            "{objects} in place, {} ready",
            noun(usize::try_from(pods).unwrap_or(usize::MAX), "pod")
        ),
    }
}
