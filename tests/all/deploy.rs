//! The sandbox cluster: apply, live state, waiting, ownership, faults, destroy.

use std::sync::Arc;

use serde_json::json;
use windlass::deploy::{
    Action, Applied, ApplyOptions, Error, Fault, MemoryState, Object, Owner, Sandbox, UnitObjects,
    WaitOptions,
};
use windlass::id::UnitId;
use windlass::model::Status;
use windlass::path::Path;
use windlass::yaml::{ResourceId, Stream};

fn sandbox() -> Sandbox {
    Sandbox::new(Arc::new(MemoryState::default()))
}

fn owner(number: u64, name: &str) -> Owner {
    Owner {
        unit: UnitId(number),
        store: "store-1".to_owned(),
        name: name.to_owned(),
    }
}

fn unit(owner: &Owner, yaml: &str) -> UnitObjects {
    UnitObjects {
        owner: owner.clone(),
        revision: 1,
        namespace: "dev".to_owned(),
        objects: Object::all(&Stream::parse(yaml).expect("YAML")),
    }
}

fn deployment(name: &str, replicas: u32, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  \
         replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    \
         metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      \
         - {{name: main, image: \"{image}\"}}\n"
    )
}

fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{ports: [{{port: 80}}]}}\n"
    )
}

fn config(name: &str, metadata: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{metadata}}}\ndata: {{a: b}}\n"
    )
}

fn id(full: &str) -> ResourceId {
    let mut parts = full.split('/').map(str::to_owned);
    let mut part = || parts.next().expect("four parts");
    ResourceId {
        group: part(),
        kind: part(),
        namespace: part(),
        name: part(),
    }
}

fn apply(sandbox: &Sandbox, unit: &UnitObjects) -> Result<Applied, Error> {
    sandbox.apply(unit, &ApplyOptions::default())
}

/// `+` created, `~` changed, `=` kept, `-` deleted.
fn shown(applied: &Applied) -> String {
    let objects = applied.objects.iter().map(|object| {
        let sign = match object.action {
            Action::Create => '+',
            Action::Update => '~',
            Action::Keep => '=',
            Action::Delete => '-',
        };
        format!("{sign}{}", object.resource)
    });
    objects.collect::<Vec<_>>().join(" ")
}

fn cluster(sandbox: &Sandbox) -> Vec<String> {
    let objects = sandbox.objects().expect("objects");
    objects.iter().map(|object| object.id.full()).collect()
}

fn wait(sandbox: &Sandbox, owner: &Owner, seconds: u64) -> (Status, String, u64) {
    let options = WaitOptions {
        timeout: Some(seconds * 1_000),
        ..WaitOptions::default()
    };
    let end = sandbox.wait(owner, &options, &mut |_| {}).expect("an end");
    (end.status, end.reason, end.waited)
}

#[test]
fn a_unit_goes_from_nothing_to_ready_and_back() {
    let sandbox = sandbox();
    let api = owner(1, "dev/api");
    assert_eq!(sandbox.live(&api).expect("a state").status, Status::NoLive);
    let text = format!("{}---\n{}", deployment("api", 3, "api:1"), service("api"));
    let applied = apply(&sandbox, &unit(&api, &text)).expect("an apply");
    assert_eq!(shown(&applied), "+Service/api +Deployment/api");
    assert_eq!(applied.namespaces, ["dev"]);
    assert!(applied.target.contains("sandbox"), "{}", applied.target);

    let state = sandbox.live(&api).expect("a state");
    assert_eq!(state.status, Status::Progressing);
    assert_eq!(
        state.reason,
        "Deployment/api: 0 of 3 replicas ready: 3 starting"
    );
    let objects = sandbox.objects().expect("objects");
    let metadata = &objects[1].value["metadata"];
    assert_eq!(metadata["labels"]["windlass.dev/unit"], "u1");
    assert_eq!(metadata["annotations"]["windlass.dev/name"], "dev/api");
    assert_eq!(
        wait(&sandbox, &api, 60),
        (
            Status::Ready,
            "2 objects in place, 3 pods ready".to_owned(),
            2_000,
        )
    );
    let state = serde_json::to_value(sandbox.live(&api).expect("a state")).expect("JSON");
    let workload = &state["Objects"][1];
    assert_eq!(workload["Status"], "Running");
    for field in ["Replicas", "ReadyReplicas", "UpdatedReplicas"] {
        assert_eq!(workload[field], 3, "{field}");
    }
    assert_eq!(workload["Conditions"][0]["Type"], "Available");
    assert_eq!(workload["Conditions"][0]["Status"], "True");

    let applied = apply(&sandbox, &unit(&api, &text)).expect("an apply");
    assert!(!applied.is_changed());
    assert_eq!(shown(&applied), "=Service/api =Deployment/api");
    assert_eq!(
        shown(&sandbox.destroy(&api).expect("a destroy")),
        "-Deployment/api -Service/api"
    );
    assert_eq!(sandbox.live(&api).expect("a state").status, Status::NoLive);
    assert_eq!(cluster(&sandbox), ["/Namespace//dev"]);
    assert!(sandbox.release_namespace("dev").expect("an answer"));
    assert!(cluster(&sandbox).is_empty());
}

