//! What an API server refuses before it stores an object, as far as the sandbox checks it.

use serde_json::Value;

use super::object::{Object, PLACEHOLDER, PLACEHOLDER_NUMBER};

/// A field that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) expected: String,
    pub(super) found: String,
}

fn fault(path: &str, expected: &str, found: Option<&Value>) -> Fault {
    Fault {
        path: path.to_owned(),
        expected: expected.to_owned(),
        found: found.map_or_else(
            || "nothing".to_owned(),
            |value| format!("`{}`", shown(value)),
        ),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => "a map".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => other.to_string(),
    }
}

/// Checks one object.
pub(super) fn validate(object: &Object) -> Result<(), Fault> {
    let root = &object.value;
    for key in ["apiVersion", "kind"] {
        text(root, key, key)?;
    }
    names(object)?;
    placeholders(root, &mut Vec::new())?;
    for key in ["labels", "annotations"] {
        texts(&root["metadata"], key, &format!("metadata.{key}"))?;
    }
    let spec = &root["spec"];
    match object.id.kind.as_str() {
        "Deployment" | "StatefulSet" | "ReplicaSet" => {
            replicas(spec)?;
            selector(spec)?;
            pods(&spec["template"]["spec"], "spec.template.spec")
        }
        "DaemonSet" => {
            selector(spec)?;
            pods(&spec["template"]["spec"], "spec.template.spec")
        }
        "ReplicationController" => {
            replicas(spec)?;
            pods(&spec["template"]["spec"], "spec.template.spec")
        }
        "Job" => pods(&spec["template"]["spec"], "spec.template.spec"),
        "CronJob" => pods(
            &spec["jobTemplate"]["spec"]["template"]["spec"],
            "spec.jobTemplate.spec.template.spec",
        ),
        "Pod" => pods(spec, "spec"),
        "Service" => ports(spec),
        "ConfigMap" => texts(root, "data", "data"),
        _ => Ok(()),
    }
}

/// Checks what may not change once the object exists.
pub(super) fn validate_update(before: &Object, after: &Object) -> Result<(), Fault> {
    let fixed: &[&str] = match after.id.kind.as_str() {
        "Deployment" | "DaemonSet" | "ReplicaSet" => &["selector"],
        "StatefulSet" => &["selector", "serviceName"],
        "Job" => &["template", "completions"],
        _ => &[],
    };
    for key in fixed {
        let (old, new) = (&before.value["spec"][key], &after.value["spec"][key]);
        if old != new {
            return Err(Fault {
                path: format!("spec.{key}"),
                expected: "the same as before, for it cannot be changed".to_owned(),
                found: format!("`{new}` instead of `{old}`"),
            });
        }
    }
    Ok(())
}

fn text<'a>(node: &'a Value, key: &str, path: &str) -> Result<&'a str, Fault> {
    match node.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        other => Err(fault(path, "a text", other)),
    }
}

fn names(object: &Object) -> Result<(), Fault> {
    let metadata = &object.value["metadata"];
    let name = text(metadata, "name", "metadata.name")?;
    let (ok, expected) = match object.id.kind.as_str() {
        "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => (
            !name.contains(['/', '%']) && name != "." && name != "..",
            "a name without `/` and `%`",
        ),
        "Service" => (
            is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()),
            "at most 63 characters of a-z, 0-9 and `-`, beginning with a letter",
        ),
        "Namespace" => (is_label(name), "at most 63 characters of a-z, 0-9 and `-`"),
        _ => (
            name.len() <= 253 && name.split('.').all(is_label_of_any_length),
            "at most 253 characters of a-z, 0-9, `-` and `.`, beginning and ending with a-z or 0-9",
        ),
    };
    if !ok {
        return Err(fault("metadata.name", expected, metadata.get("name")));
    }
    match metadata.get("namespace") {
        None => Ok(()),
        Some(Value::String(namespace)) if is_label(namespace) => Ok(()),
        other => Err(fault(
            "metadata.namespace",
            "at most 63 characters of a-z, 0-9 and `-`",
            other,
        )),
    }
}

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_label_of_any_length(text)
}

fn is_label_of_any_length(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(inner)
        && bytes.last().copied().is_some_and(inner)
        && bytes.iter().all(|b| inner(*b) || *b == b'-')
}

