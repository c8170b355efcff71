//! What people do to a cluster by hand.

use super::*;

#[test]
fn what_was_changed_by_hand_is_shown_and_accepted_reverted_or_tolerated() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "drift");
    fleet.deployment("web", "web:1", 2, 1);
    fleet.deployment("api", "api:1", 1, 1);
    fleet.ok(&["unit", "apply", "--space", fleet.space(), "--wait"]);
    let listed = || fleet.json(&["drift", "list", "--space", fleet.space()]);
    assert_eq!(listed(), json!([]), "what the server fills in is no drift");
    fleet.patch("api", r#"{"spec":{"replicas":2}}"#);
    assert_eq!(listed(), json!([]), "what is not applied yet is no drift");
    fleet.patch("api", r#"{"spec":{"replicas":1}}"#);

    fleet.edit(
        "web",
        &json!({ "spec": { "replicas": 6 }, "metadata": { "labels": { "own": "x" } } }),
    );
    assert_eq!(first_column(&listed(), "Unit"), [fleet.unit("web")]);
    let shown = fleet.json(&["drift", "show", &fleet.unit("web")]);
    let rows = shown.as_array().expect("rows");
    assert_eq!(
        rows.len(),
        1,
        "a label of somebody's own is no drift: {shown}"
    );
    assert_eq!(rows[0]["Path"], "spec.replicas");
    assert_eq!(
        (&rows[0]["Applied"], &rows[0]["Live"]),
        (&json!(2), &json!(6))
    );
    let list = ["drift", "list", "--space", fleet.space(), "--exit-code"];
    assert_eq!(fleet.run(&list).code, 1);

    // Tolerated: it is still shown, and counts no more.
    fleet.ok(&[
        "drift",
        "tolerate",
        &fleet.unit("web"),
        "spec.replicas",
        "--until",
        "7d",
        "-m",
        "load",
    ]);
    assert_eq!(fleet.run(&list).code, 0);
    let nothing = fleet.run(&["drift", "revert", &fleet.unit("web")]);
    assert_eq!(nothing.code, 1, "what is tolerated is meant only by name");
    fleet.ok(&[
        "drift",
        "tolerate",
        &fleet.unit("web"),
        "spec.replicas",
        "--end",
    ]);

    // Never forced by an apply of something else.
    fleet.patch("web", r#"{"spec":{"replicas":3}}"#);
    let refused = fleet.run(&["unit", "apply", &fleet.unit("web")]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("spec.replicas (kubectl-edit)"),
        "{}",
        refused.stderr
    );
    assert_eq!(fleet.replicas("web"), 6);

    // Reverted to what was applied, not to the head; no revision is made by it.
    let heads = fleet.state("web").1;
    fleet.ok(&[
        "drift",
        "revert",
        &fleet.unit("web"),
        "--path",
        "spec.replicas",
    ]);
    assert_eq!(fleet.replicas("web"), 2);
    assert_eq!(fleet.state("web").1, heads);
    assert_eq!(listed(), json!([]));
    let labels =
        cluster.get(DEPLOYMENT, fleet.space(), "web").expect("it")["metadata"]["labels"].clone();
    assert_eq!(labels["own"], "x", "what is not ours stays");

    // Accepted into the store.
    fleet.edit("api", &json!({ "spec": { "replicas": 4 } }));
    fleet.ok(&["drift", "accept", &fleet.unit("api")]);
    let data = fleet.ok(&["unit", "data", &fleet.unit("api")]);
    assert!(data.contains("replicas: 4"), "{data}");
    fleet.ok(&["unit", "apply", &fleet.unit("api"), "--wait"]);
    assert_eq!(fleet.replicas("api"), 4);
    assert_eq!(listed(), json!([]));
}

#[test]
fn an_object_that_was_deleted_by_hand_comes_back() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "gone");
    fleet.deployment("web", "web:1", 1, 1);
    fleet.ok(&["unit", "apply", "--space", fleet.space(), "--wait"]);
    cluster.delete(DEPLOYMENT, fleet.space(), "web");
    cluster.until("it is gone", |cluster| {
        cluster.get(DEPLOYMENT, fleet.space(), "web").is_none()
    });
    let shown = fleet.json(&["drift", "show", &fleet.unit("web")]);
    assert_eq!(shown[0]["Gone"], true);
    let why = fleet.ok(&["why", &fleet.unit("web")]);
    assert!(why.contains("is gone"), "{why}");
    fleet.ok(&["drift", "revert", &fleet.unit("web")]);
    assert_eq!(fleet.replicas("web"), 1);
    cluster.delete(DEPLOYMENT, fleet.space(), "web");
    cluster.until("it is gone", |cluster| {
        cluster.get(DEPLOYMENT, fleet.space(), "web").is_none()
    });
    fleet.ok(&["unit", "apply", &fleet.unit("web"), "--wait"]);
    assert_eq!(
        fleet.replicas("web"),
        1,
        "an apply of the same head sees it as well"
    );
}
