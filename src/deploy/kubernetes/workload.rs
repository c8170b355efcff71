//! How workloads fare: what runs in pods.

use serde_json::Value;

use crate::deploy::live::{ObjectState, Phase};
use crate::yaml::ResourceId;

use super::pods::{Trouble, condition, controller, is_ready, last_warning, trouble};
use super::status::{self, Around, is_observed, said};

/// The state of a workload; none if the object is of a kind without pods.
pub(super) fn state(id: &ResourceId, object: &Value, around: &Around) -> Option<ObjectState> {
    let rollout = match (id.group.as_str(), id.kind.as_str()) {
        ("apps", "Deployment") => Rollout::of_deployment(object),
        ("apps", "StatefulSet") => Rollout::of_stateful_set(object),
        ("apps", "DaemonSet") => Rollout::of_daemon_set(object),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => Rollout::of_replica_set(object),
        ("batch", "Job") => return Some(job(id, object, around)),
        ("", "Pod") => return Some(pod(id, object, around)),
        _ => return None,
    };
    Some(rollout.state(id, object, around))
}

/// Numbers of pods, as the controller of a workload counts them.
#[derive(Debug, Clone, Copy)]
struct Rollout {
    desired: u32,
    ready: u32,
    available: u32,
    /// Of the newest template.
    updated: u32,
    /// Of older ones.
    old: u32,
    /// How many of the newest template there are to be.
    to_update: u32,
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().map(|n| u32::try_from(n).unwrap_or(u32::MAX))
}

fn count(value: &Value) -> u32 {
    number(value).unwrap_or(0)
}

impl Rollout {
    fn of_deployment(object: &Value) -> Self {
        let status = &object["status"];
        let (desired, updated) = (
            number(&object["spec"]["replicas"]).unwrap_or(1),
            count(&status["updatedReplicas"]),
        );
        Self {
            desired,
            ready: count(&status["readyReplicas"]),
            available: count(&status["availableReplicas"]),
            updated,
            old: count(&status["replicas"]).saturating_sub(updated),
            to_update: desired,
        }
    }

    fn of_stateful_set(object: &Value) -> Self {
        let (spec, status) = (&object["spec"], &object["status"]);
        let desired = number(&spec["replicas"]).unwrap_or(1);
        let (ready, total) = (count(&status["readyReplicas"]), count(&status["replicas"]));
        let partition = count(&spec["updateStrategy"]["rollingUpdate"]["partition"]);
        let is_done = status["currentRevision"] == status["updateRevision"];
        let updated = if is_done {
            total
        } else {
            count(&status["updatedReplicas"])
        };
        let to_update = match spec["updateStrategy"]["type"].as_str() {
            Some("OnDelete") => 0,
            _ => desired.saturating_sub(partition),
        };
        Self {
            desired,
            ready,
            available: number(&status["availableReplicas"]).unwrap_or(ready),
            updated,
            // Those below the partition are to stay as they are.
            old: if updated >= to_update {
                0
            } else {
                total.saturating_sub(updated)
            },
            to_update,
        }
    }

    fn of_daemon_set(object: &Value) -> Self {
        let status = &object["status"];
        let desired = count(&status["desiredNumberScheduled"]);
        let updated = count(&status["updatedNumberScheduled"]);
        let on_delete = object["spec"]["updateStrategy"]["type"] == "OnDelete";
        Self {
            desired,
            ready: count(&status["numberReady"]),
            available: count(&status["numberAvailable"]),
            updated,
            old: if on_delete {
                0
            } else {
                count(&status["currentNumberScheduled"]).saturating_sub(updated)
            },
            to_update: if on_delete { 0 } else { desired },
        }
    }

    fn of_replica_set(object: &Value) -> Self {
        let status = &object["status"];
        let desired = number(&object["spec"]["replicas"]).unwrap_or(1);
        Self {
            desired,
            ready: count(&status["readyReplicas"]),
            available: count(&status["availableReplicas"]),
            updated: count(&status["replicas"]),
            old: 0,
            to_update: desired,
        }
    }

    fn is_complete(self) -> bool {
        self.updated >= self.to_update
            && self.old == 0
            && self.ready >= self.desired
            && self.available >= self.desired
    }

