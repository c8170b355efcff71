//! A whole unit in the hands of a function of scope `unit`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rhai::{Array, Dynamic, Engine, Map};
use serde_json::{Value, json};

use super::draft::{Draft, misuse};
use super::engine::raise;
use super::error::Result;
use super::look::Look;
use super::node::Node;

/// The unit: its resources to change, its name and labels to read.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub draft: Arc<Draft>,
    pub slug: Arc<str>,
    pub labels: Arc<BTreeMap<String, String>>,
    pub revision: u32,
    pub space: Space,
}

/// The space that the unit is in.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub slug: Arc<str>,
    pub labels: Arc<BTreeMap<String, String>>,
}

/// `[[GROUP/]VERSION/]Kind[/name]` of a resource.
struct Reference<'a> {
    api_version: Option<String>,
    kind: &'a str,
    name: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads `Job/seed`, `v1/Service/web`, `policy/v1/PodDisruptionBudget/web` or a bare kind.
    fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let (api_version, kind, name) = match parts.as_slice() {
            [kind] => (None, *kind, None),
            [kind, name] => (None, *kind, Some(*name)),
            [version, kind, name] => (Some((*version).to_owned()), *kind, Some(*name)),
            [group, version, kind, name] => {
                (Some(format!("{group}/{version}")), *kind, Some(*name))
            }
            _ => return None,
        };
        let empty = kind.is_empty() || name.is_some_and(str::is_empty);
        (!empty).then_some(Self {
            api_version,
            kind,
            name,
        })
    }

    fn fits(&self, node: &Node) -> Result<bool> {
        node.look(|_, look, _| {
            let group = |version: &str| version.rsplit_once('/').map(|(group, _)| group.to_owned());
            let kind = look.get("kind").and_then(Look::as_str);
            let name = look
                .get("metadata")
                .and_then(|m| m.get("name"))
                .and_then(Look::text);
            let version = look
                .get("apiVersion")
                .and_then(Look::text)
                .unwrap_or_default();
            kind == Some(self.kind)
                && self.name.is_none_or(|wanted| name.as_deref() == Some(wanted))
                // The version never tells resources apart, the group does.
                && self.api_version.as_deref().is_none_or(|v| group(v) == group(&version))
        })
    }
}

impl Unit {
    fn resources(&self, reference: Option<&str>) -> Result<Array> {
        let reference = reference.map(parse).transpose()?;
        let mut found = Array::new();
        for document in self.draft.documents() {
            let node = Node::root(&self.draft, document);
            if reference
                .as_ref()
                .map_or(Ok(true), |reference| reference.fits(&node))?
            {
                found.push(Dynamic::from(node));
            }
        }
        Ok(found)
    }

    fn resource(&self, reference: &str) -> Result<Dynamic> {
        let found = self.resources(Some(reference))?;
        Ok(found.into_iter().next().unwrap_or(Dynamic::UNIT))
    }

    fn ensure_resource(&self, text: &str) -> Result<Dynamic> {
        let found = self.resource(text)?;
        if !found.is_unit() {
            return Ok(found);
        }
        let reference = parse(text)?;
        let (Some(api_version), Some(name)) = (reference.api_version, reference.name) else {
            return Err(misuse(
                "ensure_resource",
                "VERSION/Kind/name such as policy/v1/PodDisruptionBudget/web, to make it",
                &format!("`{text}`"),
            ));
        };
        let document = self.draft.add_document(json!({
            "apiVersion": api_version,
            "kind": reference.kind,
            "metadata": Value::Object([("name".to_owned(), json!(name))].into_iter().collect()),
        }))?;
        Ok(Dynamic::from(Node::root(&self.draft, document)))
    }
}

fn parse(text: &str) -> Result<Reference<'_>> {
    Reference::parse(text)
        .ok_or_else(|| misuse("a resource", "Kind/name or group/version/Kind/name", text))
}

fn map_of(labels: &BTreeMap<String, String>) -> Map {
    labels
        .iter()
        .map(|(key, value)| (key.into(), value.as_str().into()))
        .collect()
}

/// Makes units known to an engine.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Unit>("unit")
        .register_type_with_name::<Space>("space")
        .register_get("slug", |unit: &mut Unit| unit.slug.to_string())
        .register_get("name", |unit: &mut Unit| unit.slug.to_string())
        .register_get("labels", |unit: &mut Unit| map_of(&unit.labels))
        .register_get("revision", |unit: &mut Unit| i64::from(unit.revision))
        .register_get("space", |unit: &mut Unit| unit.space.clone())
        .register_get("slug", |space: &mut Space| space.slug.to_string())
        .register_get("labels", |space: &mut Space| map_of(&space.labels))
        .register_fn("resources", |unit: &mut Unit| {
            unit.resources(None).map_err(raise)
        })
        .register_fn("resources", |unit: &mut Unit, kind: &str| {
            unit.resources(Some(kind)).map_err(raise)
        })
        .register_fn("resource", |unit: &mut Unit, reference: &str| {
            unit.resource(reference).map_err(raise)
        })
        .register_fn("ensure_resource", |unit: &mut Unit, reference: &str| {
            unit.ensure_resource(reference).map_err(raise)
        });
}
