//! Definitions among the objects of a plan: the kinds that will be there once they are applied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

use crate::deploy::object::Object;
use crate::yaml::ResourceId;

use super::answer::{Failure, Refusal};
use super::connect::Api;
use super::discovery::Resource;
use super::pods::condition;
use super::status::said;

/// The kind of definitions.
pub(super) const KIND: &str = "CustomResourceDefinition";

/// The kinds that definitions define, by version of the API and kind.
#[derive(Debug, Default)]
pub(super) struct Defined(BTreeMap<(String, String), Arc<Resource>>);

impl Defined {
    pub(super) fn of<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        let mut defined = Self::default();
        for object in objects {
            if object.id.kind == KIND {
                defined.add(&object.value);
            }
        }
        defined
    }

    fn add(&mut self, definition: &Value) -> Option<()> {
        let spec = definition.get("spec")?;
        let group = spec.get("group")?.as_str()?;
        let kind = spec.get("names")?.get("kind")?.as_str()?;
        let plural = spec.get("names")?.get("plural")?.as_str()?;
        let namespaced = spec.get("scope")?.as_str()? != "Cluster";
        for version in spec.get("versions")?.as_array()? {
            let api_version = format!("{group}/{}", version.get("name")?.as_str()?);
            let resource = Resource::planned(
                api_version.clone(),
                kind.to_owned(),
                plural.to_owned(),
                namespaced,
            );
            self.0
                .insert((api_version, kind.to_owned()), Arc::new(resource));
        }
        Some(())
    }

    pub(super) fn get(&self, api_version: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.0.get(&(api_version.to_owned(), kind.to_owned()))
    }

    /// Whether one of the definitions defines the kind of an object.
    pub(super) fn defines(&self, object: &Value) -> bool {
        let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
        self.get(text("apiVersion"), text("kind")).is_some()
    }

    /// The kinds among them that have no namespace, as `group/Kind`.
    pub(super) fn cluster_kinds(&self) -> BTreeSet<String> {
        let kinds = self.0.values().filter(|resource| !resource.namespaced);
        kinds.map(|resource| resource.group_kind()).collect()
    }
}

impl Api {
    /// Waits until a definition is in force.
    pub(super) async fn wait_established(
        &self,
        resource: &Resource,
        id: &ResourceId,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            let live = self.get(resource, id).await?;
            let found = match &live {
                Some(live) if is(live, "Established", "True").is_some() => return Ok(()),
                Some(live) => unestablished(live),
                None => "it gone".to_owned(),
            };
            // Names that another definition has are not given up by waiting.
            let is_refused = live
                .as_ref()
                .is_some_and(|live| is(live, "NamesAccepted", "False").is_some());
            if is_refused || begun.elapsed() >= self.timeouts.definition {
                return Err(Failure::Refused(Refusal::told(format!(
                    "expected it to be established after {} s, found {found}",
                    begun.elapsed().as_secs(),
                ))));
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }
}

fn is<'a>(definition: &'a Value, kind: &str, status: &str) -> Option<&'a Value> {
    condition(definition, kind).filter(|found| found["status"] == status)
}

/// Why a definition is not in force, from its conditions.
fn unestablished(definition: &Value) -> String {
    let conditions = definition["status"]["conditions"].as_array();
    let told = conditions.into_iter().flatten().filter_map(|condition| {
        let kind = condition["type"].as_str()?;
        let status = condition["status"].as_str()?;
        (status != "True").then(|| format!("{kind} {status} ({})", said(condition)))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        "no condition that says why not".to_owned()
    } else {
        told.join(", ")
    }
}
