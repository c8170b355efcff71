//! Pods of the sandbox: a function of what was applied, and when, and of the time.
//!
//! The image decides how a pod fares, as on the test cluster: a reference that contains `missing`
//! is never pulled, `crash` dies again and again, `slow` is ready after 5 s, any other after 0.2 s.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::deploy::kind::{Readiness, kind};
use crate::deploy::live::{Condition, ObjectState, Phase};
use crate::deploy::object::Object;
use crate::yaml::ResourceId;

/// How long an image that is not found may take to appear, in milliseconds.
const IMAGE_PATIENCE: u64 = 60_000;

/// How often a pod may crash.
const CRASH_PATIENCE: u64 = 3;

/// The pods of one workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pods {
    /// Number of pods there are to be.
    desired: u32,
    /// What a pod is made from.
    template: Value,
    /// When the newest template was applied.
    since: u64,
    /// Pods of an older template that were ready then and serve until new ones are.
    old: u32,
    /// Pods of the newest template when none are old: how many were made when.
    made: Vec<(u32, u64)>,
    /// The workload's own time limit for a change, in milliseconds.
    deadline: u64,
}

/// How the pods are at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    /// Of the newest template, whether ready or not.
    new: u32,
    new_ready: u32,
    /// Of an older one, all ready.
    old: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Ready after so many milliseconds.
    ReadyAfter(u64),
    Missing,
    Crash,
    Stuck,
}

impl Pods {
    /// The pods after `object` is applied at `now`; `None` if it is no workload.
    pub(super) fn applied(
        before: Option<&Self>,
        object: &Object,
        value: &Value,
        now: u64,
    ) -> Option<Self> {
        if kind(&object.id.kind).readiness == Readiness::Exists {
            return None;
        }
        let spec = &value["spec"];
        let template = match object.id.kind.as_str() {
            "Pod" => spec.clone(),
            _ => spec["template"].clone(),
        };
        let count = match object.id.kind.as_str() {
            "Pod" | "DaemonSet" => None,
            "Job" => spec.get("completions"),
            _ => spec.get("replicas"),
        };
        let count = count.and_then(Value::as_u64).unwrap_or(1);
        let desired = u32::try_from(count).unwrap_or(u32::MAX);
        let seconds = spec["progressDeadlineSeconds"].as_u64().unwrap_or(600);
        let mut pods = match before {
            None => Self::new(desired, template, now),
            Some(before) if before.template == template => before.scaled(desired, now),
            Some(before) => {
                let count = before.count(before.fate(false), now);
                let mut pods = Self::new(desired, template, now);
                pods.old = count.old.saturating_add(count.new_ready);
                if pods.old > 0 {
                    pods.made.clear();
                }
                pods
            }
        };
        pods.deadline = seconds.saturating_mul(1_000);
        Some(pods)
    }

    fn new(desired: u32, template: Value, now: u64) -> Self {
        Self {
            desired,
            template,
            since: now,
            old: 0,
            made: vec![(desired, now)],
            deadline: 0,
        }
    }

    fn scaled(&self, desired: u32, now: u64) -> Self {
        let mut pods = self.clone();
        let fate = self.fate(false);
        if pods.old > 0 && pods.count(fate, now).old == 0 {
            // The roll-out is over: all pods are of the newest template and ready.
            pods.old = 0;
            pods.made = vec![(pods.desired, pods.since)];
        }
        if pods.old == 0 && desired > pods.desired {
            pods.made.push((desired - pods.desired, now));
        } else if pods.old == 0 {
            let mut surplus = pods.desired - desired;
            while surplus > 0
                && let Some((count, _)) = pods.made.last_mut()
            {
                let dropped = surplus.min(*count);
                *count -= dropped;
                surplus -= dropped;
                if *count == 0 {
                    pods.made.pop();
                }
            }
        }
        pods.desired = desired;
        pods
    }

    /// The workload's own time limit for a change, in milliseconds.
    pub(super) fn deadline(&self) -> u64 {
        self.deadline
    }

    fn images(&self) -> impl Iterator<Item = &str> {
        let spec = self.template.get("spec").unwrap_or(&self.template);
        let lists = ["initContainers", "containers"].map(|list| spec[list].as_array());
        let containers = lists.into_iter().flatten().flatten();
        containers.filter_map(|container| container["image"].as_str())
    }

    fn fate(&self, stuck: bool) -> Fate {
        let any = |part: &str| self.images().any(|image| image.contains(part));
        if stuck {
            Fate::Stuck
        } else if any("missing") {
            Fate::Missing
        } else if any("crash") {
            Fate::Crash
        } else if any("slow") {
            Fate::ReadyAfter(5_000)
        } else {
            Fate::ReadyAfter(200)
        }
    }

