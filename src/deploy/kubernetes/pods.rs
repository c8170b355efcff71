//! What keeps pods from being ready, in words.

use serde_json::Value;

use crate::clock::Timestamp;
use crate::deploy::live::PodState;

/// How long an image may not be there before it is taken for missing, in microseconds.
const IMAGE_PATIENCE: i64 = 60_000_000;

/// How often a pod may crash.
const CRASH_PATIENCE: u64 = 3;

/// A pod that is not ready, and what that means for what it is of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trouble {
    /// The pod's row in a table.
    pub(super) row: PodState,
    /// State and reason as part of a sentence.
    pub(super) words: String,
    /// Whether something failed, rather than not having come yet.
    pub(super) failing: bool,
    /// Whether waiting does not heal it.
    pub(super) hopeless: bool,
}

/// What is wrong with a pod; none if it is ready or has done its work.
pub(super) fn trouble(pod: &Value, events: &[Value], now: Timestamp) -> Option<Trouble> {
    let status = &pod["status"];
    let is_over = match status["phase"].as_str() {
        Some("Succeeded") => true,
        // One that was evicted has been replaced by now; only those of a job count.
        Some("Failed") => controller(pod).is_some_and(|owner| owner["kind"] != "Job"),
        _ => false,
    };
    if is_over || is_ready(pod) {
        return None;
    }
    let finding = if pod["metadata"]["deletionTimestamp"].is_string() {
        Finding::new("Terminating", "is being deleted")
    } else if status["phase"] == "Failed" {
        failed(pod)
    } else {
        let blocked = unscheduled(pod).or_else(|| blocked_container(pod, events, now));
        blocked.unwrap_or_else(|| waiting(pod, events))
    };
    Some(finding.of(pod))
}

/// Whether a pod takes traffic.
pub(super) fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True")
        && !pod["metadata"]["deletionTimestamp"].is_string()
}

/// What made a pod and replaces it.
pub(super) fn controller(pod: &Value) -> Option<&Value> {
    let owners = pod["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| owner["controller"] == true)
}

/// The condition of a type.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions
        .iter()
        .find(|condition| condition["type"] == kind)
}

/// The message of the last warning about an object with one of these reasons.
pub(super) fn last_warning<'a>(
    events: &'a [Value],
    kind: &str,
    object: &Value,
    reasons: &[&str],
) -> Option<&'a str> {
    let metadata = &object["metadata"];
    let about = |event: &&Value| {
        let about = &event["involvedObject"];
        let reason = event["reason"].as_str().unwrap_or_default();
        let same =
            about["uid"].is_null() || metadata["uid"].is_null() || about["uid"] == metadata["uid"];
        same && event["type"] == "Warning"
            && about["kind"] == kind
            && about["name"] == metadata["name"]
            && about["namespace"] == metadata["namespace"]
            && reasons.contains(&reason)
    };
    let last = events
        .iter()
        .filter(about)
        .max_by_key(|event| seen_at(event));
    last.and_then(|event| event["message"].as_str())
}

/// When an event was last seen: old and new events say it in different places.
fn seen_at(event: &Value) -> Option<Timestamp> {
    [
        &event["series"]["lastObservedTime"],
        &event["lastTimestamp"],
        &event["eventTime"],
        &event["firstTimestamp"],
    ]
    .into_iter()
    .find_map(time)
}

pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// What was found out about a pod.
struct Finding {
    state: String,
    reason: String,
    words: String,
    since: Option<Timestamp>,
    failing: bool,
    hopeless: bool,
}

impl Finding {
    fn new(state: &str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self {
            state: state.to_owned(),
            words: reason.clone(),
            reason,
            since: None,
            failing: false,
            hopeless: false,
        }
    }

    fn words(mut self, words: String) -> Self {
        self.words = words;
        self
    }

