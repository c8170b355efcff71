//! Merge patches: what they change, what they leave, and what they refuse.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be read or made fails the test"
)]

use serde_json::{Value, json};
use windlass::yaml::Stream;
use windlass::yaml::patch::{PatchOptions, Patched, patch};

const API: &str = "\
# the service
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  ports:
  - port: 80 # web
    targetPort: 8080
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 1 # small
  template:
    spec:
      containers:
      - name: api
        image: api:1 # pinned
        args: [serve, -v]
        env:
        - name: A
          value: \"1\"
        - name: SECRET
          valueFrom:
            secretKeyRef: {name: s, key: k}
        ports:
        - containerPort: 8080
          name: http
      - name: proxy
        image: proxy:1
";

fn stream(text: &str) -> Stream {
    Stream::parse(text).unwrap()
}

fn patched(object: &Value, options: PatchOptions<'_>) -> Result<(Patched, String), String> {
    let stream = stream(API);
    let patched = patch(&stream, object, options).map_err(|e| e.to_string())?;
    let after = stream.apply(&patched.edits).map_err(|e| e.to_string())?;
    Ok((patched, after.text().to_owned()))
}

/// The lines that differ: `-` before, `+` after.
#[track_caller]
fn changes(object: Value, wanted: &[&str]) -> Vec<String> {
    let (patched, after) = patched(&object, PatchOptions::default()).unwrap();
    let diff = similar::TextDiff::from_lines(API, &after);
    let lines: Vec<String> = diff
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end()))
        .collect();
    assert_eq!(lines, wanted);
    patched.places.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refused(object: Value, wanted: &str) {
    assert_eq!(
        patched(&object, PatchOptions::default()).unwrap_err(),
        wanted
    );
}

#[test]
fn maps_merge_deeply_and_both_shapes_of_replicas_are_one() {
    let lines = ["-  replicas: 1 # small", "+  replicas: 3 # small"];
    assert_eq!(changes(json!({ "replicas": 3 }), &lines), ["spec.replicas"]);
    assert_eq!(
        changes(json!({ "spec": { "replicas": 3 } }), &lines),
        ["spec.replicas"]
    );
}

#[test]
fn an_equal_value_is_no_edit_but_a_named_place() {
    assert_eq!(changes(json!({ "replicas": 1 }), &[]), ["spec.replicas"]);
}

#[test]
fn keyed_lists_merge_by_key_and_get_what_is_new() {
    let object = json!({ "spec": { "template": { "spec": { "containers": [{
        "name": "api",
        "env": [{ "name": "A", "value": "2" }, { "name": "B", "value": "3" }],
        "ports": [{ "containerPort": 8080, "protocol": "TCP", "name": "web" }],
    }] } } } });
    let places = changes(
        object,
        &[
            "-          value: \"1\"",
            "+          value: \"2\"",
            "+        - name: B",
            "+          value: \"3\"",
            "-          name: http",
            "+          name: web",
            "+          protocol: TCP",
        ],
    );
    let env = "spec.template.spec.containers.?name=api.env";
    assert_eq!(places[0], "spec.template.spec.containers.?name=api.name");
    assert!(
        places.contains(&format!("{env}.?name=A.value")),
        "{places:?}"
    );
    assert!(places.contains(&format!("{env}.?name=B")), "{places:?}");
}

#[test]
fn other_lists_replace_and_null_removes() {
    let containers = |inner: Value| json!({ "kind": "Deployment", "spec": { "template": { "spec": { "containers": [inner] } } } });
    changes(
        containers(json!({ "name": "api", "args": ["serve"] })),
        &["-        args: [serve, -v]", "+        args: [serve]"],
    );
    changes(
        containers(json!({ "name": "api", "args": ["run", "-q", "-v", "x", "w"] })),
        &[
            "-        args: [serve, -v]",
            "+        args: [run, -q, -v, x, w]",
        ],
    );
    changes(
        containers(json!({ "name": "api", "args": null, "workingDir": null })),
        &["-        args: [serve, -v]"],
    );
}

#[test]
fn a_member_of_a_union_takes_the_place_of_the_other() {
    let env = json!([{ "name": "SECRET", "value": "plain" }]);
    changes(
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "api", "env": env }] } } } }),
        &[
            "-          valueFrom:",
            "-            secretKeyRef: {name: s, key: k}",
            "+          value: plain",
        ],
    );
}

#[test]
fn the_image_is_that_of_the_container_named_like_the_unit() {
    let object = json!({ "image": "api:2" });
    let options = PatchOptions {
        unit: Some("api"),
        document: None,
    };
    let (found, after) = patched(&object, options).unwrap();
    assert!(after.contains("        image: api:2 # pinned\n"), "{after}");
    assert!(after.contains("image: proxy:1\n"));
    assert_eq!(found.document, 1);
    refused(
        object,
        "expected a container named `` or a single one, found `api`, `proxy`",
    );
    let other = PatchOptions {
        unit: Some("web"),
        document: None,
    };
    assert!(patched(&json!({ "image": "x" }), other).is_err());
}

#[test]
fn an_element_without_its_key_is_the_only_one() {
    let ports = json!([{ "targetPort": 9090 }]);
    changes(
        json!({ "kind": "Service", "spec": { "ports": ports } }),
        &["-    targetPort: 8080", "+    targetPort: 9090"],
    );
    refused(
        json!({ "spec": { "template": { "spec": { "containers": [{ "tty": true }] } } } }),
        "expected `name` in the element for `spec.template.spec.containers`, which has 2 elements",
    );
}

#[test]
fn the_patch_says_which_resource_it_is_for() {
    changes(
        json!({ "kind": "Service", "metadata": { "name": "api" }, "spec": { "type": "NodePort" } }),
        &["+  type: NodePort"],
    );
    refused(
        json!({ "kind": "Ingress", "spec": {} }),
        "expected one of `Service/api`, `Deployment/api`, found a patch for `Ingress/*`",
    );
    refused(
        json!({ "metadata": { "name": "api" } }),
        "expected `kind` and `metadata.name` in the patch, since it could be for `Service/api`, \
         `Deployment/api`",
    );
    let service = PatchOptions {
        unit: None,
        document: Some(0),
    };
    let object = json!({ "spec": { "type": "NodePort" } });
    assert_eq!(patched(&object, service).unwrap().0.document, 0);
}

#[test]
fn what_fits_nowhere_is_refused() {
    refused(json!([]), "expected a map as patch, found a list");
    let only = stream("kind: ConfigMap\nmetadata:\n  name: c\ndata:\n  k: v\n");
    let told =
        |object: Value| patch(&only, &object, PatchOptions::default()).map_err(|e| e.to_string());
    assert_eq!(
        told(json!({ "replicas": 3 })).unwrap_err(),
        "expected a top-level key of `ConfigMap/c` (kind, metadata, data), found `replicas`"
    );
    assert!(told(json!({ "data": { "k": "w" } })).is_ok());
    let two = stream(
        "kind: ConfigMap\nmetadata:\n  name: c\n---\nkind: Secret\nmetadata:\n  name: s\ndata: {}\n",
    );
    let told =
        |object: Value| patch(&two, &object, PatchOptions::default()).map_err(|e| e.to_string());
    assert_eq!(told(json!({ "data": { "k": "w" } })).unwrap().document, 1);
    assert_eq!(
        told(json!({ "spec": { "a": 1 } })).unwrap_err(),
        "expected a resource that has `spec.a`, found `ConfigMap/c`, `Secret/s`"
    );
    assert!(told(json!({ "metadata": { "labels": null } })).is_err());
}