/// A placeholder that no link has filled would be sent as if it were a value.
fn placeholders(node: &Value, path: &mut Vec<String>) -> Result<(), Fault> {
    let left = match node {
        Value::String(text) => text.contains(PLACEHOLDER),
        Value::Number(number) => number.as_i64() == Some(PLACEHOLDER_NUMBER),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                path.push(i.to_string());
                placeholders(item, path)?;
                path.pop();
            }
            false
        }
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.replace('.', "\\."));
                placeholders(value, path)?;
                path.pop();
            }
            false
        }
        _ => false,
    };
    if left {
        return Err(fault(
            &path.join("."),
            "a value in place of the placeholder",
            Some(node),
        ));
    }
    Ok(())
}

fn texts(node: &Value, key: &str, path: &str) -> Result<(), Fault> {
    match node.get(key) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(map)) => {
            for (key, value) in map {
                if !value.is_string() {
                    let key = key.replace('.', "\\.");
                    return Err(fault(
                        &format!("{path}.{key}"),
                        "a text in quotes",
                        Some(value),
                    ));
                }
            }
            Ok(())
        }
        other => Err(fault(path, "a map of texts", other)),
    }
}

fn replicas(spec: &Value) -> Result<(), Fault> {
    match spec.get("replicas") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Number(n))
            if n.as_i64()
                .is_some_and(|n| (0..=i64::from(i32::MAX)).contains(&n)) =>
        {
            Ok(())
        }
        other => Err(fault(
            "spec.replicas",
            "a whole number from 0 to 2147483647",
            other,
        )),
    }
}

fn selector(spec: &Value) -> Result<(), Fault> {
    let selector = spec.get("selector");
    let Some(wanted) = selector
        .and_then(Value::as_object)
        .filter(|map| !map.is_empty())
    else {
        return Err(fault("spec.selector", "a selector of the pods", selector));
    };
    texts(
        &spec["template"]["metadata"],
        "labels",
        "spec.template.metadata.labels",
    )?;
    let Some(Value::Object(wanted)) = wanted.get("matchLabels") else {
        return Ok(());
    };
    let labels = &spec["template"]["metadata"]["labels"];
    for (key, value) in wanted {
        if labels.get(key) != Some(value) {
            let path = format!("spec.template.metadata.labels.{}", key.replace('.', "\\."));
            let expected = format!("`{}`, as the selector says", shown(value));
            return Err(fault(&path, &expected, labels.get(key)));
        }
    }
    Ok(())
}

fn pods(spec: &Value, path: &str) -> Result<(), Fault> {
    let containers = spec.get("containers");
    if containers
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        return Err(fault(
            &format!("{path}.containers"),
            "at least one container",
            containers,
        ));
    }
    for list in ["initContainers", "containers"] {
        let items = spec.get(list).and_then(Value::as_array);
        let mut seen = std::collections::BTreeSet::new();
        for (i, container) in items.into_iter().flatten().enumerate() {
            let path = format!("{path}.{list}.{i}");
            let name = text(container, "name", &format!("{path}.name"))?;
            if !is_label(name) || !seen.insert(name) {
                let expected = "a name of a-z, 0-9 and `-` that no other container has";
                return Err(fault(
                    &format!("{path}.name"),
                    expected,
                    container.get("name"),
                ));
            }
            text(container, "image", &format!("{path}.image"))?;
            environment(container, &path)?;
        }
    }
    Ok(())
}

fn environment(container: &Value, path: &str) -> Result<(), Fault> {
    let items = container.get("env").and_then(Value::as_array);
    for (i, variable) in items.into_iter().flatten().enumerate() {
        let path = format!("{path}.env.{i}");
        text(variable, "name", &format!("{path}.name"))?;
        match (variable.get("value"), variable.get("valueFrom")) {
            (None | Some(Value::String(_)), None) | (None, Some(_)) => {}
            (value, None) => {
                return Err(fault(&format!("{path}.value"), "a text in quotes", value));
            }
            (value, Some(_)) => {
                let expected = "`value` or `valueFrom`, not both";
                return Err(fault(&format!("{path}.value"), expected, value));
            }
        }
    }
    Ok(())
}