    fn of(self, pod: &Value) -> Trouble {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let not_ready = condition(pod, "Ready").map(|ready| &ready["lastTransitionTime"]);
        let since = self
            .since
            .or_else(|| not_ready.and_then(time))
            .or_else(|| time(&pod["metadata"]["creationTimestamp"]));
        Trouble {
            row: PodState {
                pod: text(&pod["metadata"]["name"]),
                node: text(&pod["spec"]["nodeName"]),
                since,
                state: self.state,
                reason: self.reason,
            },
            words: self.words,
            failing: self.failing,
            hopeless: self.hopeless,
        }
    }
}

/// A pod that has ended and will not be started again.
fn failed(pod: &Value) -> Finding {
    let status = &pod["status"];
    let state = status["reason"].as_str().unwrap_or("Failed");
    let ended = containers(pod).find_map(|(container, _)| exit(&container["state"]["terminated"]));
    let message = status["message"].as_str().map(str::to_owned);
    let reason = message.or(ended).unwrap_or_else(|| "it failed".to_owned());
    let words = format!("failed: {reason}");
    // A job makes another one, until it has had enough.
    let is_final = controller(pod).is_none();
    Finding {
        failing: is_final,
        hopeless: is_final,
        ..Finding::new(state, reason).words(words)
    }
}

/// How a container ended, if not well.
fn exit(terminated: &Value) -> Option<String> {
    let code = terminated["exitCode"].as_i64().filter(|code| *code != 0)?;
    Some(match terminated["reason"].as_str() {
        None | Some("Error") => format!("exit code {code}"),
        Some(reason) => format!("exit code {code}, {reason}"),
    })
}

/// A pod that no node was found for.
fn unscheduled(pod: &Value) -> Option<Finding> {
    let scheduled = condition(pod, "PodScheduled").filter(|found| found["status"] == "False")?;
    let message = scheduled["message"].as_str().unwrap_or("no node yet");
    // What follows tells how the scheduler tried to help itself.
    let ends = [
        ". no new claims",
        ". preemption:",
        " preemption:",
        ". not found",
    ];
    let end = ends.iter().filter_map(|end| message.find(end)).min();
    let message = &message[..end.unwrap_or(message.len())];
    let state = scheduled["reason"].as_str().unwrap_or("Unschedulable");
    let words =
        if message.contains("PersistentVolumeClaim") || message.contains("persistentvolumeclaim") {
            format!("waits for a volume: {message}")
        } else if state == "SchedulingGated" {
            format!("held back from scheduling: {message}")
        } else {
            format!("unschedulable: {message}")
        };
    Some(Finding {
        since: time(&scheduled["lastTransitionTime"]),
        ..Finding::new(state, message).words(words)
    })
}

/// The containers' states, those that run first first, and whether it is such a one.
fn containers(pod: &Value) -> impl Iterator<Item = (&Value, bool)> {
    let list = |name: &str| pod["status"][name].as_array().into_iter().flatten();
    let first = list("initContainerStatuses").map(|container| (container, true));
    first.chain(list("containerStatuses").map(|container| (container, false)))
}

/// A pod with a container that cannot start.
fn blocked_container(pod: &Value, events: &[Value], now: Timestamp) -> Option<Finding> {
    containers(pod).find_map(|(container, is_first)| {
        let waiting = &container["state"]["waiting"];
        let message = waiting["message"].as_str().unwrap_or_default();
        match waiting["reason"].as_str() {
            Some(
                state @ ("ImagePullBackOff"
                | "ErrImagePull"
                | "InvalidImageName"
                | "ErrImageNeverPull"
                | "ImageInspectError"
                | "RegistryUnavailable"),
            ) => {
                let since = waits_since(pod, container, is_first);
                Some(image(pod, container, state, events, since, now))
            }
            Some("CrashLoopBackOff") => Some(crash(container)),
            Some(
                state @ ("CreateContainerConfigError"
                | "CreateContainerError"
                | "RunContainerError"
                | "PostStartHookError"
                | "PreCreateHookError"),
            ) => {
                let words = format!("container cannot start: {message}");
                Some(Finding {
                    failing: true,
                    ..Finding::new(state, message).words(words)
                })
            }
            _ => exit(&container["state"]["terminated"]).map(|_| crash(container)),
        }
    })
}