    fn count(&self, fate: Fate, now: u64) -> Count {
        let none_ready = |new, old| Count {
            new,
            new_ready: 0,
            old,
        };
        if self.old == 0 {
            let Fate::ReadyAfter(delay) = fate else {
                return none_ready(self.desired, 0);
            };
            let ready = self
                .made
                .iter()
                .filter(|(_, made)| now >= made.saturating_add(delay));
            return Count {
                new: self.desired,
                new_ready: ready.map(|(count, _)| *count).sum(),
                old: 0,
            };
        }
        // A roll-out makes one pod more than there are to be, and the next when it is ready.
        let Fate::ReadyAfter(delay) = fate else {
            return none_ready(self.desired.min(1), self.old);
        };
        let steps = now.saturating_sub(self.since) / delay;
        let ready = u32::try_from(steps).unwrap_or(u32::MAX).min(self.desired);
        Count {
            new: ready.saturating_add(1).min(self.desired),
            new_ready: ready,
            old: if ready == self.desired {
                0
            } else {
                self.old.min(self.desired - ready)
            },
        }
    }

    /// The state of the workload at `now`; `stuck` if its pods were told never to become ready.
    pub(super) fn state(&self, id: &ResourceId, now: u64, stuck: bool) -> ObjectState {
        let fate = self.fate(stuck);
        let count = self.count(fate, now);
        let age = now.saturating_sub(self.made.last().map_or(self.since, |(_, made)| *made));
        let complete = count.new_ready == self.desired && count.old == 0;
        let trouble = trouble(fate, age);
        let hopeless = match fate {
            Fate::Missing => age >= IMAGE_PATIENCE,
            Fate::Crash => crashes(age) >= CRASH_PATIENCE,
            Fate::ReadyAfter(_) | Fate::Stuck => false,
        };
        let status = match fate {
            _ if complete => Phase::Running,
            Fate::Missing | Fate::Crash => Phase::Failed,
            Fate::ReadyAfter(_) | Fate::Stuck => Phase::Pending,
        };
        let job = kind(&id.kind).readiness == Readiness::Completion;
        let reason = if complete && job {
            format!("{} of {} pods completed", count.new_ready, self.desired)
        } else {
            self.reason(count, trouble.as_deref())
        };
        ObjectState {
            resource: id.clone(),
            status,
            reason: reason.clone(),
            replicas: Some(self.desired),
            ready_replicas: Some(count.new_ready.saturating_add(count.old)),
            updated_replicas: Some(count.new),
            conditions: self.conditions(count, complete, job, age, &reason),
            pods: Vec::new(),
            hopeless: hopeless && !complete,
        }
    }

    fn reason(&self, count: Count, trouble: Option<&str>) -> String {
        let Count {
            new,
            new_ready,
            old,
        } = count;
        let desired = self.desired;
        let waiting = new - new_ready;
        if old == 0 {
            let ready = format!("{new_ready} of {desired} replicas ready");
            return match trouble {
                Some(trouble) if waiting > 0 => format!("{ready}: {waiting} {trouble}"),
                _ if waiting > 0 => format!("{ready}: {waiting} starting"),
                _ => ready,
            };
        }
        let pods = |count: u32| if count == 1 { "pod" } else { "pods" };
        let why = trouble.unwrap_or("starting");
        format!(
            "{new_ready} of {desired} replicas updated; {waiting} new {} {why}, {old} old {} still \
             serving",
            pods(waiting),
            pods(old)
        )
    }

    fn conditions(
        &self,
        count: Count,
        complete: bool,
        job: bool,
        age: u64,
        message: &str,
    ) -> Vec<Condition> {
        let condition = |kind: &str, holds: bool, reason: &str| Condition {
            kind: kind.to_owned(),
            status: if holds { "True" } else { "False" }.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
        };
        if job {
            return vec![condition(
                "Complete",
                complete,
                if complete {
                    "CompletionsReached"
                } else {
                    "Running"
                },
            )];
        }
        let available = count.new_ready.saturating_add(count.old) >= self.desired;
        let reason = if available {
            "MinimumReplicasAvailable"
        } else {
            "MinimumReplicasUnavailable"
        };
        let late = !complete && self.deadline > 0 && age >= self.deadline;
        let progress = match (complete, late) {
            (true, _) => "NewReplicaSetAvailable",
            (false, true) => "ProgressDeadlineExceeded",
            (false, false) => "ReplicaSetUpdated",
        };
        vec![
            condition("Available", available, reason),
            condition("Progressing", !late, progress),
        ]
    }
}

/// What keeps a pod from becoming ready, in words.
fn trouble(fate: Fate, age: u64) -> Option<String> {
    match fate {
        Fate::ReadyAfter(_) => None,
        Fate::Missing => Some("waiting, image not found (ImagePullBackOff)".to_owned()),
        Fate::Crash => {
            let times = crashes(age);
            Some(format!("crashing, {times} restarts (CrashLoopBackOff)"))
        }
        Fate::Stuck => Some("starting, and told never to become ready".to_owned()),
    }
}

