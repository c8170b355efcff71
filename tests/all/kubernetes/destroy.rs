//! Deleting what units have.

use windlass::deploy::{Error, Target as _};

use super::{Room, config, deployment, told};

#[test]
fn a_unit_goes_in_reverse_and_its_namespace_after_it() {
    let Some(room) = Room::bare("gone") else {
        return;
    };
    let unit = room.unit(
        1,
        &[config("a", "1"), deployment("web", "replicas: 2", "img")].join("---\n"),
    );
    let inventory = room.apply(&unit, None).expect("applied").inventory;
    assert!(
        !room
            .target
            .release_namespace(&room.namespace)
            .expect("asked"),
        "it is in use"
    );
    let destroyed = room.destroy(&unit, inventory.as_ref()).expect("destroyed");
    assert_eq!(
        told(&destroyed),
        "Delete Deployment/web, Delete ConfigMap/a"
    );
    assert_eq!(destroyed.inventory, None);
    let again = room.destroy(&unit, inventory.as_ref()).expect("destroyed");
    assert_eq!(told(&again), "");
    assert!(
        room.target
            .release_namespace(&room.namespace)
            .expect("released")
    );
    assert!(!room.try_kubectl(&["get", "namespace", &room.namespace]).0);
    assert!(
        !room
            .target
            .release_namespace(&room.namespace)
            .expect("asked")
    );
}

#[test]
fn what_is_anothers_by_now_stays() {
    let Some(room) = Room::tended("stays") else {
        return;
    };
    let unit = room.unit(1, &[config("a", "1"), config("b", "1")].join("---\n"));
    let inventory = room.apply(&unit, None).expect("applied").inventory;
    room.inside(&[
        "label",
        "--overwrite",
        "configmap",
        "a",
        "windlass.dev/unit=77",
    ]);
    let destroyed = room.destroy(&unit, inventory.as_ref()).expect("destroyed");
    assert_eq!(told(&destroyed), "Delete ConfigMap/b");
    room.inside(&["get", "configmap", "a"]);
    assert!(
        !room
            .target
            .release_namespace(&room.namespace)
            .expect("asked"),
        "made by hand"
    );
}

#[test]
fn a_namespace_that_others_live_in_is_not_destroyed() {
    let Some(room) = Room::bare("occupied") else {
        return;
    };
    let yaml = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n",
        room.namespace
    );
    let home = room.unit(1, &yaml);
    let inventory = room.apply(&home, None).expect("applied").inventory;
    let guest = room.unit(2, &config("a", "1"));
    let guests = room.apply(&guest, None).expect("applied").inventory;
    let error = room
        .destroy(&home, inventory.as_ref())
        .expect_err("occupied");
    assert!(matches!(error, Error::Occupied { .. }), "{error:?}");
    assert!(
        error.to_string().contains("ConfigMap/a of test/u2"),
        "{error}"
    );
    room.destroy(&guest, guests.as_ref()).expect("destroyed");
    room.destroy(&home, inventory.as_ref()).expect("destroyed");
    assert!(!room.try_kubectl(&["get", "namespace", &room.namespace]).0);
}
