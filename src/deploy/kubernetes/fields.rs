//! Which fields of an object are ours, and what is in them.
//!
//! The API server writes down who set which field, in `metadata.managedFields[].fieldsV1`: a tree
//! whose keys are `f:NAME` for a field, `k:{"name":"api"}` for the element of a list that these
//! fields tell apart, `v:TEXT` for an element of a set, `i:N` for an element by its place, and `.`
//! for the node itself. A key without children stands for the field with all that is in it.

mod difference;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::path::{Path, Segment};

pub(super) use difference::{differences, matches};

/// The field manager that everything is sent as.
pub(super) const MANAGER: &str = "windlass";

/// The fields of an object that were set by applying as [`MANAGER`].
pub(super) fn owned(object: &Value) -> Option<&Value> {
    managed(object)
        .find(|entry| is_applied_by_us(entry))
        .and_then(|entry| entry.get("fieldsV1"))
}

/// As [`owned`], taken out of the object.
pub(super) fn take_owned(object: &mut Value) -> Option<Value> {
    let entries = object.pointer_mut("/metadata/managedFields")?;
    let mut entries = entries.as_array_mut()?.iter_mut();
    let entry = entries.find(|entry| is_applied_by_us(entry))?;
    entry.get_mut("fieldsV1").map(Value::take)
}

/// The values of `fields` in `object`, and nothing else: lists keep their order and the fields that
/// tell their elements apart, sets only the elements that are among the fields.
pub(super) fn project(object: &Value, fields: &Value) -> Value {
    project_node(object, fields)
}

/// The fields that are in one of two trees; null is a tree without fields.
pub(super) fn union(one: &Value, other: &Value) -> Value {
    let (left, right) = match (one, other) {
        (Value::Null, only) | (only, Value::Null) => return only.clone(),
        _ => (children(one), children(other)),
    };
    // All that is in a field is more than some of it.
    let (Some(left), Some(right)) = (left, right) else {
        return Value::Object(Map::new());
    };
    let mut both = left.clone();
    for (key, below) in right {
        let merged = match left.get(key) {
            Some(held) => union(held, below),
            None => below.clone(),
        };
        both.insert(key.clone(), merged);
    }
    Value::Object(both)
}

/// Whether the field at `path`, or something in it, was set by applying as [`MANAGER`], and what is
/// there is what was sent: another value takes the field away from us.
pub(super) fn is_applied(object: &Value, path: &Path) -> bool {
    owners(object, path).any(is_applied_by_us)
}

/// The entries of `managedFields` that hold the field at `path`, or something in it.
pub(super) fn owners<'a>(object: &'a Value, path: &Path) -> impl Iterator<Item = &'a Value> {
    let held = move |entry: &&Value| {
        let fields = entry.get("fieldsV1");
        fields.is_some_and(|fields| holds(fields, Some(object), path.segments()))
    };
    managed(object).filter(held)
}

/// The part of an object that an entry of `managedFields` was written through: `scale`, `status`;
/// empty for the object itself.
pub(super) fn subresource(entry: &Value) -> &str {
    entry["subresource"].as_str().unwrap_or_default()
}

fn managed(object: &Value) -> impl Iterator<Item = &Value> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten()
}

fn is_applied_by_us(entry: &Value) -> bool {
    is_ours(entry) && entry["operation"] == "Apply" && subresource(entry).is_empty()
}

fn is_ours(entry: &Value) -> bool {
    entry["manager"] == MANAGER
}

