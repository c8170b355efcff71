//! Putting back what was there.

use windlass::deploy::{Error, Target as _};

use super::cluster::CONFIG_MAP;
use super::{Room, config, steps};

#[test]
fn what_was_changed_created_and_deleted_is_put_back() {
    let Some(room) = Room::tended("back") else {
        return;
    };
    let before = room.unit(
        1,
        &[config("changed", "1"), config("deleted", "1")].join("---\n"),
    );
    let inventory = room
        .apply(&before, None)
        .expect("applied")
        .inventory
        .expect("an inventory");
    let after = room.unit(
        1,
        &[config("changed", "2"), config("created", "1")].join("---\n"),
    );
    let image = room
        .target
        .capture(&after, Some(&inventory))
        .expect("captured");
    room.apply(&after, Some(&inventory)).expect("applied");
    let text = serde_json::to_string(&image).expect("written");
    let image = serde_json::from_str(&text).expect("read");
    for _ in 0..2 {
        let restored = room
            .target
            .put_back(&before.owner, &image)
            .expect("put back")
            .expect("an inventory");
        let plan = room
            .plan(
                &before,
                Some(&restored),
                &windlass::deploy::ApplyOptions::default(),
            )
            .expect("planned");
        assert_eq!(
            steps(&plan),
            "Keep ConfigMap/changed, Keep ConfigMap/deleted"
        );
    }
    let names = room.inside(&["get", "configmaps", "-o", "name"]);
    assert!(!names.contains("created"), "{names}");
}

#[test]
fn what_others_changed_meanwhile_is_not_put_back() {
    let Some(room) = Room::tended("theirs") else {
        return;
    };
    let unit = |value: &str| room.unit(1, &config("a", value));
    let inventory = room.apply(&unit("1"), None).expect("applied").inventory;
    let image = room
        .target
        .capture(&unit("2"), inventory.as_ref())
        .expect("captured");
    room.apply(&unit("2"), inventory.as_ref()).expect("applied");
    let change = |value: &str| {
        let body = serde_json::json!({ "data": { "key": value } });
        let place = (room.namespace.as_str(), "a");
        room.cluster
            .change(CONFIG_MAP, place, "kubectl-edit", &body);
    };
    change("theirs");
    let owner = unit("2").owner;
    let error = room.target.put_back(&owner, &image).expect_err("theirs");
    let Error::Conflicts { conflicts, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (conflicts[0].manager.as_str(), conflicts[0].path.as_str()),
        ("kubectl-edit", "data.key")
    );
    // Whoever only has the same as we sent does not stand in the way.
    let found = || room.inside(&["get", "configmap", "a", "-o", "jsonpath={.data.key}"]);
    assert_eq!(found(), "theirs");
    room.inside(&["delete", "configmap", "a"]);
    room.apply(&unit("2"), inventory.as_ref()).expect("applied");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.yaml");
    std::fs::write(&file, config("a", "2")).expect("written");
    room.inside(&[
        "apply",
        "--server-side",
        "-f",
        file.to_str().expect("a path"),
    ]);
    room.target.put_back(&owner, &image).expect("put back");
    assert_eq!(found(), "1");
}