#[test]
fn namespaces_go_with_the_space_only_if_they_are_ours_and_empty() {
    let sandbox = sandbox();
    apply(&sandbox, &unit(&owner(1, "dev/a"), &config("a", ""))).expect("an apply");
    let own = "apiVersion: v1\nkind: Namespace\nmetadata: {name: own}\n";
    apply(&sandbox, &unit(&owner(2, "dev/b"), own)).expect("an apply");
    for namespace in ["dev", "own", "nowhere"] {
        let released = sandbox.release_namespace(namespace).expect("an answer");
        assert!(!released, "{namespace}");
    }
}

#[test]
fn namespaces_follow_the_rule() {
    for (kind, metadata, expected) in [
        ("ConfigMap", "", "/ConfigMap/dev/x"),
        (
            "ConfigMap",
            ", namespace: confighubplaceholder",
            "/ConfigMap/dev/x",
        ),
        ("ConfigMap", ", namespace: own", "/ConfigMap/own/x"),
        ("ClusterRole", "", "/ClusterRole//x"),
        ("ClusterRole", ", namespace: own", "/ClusterRole//x"),
        ("Widget", "", "/Widget/dev/x"),
    ] {
        let sandbox = sandbox();
        let text = config("x", metadata).replace("ConfigMap", kind);
        apply(&sandbox, &unit(&owner(1, "dev/x"), &text)).expect("an apply");
        let found = cluster(&sandbox);
        assert!(
            found.contains(&expected.to_owned()),
            "{kind} {metadata}: {found:?}"
        );
    }
    let sandbox = sandbox();
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
        metadata: {name: widgets.acme.io}\nspec: {group: acme.io, names: {kind: Widget}, scope: Cluster}\n";
    apply(&sandbox, &unit(&owner(1, "dev/crd"), definition)).expect("an apply");
    let widget = "apiVersion: acme.io/v1\nkind: Widget\nmetadata: {name: w}\n";
    apply(&sandbox, &unit(&owner(2, "dev/w"), widget)).expect("an apply");
    assert!(cluster(&sandbox).contains(&"acme.io/Widget//w".to_owned()));
}

#[test]
fn a_namespace_of_a_unit_comes_first_and_adopts_one_that_was_made() {
    let sandbox = sandbox();
    apply(&sandbox, &unit(&owner(1, "dev/a"), &config("a", ""))).expect("an apply");
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: dev}\n";
    let text = format!("{}---\n{namespace}", config("b", ""));
    let b = owner(2, "dev/b");
    let applied = apply(&sandbox, &unit(&b, &text)).expect("an apply");
    assert_eq!(shown(&applied), "~Namespace/dev +ConfigMap/b");
    assert!(applied.namespaces.is_empty());
    let error = sandbox
        .destroy(&b)
        .expect_err("the namespace holds ConfigMap/a");
    assert_eq!(
        error.to_string(),
        "expected namespace `dev` to hold nothing of other units, found `ConfigMap/a of dev/a`"
    );
    sandbox.destroy(&owner(1, "dev/a")).expect("a destroy");
    assert_eq!(
        shown(&sandbox.destroy(&b).expect("a destroy")),
        "-Namespace/dev"
    );
    assert!(cluster(&sandbox).is_empty());
}

