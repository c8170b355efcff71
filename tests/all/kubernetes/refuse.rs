//! What a cluster refuses, and what that is to a user.

use std::sync::Arc;

use windlass::deploy::{ApplyOptions, Error, Kubernetes, KubernetesSettings, Target as _};
use windlass::runtime::Runtime;

use super::{Room, config, connect};

#[test]
fn a_kind_that_is_not_there_is_named() {
    let Some(room) = Room::furnished("unknown") else {
        return;
    };
    for yaml in [
        "apiVersion: nowhere.example.com/v1\nkind: Gadget\nmetadata:\n  name: g\n",
        "apiVersion: apps/v1\nkind: Gadget\nmetadata:\n  name: g\n",
        "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata:\n  name: g\n",
        "apiVersion: ../../v1\nkind: Gadget\nmetadata:\n  name: g\n",
    ] {
        let error = room.apply(&room.unit(1, yaml), None).expect_err("unknown");
        assert!(matches!(error, Error::UnknownKind { .. }), "{error:?}");
        assert!(error.to_string().contains("`test/u1`"), "{error}");
    }
}

#[test]
fn an_unknown_field_is_refused_with_its_name() {
    let Some(room) = Room::furnished("field") else {
        return;
    };
    let yaml = config("a", "x") + "dta: {}\n";
    let error = room.apply(&room.unit(1, &yaml), None).expect_err("refused");
    assert!(matches!(error, Error::Rejected { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("dta") && text.contains("ConfigMap/a") && text.contains("test/u1"),
        "{text}"
    );
}

#[test]
fn odd_names_and_objects_never_reach_another_place() {
    let Some(room) = Room::furnished("odd") else {
        return;
    };
    for yaml in [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
        "apiVersion: v1\nkind: ConfigMap\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ../../namespaces\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ..\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a?x=y#z\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: nonsense\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations: [1]\n",
    ] {
        let error = room.apply(&room.unit(1, yaml), None).expect_err("refused");
        let is_plain = matches!(
            error,
            Error::Invalid { .. } | Error::Rejected { .. } | Error::UnknownKind { .. }
        );
        assert!(is_plain, "{yaml}: {error:?}");
    }
}

#[test]
fn who_may_only_look_is_told_what_is_not_allowed() {
    let Some(room) = Room::furnished("viewer") else {
        return;
    };
    let Some(viewer) = room.cluster.viewer() else {
        return;
    };
    let target = connect(&viewer);
    let unit = room.unit(1, &config("a", "x"));
    let options = ApplyOptions::default();
    let plan = target
        .plan(&[(&unit, None)], &options)
        .expect("planned")
        .remove(0)
        .expect("planned");
    let sent = target.send(&[(&unit, &plan)], &options).remove(0);
    let error = super::done(sent).expect_err("forbidden");
    let Error::Forbidden {
        verb, object, unit, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (&**verb, &**object, &**unit),
        ("patch", "ConfigMap/a", "test/u1")
    );
}

#[test]
fn a_namespace_that_is_going_takes_nothing() {
    let Some(room) = Room::tended("going") else {
        return;
    };
    room.inside(&["create", "configmap", "kept", "--from-literal=a=b"]);
    room.inside(&[
        "patch",
        "configmap",
        "kept",
        "-p",
        r#"{"metadata":{"finalizers":["example.com/keep"]}}"#,
    ]);
    room.kubectl(&["delete", "namespace", &room.namespace, "--wait=false"]);
    let error = room
        .apply(&room.unit(1, &config("a", "x")), None)
        .expect_err("terminating");
    room.inside(&[
        "patch",
        "configmap",
        "kept",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
    assert!(matches!(error, Error::Terminating { .. }), "{error:?}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let text = "apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]
users: [{name: u, user: {}}]
contexts: [{name: staging, context: {cluster: c, user: u}}, {name: prod, context: {cluster: c, user: u}}]
current-context: staging
";
    std::fs::write(&file, text).expect("written");
    let connect = |context: Option<&str>| {
        let settings = KubernetesSettings {
            kubeconfig: Some(file.clone()),
            context: context.map(str::to_owned),
            connections: 0,
            ..KubernetesSettings::default()
        };
        Kubernetes::connect(Arc::new(Runtime::start().expect("a thread")), &settings)
    };
    let target = connect(None).expect("a target");
    assert_eq!(target.describe(), "staging (http://127.0.0.1:1)");
    let error = target.probe().expect_err("nobody there");
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("staging (http://127.0.0.1:1) does not answer: "),
        "{error}"
    );

    let error = connect(Some("stagin"))
        .expect_err("no such context")
        .to_string();
    assert!(
        error.contains("`staging`, `prod`") && error.contains("is `staging` meant?"),
        "{error}"
    );
    for bad in [
        "[",
        "",
        "apiVersion: v1\nkind: Config\ncontexts: [{name: a, context: {cluster: none, user: none}}]\ncurrent-context: a\n",
    ] {
        std::fs::write(&file, bad).expect("written");
        assert!(matches!(connect(None), Err(Error::Config { .. })), "{bad}");
    }
    std::fs::remove_file(&file).expect("removed");
    assert!(matches!(connect(None), Err(Error::Config { .. })));
}
