//! What somebody else changed in an object since it was applied.

use serde_json::Value;

use crate::deploy::inventory::AppliedObject;
use crate::deploy::live::Drift;
use crate::path::Path;

use super::fields::{differences, matches, owners};

/// The fields of an object that are no longer what was applied; one row at the root if the object
/// is gone.
///
/// Only fields that we own are looked at, so that defaults and what controllers add are no drift.
/// Neither is the number of replicas that an autoscaler set.
pub(super) fn drift_of(applied: &AppliedObject, live: Option<&Value>) -> Vec<Drift> {
    // What the cluster has never answered to cannot have drifted.
    if applied.sent.is_empty() {
        return Vec::new();
    }
    let row = |path, was, is| Drift {
        resource: applied.id.clone(),
        path,
        applied: was,
        live: is,
    };
    let Some(live) = live else {
        return vec![row(Path::root(), None, None)];
    };
    if matches(&applied.fields, &applied.applied, live) {
        return Vec::new();
    }
    differences(&applied.fields, &applied.applied, live)
        .into_iter()
        .filter(|found| found.path != replicas() || !is_autoscaled(live))
        .map(|found| row(found.path, found.applied, found.live))
        .collect()
}

/// The number of pods of a workload.
fn replicas() -> Path {
    Path::root().key("spec").key("replicas")
}

/// Whether an autoscaler set the number of pods last.
///
/// The subresource `scale` alone does not tell: `kubectl scale` writes through it too, and what
/// people scale by hand is drift.
pub(super) fn is_autoscaled(live: &Value) -> bool {
    owners(live, &replicas()).any(|entry| {
        let manager = entry["manager"].as_str().unwrap_or_default();
        let manager = manager.to_ascii_lowercase();
        ["kube-controller-manager", "autoscal", "keda", "hpa"]
            .iter()
            .any(|known| manager.contains(known))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(replicas: u32, image: &str, managers: &[(&str, &str)]) -> Value {
        let entries: Vec<Value> = managers
            .iter()
            .map(|(manager, subresource)| {
                json!({
                    "manager": manager, "operation": "Update", "subresource": subresource,
                    "fieldsV1": { "f:spec": { "f:replicas": {} } },
                })
            })
            .collect();
        json!({
            "metadata": { "managedFields": entries },
            "spec": { "replicas": replicas, "image": image, "revisionHistoryLimit": 10 },
        })
    }

    #[test]
    fn drift_is_what_people_changed() {
        let sent = AppliedObject {
            sent: "abc".to_owned(),
            fields: json!({ "f:spec": { "f:replicas": {}, "f:image": {} } }),
            applied: json!({ "spec": { "replicas": 3, "image": "a:1" } }),
            ..AppliedObject::expected(crate::yaml::ResourceId::default(), "apps/v1".to_owned())
        };
        let kubectl = ("kubectl", "scale");
        let autoscaler = ("kube-controller-manager", "scale");
        for (live, expected) in [
            (None, vec!["= null -> null"]),
            (Some(live(3, "a:1", &[])), vec![]),
            (
                Some(live(5, "a:1", &[kubectl])),
                vec!["spec.replicas= 3 -> 5"],
            ),
            (
                Some(live(5, "a:1", &[("k9s", "scale")])),
                vec!["spec.replicas= 3 -> 5"],
            ),
            (Some(live(5, "a:1", &[autoscaler])), vec![]),
            (Some(live(5, "a:1", &[("KEDA-operator", "")])), vec![]),
            (
                Some(live(5, "a:2", &[autoscaler])),
                vec!["spec.image= \"a:1\" -> \"a:2\""],
            ),
            (
                Some(json!({ "metadata": {} })),
                vec!["spec.image= \"a:1\" -> null", "spec.replicas= 3 -> null"],
            ),
        ] {
            let mut rows: Vec<String> = drift_of(&sent, live.as_ref())
                .into_iter()
                .map(|row| {
                    let (was, is) = (
                        row.applied.unwrap_or_default(),
                        row.live.unwrap_or_default(),
                    );
                    format!("{}= {was} -> {is}", row.path)
                })
                .collect();
            rows.sort();
            assert_eq!(rows, expected, "{live:?}");
        }
        let never = AppliedObject {
            sent: String::new(),
            ..sent
        };
        assert_eq!(drift_of(&never, None), []);
    }
}