/// One key of the tree.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    /// The element of a list with these fields, as a JSON object.
    Keys(&'a str),
    /// The element of a set, in JSON.
    Member(&'a str),
    Index(usize),
}

impl<'a> Step<'a> {
    /// The step of a key; none for `.`, and for what no server writes.
    fn of(key: &'a str) -> Option<Self> {
        let (kind, rest) = key.split_once(':')?;
        match kind {
            "f" => Some(Self::Field(rest)),
            "k" => Some(Self::Keys(rest)),
            "v" => Some(Self::Member(rest)),
            "i" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }

    fn child<'v>(self, node: &'v Value, hint: &mut usize) -> Option<&'v Value> {
        match (self, node) {
            (Self::Field(name), Value::Object(map)) => map.get(name),
            (_, Value::Array(items)) => items.get(self.place(items, hint)?),
            _ => None,
        }
    }

    /// Where the element is in a list. `hint` is where to look first: the elements of `fields` and
    /// of the list are often in one order.
    fn place(self, items: &[Value], hint: &mut usize) -> Option<usize> {
        let place = match self {
            Self::Field(_) => None,
            Self::Index(at) => (at < items.len()).then_some(at),
            Self::Member(json) => search(items, *hint, |item| is_member(item, json)),
            Self::Keys(json) => place_by_keys(items, json, *hint),
        };
        *hint = place.map_or(*hint, |at| at + 1);
        place
    }
}

/// The first element that is wanted, looking from `start` to the end and then from the beginning.
fn search(items: &[Value], start: usize, wanted: impl Fn(&Value) -> bool) -> Option<usize> {
    let start = start.min(items.len());
    (start..items.len())
        .chain(0..start)
        .find(|at| wanted(&items[*at]))
}

fn place_by_keys(items: &[Value], json: &str, hint: usize) -> Option<usize> {
    if let Some((name, text)) = one_text_key(json) {
        return search(items, hint, |item| {
            item.get(name).and_then(Value::as_str) == Some(text)
        });
    }
    let keys = keys(json);
    let has = |item: &Value, name: &str, wanted: &Value| item.get(name) == Some(wanted);
    let exact = search(items, hint, |item| {
        !keys.is_empty() && keys.iter().all(|(name, wanted)| has(item, name, wanted))
    });
    // A key may have a default that is in the tree and not in the object: `protocol` of a port.
    exact.or_else(|| {
        search(items, hint, |item| {
            keys.iter().any(|(name, wanted)| has(item, name, wanted))
                && keys
                    .iter()
                    .all(|(name, wanted)| has(item, name, wanted) || item.get(name).is_none())
        })
    })
}

/// The field and the text of `{"name":"api"}`, the usual key, without parsing it.
fn one_text_key(json: &str) -> Option<(&str, &str)> {
    let inner = json.strip_prefix("{\"")?.strip_suffix("\"}")?;
    let (name, text) = inner.split_once("\":\"")?;
    let plain = |text: &str| !text.contains(['"', '\\']);
    (plain(name) && plain(text)).then_some((name, text))
}

