//! What a plan says before anything is sent.

use windlass::deploy::{Action, ApplyOptions, Error, Target as _};

use super::{Room, config, deployment, remembered, steps, told};

#[test]
fn an_apply_again_does_nothing() {
    let Some(room) = Room::bare("again") else {
        return;
    };
    let yaml = [
        config("a", "one"),
        deployment("web", "replicas: 2", "img:1"),
    ]
    .join("---\n");
    let unit = room.unit(1, &yaml);
    let first = room.apply(&unit, None).expect("applied");
    assert_eq!(told(&first), "Create ConfigMap/a, Create Deployment/web");
    assert_eq!(first.namespaces, std::slice::from_ref(&room.namespace));
    let inventory = first.inventory.expect("an inventory");
    let plan = room
        .plan(&unit, Some(&inventory), &ApplyOptions::default())
        .expect("planned");
    assert_eq!(steps(&plan), "Keep ConfigMap/a, Keep Deployment/web");
    assert!(!plan.is_change());
    assert_eq!(plan.pending, inventory);

    // Another value, and one object less.
    let unit = room.unit(1, &config("a", "two"));
    let second = room.apply(&unit, Some(&inventory)).expect("applied");
    assert_eq!(told(&second), "Update ConfigMap/a, Delete Deployment/web");
    assert_eq!(
        room.inside(&["get", "configmap", "a", "-o", "jsonpath={.data.key}"]),
        "two"
    );
    let left = room.inside(&["get", "deployments", "-o", "name"]);
    assert!(!left.contains("web"), "{left}");
    let inventory = second.inventory.expect("an inventory");
    assert_eq!(inventory.objects.len(), 1);

    // What somebody changed is put right; what somebody added stays.
    room.inside(&[
        "patch",
        "configmap",
        "a",
        "-p",
        r#"{"data":{"key":"theirs","more":"x"}}"#,
    ]);
    let plan = room
        .plan(&unit, Some(&inventory), &ApplyOptions::default())
        .expect("planned");
    assert_eq!(steps(&plan), "Update ConfigMap/a");
}

#[test]
fn what_is_anothers_is_refused_before_anything_is_sent() {
    let Some(room) = Room::tended("owned") else {
        return;
    };
    room.apply(&room.unit(1, &config("a", "one")), None)
        .expect("applied");
    room.inside(&[
        "create",
        "configmap",
        "made-by-hand",
        "--from-literal=key=x",
    ]);
    let takeover = ApplyOptions {
        takeover: true,
        ..ApplyOptions::default()
    };
    for (name, expected) in [
        (
            "a",
            "expected `ConfigMap/a` to be free or of `test/u2`, found it owned by `test/u1`",
        ),
        (
            "made-by-hand",
            "expected `ConfigMap/made-by-hand` to be free or of `test/u2`, found it owned by `kubectl-create (not made by Windlass)`",
        ),
    ] {
        let yaml = [config("new", "x"), config(name, "two")].join("---\n");
        let unit = room.unit(2, &yaml);
        let error = room.apply(&unit, None).expect_err("owned");
        assert_eq!(error.to_string(), expected);
        let plan = room.plan(&unit, None, &takeover).expect("taken over");
        assert_eq!(plan.steps[1].action, Action::Update);
    }
    let names = room.inside(&["get", "configmaps", "-o", "name"]);
    assert!(!names.contains("/new"), "{names}");

    // Another store with a unit of the same number is another owner.
    let mut stranger = room.unit(1, &config("a", "one"));
    stranger.owner.store = "elsewhere".to_owned();
    let error = room.apply(&stranger, None).expect_err("owned");
    assert!(
        error
            .to_string()
            .contains(&format!("test/u1 of store {}", room.store)),
        "{error}"
    );
}

#[test]
fn two_units_of_a_batch_do_not_share_an_object() {
    let Some(room) = Room::furnished("twice") else {
        return;
    };
    let units = [
        (room.unit(1, &config("a", "1")), None),
        (room.unit(2, &config("a", "2")), None),
    ];
    let plans = room
        .target
        .plan(&remembered(&units), &ApplyOptions::default())
        .expect("planned");
    assert!(plans[0].is_ok());
    assert!(
        matches!(plans[1], Err(Error::Owned { .. })),
        "{:?}",
        plans[1]
    );
}

#[test]
fn a_preview_is_what_the_cluster_would_make_of_it() {
    let Some(room) = Room::tended("preview") else {
        return;
    };
    let unit = room.unit(1, &deployment("web", "replicas: 2", "img:1"));
    let inventory = room.apply(&unit, None).expect("applied").inventory;
    let yaml = [
        deployment("web", "replicas: 3", "img:2"),
        config("new", "x"),
        config("far", "x").replace("name: far", "name: far\n  namespace: wt-not-there"),
    ];
    let unit = room.unit(1, &yaml.join("---\n"));
    let options = ApplyOptions::default();
    let plan = room
        .plan(&unit, inventory.as_ref(), &options)
        .expect("planned");
    let previews = room
        .target
        .preview(&[(&unit, &plan)], &options)
        .expect("previewed")
        .remove(0)
        .expect("taken");
    assert_eq!(previews.len(), 3);
    let of = |name: &str| {
        previews
            .iter()
            .find(|preview| preview.resource.name == name)
            .expect("a preview")
    };
    let spec = |value: &Option<serde_json::Value>| value.as_ref().expect("a value")["spec"].clone();
    assert_eq!(spec(&of("web").before)["replicas"], 2);
    assert_eq!(spec(&of("web").after)["replicas"], 3);
    // The cluster normalises what it is sent; so does the preview.
    let limits =
        &spec(&of("web").after)["template"]["spec"]["containers"][0]["resources"]["limits"];
    assert_eq!(limits["cpu"], "1");
    assert!(of("new").before.is_none() && of("new").after.is_some());
    assert_eq!(
        of("far").unchecked.as_deref(),
        Some("namespace `wt-not-there` is not there yet")
    );
    let replicas = room.inside(&[
        "get",
        "deployment",
        "web",
        "-o",
        "jsonpath={.spec.replicas}",
    ]);
    assert_eq!(replicas, "2");
}
