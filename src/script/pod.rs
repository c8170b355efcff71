//! Where the pods of a workload are described.

use rhai::{Array, Dynamic, Engine};

use super::engine::raise;
use super::error::Result;
use super::node::Node;
use crate::yaml::POD_TEMPLATES;

/// Makes `pod_template`, `pod_spec` and `containers` known.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("pod_template", |node: &mut Node| {
            template(node).map_err(raise)
        })
        .register_fn("pod_spec", |node: &mut Node| pod_spec(node).map_err(raise))
        .register_fn("containers", |node: &mut Node| {
            containers(node, "*").map_err(raise)
        })
        .register_fn("containers", |node: &mut Node, name: &str| {
            containers(node, name).map_err(raise)
        });
}

/// The map with the pods' metadata and spec; nothing for what has no pods.
fn template(resource: &Node) -> Result<Dynamic> {
    let kind = resource.key("kind")?;
    let kind = kind
        .as_immutable_string_ref()
        .map(|kind| kind.to_string())
        .unwrap_or_default();
    let Some((_, steps)) = POD_TEMPLATES.iter().find(|(known, _)| *known == kind) else {
        return Ok(Dynamic::UNIT);
    };
    descend(resource, steps)
}

fn pod_spec(resource: &Node) -> Result<Dynamic> {
    match template(resource)?.try_cast::<Node>() {
        Some(template) => template.key("spec"),
        None => Ok(Dynamic::UNIT),
    }
}

/// The containers of that name, init containers as well; of every name with `*`.
fn containers(resource: &Node, name: &str) -> Result<Array> {
    let mut found = Array::new();
    let Some(spec) = pod_spec(resource)?.try_cast::<Node>() else {
        return Ok(found);
    };
    for list in ["containers", "initContainers"] {
        let Some(list) = spec.key(list)?.try_cast::<Node>() else {
            continue;
        };
        for container in list.values()? {
            let Some(node) = container.read_lock::<Node>().map(|node| node.clone()) else {
                continue;
            };
            let its_name = node.key("name")?;
            let fits = name == "*"
                || its_name
                    .as_immutable_string_ref()
                    .is_ok_and(|found| found.as_str() == name);
            if fits {
                found.push(container);
            }
        }
    }
    Ok(found)
}

fn descend(node: &Node, keys: &[&str]) -> Result<Dynamic> {
    let mut at = node.clone();
    for key in keys {
        match at.key(key)?.try_cast::<Node>() {
            Some(next) => at = next,
            None => return Ok(Dynamic::UNIT),
        }
    }
    Ok(Dynamic::from(at))
}
