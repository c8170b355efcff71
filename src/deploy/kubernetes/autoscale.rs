//! Workloads whose number of pods an autoscaler decides.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;

use crate::deploy::object::Object;
use crate::yaml::ResourceId;

use super::answer::Failure;
use super::connect::Api;
use super::discovery::Resource;
use super::{fields, mark};

/// In more namespaces than this, autoscalers are listed for all of them at once.
const NAMESPACES: usize = 8;

/// The workloads that autoscalers scale, as `group/Kind/namespace/name`.
#[derive(Debug, Default)]
pub(super) struct Autoscaled(BTreeSet<String>);

impl Autoscaled {
    pub(super) fn contains(&self, id: &ResourceId) -> bool {
        !self.0.is_empty() && self.0.contains(&id.full())
    }

    /// Adds the workload that an autoscaler scales.
    fn add(&mut self, autoscaler: &Value, namespace: &str) -> Option<()> {
        let target = autoscaler.get("spec")?.get("scaleTargetRef")?;
        let text = |key| target.get(key).and_then(Value::as_str);
        let version = text("apiVersion").unwrap_or_default();
        let id = ResourceId {
            group: version
                .split_once('/')
                .map_or("", |(group, _)| group)
                .to_owned(),
            kind: text("kind")?.to_owned(),
            namespace: namespace.to_owned(),
            name: text("name")?.to_owned(),
        };
        self.0.insert(id.full());
        Some(())
    }

    /// Adds what the autoscalers among objects scale.
    pub(super) fn extend<'a>(&mut self, objects: impl IntoIterator<Item = &'a Object>) {
        for object in objects {
            if object.id.kind == "HorizontalPodAutoscaler" {
                self.add(&object.value, &object.id.namespace);
            }
        }
    }
}

impl Api {
    /// Finds the autoscalers in namespaces. Where they may not be seen, there are none for us.
    pub(super) async fn autoscaled(
        &self,
        namespaces: &BTreeSet<&str>,
    ) -> Result<Autoscaled, Failure> {
        let [version, kind, plural] = [
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
        ]
        .map(str::to_owned);
        let resource = Arc::new(Resource::planned(version, kind, plural, true));
        let places: Vec<&str> = if namespaces.len() > NAMESPACES {
            vec![""]
        } else {
            namespaces.iter().copied().collect()
        };
        let lists = places.iter().map(|namespace| {
            let address = resource.collection(namespace);
            async move { self.list(&address).await }
        });
        let mut autoscaled = Autoscaled::default();
        for list in join_all(lists).await {
            let items = match list {
                Err(failure) if failure.is_lost() => return Err(failure),
                list => list.unwrap_or_default(),
            };
            for item in &items {
                autoscaled.add(item, mark::metadata(item, "namespace"));
            }
        }
        Ok(autoscaled)
    }
}

/// The number of pods that an object says.
pub(super) fn replicas(object: &Value) -> Option<&Value> {
    object
        .get("spec")?
        .get("replicas")
        .filter(|value| !value.is_null())
}

/// Whether it has to be known if an autoscaler scales a workload: the cluster has another number
/// of pods than the unit, or the number is not ours.
pub(super) fn is_in_doubt(desired: &Value, live: &Value) -> bool {
    let Some(wanted) = replicas(desired) else {
        return false;
    };
    let owned = fields::owned(live).is_some_and(has_replicas);
    !owned || replicas(live) != Some(wanted)
}

/// Whether the number of pods is among fields.
pub(super) fn has_replicas(fields: &Value) -> bool {
    fields["f:spec"]["f:replicas"].is_object()
}

/// What is sent of a workload that an autoscaler scales: the number of pods that it has, and none
/// once the autoscaler has taken the field over.
pub(super) fn yield_replicas(mut desired: Value, live: &Value) -> Value {
    let is_others = is_others(live);
    let now = replicas(live).cloned();
    if let Some(spec) = desired.get_mut("spec").and_then(Value::as_object_mut) {
        match now {
            Some(now) if !is_others => spec.insert("replicas".to_owned(), now),
            _ => spec.shift_remove("replicas"),
        };
    }
    desired
}

/// Whether somebody else has the field.
fn is_others(live: &Value) -> bool {
    let entries = live["metadata"]["managedFields"].as_array();
    let others = entries
        .into_iter()
        .flatten()
        .filter(|entry| entry["manager"] != fields::MANAGER || entry["operation"] != "Apply");
    others
        .into_iter()
        .any(|entry| has_replicas(&entry["fieldsV1"]))
}

/// Fields, or their values, without the number of pods.
pub(super) fn without_replicas(value: &Value, key: &str) -> Value {
    let mut value = value.clone();
    for spec in ["spec", "f:spec"] {
        if let Some(spec) = value.get_mut(spec).and_then(Value::as_object_mut) {
            spec.shift_remove(key);
        }
    }
    value
}