    fn state(self, id: &ResourceId, object: &Value, around: &Around) -> ObjectState {
        let numbers = |state: ObjectState| ObjectState {
            replicas: Some(self.desired),
            ready_replicas: Some(self.ready),
            updated_replicas: Some(self.updated),
            ..state
        };
        if !is_observed(object, true) {
            let reason = "its controller has not seen the change yet";
            return numbers(status::state(id, object, Phase::Pending, reason));
        }
        if self.is_complete() {
            let reason = format!("{} of {} replicas ready", self.ready, self.desired);
            return numbers(status::state(id, object, Phase::Running, reason));
        }
        let is_new = newest(object, around);
        let new_ready = around
            .pods
            .iter()
            .filter(|pod| is_ready(pod) && is_new(pod));
        let new_ready = u32::try_from(new_ready.count()).unwrap_or(u32::MAX);
        let (mut new, mut other) = (Vec::new(), Vec::new());
        for pod in &around.pods {
            if let Some(found) = trouble(pod, &around.events, around.now) {
                if is_new(pod) { &mut new } else { &mut other }.push(found);
            }
        }
        let mut parts = self.counts(new_ready.max(self.ready.saturating_sub(self.old)));
        let late = late(object);
        let not_created = self.not_created(id, object, around);
        let mut failing = late.is_some() || not_created.is_some();
        parts.extend(late.clone());
        parts.extend(not_created);
        // Old pods that fail are on their way out, unless nothing else is wrong.
        let to_tell = if new.is_empty() { &other } else { &new };
        parts.extend(tell(to_tell));
        failing |= to_tell.iter().any(|found| found.failing);
        if object["spec"]["paused"] == true {
            parts.push("the rollout is paused".to_owned());
        }
        let phase = if failing {
            Phase::Failed
        } else {
            Phase::Pending
        };
        ObjectState {
            hopeless: late.is_some() || new.iter().any(|found| found.hopeless),
            pods: new
                .into_iter()
                .chain(other)
                .map(|found| found.row)
                .collect(),
            ..numbers(status::state(id, object, phase, parts.join("; ")))
        }
    }

    /// How far it is.
    fn counts(self, new_ready: u32) -> Vec<String> {
        let Self {
            desired,
            ready,
            available,
            updated,
            old,
            to_update,
        } = self;
        if old == 0 && updated >= to_update && ready >= desired {
            return vec![format!("{available} of {desired} replicas available")];
        }
        if old == 0 {
            return vec![format!("{ready} of {desired} replicas ready")];
        }
        let new_ready = new_ready.min(updated);
        let pods = |count: u32| if count == 1 { "pod" } else { "pods" };
        let mut counts = vec![format!("{new_ready} of {desired} replicas updated")];
        let waiting = updated - new_ready;
        if waiting > 0 {
            counts.push(format!("{waiting} new {} not ready", pods(waiting)));
        }
        counts.push(format!("{old} old {} still there", pods(old)));
        counts
    }

    /// Why pods that are to be there could not be made: a quota, an admission rule.
    fn not_created(self, id: &ResourceId, object: &Value, around: &Around) -> Option<String> {
        let failure = condition(object, "ReplicaFailure").filter(|found| found["status"] == "True");
        let message = failure.map(said).or_else(|| {
            let missing = self.updated + self.old < self.desired;
            let event = || last_warning(&around.events, &id.kind, object, &["FailedCreate"]);
            missing.then(event).flatten().map(str::to_owned)
        });
        message.map(|message| format!("pods cannot be created: {message}"))
    }
}

/// Whether the time that the workload itself sets for a change has passed.
fn late(object: &Value) -> Option<String> {
    let progress = condition(object, "Progressing")?;
    let is_late = progress["status"] == "False" && progress["reason"] == "ProgressDeadlineExceeded";
    is_late.then(|| {
        let seconds = object["spec"]["progressDeadlineSeconds"]
            .as_i64()
            .unwrap_or(600);
        format!("no progress for {seconds} s (progressDeadlineSeconds)")
    })
}