#[test]
fn what_a_unit_no_longer_holds_is_deleted() {
    let sandbox = sandbox();
    let api = owner(1, "dev/api");
    let all = [config("c", ""), service("s"), deployment("d", 1, "d")].join("---\n");
    apply(&sandbox, &unit(&api, &all)).expect("an apply");
    let preview = ApplyOptions {
        dry_run: true,
        ..ApplyOptions::default()
    };
    let less = unit(&api, &service("t"));
    let before = cluster(&sandbox);
    let planned = sandbox.apply(&less, &preview).expect("a plan");
    assert_eq!(
        shown(&planned),
        "+Service/t -Deployment/d -Service/s -ConfigMap/c"
    );
    assert_eq!(cluster(&sandbox), before);
    assert_eq!(
        shown(&apply(&sandbox, &less).expect("an apply")),
        shown(&planned)
    );
    assert_eq!(cluster(&sandbox), ["/Namespace//dev", "/Service/dev/t"]);
}

#[test]
fn an_object_of_another_unit_is_a_conflict_that_names_it() {
    let sandbox = sandbox();
    let (a, b) = (owner(1, "dev/a"), owner(2, "dev/b"));
    apply(&sandbox, &unit(&a, &config("c", ""))).expect("an apply");
    let both = format!("{}---\n{}", service("s"), config("c", ""));
    let error = apply(&sandbox, &unit(&b, &both)).expect_err("a conflict");
    assert_eq!(
        error.to_string(),
        "expected `ConfigMap/c` to be free or of `dev/b`, found it owned by `dev/a`"
    );
    assert_eq!(cluster(&sandbox), ["/ConfigMap/dev/c", "/Namespace//dev"]);
    let mut elsewhere = a.clone();
    elsewhere.store = "store-2".to_owned();
    let error = apply(&sandbox, &unit(&elsewhere, &config("c", ""))).expect_err("a conflict");
    assert!(
        error.to_string().ends_with("`dev/a of store store-1`"),
        "{error}"
    );

    let takeover = ApplyOptions {
        takeover: true,
        ..ApplyOptions::default()
    };
    sandbox
        .apply(&unit(&b, &both), &takeover)
        .expect("a takeover");
    assert_eq!(sandbox.live(&b).expect("a state").status, Status::Ready);
    let state = sandbox.live(&a).expect("a state");
    assert_eq!(state.reason, "ConfigMap/c: taken over by dev/b");
    // The former owner cannot delete it.
    assert_eq!(shown(&sandbox.destroy(&a).expect("a destroy")), "");
    assert!(cluster(&sandbox).contains(&"/ConfigMap/dev/c".to_owned()));
}

#[test]
fn invalid_objects_are_refused_before_anything_is_sent() {
    let sandbox = sandbox();
    let api = owner(1, "dev/api");
    let bad = format!(
        "{}---\n{}",
        service("s"),
        deployment("d", 1, "d").replace("replicas: 1", "replicas: -1")
    );
    let error = apply(&sandbox, &unit(&api, &bad)).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "the sandbox (a simulated cluster in this store) refuses `Deployment/d`: at \
         `spec.replicas` expected a whole number from 0 to 2147483647, found `-1`"
    );
    assert!(cluster(&sandbox).is_empty());
    let twice = format!(
        "{}---\n{}",
        service("s"),
        service("s").replace("name: s", "name: s, namespace: dev")
    );
    let error = apply(&sandbox, &unit(&api, &twice)).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "expected each object once in `dev/api`, found `Service/s` twice"
    );
    apply(&sandbox, &unit(&api, &deployment("d", 1, "d"))).expect("an apply");
    let relabelled = deployment("d", 1, "d").replace("app: d", "app: e");
    let error = apply(&sandbox, &unit(&api, &relabelled)).expect_err("a refusal");
    assert!(
        error
            .to_string()
            .contains("at `spec.selector` expected the same as before"),
        "{error}"
    );
}

