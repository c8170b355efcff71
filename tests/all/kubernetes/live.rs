//! How units fare, and waiting for them.

use std::ops::ControlFlow;

use windlass::deploy::{ApplyOptions, Deployed, Target as _, WaitOptions};
use windlass::model::Status;

use super::cluster::NAMESPACE;
use super::{Room, deployment};

#[test]
fn a_unit_becomes_ready_and_one_that_cannot_is_told() {
    let Some(room) = Room::furnished("wait") else {
        return;
    };
    let good = room.unit(1, &deployment("good", "replicas: 2", "img:1"));
    let bad = room.unit(2, &deployment("bad", "replicas: 1", "missing:1"));
    let (mut inventories, mut sent) = (Vec::new(), Vec::new());
    for unit in [good, bad] {
        let applied = room.apply(&unit, None).expect("applied");
        let live = applied.live.expect("told by the answers");
        assert_eq!(
            (live.status, live.revision),
            (Status::Progressing, Some(unit.revision))
        );
        inventories.push(applied.inventory);
        sent.push(unit);
    }
    let units = sent.iter().zip(&inventories);
    let units: Vec<_> = units
        .map(|(unit, inventory)| Deployed {
            owner: &unit.owner,
            inventory: inventory.as_ref(),
        })
        .collect();
    let options = WaitOptions {
        timeout: Some(8_000),
        poll: 500,
    };
    let mut looks = [0; 2];
    let results = room
        .target
        .wait(&units, &options, &mut |at, _| {
            looks[at] += 1;
            ControlFlow::Continue(())
        })
        .expect("waited");
    assert_eq!(results[0].status, Status::Ready, "{}", results[0].reason);
    assert_eq!(results[1].status, Status::Failed, "{}", results[1].reason);
    assert!(looks[0] > 0 && looks[1] > looks[0], "{looks:?}");
    // A plan tells of what is well; why something is not is for a closer look.
    let planned = |at: usize| {
        let plan = room.plan(&sent[at], units[at].inventory, &ApplyOptions::default());
        plan.expect("planned").live
    };
    assert_eq!(planned(0).expect("told by the look").status, Status::Ready);
    assert_eq!(planned(1), None);
    let nothing = Deployed {
        owner: units[0].owner,
        inventory: None,
    };
    let results = room
        .target
        .wait(&[nothing], &options, &mut |_, _| ControlFlow::Continue(()))
        .expect("waited");
    assert_eq!(results[0].status, Status::NoLive);
}

#[test]
fn drift_is_what_changed_and_no_more() {
    let Some(room) = Room::tended("drift") else {
        return;
    };
    let unit = room.unit(1, &deployment("web", "replicas: 2", "img:1"));
    let inventory = room.apply(&unit, None).expect("applied").inventory;
    let units = [Deployed {
        owner: &unit.owner,
        inventory: inventory.as_ref(),
    }];
    assert_eq!(room.target.drift(&units).expect("looked")[0], []);
    room.inside(&["set", "image", "deployment/web", "main=img:2"]);
    assert_eq!(room.target.drift(&units).expect("looked")[0].len(), 1);
    room.inside(&["delete", "deployment", "web"]);
    let drift = room.target.drift(&units).expect("looked").remove(0);
    assert!(
        drift.len() == 1 && drift[0].path.is_root() && drift[0].live.is_none(),
        "{drift:?}"
    );
}

#[test]
fn a_cluster_says_which_it_is() {
    let Some(room) = Room::furnished("identity") else {
        return;
    };
    let system = room.cluster.get(NAMESPACE, "", "kube-system");
    let uid = system.expect("a namespace")["metadata"]["uid"].clone();
    let identity = room.target.identity().expect("known");
    assert_eq!(identity.cluster, uid);
    assert!(room.target.describe().contains(&identity.server));
    let probe = room.target.probe().expect("there");
    assert!(probe.starts_with("Kubernetes v1."), "{probe}");
}