fn ports(spec: &Value) -> Result<(), Fault> {
    let items = spec.get("ports").and_then(Value::as_array);
    for (i, port) in items.into_iter().flatten().enumerate() {
        let number = port.get("port");
        let valid = number
            .and_then(Value::as_i64)
            .is_some_and(|number| (1..=65_535).contains(&number));
        if !valid {
            let path = format!("spec.ports.{i}.port");
            return Err(fault(&path, "a port from 1 to 65535", number));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Stream;

    fn checked(text: &str) -> String {
        let stream = Stream::parse(text).expect("YAML");
        match validate(&Object::all(&stream)[0]) {
            Ok(()) => "ok".to_owned(),
            Err(fault) => format!(
                "{}: expected {}, found {}",
                fault.path, fault.expected, fault.found
            ),
        }
    }

    const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  \
        replicas: 1\n  selector: {matchLabels: {app: a}}\n  template:\n    metadata: {labels: {app: a}}\n    \
        spec:\n      containers:\n        - {name: a, image: x, env: [{name: A, value: \"1\"}]}\n";

    #[test]
    fn objects() {
        assert_eq!(checked(DEPLOYMENT), "ok");
        for (from, to, expected) in [
            (
                "apiVersion: apps/v1\n",
                "",
                "apiVersion: expected a text, found nothing",
            ),
            (
                "{name: a}\nspec",
                "{}\nspec",
                "metadata.name: expected a text, found nothing",
            ),
            (
                "{name: a}\nspec",
                "{name: 7}\nspec",
                "metadata.name: expected a text, found `7`",
            ),
            (
                "{name: a}\nspec",
                "{name: a_b}\nspec",
                "metadata.name: expected at most 253 characters",
            ),
            (
                "{name: a}\nspec",
                "{name: a, labels: {x: 1}}\nspec",
                "metadata.labels.x: expected a text in quotes, found `1`",
            ),
            (
                "replicas: 1",
                "replicas: -1",
                "spec.replicas: expected a whole number from 0",
            ),
            (
                "replicas: 1",
                "replicas: 1.5",
                "spec.replicas: expected a whole number from 0",
            ),
            (
                "replicas: 1",
                "replicas: \"1\"",
                "spec.replicas: expected a whole number from 0",
            ),
            (
                "replicas: 1",
                "replicas: 999999999",
                "spec.replicas: expected a value in place of the placeholder",
            ),
            ("replicas: 1", "replicas: 0", "ok"),
            (
                "image: x",
                "image: confighubplaceholder",
                "spec.template.spec.containers.0.image: expected a value in place",
            ),
            (
                "image: x",
                "command: [x]",
                "spec.template.spec.containers.0.image: expected a text",
            ),
            (
                "labels: {app: a}",
                "labels: {app: b}",
                "spec.template.metadata.labels.app: expected `a`, as the selector says, found `b`",
            ),
            (
                "value: \"1\"",
                "value: 1",
                "spec.template.spec.containers.0.env.0.value: expected a text in quotes",
            ),
            (
                "value: \"1\"",
                "value: x, valueFrom: {}",
                "spec.template.spec.containers.0.env.0.value: expected `value` or `valueFrom`",
            ),
            (
                "        - {name: a, image: x, env: [{name: A, value: \"1\"}]}",
                "        []",
                "spec.template.spec.containers: expected at least one",
            ),
        ] {
            let found = checked(&DEPLOYMENT.replace(from, to));
            assert!(found.starts_with(expected), "{to}: {found}");
        }
    }

    #[test]
    fn other_kinds() {
        for (text, expected) in [
            (
                "kind: Service\nspec: {ports: [{port: 0}]}",
                "spec.ports.0.port: expected a port from 1 to 65535, found `0`",
            ),
            ("kind: Service\nspec: {ports: [{port: 80}]}", "ok"),
            (
                "kind: ConfigMap\ndata: {a: 1}",
                "data.a: expected a text in quotes, found `1`",
            ),
            ("kind: Widget\nspec: {whatever: 1}", "ok"),
            (
                "kind: Job\nspec: {}",
                "spec.template.spec.containers: expected at least one container, found nothing",
            ),
        ] {
            let text = format!("apiVersion: v1\nmetadata: {{name: a}}\n{text}\n");
            assert_eq!(checked(&text), expected);
        }
    }
}
