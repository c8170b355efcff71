//! Fields that others set, and what restoring does with them.

use serde_json::json;
use windlass::deploy::{ApplyOptions, Error, Target as _};
use windlass::path::Path;

use super::super::scripted::Fault;
use super::{A, WEB, World, config, deployment, unit};

const KEY: [&str; 2] = ["f:data", "f:key"];

fn force(world: &World, name: &str, path: &str) -> ApplyOptions {
    let plan = world.plan(&unit(1, &config(name, "x")), None);
    let id = plan.expect("planned").steps.remove(0).resource;
    ApplyOptions {
        force: vec![(id, Path::parse(path).expect("a path"))],
        ..ApplyOptions::default()
    }
}

#[test]
fn conflicts_are_named_and_only_what_is_listed_is_forced() {
    let world = World::new();
    let two = |value: &str| unit(1, &(config("a", value) + &format!("  more: \"{value}\"\n")));
    let inventory = world.apply(&two("x"), None).expect("applied").inventory;
    world
        .server
        .update(A, &KEY, json!("theirs"), "kubectl-edit");
    let more = ["f:data", "f:more"];
    world.server.update(A, &more, json!("theirs"), "helm");
    let before = world.server.object(A);

    let found = |options: &ApplyOptions| {
        let error = world.apply_with(&two("y"), inventory.as_ref(), options);
        let error = error.expect_err("a conflict");
        let Error::Conflicts {
            object,
            unit,
            conflicts,
        } = error
        else {
            panic!("{error:?}")
        };
        assert_eq!((object.as_str(), unit.as_str()), ("ConfigMap/a", "test/u1"));
        let mut fields: Vec<String> = conflicts
            .iter()
            .map(|conflict| format!("{} {}", conflict.path, conflict.manager))
            .collect();
        fields.sort();
        fields
    };
    let none = ApplyOptions::default();
    assert_eq!(found(&none), ["data.key kubectl-edit", "data.more helm"]);
    let other = force(&world, "b", "data.key");
    assert_eq!(found(&other), ["data.key kubectl-edit", "data.more helm"]);
    let one = force(&world, "a", "data.key");
    assert_eq!(found(&one), ["data.more helm"]);
    assert_eq!(world.server.object(A), before, "nothing was forced");

    let mut both = one;
    both.force.extend(force(&world, "a", "data.more").force);
    let applied = world.apply_with(&two("y"), inventory.as_ref(), &both);
    applied.expect("forced");
    let object = world.server.object(A).expect("there");
    assert_eq!(object["data"], json!({ "key": "y", "more": "y" }));
}

#[test]
fn a_conflict_in_a_list_has_a_path_of_ours() {
    let world = World::new();
    let field = ".spec.template.spec.containers[name=\"main\"].image";
    let conflict = Fault::conflict("PATCH", WEB, &[("argocd", field)]);
    world.server.fail(conflict);
    let (error, left) = world.fail(&unit(1, &deployment("web", "replicas: 1", "img:1")), None);
    let Error::Conflicts { conflicts, .. } = &error else {
        panic!("{error:?}")
    };
    let found = (conflicts[0].manager.as_str(), conflicts[0].path.as_str());
    let path = "spec.template.spec.containers.?name=main.image";
    assert_eq!(found, ("argocd", path));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_object_that_changed_meanwhile_is_tried_again() {
    let world = World::new();
    world.server.fail(Fault::stale("PATCH", A).first(2));
    let applied = world.apply(&unit(1, &config("a", "x")), None);
    applied.expect("applied");
    assert_eq!(world.server.count("PATCH", A), 3);
}

#[test]
fn restoring_leaves_what_others_changed() {
    let world = World::new();
    let before = unit(1, &config("a", "1"));
    let after = unit(1, &config("a", "2"));
    let inventory = world.apply(&before, None).expect("applied").inventory;
    let captured = world.target.capture(&after, inventory.as_ref());
    let image = captured.expect("captured");
    world.apply(&after, inventory.as_ref()).expect("applied");
    world
        .server
        .update(A, &KEY, json!("theirs"), "kubectl-edit");
    let error = world.target.put_back(&before.owner, &image);
    let error = error.expect_err("theirs");
    let Error::Conflicts { conflicts, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(conflicts[0].manager, "kubectl-edit");
    assert_eq!(conflicts[0].path, "data.key");
    let key = || world.server.object(A).expect("there")["data"]["key"].clone();
    assert_eq!(key(), "theirs");

    // Put right by hand, it is the unit's again.
    world.server.update(A, &KEY, json!("2"), "kubectl-edit");
    let planned = world.plan(&after, inventory.as_ref()).expect("planned");
    let sent = world
        .target
        .send(&[(&after, &planned)], &ApplyOptions::default());
    super::done(sent.into_iter().next().expect("one")).expect("applied");
    let restored = world.target.put_back(&before.owner, &image);
    restored.expect("put back");
    assert_eq!(key(), "1", "what is there was what we sent, too");
}

#[test]
fn restoring_takes_nothing_from_another_unit() {
    let world = World::new();
    let before = unit(1, &config("a", "1"));
    let inventory = world.apply(&before, None).expect("applied").inventory;
    let captured = world.target.capture(&before, inventory.as_ref());
    let image = captured.expect("captured");
    let takeover = ApplyOptions {
        takeover: true,
        ..ApplyOptions::default()
    };
    let other = unit(2, &config("a", "other"));
    world.apply_with(&other, None, &takeover).expect("taken");
    let error = world.target.put_back(&before.owner, &image);
    let error = error.expect_err("another's");
    assert!(matches!(error, Error::Owned { .. }), "{error:?}");
    assert!(error.to_string().contains("test/u2"), "{error}");
}
