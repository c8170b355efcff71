//! How an object fares, from what the cluster says of it, its pods and its events.

use serde_json::Value;

use crate::clock::Timestamp;
use crate::deploy::kind::kind;
use crate::deploy::live::{Condition, ObjectState, Phase};
use crate::yaml::ResourceId;

use super::pods::condition;
use super::workload;

/// What is known of the surroundings of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// The pods of the workload, old ones included.
    pub(super) pods: Vec<Value>,
    /// Events of its namespace.
    pub(super) events: Vec<Value>,
    /// The time at which this was looked up.
    pub(super) now: Timestamp,
}

/// How an object fares, found with `object` as it is in the cluster; none if it is not there.
pub(super) fn object_state(
    id: &ResourceId,
    object: Option<&Value>,
    around: &Around,
) -> ObjectState {
    let Some(object) = object else {
        return ObjectState {
            hopeless: true,
            ..state(id, &Value::Null, Phase::Failed, "is gone")
        };
    };
    if object["metadata"]["deletionTimestamp"].is_string() {
        return state(id, object, Phase::Pending, deletion(object));
    }
    let of_kind = match (id.group.as_str(), id.kind.as_str()) {
        ("", "Namespace") => namespace(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("apiregistration.k8s.io", "APIService") => api_service(object),
        (group, name) => {
            if let Some(state) = workload::state(id, object, around) {
                return state;
            }
            if is_custom(group, name) {
                custom(object)
            } else {
                Verdict::running("exists")
            }
        }
    };
    ObjectState {
        hopeless: of_kind.hopeless,
        ..state(id, object, of_kind.phase, of_kind.reason)
    }
}

/// The state of an object without pods.
pub(super) fn state(
    id: &ResourceId,
    object: &Value,
    status: Phase,
    reason: impl Into<String>,
) -> ObjectState {
    ObjectState {
        resource: id.clone(),
        status,
        reason: reason.into(),
        replicas: None,
        ready_replicas: None,
        updated_replicas: None,
        conditions: conditions(object),
        pods: Vec::new(),
        hopeless: false,
    }
}

struct Verdict {
    phase: Phase,
    reason: String,
    hopeless: bool,
}

impl Verdict {
    fn new(phase: Phase, reason: impl Into<String>) -> Self {
        Self {
            phase,
            reason: reason.into(),
            hopeless: false,
        }
    }

    fn running(reason: &str) -> Self {
        Self::new(Phase::Running, reason)
    }

    fn pending(reason: impl Into<String>) -> Self {
        Self::new(Phase::Pending, reason)
    }
}

/// All conditions, in the cluster's order.
fn conditions(object: &Value) -> Vec<Condition> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = object["status"]["conditions"].as_array();
    all.into_iter()
        .flatten()
        .map(|condition| Condition {
            kind: text(&condition["type"]),
            status: text(&condition["status"]),
            reason: text(&condition["reason"]),
            message: text(&condition["message"]),
        })
        .collect()
}

/// What a condition says, as part of a sentence.
pub(super) fn said(condition: &Value) -> String {
    let part = |name: &str| condition[name].as_str().filter(|text| !text.is_empty());
    part("message")
        .or_else(|| part("reason"))
        .unwrap_or("no reason given")
        .trim_end_matches('.')
        .to_owned()
}

fn deletion(object: &Value) -> String {
    let finalizers = object["metadata"]["finalizers"].as_array();
    let names: Vec<&str> = finalizers
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if names.is_empty() {
        "is being deleted".to_owned()
    } else {
        format!("is being deleted, waits for {}", names.join(", "))
    }
}

fn namespace(object: &Value) -> Verdict {
    match object["status"]["phase"].as_str() {
        Some("Active") => Verdict::running("active"),
        Some("Terminating") => Verdict::pending("is being deleted"),
        _ => Verdict::pending("not active yet"),
    }
}

fn definition(object: &Value) -> Verdict {
    let is = |kind: &str, status: &str| {
        condition(object, kind).filter(|found| found["status"] == status)
    };
    if is("Established", "True").is_some() {
        return Verdict::running("established");
    }
    match is("NamesAccepted", "False") {
        Some(refused) => Verdict {
            hopeless: true,
            ..Verdict::new(
                Phase::Failed,
                format!("names not accepted: {}", said(refused)),
            )
        },
        None => Verdict::pending("not established yet"),
    }
}

fn api_service(object: &Value) -> Verdict {
    match condition(object, "Available") {
        Some(found) if found["status"] == "True" => Verdict::running("available"),
        Some(found) => Verdict::pending(format!("not available: {}", said(found))),
        None => Verdict::pending("not available yet"),
    }
}

/// Whether a kind comes from a definition in the cluster.
fn is_custom(group: &str, name: &str) -> bool {
    let is_foreign = group.contains('.') && !group.ends_with(".k8s.io");
    is_foreign || (!group.is_empty() && kind(name).kind.is_empty())
}

/// A custom resource, by the conventions that most controllers keep.
fn custom(object: &Value) -> Verdict {
    if !is_observed(object, false) {
        return Verdict::pending("its controller has not seen the change yet");
    }
    if let Some(stalled) = condition(object, "Stalled").filter(|found| found["status"] == "True") {
        return Verdict::new(Phase::Failed, format!("stalled: {}", said(stalled)));
    }
    match condition(object, "Ready") {
        None => Verdict::running("exists"),
        Some(ready) if ready["status"] == "True" => Verdict::running("ready"),
        Some(ready) => Verdict::pending(format!("not ready: {}", said(ready))),
    }
}