fn keys(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

fn is_member(item: &Value, json: &str) -> bool {
    let plain = json
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    match (item, plain) {
        (Value::String(item), Some(text)) if !text.contains('\\') => item == text,
        _ => serde_json::from_str::<Value>(json).is_ok_and(|wanted| wanted == *item),
    }
}

/// The children of a node of the tree; none if it stands for all that is in the field.
fn children(fields: &Value) -> Option<&Map<String, Value>> {
    fields.as_object().filter(|children| !children.is_empty())
}

fn project_node(value: &Value, fields: &Value) -> Value {
    let Some(children) = children(fields) else {
        return value.clone();
    };
    let steps = children
        .iter()
        .filter_map(|(key, below)| Some((Step::of(key)?, below)));
    match value {
        Value::Object(map) => {
            let mut part = Map::new();
            for (step, below) in steps {
                if let Step::Field(name) = step
                    && let Some(child) = map.get(name)
                {
                    part.insert(name.to_owned(), project_node(child, below));
                }
            }
            Value::Object(part)
        }
        Value::Array(items) => {
            let mut hint = 0;
            let mut parts: Vec<(usize, Value)> = steps
                .filter_map(|(step, below)| {
                    let at = step.place(items, &mut hint)?;
                    Some((at, project_element(&items[at], step, below)))
                })
                .collect();
            parts.sort_by_key(|(at, _)| *at);
            Value::Array(parts.into_iter().map(|(_, part)| part).collect())
        }
        // Another type than the tree was written for: it cannot be what was applied.
        _ => value.clone(),
    }
}

fn project_element(item: &Value, step: Step<'_>, below: &Value) -> Value {
    let mut part = project_node(item, below);
    if let (Step::Keys(json), Value::Object(map)) = (step, &mut part) {
        for (name, _) in keys(json) {
            if let (false, Some(value)) = (map.contains_key(&name), item.get(&name)) {
                map.insert(name, value.clone());
            }
        }
    }
    part
}

/// Whether the tree holds the place of `path`, something in it, or all of something around it.
fn holds(fields: &Value, object: Option<&Value>, path: &[Segment]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    let Some(children) = children(fields) else {
        return true;
    };
    children.iter().any(|(key, below)| {
        let Some(step) = Step::of(key) else {
            return false;
        };
        let child = object.and_then(|node| step.child(node, &mut 0));
        is_step(step, first, object, child) && holds(below, child, rest)
    })
}

/// Whether a key of the tree is the node that a segment names. `child` is the node that the key
/// names in the object.
fn is_step(
    step: Step<'_>,
    segment: &Segment,
    object: Option<&Value>,
    child: Option<&Value>,
) -> bool {
    let by_index = || {
        let items = object.and_then(Value::as_array);
        let item = items
            .zip(segment.index())
            .and_then(|(items, at)| items.get(at));
        item.zip(child)
            .is_some_and(|(item, child)| std::ptr::eq(item, child))
    };
    match (step, segment) {
        (_, Segment::Any) | (Step::Keys(_) | Step::Member(_), Segment::Order) => true,
        (Step::Field(name), Segment::Key(key)) => name == key,
        (Step::Index(at), _) => segment.index() == Some(at),
        (Step::Keys(json), Segment::Match(wanted)) => {
            let keys = keys(json);
            wanted.iter().all(|(name, text)| {
                let value = child.and_then(|child| child.get(name)).or(keys.get(name));
                value.is_some_and(|value| reads_as(value) == *text)
            })
        }
        (Step::Keys(_) | Step::Member(_), Segment::Key(_)) => by_index(),
        _ => false,
    }
}

fn reads_as(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::difference::same;
    use super::*;

    /// A Deployment as a server answers, with what `windlass`, its controller and a person set.
    fn object() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "web", "generation": 3, "resourceVersion": "77",
                "annotations": { "a.b/c": "1", "deployment.kubernetes.io/revision": "1" },
                "finalizers": ["other/y", "windlass.dev/x"],
                "managedFields": [
                    {
                        "manager": "windlass", "operation": "Apply", "apiVersion": "apps/v1",
                        "fieldsType": "FieldsV1", "fieldsV1": fields(),
                    },
                    {
                        "manager": "windlass", "operation": "Update",
                        "fieldsV1": { "f:metadata": { "f:labels": { "f:z": {} } } },
                    },
                    {
                        "manager": "kube-controller-manager", "operation": "Update",
                        "subresource": "status",
                        "fieldsV1": { "f:metadata": { "f:annotations": {
                            "f:deployment.kubernetes.io/revision": {} } } },
                    },
                    {
                        "manager": "kubectl", "operation": "Update", "subresource": "scale",
                        "fieldsV1": { "f:spec": { "f:replicas": {} } },
                    },
                    {
                        "manager": "kubectl-edit", "operation": "Update",
                        "fieldsV1": { "f:spec": { "f:template": { "f:spec": { "f:containers": {
                            "k:{\"name\":\"log\"}": { ".": {}, "f:image": {}, "f:name": {} },
                            "k:{\"name\":\"api\"}": { "f:image": {} } } } } } },
                    },
                ],
            },
            "spec": {
                "replicas": 3, "revisionHistoryLimit": 10,
                "selector": { "matchLabels": { "app": "web" } },
                "template": { "spec": {
                    "securityContext": {}, "dnsPolicy": "ClusterFirst",
                    "containers": [
                        { "name": "log", "image": "log:1" },
                        {
                            "name": "api", "image": "x:1", "args": ["a", "b"],
                            "imagePullPolicy": "IfNotPresent",
                            "env": [{ "name": "Z", "value": "1" }, { "name": "A", "value": "b" }],
                            "ports": [
                                { "containerPort": 80, "protocol": "TCP" },
                                { "containerPort": 53, "protocol": "UDP" },
                                { "containerPort": 90 },
                            ],
                        },
                    ],
                } },
            },
        })
    }

    fn fields() -> Value {
        json!({
            "f:metadata": {
                "f:annotations": { ".": {}, "f:a.b/c": {} },
                "f:finalizers": { "v:\"windlass.dev/x\"": {} },
            },
            "f:spec": {
                "f:replicas": {}, "f:selector": {}, "f:paused": {},
                "f:template": { "f:spec": {
                    "f:securityContext": {},
                    "f:containers": { "k:{\"name\":\"api\"}": {
                        ".": {}, "f:name": {}, "f:image": {}, "f:args": {},
                        "f:env": {
                            "k:{\"name\":\"A\"}": { ".": {}, "f:name": {}, "f:value": {} },
                            "k:{\"name\":\"Z\"}": { ".": {}, "f:name": {}, "f:value": {} },
                        },
                        "f:ports": {
                            "k:{\"containerPort\":90,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} },
                            "k:{\"containerPort\":53,\"protocol\":\"UDP\"}": { ".": {}, "f:containerPort": {}, "f:protocol": {} },
                        },
                    } },
                } },
            },
        })
    }

    fn projected() -> Value {
        json!({
            "metadata": { "annotations": { "a.b/c": "1" }, "finalizers": ["windlass.dev/x"] },
            "spec": {
                "replicas": 3, "selector": { "matchLabels": { "app": "web" } },
                "template": { "spec": {
                    "securityContext": {},
                    "containers": [{
                        "name": "api", "image": "x:1", "args": ["a", "b"],
                        "env": [{ "name": "Z", "value": "1" }, { "name": "A", "value": "b" }],
                        "ports": [
                            { "containerPort": 53, "protocol": "UDP" }, { "containerPort": 90 },
                        ],
                    }],
                } },
            },
        })
    }

    #[test]
    fn ours_is_what_was_applied_and_nothing_else() {
        let object = object();
        assert_eq!(owned(&object), Some(&fields()));
        assert_eq!(project(&object, &fields()), projected());
        assert!(matches(&fields(), &projected(), &object));
        assert_eq!(differences(&fields(), &projected(), &object), []);
        assert_eq!(owned(&json!({ "metadata": {} })), None);
        let foreign = json!({ "metadata": { "managedFields": [
            { "manager": "windlass", "operation": "Apply", "subresource": "status", "fieldsV1": {} },
            { "manager": "helm", "operation": "Apply", "fieldsV1": {} },
            null, 7, { "manager": 1 } ] } });
        assert_eq!(owned(&foreign), None);
    }

    /// Changes `object()` at a pointer, or removes what is there.
    fn changed(pointer: &str, new: Option<Value>) -> Value {
        let mut object = object();
        let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
        match (object.pointer_mut(parent).expect("a place"), new) {
            (Value::Object(map), Some(new)) => {
                map.insert(last.to_owned(), new);
            }
            (Value::Object(map), None) => {
                map.shift_remove(last).expect("a key");
            }
            (Value::Array(items), new) => {
                let at: usize = last.parse().expect("an index");
                match new {
                    Some(new) if at < items.len() => items[at] = new,
                    Some(new) => items.push(new),
                    None => drop(items.remove(at)),
                }
            }
            _ => panic!("no container at {parent}"),
        }
        object
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn each_change_is_one_difference_at_its_place() {
        const API: &str = "/spec/template/spec/containers/1";
        let at = |rest: &str| format!("{API}/{rest}");
        for (pointer, new, expected) in [
            (
                "/spec/replicas".to_owned(),
                Some(json!(5)),
                vec![("spec.replicas", json!(3), json!(5))],
            ),
            (
                "/spec/replicas".to_owned(),
                None,
                vec![("spec.replicas", json!(3), Value::Null)],
            ),
            (
                at("image"),
                Some(json!("x:2")),
                vec![(
                    "spec.template.spec.containers.?name=api.image",
                    json!("x:1"),
                    json!("x:2"),
                )],
            ),
            (
                at("args"),
                Some(json!(["b", "a"])),
                vec![(
                    "spec.template.spec.containers.?name=api.args",
                    json!(["a", "b"]),
                    json!(["b", "a"]),
                )],
            ),
            (
                "/spec/template/spec/containers/1".to_owned(),
                None,
                vec![(
                    "spec.template.spec.containers.?name=api",
                    projected()["spec"]["template"]["spec"]["containers"][0].clone(),
                    Value::Null,
                )],
            ),
            (
                at("env/1"),
                None,
                vec![(
                    "spec.template.spec.containers.?name=api.env.?name=A",
                    json!({ "name": "A", "value": "b" }),
                    Value::Null,
                )],
            ),
            (
                at("ports/1/protocol"),
                Some(json!("SCTP")),
                vec![(
                    "spec.template.spec.containers.?name=api.ports.?containerPort=53,protocol=UDP",
                    json!({ "containerPort": 53, "protocol": "UDP" }),
                    Value::Null,
                )],
            ),
            (
                "/metadata/annotations".to_owned(),
                None,
                vec![("metadata.annotations.a\\.b/c", json!("1"), Value::Null)],
            ),
            (
                "/metadata/finalizers".to_owned(),
                Some(json!(["other/y"])),
                vec![("metadata.finalizers", json!(["windlass.dev/x"]), json!([]))],
            ),
            (
                "/spec/paused".to_owned(),
                Some(json!(true)),
                vec![("spec.paused", Value::Null, json!(true))],
            ),
            (
                "/spec/template".to_owned(),
                Some(json!("text")),
                vec![(
                    "spec.template",
                    projected()["spec"]["template"].clone(),
                    json!("text"),
                )],
            ),
            // What is not ours.
            (
                "/spec/revisionHistoryLimit".to_owned(),
                Some(json!(2)),
                vec![],
            ),
            (
                "/metadata/annotations/new".to_owned(),
                Some(json!("x")),
                vec![],
            ),
            ("/spec/template/spec/containers/0".to_owned(), None, vec![]),
            ("/metadata/finalizers/0".to_owned(), None, vec![]),
            (at("env/2"), Some(json!({ "name": "B" })), vec![]),
            // Others may put something into a map that we applied empty.
            (
                "/spec/template/spec/securityContext/runAsUser".to_owned(),
                Some(json!(1)),
                vec![],
            ),
        ] {
            let live = changed(&pointer, new.clone());
            let found: Vec<(String, Value, Value)> = differences(&fields(), &projected(), &live)
                .into_iter()
                .map(|one| {
                    (
                        one.path.to_string(),
                        one.applied.unwrap_or_default(),
                        one.live.unwrap_or_default(),
                    )
                })
                .collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(path, was, is)| (path.to_owned(), was, is))
                .collect();
            assert_eq!(found, expected, "{pointer} to {new:?}");
            assert_eq!(
                matches(&fields(), &projected(), &live),
                expected.is_empty(),
                "{pointer}"
            );
            // What both tests say is what comparing projections says, but for the empty map.
            if !pointer.contains("securityContext") {
                assert_eq!(
                    project(&live, &fields()) == projected(),
                    expected.is_empty(),
                    "{pointer}"
                );
            }
        }
    }

    #[test]
    fn a_union_has_the_fields_of_both() {
        let (some, more) = (
            json!({ "f:a": { "f:b": {} } }),
            json!({ "f:a": { "f:c": {} }, "f:d": {} }),
        );
        for (one, other, both) in [
            (
                &some,
                &more,
                json!({ "f:a": { "f:b": {}, "f:c": {} }, "f:d": {} }),
            ),
            (&some, &json!({ "f:a": {} }), json!({ "f:a": {} })),
            (&some, &Value::Null, some.clone()),
            (&Value::Null, &Value::Null, Value::Null),
        ] {
            assert_eq!(union(one, other), both);
            assert_eq!(union(other, one), both);
        }
    }

    #[test]
    fn order_of_keyed_lists_and_of_keys_is_no_difference() {
        let mut live = object();
        let containers = live["spec"]["template"]["spec"]["containers"].as_array_mut();
        let containers = containers.expect("a list");
        containers.swap(0, 1);
        containers[0]["env"]
            .as_array_mut()
            .expect("a list")
            .swap(0, 1);
        assert!(same(&fields(), &projected(), &live));
    }

    #[test]
    fn an_empty_map_that_was_replaced_is_a_difference() {
        let mut live = changed(
            "/spec/template/spec/securityContext",
            Some(json!({ "a": 1 })),
        );
        live["metadata"]["managedFields"][0]["fieldsV1"] =
            json!({ "f:spec": { "f:replicas": {} } });
        let found = differences(&fields(), &projected(), &live);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            found[0].path.to_string(),
            "spec.template.spec.securityContext"
        );
    }

    /// The other field managers that set the field at `path`, or something in it.
    fn managers_of(object: &Value, path: &Path) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for entry in owners(object, path).filter(|entry| !is_ours(entry)) {
            let name = entry["manager"].as_str().expect("a name").to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    #[test]
    fn every_field_has_its_managers() {
        for (path, managers) in [
            ("spec.replicas", vec!["kubectl"]),
            ("spec", vec!["kubectl", "kubectl-edit"]),
            (
                "spec.template.spec.containers.?name=api.image",
                vec!["kubectl-edit"],
            ),
            (
                "spec.template.spec.containers.1.image",
                vec!["kubectl-edit"],
            ),
            (
                "spec.template.spec.containers.?name=log.image",
                vec!["kubectl-edit"],
            ),
            ("spec.template.spec.containers.?name=log.args", vec![]),
            (
                "spec.template.spec.containers.?image=x:1.image",
                vec!["kubectl-edit"],
            ),
            ("spec.selector.matchLabels.app", vec![]),
            (
                "metadata.annotations.deployment\\.kubernetes\\.io/revision",
                vec!["kube-controller-manager"],
            ),
            ("metadata.labels.z", vec![]),
            ("nothing.here", vec![]),
        ] {
            let place = Path::parse(path).expect("a path");
            assert_eq!(managers_of(&object(), &place), managers, "{path}");
        }
        let ours = Path::parse("spec.selector.matchLabels.app").expect("a path");
        assert_eq!(owners(&object(), &ours).count(), 1);
        assert!(is_applied(&object(), &ours));
        let theirs = "metadata.annotations.deployment\\.kubernetes\\.io/revision";
        let theirs = Path::parse(theirs).expect("a path");
        assert!(!is_applied(&object(), &theirs));
    }

    #[test]
    fn no_tree_and_no_object_makes_it_panic() {
        let trees = [
            json!(null),
            json!([1]),
            json!({ "f": {}, "k:": {}, "k:{": {}, "v:{": {}, "i:-1": {}, "i:9": {}, "q:x": {}, "": {} }),
            json!({ "k:{}": { "f:a": {} }, "k:[1]": {}, "i:0": { ".": {} } }),
            fields(),
        ];
        let values = [
            json!(null),
            json!(3),
            json!([]),
            json!([null, 1]),
            json!({}),
            object(),
        ];
        for (tree, value) in trees
            .iter()
            .flat_map(|tree| values.iter().map(move |v| (tree, v)))
        {
            let part = project(value, tree);
            let _ = matches(tree, &part, value);
            drop(differences(tree, &value["spec"], &part));
            let _ = is_applied(value, &Path::root().index(0));
        }
    }
}