/// Tells the pods of the newest template from older ones.
///
/// A Deployment names its newest ReplicaSet in its condition `Progressing`; the others number their
/// templates. Where nothing says it, the youngest pod is of the newest.
fn newest<'a>(object: &'a Value, around: &'a Around) -> impl Fn(&Value) -> bool + 'a {
    const HASHES: [&str; 3] = [
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
    ];
    let message = condition(object, "Progressing").and_then(|found| found["message"].as_str());
    let set = message.and_then(|message| message.split('"').nth(1));
    let revision = object["status"]["updateRevision"].as_str();
    let generation =
        object["metadata"]["annotations"]["deprecated.daemonset.template.generation"].as_str();
    let youngest = around
        .pods
        .iter()
        .max_by_key(|pod| pod["metadata"]["creationTimestamp"].as_str());
    move |pod| {
        let label = |name: &str| pod["metadata"]["labels"][name].as_str();
        if let Some(set) = set {
            return controller(pod).is_some_and(|owner| owner["name"] == set);
        }
        if revision.is_some() {
            return label("controller-revision-hash") == revision;
        }
        if generation.is_some() {
            return label("pod-template-generation") == generation;
        }
        youngest.is_none_or(|youngest| {
            HASHES
                .iter()
                .all(|hash| youngest["metadata"]["labels"][hash].as_str() == label(hash))
        })
    }
}

/// The worst pod in words, and how many more there are.
fn tell(found: &[Trouble]) -> Option<String> {
    let worst = found
        .iter()
        .max_by_key(|found| (found.hopeless, found.failing))?;
    // Of several that are as bad, the first.
    let rank = (worst.hopeless, worst.failing);
    let first = found
        .iter()
        .find(|found| (found.hopeless, found.failing) == rank)
        .unwrap_or(worst);
    let more = found.len() - 1;
    let name = &first.row.pod;
    let and = match more {
        0 => String::new(),
        1 => ", and 1 pod more".to_owned(),
        more => format!(", and {more} pods more"),
    };
    Some(format!("pod {name}: {}{and}", first.words))
}

fn pod(id: &ResourceId, object: &Value, around: &Around) -> ObjectState {
    let found = trouble(object, &around.events, around.now);
    let is_over = object["status"]["phase"] == "Succeeded";
    let (phase, reason) = match &found {
        None if is_over => (Phase::Running, "completed".to_owned()),
        None => (Phase::Running, "ready".to_owned()),
        Some(found) if found.failing => (Phase::Failed, found.words.clone()),
        Some(found) => (Phase::Pending, found.words.clone()),
    };
    ObjectState {
        replicas: Some(1),
        ready_replicas: Some(u32::from(found.is_none() && !is_over)),
        updated_replicas: Some(1),
        hopeless: found.as_ref().is_some_and(|found| found.hopeless),
        pods: found.into_iter().map(|found| found.row).collect(),
        ..status::state(id, object, phase, reason)
    }
}