/// Since when a container can have waited for its image. Kubernetes does not say it: not before
/// the pod was on its node, those that run first were done, and the container last ended.
fn waits_since(pod: &Value, container: &Value, is_first: bool) -> Option<Timestamp> {
    let first_done = containers(pod)
        .filter(|(_, other_is_first)| *other_is_first)
        .filter_map(|(other, _)| time(&other["state"]["terminated"]["finishedAt"]))
        .max();
    let initialized = condition(pod, "Initialized")
        .filter(|found| !is_first && found["status"] == "True")
        .and_then(|found| time(&found["lastTransitionTime"]));
    let ended = time(&container["lastState"]["terminated"]["finishedAt"]);
    let started = time(&pod["status"]["startTime"]);
    [started, first_done, initialized, ended]
        .into_iter()
        .flatten()
        .max()
}

fn image(
    pod: &Value,
    container: &Value,
    state: &str,
    events: &[Value],
    since: Option<Timestamp>,
    now: Timestamp,
) -> Finding {
    let name = container["image"].as_str().unwrap_or("image");
    let message = container["state"]["waiting"]["message"].as_str();
    let event = last_warning(events, "Pod", pod, &["Failed", "InspectFailed"]);
    let told = [message, event];
    let (why, heals) = told
        .into_iter()
        .flatten()
        .find_map(|text| pull_failure(&text.to_ascii_lowercase()))
        .unwrap_or(match state {
            "InvalidImageName" => ("not a valid name", false),
            "ErrImageNeverPull" => ("not on the node, and never pulled", false),
            _ => ("cannot be pulled", false),
        });
    let reason = format!("{name}: {why}");
    let age = since.map_or(0, |since| {
        now.microseconds().saturating_sub(since.microseconds())
    });
    let words = match state {
        "ImagePullBackOff" => format!("image pull back-off ({reason})"),
        "InvalidImageName" => format!("invalid image name ({reason})"),
        _ => format!("image pull failed ({reason})"),
    };
    Finding {
        since,
        failing: true,
        hopeless: !heals && age >= IMAGE_PATIENCE,
        ..Finding::new(state, reason).words(words)
    }
}

/// Why an image could not be pulled, and whether that can pass by itself.
fn pull_failure(text: &str) -> Option<(&'static str, bool)> {
    const KNOWN: &[(&[&str], &str, bool)] = &[
        (
            &[
                "no such host",
                "i/o timeout",
                "connection refused",
                "tls handshake",
                "unavailable",
            ],
            "the registry is not reached",
            true,
        ),
        (
            &["toomanyrequests", "too many requests"],
            "the registry limits pulls",
            true,
        ),
        (
            &[
                "unauthorized",
                "authorization failed",
                "access denied",
                "authentication required",
                "forbidden",
            ],
            "access denied",
            false,
        ),
        (
            &[
                "not found",
                "notfound",
                "manifest unknown",
                "does not exist",
            ],
            "not found",
            false,
        ),
    ];
    let known = KNOWN
        .iter()
        .find(|(parts, ..)| parts.iter().any(|part| text.contains(part)));
    known.map(|(_, words, heals)| (*words, *heals))
}

fn crash(container: &Value) -> Finding {
    let restarts = container["restartCount"].as_u64().unwrap_or_default();
    let last = exit(&container["state"]["terminated"])
        .or_else(|| exit(&container["lastState"]["terminated"]))
        .unwrap_or_else(|| "exit code 0".to_owned());
    let times = if restarts == 1 { "restart" } else { "restarts" };
    let reason = format!("{restarts} {times}, last {last}");
    let is_loop = container["state"]["waiting"].is_object();
    let (state, words) = if is_loop {
        ("CrashLoopBackOff", format!("crash loop ({reason})"))
    } else {
        ("Error", format!("crashed ({reason})"))
    };
    Finding {
        failing: true,
        hopeless: restarts >= CRASH_PATIENCE,
        ..Finding::new(state, reason).words(words)
    }
}

