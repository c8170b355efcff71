//! Taking over what others made.

use windlass::deploy::ApplyOptions;

use windlass::deploy::Target as _;

use super::{Room, deployment, steps};

#[test]
fn what_kubectl_applied_is_taken_as_it_is() {
    let Some(room) = Room::tended("taken") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("web.yaml");
    let text = deployment("web", "replicas: 3", "img:1")
        .replace("  selector", "  minReadySeconds: 1\n  selector");
    std::fs::write(&file, text).expect("written");
    let file = file.to_str().expect("a path");
    room.inside(&["apply", "--server-side", "-f", file]);
    let spec = ["get", "deployment", "web", "-o", "jsonpath={.spec}"];
    let before = room.inside(&spec);
    let unit = room.unit(1, &deployment("web", "replicas: 2", "img:1"));
    let from = ["kubectl".to_owned()];
    let dry = room
        .target
        .takeover(&unit, None, &from, true)
        .expect("asked");
    let owner = [
        "get",
        "deployment",
        "web",
        "-o",
        "jsonpath={.metadata.managedFields[*].manager}",
        "--show-managed-fields",
    ];
    assert!(!room.inside(&owner).contains("windlass"));
    let taken = room
        .target
        .takeover(&unit, None, &from, false)
        .expect("taken");
    assert_eq!(taken.objects, dry.objects);
    assert_eq!(taken.objects[0].managers, from);
    let extra: Vec<String> = taken.objects[0]
        .extra
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(extra, ["spec.minReadySeconds"]);
    assert_eq!(room.inside(&spec), before);
    let managers = room.inside(&owner);
    assert!(
        managers.contains("windlass") && !managers.split(' ').any(|name| name == "kubectl"),
        "{managers}"
    );
    // The unit says two pods, and the cluster has three.
    let plan = room
        .plan(&unit, taken.inventory.as_ref(), &ApplyOptions::default())
        .expect("planned");
    assert_eq!(steps(&plan), "Update Deployment/web");
}