#[test]
fn waiting_ends_with_a_reason() {
    let stuck = Fault::NeverReady {
        object: id("apps/Deployment/dev/d"),
    };
    for (image, fault, seconds, status, reason, waited) in [
        (
            "slow",
            None,
            60,
            Status::Ready,
            "1 object in place, 2 pods ready",
            6_000,
        ),
        (
            "slow",
            None,
            3,
            Status::Failed,
            "not ready after 3 s: Deployment/d: 0 of 2 replicas ready: 2 starting",
            3_000,
        ),
        (
            "missing",
            None,
            300,
            Status::Failed,
            "Deployment/d will not become ready: 0 of 2 replicas ready: 2 waiting, image not found \
             (ImagePullBackOff)",
            60_000,
        ),
        (
            "crash",
            None,
            300,
            Status::Failed,
            "Deployment/d will not become ready: 0 of 2 replicas ready: 2 crashing, 3 restarts \
             (CrashLoopBackOff)",
            70_000,
        ),
        (
            "fine",
            Some(&stuck),
            10,
            Status::Failed,
            "not ready after 10 s: Deployment/d: 0 of 2 replicas ready: 2 starting, and told never \
             to become ready",
            10_000,
        ),
        (
            "missing",
            None,
            0,
            Status::Failed,
            "not ready after 0 s: Deployment/d: 0 of 2 replicas ready: 2 waiting, image not found \
             (ImagePullBackOff)",
            0,
        ),
    ] {
        let sandbox = sandbox();
        let api = owner(1, "dev/d");
        fault
            .map_or(Ok(()), |fault| sandbox.inject(fault))
            .expect("a fault");
        apply(&sandbox, &unit(&api, &deployment("d", 2, image))).expect("an apply");
        let end = wait(&sandbox, &api, seconds);
        assert_eq!(end, (status, reason.to_owned(), waited), "{image}");
        assert_eq!(sandbox.now().expect("a time"), waited);
    }
    let sandbox = sandbox();
    let api = owner(1, "dev/d");
    let text = deployment("d", 1, "fine") + "  progressDeadlineSeconds: 8\n";
    sandbox.inject(&stuck).expect("a fault");
    apply(&sandbox, &unit(&api, &text)).expect("an apply");
    let mut looks = 0;
    let options = WaitOptions::default();
    let end = sandbox
        .wait(&api, &options, &mut |_| looks += 1)
        .expect("an end");
    assert_eq!((end.waited, looks), (8_000, 5));
    sandbox.clear(&stuck).expect("a fault");
    assert_eq!(sandbox.live(&api).expect("a state").status, Status::Ready);
}

#[test]
fn a_broken_change_leaves_the_old_pods_serving() {
    let sandbox = sandbox();
    let api = owner(1, "dev/d");
    apply(&sandbox, &unit(&api, &deployment("d", 3, "d:1"))).expect("an apply");
    assert_eq!(wait(&sandbox, &api, 60).0, Status::Ready);
    apply(&sandbox, &unit(&api, &deployment("d", 3, "missing:2"))).expect("an apply");
    let state = sandbox.live(&api).expect("a state");
    assert_eq!(state.status, Status::Degraded);
    assert_eq!(
        state.reason,
        "Deployment/d: 0 of 3 replicas updated; 1 new pod waiting, image not found \
         (ImagePullBackOff), 3 old pods still serving"
    );
    apply(&sandbox, &unit(&api, &deployment("d", 3, "d:3"))).expect("an apply");
    assert_eq!(wait(&sandbox, &api, 60).0, Status::Ready);
}