fn job(id: &ResourceId, object: &Value, around: &Around) -> ObjectState {
    let (spec, status) = (&object["spec"], &object["status"]);
    let holds = |kind: &str| condition(object, kind).filter(|found| found["status"] == "True");
    let completions = number(&spec["completions"]).or_else(|| number(&spec["parallelism"]));
    let desired = completions.unwrap_or(1);
    let done = count(&status["succeeded"]);
    let completed = format!("{done} of {desired} pods completed");
    let numbers = |state: ObjectState| ObjectState {
        replicas: Some(desired),
        ready_replicas: Some(done),
        updated_replicas: Some(done.saturating_add(count(&status["active"]))),
        ..state
    };
    if holds("Complete").is_some() {
        return numbers(status::state(id, object, Phase::Running, completed));
    }
    let found: Vec<Trouble> = around
        .pods
        .iter()
        .filter_map(|pod| trouble(pod, &around.events, around.now))
        .collect();
    let failed = holds("Failed").or_else(|| holds("FailureTarget"));
    let mut parts = vec![completed];
    parts.extend(failed.map(|failed| format!("the job failed: {}", said(failed))));
    if holds("Suspended").is_some() || spec["suspend"] == true {
        parts.push("suspended".to_owned());
    }
    let event = last_warning(&around.events, &id.kind, object, &["FailedCreate"]);
    let not_created = event.filter(|_| found.is_empty() && count(&status["active"]) == 0);
    parts.extend(not_created.map(|message| format!("pods cannot be created: {message}")));
    parts.extend(tell(&found));
    let failing = not_created.is_some() || found.iter().any(|found| found.failing);
    let phase = if failed.is_some() || failing {
        Phase::Failed
    } else {
        Phase::Pending
    };
    let hopeless = failed.is_some() || found.iter().any(|found| found.hopeless);
    ObjectState {
        hopeless,
        pods: found.into_iter().map(|found| found.row).collect(),
        ..numbers(status::state(id, object, phase, parts.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::pods::tests::{at, crashing, missing, pod, ready, warning};
    use super::*;

    fn seen(kind: &str, object: &Value, pods: Vec<Value>, events: Vec<Value>) -> String {
        let group = match kind {
            "Job" => "batch",
            "Pod" => "",
            _ => "apps",
        };
        let id = ResourceId {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: "t".to_owned(),
            name: "web".to_owned(),
        };
        let around = Around {
            pods,
            events,
            now: at("04:09:00"),
        };
        let found = status::object_state(&id, Some(object), &around);
        let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
        format!(
            "{}/{}/{} {}{}: {}",
            number(found.updated_replicas),
            number(found.ready_replicas),
            number(found.replicas),
            found.status,
            if found.hopeless { " hopeless" } else { "" },
            found.reason
        )
    }

    fn workload(spec: Value, status: Value) -> Value {
        let mut object = json!({
            "metadata": { "name": "web", "namespace": "t", "generation": 2 },
            "spec": spec, "status": status,
        });
        object["status"]["observedGeneration"] = json!(2);
        object
    }

    /// A Deployment of three, with `replicas`, `updatedReplicas`, `readyReplicas`.
    fn deployment(all: u32, updated: u32, ready: u32, conditions: &[Value]) -> Value {
        let mut status = json!({ "conditions": conditions });
        for (name, count) in [
            ("replicas", all),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", ready),
        ] {
            // The server leaves zeros out.
            if count > 0 {
                status[name] = json!(count);
            }
        }
        workload(
            json!({ "replicas": 3, "progressDeadlineSeconds": 15 }),
            status,
        )
    }

    fn progressing(set: &str) -> Value {
        json!({
            "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
            "message": format!("ReplicaSet \"{set}\" is progressing."),
        })
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn deployments() {
        let good = |name: &str| pod(name, "x:0", &ready());
        let late = json!({
            "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
            "message": "ReplicaSet \"web-2\" has timed out progressing.",
        });
        let forbidden = json!({
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
            "message": "pods \"web-2-\" is forbidden: exceeded quota: q",
        });
        let mut unseen = deployment(3, 3, 3, &[]);
        unseen["metadata"]["generation"] = json!(3);
        let mut paused = deployment(4, 1, 3, &[]);
        paused["spec"]["paused"] = json!(true);
        let mut slow = deployment(3, 3, 3, &[]);
        slow["status"]["availableReplicas"] = json!(1);
        for (object, pods, expected) in [
            (
                deployment(3, 3, 3, &[]),
                vec![],
                "3/3/3 Running: 3 of 3 replicas ready",
            ),
            // Old pods that fail do not matter once all new ones are ready.
            (
                deployment(3, 3, 3, &[]),
                vec![pod("web-1-a", "x:1", &crashing(9))],
                "3/3/3 Running: 3 of 3 replicas ready",
            ),
            (
                unseen,
                vec![],
                "3/3/3 Pending: its controller has not seen the change yet",
            ),
            (
                deployment(3, 3, 2, &[]),
                vec![],
                "3/2/3 Pending: 2 of 3 replicas ready",
            ),
            (slow, vec![], "3/3/3 Pending: 1 of 3 replicas available"),
            (
                deployment(3, 3, 2, &[]),
                vec![
                    good("web-2-a"),
                    good("web-2-b"),
                    pod("web-2-c", "registry/x:1", &missing()),
                ],
                "3/2/3 Failed hopeless: 2 of 3 replicas ready; pod web-2-c: image pull back-off (registry/x:1: not found)",
            ),
            (
                deployment(3, 3, 0, &[]),
                vec![
                    pod("web-2-a", "x:1", &json!({})),
                    pod("web-2-b", "x:1", &crashing(1)),
                    pod("web-2-c", "x:1", &crashing(2)),
                ],
                "3/0/3 Failed: 0 of 3 replicas ready; pod web-2-b: crash loop (1 restart, last exit code 137, OOMKilled), and 2 pods more",
            ),
            // A rollout.
            (
                deployment(4, 1, 3, &[progressing("web-2")]),
                vec![
                    good("web-1-a"),
                    good("web-1-b"),
                    good("web-1-c"),
                    pod("web-2-a", "x:1", &missing()),
                ],
                "1/3/3 Failed hopeless: 0 of 3 replicas updated; 1 new pod not ready; 3 old pods still there; pod web-2-a: image pull back-off (x:1: not found)",
            ),
            (
                deployment(4, 2, 3, &[progressing("web-2")]),
                vec![
                    good("web-1-a"),
                    good("web-1-b"),
                    good("web-2-a"),
                    pod("web-2-b", "x:1", &json!({})),
                ],
                "2/3/3 Pending: 1 of 3 replicas updated; 1 new pod not ready; 2 old pods still there; pod web-2-b: starting",
            ),
            // The fix of what crashed: the old pods are hopeless, the rollout is not.
            (
                deployment(4, 1, 0, &[progressing("web-2")]),
                vec![
                    pod("web-1-a", "x:1", &crashing(9)),
                    pod("web-2-a", "x:2", &json!({})),
                ],
                "1/0/3 Pending: 0 of 3 replicas updated; 1 new pod not ready; 3 old pods still there; pod web-2-a: starting",
            ),
            (
                deployment(3, 3, 0, &[late]),
                vec![],
                "3/0/3 Failed hopeless: 0 of 3 replicas ready; no progress for 15 s (progressDeadlineSeconds)",
            ),
            (
                deployment(0, 0, 0, &[forbidden]),
                vec![],
                "0/0/3 Failed: 0 of 3 replicas ready; pods cannot be created: pods \"web-2-\" is forbidden: exceeded quota: q",
            ),
            (
                paused,
                vec![],
                "1/3/3 Pending: 0 of 3 replicas updated; 1 new pod not ready; 3 old pods still there; the rollout is paused",
            ),
            (
                workload(json!({ "replicas": 0 }), json!({})),
                vec![],
                "0/0/0 Running: 0 of 0 replicas ready",
            ),
            (
                workload(json!({}), json!({})),
                vec![],
                "0/0/1 Pending: 0 of 1 replicas ready",
            ),
            (
                json!({ "spec": 7, "status": [] }),
                vec![json!(3)],
                "0/0/1 Pending: its controller has not seen the change yet",
            ),
        ] {
            assert_eq!(
                seen("Deployment", &object, pods, vec![]),
                expected,
                "{object}"
            );
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn other_workloads() {
        let stateful = |spec: Value, status: Value| workload(spec, status);
        let revisions = |now: &str, next: &str, mut status: Value| {
            status["currentRevision"] = json!(now);
            status["updateRevision"] = json!(next);
            status
        };
        let quota = vec![warning(
            "StatefulSet",
            "web",
            "FailedCreate",
            "exceeded quota",
        )];
        for (kind, object, events, expected) in [
            (
                "StatefulSet",
                stateful(
                    json!({ "replicas": 2 }),
                    revisions("a", "a", json!({ "replicas": 2, "readyReplicas": 2 })),
                ),
                vec![],
                "2/2/2 Running: 2 of 2 replicas ready",
            ),
            (
                "StatefulSet",
                stateful(
                    json!({ "replicas": 2 }),
                    revisions(
                        "a",
                        "b",
                        json!({ "replicas": 2, "readyReplicas": 2, "updatedReplicas": 1 }),
                    ),
                ),
                vec![],
                "1/2/2 Pending: 1 of 2 replicas updated; 1 old pod still there",
            ),
            (
                "StatefulSet",
                stateful(
                    json!({ "replicas": 2, "updateStrategy": { "rollingUpdate": { "partition": 1 } } }),
                    revisions(
                        "a",
                        "b",
                        json!({ "replicas": 2, "readyReplicas": 2, "updatedReplicas": 1 }),
                    ),
                ),
                vec![],
                "1/2/2 Running: 2 of 2 replicas ready",
            ),
            (
                "StatefulSet",
                stateful(
                    json!({ "replicas": 2, "updateStrategy": { "type": "OnDelete" } }),
                    revisions("a", "b", json!({ "replicas": 2, "readyReplicas": 2 })),
                ),
                vec![],
                "0/2/2 Running: 2 of 2 replicas ready",
            ),
            (
                "StatefulSet",
                stateful(json!({ "replicas": 2 }), revisions("a", "a", json!({}))),
                quota.clone(),
                "0/0/2 Failed: 0 of 2 replicas ready; pods cannot be created: exceeded quota",
            ),
            // That it once could not be made does not matter when it is there.
            (
                "StatefulSet",
                stateful(
                    json!({ "replicas": 1 }),
                    revisions("a", "a", json!({ "replicas": 1 })),
                ),
                quota,
                "1/0/1 Pending: 0 of 1 replicas ready",
            ),
            (
                "DaemonSet",
                workload(
                    json!({}),
                    json!({
                    "currentNumberScheduled": 2, "desiredNumberScheduled": 2, "numberAvailable": 2,
                    "numberReady": 2, "updatedNumberScheduled": 2 }),
                ),
                vec![],
                "2/2/2 Running: 2 of 2 replicas ready",
            ),
            (
                "DaemonSet",
                workload(
                    json!({}),
                    json!({
                    "currentNumberScheduled": 2, "desiredNumberScheduled": 2, "numberAvailable": 2,
                    "numberReady": 2, "updatedNumberScheduled": 1 }),
                ),
                vec![],
                "1/2/2 Pending: 1 of 2 replicas updated; 1 old pod still there",
            ),
            (
                "ReplicaSet",
                workload(
                    json!({ "replicas": 2 }),
                    json!({ "replicas": 2, "readyReplicas": 1, "availableReplicas": 1 }),
                ),
                vec![],
                "2/1/2 Pending: 1 of 2 replicas ready",
            ),
        ] {
            assert_eq!(
                seen(kind, &object, vec![], events),
                expected,
                "{kind} {object}"
            );
        }
    }

    #[test]
    fn jobs() {
        let condition = |kind: &str, message: &str| json!([{ "type": kind, "status": "True", "message": message }]);
        let deadline = "Job was active longer than specified deadline";
        for (spec, status, pods, expected) in [
            (
                json!({}),
                json!({ "succeeded": 1, "conditions": condition("Complete", "") }),
                vec![],
                "1/1/1 Running: 1 of 1 pods completed",
            ),
            (
                json!({ "completions": 3 }),
                json!({ "succeeded": 1, "active": 1 }),
                vec![],
                "2/1/3 Pending: 1 of 3 pods completed",
            ),
            (
                json!({}),
                json!({ "failed": 1, "conditions": condition("Failed", deadline) }),
                vec![],
                "0/0/1 Failed hopeless: 0 of 1 pods completed; the job failed: Job was active longer than specified deadline",
            ),
            (
                json!({}),
                json!({ "active": 1 }),
                vec![pod("web-1-a", "x:1", &missing())],
                "1/0/1 Failed hopeless: 0 of 1 pods completed; pod web-1-a: image pull back-off (x:1: not found)",
            ),
            (
                json!({ "suspend": true }),
                json!({}),
                vec![],
                "0/0/1 Pending: 0 of 1 pods completed; suspended",
            ),
        ] {
            let object = workload(spec, status);
            assert_eq!(seen("Job", &object, pods, vec![]), expected, "{object}");
        }
        let refused = vec![warning("Job", "web", "FailedCreate", "exceeded quota")];
        assert_eq!(
            seen("Job", &workload(json!({}), json!({})), vec![], refused),
            "0/0/1 Failed: 0 of 1 pods completed; pods cannot be created: exceeded quota"
        );
    }

    #[test]
    fn bare_pods() {
        for (container, expected) in [
            (ready(), "1/1/1 Running: ready"),
            (json!({}), "1/0/1 Pending: starting"),
            (
                missing(),
                "1/0/1 Failed hopeless: image pull back-off (x:1: not found)",
            ),
        ] {
            assert_eq!(
                seen("Pod", &pod("a-1-b", "x:1", &container), vec![], vec![]),
                expected
            );
        }
    }
}