/// A pod in which nothing has failed, and which is not ready yet.
fn waiting(pod: &Value, events: &[Value]) -> Finding {
    let is_running = containers(pod)
        .any(|(container, is_first)| !is_first && container["state"]["running"].is_object());
    if !is_running {
        let blocked = [
            "FailedMount",
            "FailedAttachVolume",
            "FailedCreatePodSandBox",
        ];
        return match last_warning(events, "Pod", pod, &blocked) {
            Some(message) => Finding::new("ContainerCreating", message)
                .words(format!("cannot be set up: {message}")),
            None => Finding::new("Pending", "starting"),
        };
    }
    if let Some(message) = last_warning(events, "Pod", pod, &["Unhealthy"]) {
        return Finding::new("NotReady", message).words(probe(message));
    }
    let gate = condition(pod, "Ready").filter(|ready| ready["reason"] == "ReadinessGatesNotReady");
    match gate.and_then(|ready| ready["message"].as_str()) {
        Some(message) => Finding::new("NotReady", message),
        None => Finding::new("NotReady", "runs and is not ready yet"),
    }
}

/// `Readiness probe failed: …` as part of a sentence.
fn probe(message: &str) -> String {
    let message = message.trim();
    match message.split_once(" probe failed: ") {
        Some((which, why)) => format!("{} probe fails ({why})", which.to_ascii_lowercase()),
        None => format!("probe fails ({message})"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// The time of the shapes below: pods were made at 04:07:35.
    pub(in super::super) fn at(text: &str) -> Timestamp {
        format!("2026-11-26T{text}Z").parse().expect("a time")
    }

    /// A pod of a ReplicaSet with one container, as a cluster of version 1.36 tells of it.
    pub(in super::super) fn pod(name: &str, image: &str, container: &Value) -> Value {
        let (set, _) = name.rsplit_once('-').unwrap_or((name, ""));
        let (_, hash) = set.rsplit_once('-').unwrap_or(("", set));
        let is_ready = container["ready"] == true;
        let condition = |kind: &str, holds: bool| {
            json!({
                "type": kind, "status": if holds { "True" } else { "False" },
                "lastTransitionTime": "2026-11-26T04:07:35Z", "lastProbeTime": null,
            })
        };
        let mut container = container.clone();
        container["name"] = json!("api");
        container["image"] = json!(image);
        json!({
            "metadata": {
                "name": name, "namespace": "t", "uid": format!("uid-{name}"),
                "creationTimestamp": "2026-11-26T04:07:35Z",
                "labels": { "pod-template-hash": hash },
                "ownerReferences": [{ "kind": "ReplicaSet", "name": set, "controller": true }],
            },
            "spec": { "nodeName": "node-1" },
            "status": {
                "phase": "Pending", "startTime": "2026-11-26T04:07:35Z",
                "conditions": [
                    condition("Initialized", true), condition("PodScheduled", true),
                    condition("Ready", is_ready),
                ],
                "containerStatuses": [container],
            },
        })
    }

    pub(in super::super) fn ready() -> Value {
        json!({ "ready": true, "restartCount": 0, "state": { "running": {} } })
    }

    pub(in super::super) fn missing() -> Value {
        json!({
            "ready": false, "restartCount": 0, "lastState": {},
            "state": { "waiting": {
                "reason": "ImagePullBackOff",
                "message": "Back-off pulling image \"x:1\": ErrImagePull: rpc error: code = NotFound \
                            desc = failed to pull and unpack image \"x:1\": x:1: not found",
            } },
        })
    }

    pub(in super::super) fn crashing(restarts: u32) -> Value {
        json!({
            "ready": false, "restartCount": restarts,
            "lastState": { "terminated": {
                "exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-26T04:07:35Z" } },
            "state": { "waiting": {
                "reason": "CrashLoopBackOff",
                "message": "back-off 40s restarting failed container=api",
            } },
        })
    }

    pub(in super::super) fn warning(kind: &str, name: &str, reason: &str, message: &str) -> Value {
        json!({
            "type": "Warning", "reason": reason, "message": message,
            "involvedObject": { "kind": kind, "name": name, "namespace": "t" },
            "lastTimestamp": "2026-11-26T04:07:40Z", "eventTime": null,
        })
    }

    fn waits(reason: &str, message: &str) -> Value {
        json!({ "ready": false, "state": { "waiting": { "reason": reason, "message": message } } })
    }

    fn with(mut pod: Value, pointer: &str, new: Value) -> Value {
        let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
        pod.pointer_mut(parent).expect("a place")[last] = new;
        pod
    }

    fn seen(pod: &Value, events: &[Value], now: Timestamp) -> String {
        trouble(pod, events, now).map_or_else(
            || "none".to_owned(),
            |found| {
                let failing = if found.failing { " failing" } else { "" };
                let hopeless = if found.hopeless { " hopeless" } else { "" };
                format!(
                    "{} | {} | {}{failing}{hopeless}",
                    found.row.state, found.row.reason, found.words
                )
            },
        )
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn what_keeps_a_pod_from_being_ready() {
        let running = || json!({ "ready": false, "state": { "running": {} } });
        let a = |container: &Value| pod("web-1-a", "x:1", container);
        let unscheduled = |reason: &str, message: &str| {
            let condition = json!([{
                "type": "PodScheduled", "status": "False", "reason": reason, "message": message,
                "lastTransitionTime": "2026-11-26T04:07:46Z" }]);
            with(a(&json!({})), "/status/conditions", condition)
        };
        let event = |reason: &str, message: &str| vec![warning("Pod", "web-1-a", reason, message)];
        for (pod, events, now, expected) in [
            (a(&ready()), vec![], "04:07:40", "none"),
            (
                with(a(&running()), "/status/phase", json!("Succeeded")),
                vec![],
                "04:07:40",
                "none",
            ),
            (
                a(&missing()),
                vec![],
                "04:08:34",
                "ImagePullBackOff | x:1: not found | image pull back-off (x:1: not found) failing",
            ),
            (
                a(&missing()),
                vec![],
                "04:08:35",
                "ImagePullBackOff | x:1: not found | image pull back-off (x:1: not found) failing hopeless",
            ),
            // A registry that is not reached may be reached later; a clock behind ours is no age.
            (
                a(&waits("ErrImagePull", "dial tcp: lookup r: no such host")),
                vec![],
                "05:00:00",
                "ErrImagePull | x:1: the registry is not reached | image pull failed (x:1: the registry is not reached) failing",
            ),
            (
                a(&waits(
                    "ErrImagePull",
                    "pull access denied, repository does not exist",
                )),
                vec![],
                "04:00:00",
                "ErrImagePull | x:1: access denied | image pull failed (x:1: access denied) failing",
            ),
            (
                a(&waits("ImagePullBackOff", "Back-off pulling image \"x:1\"")),
                event("Failed", "Failed to pull image \"x:1\": manifest unknown"),
                "04:07:36",
                "ImagePullBackOff | x:1: not found | image pull back-off (x:1: not found) failing",
            ),
            // As the test cluster tells it.
            (
                a(&waits("ImagePullBackOff", "Back-off pulling image \"x:1\"")),
                event("Failed", "Error - ImagePullBackOff"),
                "04:07:36",
                "ImagePullBackOff | x:1: cannot be pulled | image pull back-off (x:1: cannot be pulled) failing",
            ),
            (
                a(&crashing(1)),
                vec![],
                "04:07:40",
                "CrashLoopBackOff | 1 restart, last exit code 137, OOMKilled | crash loop (1 restart, last exit code 137, OOMKilled) failing",
            ),
            (
                a(&crashing(3)),
                vec![],
                "04:07:40",
                "CrashLoopBackOff | 3 restarts, last exit code 137, OOMKilled | crash loop (3 restarts, last exit code 137, OOMKilled) failing hopeless",
            ),
            (
                a(
                    &json!({ "ready": false, "state": { "terminated": { "exitCode": 2, "reason": "Error" } } }),
                ),
                vec![],
                "04:07:40",
                "Error | 0 restarts, last exit code 2 | crashed (0 restarts, last exit code 2) failing",
            ),
            (
                a(&waits(
                    "CreateContainerConfigError",
                    "secret \"s\" not found",
                )),
                vec![],
                "04:07:40",
                "CreateContainerConfigError | secret \"s\" not found | container cannot start: secret \"s\" not found failing",
            ),
            (
                a(&waits("ContainerCreating", "")),
                vec![],
                "04:07:40",
                "Pending | starting | starting",
            ),
            (
                a(&waits("ContainerCreating", "")),
                event("FailedMount", "no such volume"),
                "04:07:40",
                "ContainerCreating | no such volume | cannot be set up: no such volume",
            ),
            (
                a(&running()),
                vec![],
                "04:07:40",
                "NotReady | runs and is not ready yet | runs and is not ready yet",
            ),
            (
                a(&running()),
                event(
                    "Unhealthy",
                    "Readiness probe failed: HTTP probe failed with statuscode: 503",
                ),
                "04:07:40",
                "NotReady | Readiness probe failed: HTTP probe failed with statuscode: 503 | readiness probe fails (HTTP probe failed with statuscode: 503)",
            ),
            // The event is of another pod that had the same name.
            (
                a(&running()),
                vec![with(
                    warning("Pod", "web-1-a", "Unhealthy", "x"),
                    "/involvedObject/uid",
                    json!("other"),
                )],
                "04:07:40",
                "NotReady | runs and is not ready yet | runs and is not ready yet",
            ),
            (
                unscheduled(
                    "Unschedulable",
                    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available",
                ),
                vec![],
                "04:07:50",
                "Unschedulable | 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector | unschedulable: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector",
            ),
            (
                unscheduled(
                    "Unschedulable",
                    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found",
                ),
                vec![],
                "04:07:50",
                "Unschedulable | 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims | waits for a volume: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims",
            ),
            (
                with(
                    a(&ready()),
                    "/metadata/deletionTimestamp",
                    json!("2026-11-26T04:07:39Z"),
                ),
                vec![],
                "04:07:40",
                "Terminating | is being deleted | is being deleted",
            ),
            // One that was evicted has been replaced; one that nobody replaces stays failed.
            (
                with(a(&running()), "/status/phase", json!("Failed")),
                vec![],
                "04:07:40",
                "none",
            ),
            (
                with(
                    with(
                        a(&running()),
                        "/status",
                        json!({ "phase": "Failed", "reason": "Evicted", "message": "out of disk" }),
                    ),
                    "/metadata/ownerReferences",
                    json!(null),
                ),
                vec![],
                "04:07:40",
                "Evicted | out of disk | failed: out of disk failing hopeless",
            ),
            (
                json!(null),
                vec![json!(1)],
                "04:07:40",
                "Pending | starting | starting",
            ),
        ] {
            assert_eq!(seen(&pod, &events, at(now)), expected, "{pod}");
        }
    }

    #[test]
    fn an_image_is_waited_for_since_the_container_could_start() {
        let main = |first: Value, conditions: Value| {
            let pod = with(
                pod("web-1-a", "x:1", &missing()),
                "/status/conditions",
                conditions,
            );
            with(pod, "/status/initContainerStatuses", first)
        };
        let done = json!([{ "state": { "terminated": {
            "exitCode": 0, "finishedAt": "2026-11-26T04:20:00Z" } } }]);
        let initialized = json!([{
            "type": "Initialized", "status": "True", "lastTransitionTime": "2026-11-26T04:21:00Z" }]);
        for (pod, since) in [
            (pod("web-1-a", "x:1", &missing()), "04:07:35"),
            (main(done.clone(), json!([])), "04:20:00"),
            (main(done, initialized), "04:21:00"),
        ] {
            let row = trouble(&pod, &[], at("04:30:00")).expect("trouble").row;
            assert_eq!(row.since, Some(at(since)), "{pod}");
            assert_eq!(row.node, "node-1");
        }
    }
}