#[test]
fn refused_objects_and_lost_connections_leave_what_was_sent() {
    let sandbox = sandbox();
    let api = owner(1, "dev/api");
    let all = unit(
        &api,
        &[config("c", ""), service("s"), deployment("d", 1, "d")].join("---\n"),
    );
    let refuse = Fault::Refuse {
        object: id("/Service/dev/s"),
        reason: "admission webhook denied the request".to_owned(),
    };
    sandbox.inject(&refuse).expect("a fault");
    let error = apply(&sandbox, &all).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "the sandbox (a simulated cluster in this store) refused `Service/s` after 1 objects were \
         sent: admission webhook denied the request"
    );
    let state = sandbox.live(&api).expect("a state");
    assert_eq!(
        (state.status, state.reason.as_str()),
        (Status::Degraded, "Service/s: not in the cluster")
    );
    assert_eq!(
        sandbox.faults().expect("faults"),
        std::slice::from_ref(&refuse)
    );
    sandbox.clear(&refuse).expect("a fault");

    sandbox
        .inject(&Fault::LoseConnection { after: 1 })
        .expect("a fault");
    let error = apply(&sandbox, &all).expect_err("a lost connection");
    assert!(
        matches!(
            error,
            Error::Disconnected {
                sent: 2,
                total: 3,
                ..
            }
        ),
        "{error}"
    );
    assert!(sandbox.faults().expect("faults").is_empty());
    let applied = apply(&sandbox, &all).expect("an apply");
    assert_eq!(shown(&applied), "=ConfigMap/c =Service/s +Deployment/d");

    sandbox
        .inject(&Fault::LoseConnection { after: 2 })
        .expect("a fault");
    sandbox.destroy(&api).expect_err("a lost connection");
    assert_eq!(cluster(&sandbox), ["/ConfigMap/dev/c", "/Namespace//dev"]);
    assert_eq!(
        shown(&sandbox.destroy(&api).expect("a destroy")),
        "-ConfigMap/c"
    );
}

#[test]
fn drift_is_seen_and_never_overwritten_unasked() {
    let sandbox = sandbox();
    let api = owner(1, "dev/d");
    let three = unit(&api, &deployment("d", 3, "d:1"));
    apply(&sandbox, &three).expect("an apply");
    let object = id("apps/Deployment/dev/d");
    let replicas: Path = "spec.replicas".parse().expect("a path");
    sandbox
        .change(&object, &replicas, json!(5), "kubectl-edit")
        .expect("a change");
    let paused: Path = "spec.paused".parse().expect("a path");
    sandbox
        .change(&object, &paused, json!(true), "kubectl-edit")
        .expect("a change");

    let drift = sandbox.drift(&api).expect("a drift");
    let shown: Vec<_> = drift
        .iter()
        .map(|drift| {
            (
                drift.path.to_string(),
                drift.applied.clone(),
                drift.live.clone(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("spec.paused".to_owned(), None, Some(json!(true))),
            ("spec.replicas".to_owned(), Some(json!(3)), Some(json!(5))),
        ]
    );
    assert_eq!(
        sandbox.live(&api).expect("a state").objects[0].replicas,
        Some(5)
    );
    let error = apply(&sandbox, &three).expect_err("drift");
    assert_eq!(
        error.to_string(),
        "`spec.replicas` of `Deployment/d` was set to 5 by `kubectl-edit`, and the unit says 3"
    );
    let force = ApplyOptions {
        force: vec![(object.clone(), replicas)],
        ..ApplyOptions::default()
    };
    sandbox.apply(&three, &force).expect("a forced apply");
    // The field that the unit does not have stays the other's.
    assert_eq!(sandbox.drift(&api).expect("a drift").len(), 1);
    let live = sandbox
        .objects()
        .expect("objects")
        .pop()
        .expect("the deployment");
    assert_eq!(
        (
            &live.value["spec"]["replicas"],
            &live.value["spec"]["paused"]
        ),
        (&json!(3), &json!(true))
    );

    sandbox.remove(&object).expect("a removal");
    assert_eq!(sandbox.drift(&api).expect("a drift")[0].path, Path::root());
    assert_eq!(
        sandbox.live(&api).expect("a state").status,
        Status::Degraded
    );
    apply(&sandbox, &three).expect("an apply");
    assert_eq!(wait(&sandbox, &api, 60).0, Status::Ready);
}

#[test]
fn the_same_calls_make_the_same_cluster() {
    let run = || {
        let sandbox = sandbox();
        let api = owner(1, "dev/d");
        for image in ["d:1", "slow:2", "crash:3", "d:4"] {
            apply(&sandbox, &unit(&api, &deployment("d", 4, image))).expect("an apply");
            wait(&sandbox, &api, 7);
        }
        (
            sandbox.probe().expect("an answer"),
            sandbox.live(&api).expect("a state"),
        )
    };
    let (answer, state) = run();
    assert_eq!(run(), (answer.clone(), state));
    assert!(
        answer.starts_with("the sandbox (a simulated cluster in this store) holds 2 objects"),
        "{answer}"
    );
}