/// Whether what `status` says is of the object as it is now. `must_say`: whether an object without
/// `observedGeneration` has not been looked at.
pub(super) fn is_observed(object: &Value, must_say: bool) -> bool {
    let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
    match object["status"]["observedGeneration"].as_i64() {
        Some(observed) => observed >= generation,
        None => !must_say,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(group: &str, kind: &str, object: Option<&Value>) -> String {
        let id = ResourceId {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: String::new(),
            name: "a".to_owned(),
        };
        let state = object_state(&id, object, &Around::default());
        assert_eq!(state.resource, id);
        let hopeless = if state.hopeless { " hopeless" } else { "" };
        format!("{}: {}{hopeless}", state.status, state.reason)
    }

    fn having(conditions: &[(&str, &str, &str)]) -> Value {
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|(kind, status, message)| json!({ "type": kind, "status": status, "message": message }))
            .collect();
        json!({
            "metadata": { "generation": 2 },
            "status": { "observedGeneration": 2, "conditions": conditions },
        })
    }

    #[test]
    fn objects_without_pods() {
        let crd = ("apiextensions.k8s.io", "CustomResourceDefinition");
        let api = ("apiregistration.k8s.io", "APIService");
        let cert = ("cert-manager.io", "Certificate");
        let deleted = json!({ "metadata": {
            "deletionTimestamp": "2026-11-26T04:07:35Z", "finalizers": ["a/b", "c/d"] } });
        for ((group, kind), object, expected) in [
            (("", "ConfigMap"), json!({}), "Running: exists"),
            (
                ("", "ConfigMap"),
                deleted,
                "Pending: is being deleted, waits for a/b, c/d",
            ),
            (
                ("networking.k8s.io", "Ingress"),
                having(&[("Ready", "False", "x")]),
                "Running: exists",
            ),
            (
                ("", "Namespace"),
                json!({ "status": { "phase": "Active" } }),
                "Running: active",
            ),
            (
                ("", "Namespace"),
                json!({ "status": { "phase": "Terminating" } }),
                "Pending: is being deleted",
            ),
            (("", "Namespace"), json!({}), "Pending: not active yet"),
            (
                crd,
                having(&[("NamesAccepted", "True", ""), ("Established", "True", "")]),
                "Running: established",
            ),
            (
                crd,
                having(&[("NamesAccepted", "True", "")]),
                "Pending: not established yet",
            ),
            (
                crd,
                having(&[
                    ("NamesAccepted", "False", "\"foos\" is already in use"),
                    ("Established", "False", ""),
                ]),
                "Failed: names not accepted: \"foos\" is already in use hopeless",
            ),
            (
                api,
                having(&[("Available", "True", "")]),
                "Running: available",
            ),
            (
                api,
                having(&[("Available", "False", "endpoints not found.")]),
                "Pending: not available: endpoints not found",
            ),
            (api, json!({}), "Pending: not available yet"),
            (cert, json!({}), "Running: exists"),
            (cert, having(&[("Ready", "True", "")]), "Running: ready"),
            (
                cert,
                having(&[("Ready", "False", "no issuer")]),
                "Pending: not ready: no issuer",
            ),
            (
                cert,
                having(&[("Ready", "Unknown", "")]),
                "Pending: not ready: no reason given",
            ),
            (
                cert,
                having(&[("Ready", "False", ""), ("Stalled", "True", "bad")]),
                "Failed: stalled: bad",
            ),
            (
                cert,
                json!({ "metadata": { "generation": 2 }, "status": { "observedGeneration": 1 } }),
                "Pending: its controller has not seen the change yet",
            ),
            // Kinds with the names of others, in groups of their own.
            (
                ("serving.knative.dev", "Service"),
                having(&[("Ready", "False", "x")]),
                "Pending: not ready: x",
            ),
            (("example.com", "Deployment"), json!({}), "Running: exists"),
            (
                ("gateway.networking.k8s.io", "Gateway"),
                having(&[("Ready", "False", "x")]),
                "Pending: not ready: x",
            ),
            (("", "ConfigMap"), json!([7]), "Running: exists"),
            (cert, json!("text"), "Running: exists"),
        ] {
            assert_eq!(
                seen(group, kind, Some(&object)),
                expected,
                "{group}/{kind} {object}"
            );
        }
        assert_eq!(seen("apps", "Deployment", None), "Failed: is gone hopeless");
    }

    #[test]
    fn conditions_are_told_as_they_are() {
        let id = ResourceId::default();
        let object = json!({ "status": { "conditions": [
            { "type": "Ready", "status": "True", "reason": "Ok", "message": "all well" }, 7 ] } });
        let state = object_state(&id, Some(&object), &Around::default());
        let first = Condition {
            kind: "Ready".to_owned(),
            status: "True".to_owned(),
            reason: "Ok".to_owned(),
            message: "all well".to_owned(),
        };
        assert_eq!(state.conditions[0], first);
        assert_eq!(state.conditions.len(), 2);
    }
}