/// How often a pod has crashed when it is so old: Kubernetes waits 10 s, 20 s, 40 s, … between.
fn crashes(age: u64) -> u64 {
    let mut crashes = 0;
    let mut next = 10_000;
    let mut pause = 20_000;
    while age >= next {
        crashes += 1;
        next += pause;
        pause = (pause * 2).min(300_000);
    }
    crashes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(replicas: u32, image: &str) -> Object {
        let value = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "a" },
            "spec": { "replicas": replicas, "template": { "spec": { "containers": [{ "image": image }] } } },
        });
        let id = ResourceId {
            kind: "Deployment".to_owned(),
            name: "a".to_owned(),
            ..ResourceId::default()
        };
        Object::new(id, value)
    }

    /// Applies `(at, replicas, image)` one after the other and looks at the pods at `now`.
    fn seen(applied: &[(u64, u32, &str)], now: u64) -> String {
        let mut pods = None;
        let mut id = ResourceId::default();
        for (at, replicas, image) in applied {
            let object = deployment(*replicas, image);
            pods = Pods::applied(pods.as_ref(), &object, &object.value, *at);
            id = object.id;
        }
        let state = pods.expect("a workload").state(&id, now, false);
        let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
        format!(
            "{}/{}/{} {}: {}",
            number(state.updated_replicas),
            number(state.ready_replicas),
            number(state.replicas),
            state.status,
            state.reason
        )
    }

    #[test]
    fn pods_over_time() {
        for (applied, now, expected) in [
            (
                vec![(0, 3, "a:1")],
                0,
                "3/0/3 Pending: 0 of 3 replicas ready: 3 starting",
            ),
            (
                vec![(0, 3, "a:1")],
                200,
                "3/3/3 Running: 3 of 3 replicas ready",
            ),
            (
                vec![(0, 0, "a:1")],
                0,
                "0/0/0 Running: 0 of 0 replicas ready",
            ),
            (
                vec![(0, 1, "slow")],
                4_999,
                "1/0/1 Pending: 0 of 1 replicas ready: 1 starting",
            ),
            (
                vec![(0, 1, "slow")],
                5_000,
                "1/1/1 Running: 1 of 1 replicas ready",
            ),
            // Scaling keeps the pods there are.
            (
                vec![(0, 2, "a"), (1_000, 3, "a")],
                1_000,
                "3/2/3 Pending: 2 of 3 replicas ready: 1 starting",
            ),
            (
                vec![(0, 3, "a"), (1_000, 2, "a")],
                1_000,
                "2/2/2 Running: 2 of 2 replicas ready",
            ),
            (
                vec![(0, 3, "a"), (1_000, 0, "a"), (2_000, 1, "a")],
                2_000,
                "1/0/1 Pending: 0 of 1 replicas ready: 1 starting",
            ),
            // A roll-out goes pod by pod; the old ones serve until then.
            (
                vec![(0, 2, "a"), (1_000, 2, "b")],
                1_000,
                "1/2/2 Pending: 0 of 2 replicas updated; 1 new pod starting, 2 old pods still serving",
            ),
            (
                vec![(0, 2, "a"), (1_000, 2, "b")],
                1_200,
                "2/2/2 Pending: 1 of 2 replicas updated; 1 new pod starting, 1 old pod still serving",
            ),
            (
                vec![(0, 2, "a"), (1_000, 2, "b")],
                1_400,
                "2/2/2 Running: 2 of 2 replicas ready",
            ),
            (
                vec![(0, 2, "a"), (1_000, 2, "b"), (2_000, 3, "b")],
                2_000,
                "3/2/3 Pending: 2 of 3 replicas ready: 1 starting",
            ),
            (
                vec![(0, 2, "a"), (1_000, 2, "missing")],
                9_000,
                "1/2/2 Failed: 0 of 2 replicas updated; 1 new pod waiting, image not found (ImagePullBackOff), 2 old pods still serving",
            ),
            // What never ran is replaced at once.
            (
                vec![(0, 2, "missing"), (1_000, 2, "b")],
                1_200,
                "2/2/2 Running: 2 of 2 replicas ready",
            ),
            (
                vec![(0, 1, "missing")],
                70_000,
                "1/0/1 Failed: 0 of 1 replicas ready: 1 waiting, image not found (ImagePullBackOff)",
            ),
            (
                vec![(0, 1, "crash")],
                30_000,
                "1/0/1 Failed: 0 of 1 replicas ready: 1 crashing, 2 restarts (CrashLoopBackOff)",
            ),
        ] {
            assert_eq!(seen(&applied, now), expected, "{applied:?} at {now}");
        }
    }
}
