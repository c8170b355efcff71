//! Connections that break, answers that do not come, servers that have too much to do.

use std::ops::ControlFlow;

use serde_json::json;
use windlass::deploy::{ApplyOptions, Deployed, Error, Inventory, Sent, Target as _, WaitOptions};
use windlass::model::Status;

use super::super::scripted::Fault;
use super::super::{planned, remembered};
use super::{A, B, WEB, World, all, config, deployment, failed, steps, unit};

#[test]
fn what_passes_is_survived() {
    let list = "/api/v1/namespaces/t/configmaps";
    for (fault, tries) in [
        (Fault::too_many("PATCH", A, 0).first(3), 4),
        (Fault::too_many("PATCH", A, 1).first(1), 2),
        (Fault::broken("PATCH", A, 500).first(2), 3),
        (Fault::broken("PATCH", A, 503).first(2), 3),
        (Fault::broken("PATCH", A, 502).first(1), 2),
        (Fault::cut_before("PATCH", A).first(1), 2),
        (Fault::cut_after("PATCH", A).first(1), 2),
        (Fault::stalls("PATCH", A).first(1), 2),
        (Fault::stalls_within("PATCH", A).first(1), 2),
    ] {
        let world = World::new();
        world.server.fail(Fault::broken("GET", list, 503).first(1));
        world.server.fail(fault.clone());
        let unit = unit(1, &all(&[config("a", "x"), config("b", "x")]));
        let applied = world.apply(&unit, None).expect("survived");
        assert_eq!(world.server.count("PATCH", A), tries, "{fault:?}");
        assert_eq!(world.server.count("PATCH", B), 1, "{fault:?}");
        assert_eq!(world.server.count("GET", list), 2, "{fault:?}");
        // However often it was sent, it is there once, as it was sent.
        let object = world.server.object(A).expect("there");
        let managers = object["metadata"]["managedFields"].as_array();
        assert_eq!(managers.map(Vec::len), Some(1), "{fault:?}");
        let plan = world.plan(&unit, applied.inventory.as_ref());
        assert!(!plan.expect("planned").is_change(), "{fault:?}");
    }
}

#[test]
fn what_does_not_pass_ends_and_names_the_object() {
    for (fault, says) in [
        (Fault::too_many("PATCH", A, 0), "too many requests"),
        (Fault::too_many("PATCH", A, 1), "too many requests"),
        (Fault::too_many("PATCH", A, 3_600), "too many requests"),
        (Fault::broken("PATCH", A, 500), "leader changed"),
        (Fault::broken("PATCH", A, 503), "leader changed"),
        (Fault::cut_before("PATCH", A), "connection"),
        (Fault::stalls("PATCH", A), "no answer within 0.4 s"),
    ] {
        let world = World::new();
        world.server.fail(fault.clone());
        let (error, left) = world.fail(&unit(1, &config("a", "x")), None);
        assert!(
            matches!(error, Error::Unreachable { .. }),
            "{fault:?}: {error:?}"
        );
        let text = error.to_string();
        for part in [says, "`ConfigMap/a` of `test/u1`", "does not answer"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // It may be there: it must not be forgotten.
        assert_eq!(left, ["ConfigMap/a"], "{fault:?}");
        let tries = world.server.count("PATCH", A);
        assert!((1..40).contains(&tries), "{fault:?}: {tries}");
    }
}

#[test]
fn a_plan_that_gets_no_answer_is_an_error_of_the_cluster() {
    for fault in [
        Fault::broken("GET", A, 503),
        Fault::stalls("GET", A),
        Fault::stalls("GET", "/api/v1"),
        Fault::cut_before("GET", "/**"),
    ] {
        let world = World::new();
        world.server.fail(fault.clone());
        let planned = world.plan(&unit(1, &config("a", "x")), None);
        let error = planned.expect_err("no answer");
        assert!(
            matches!(error, Error::Unreachable { .. }),
            "{fault:?}: {error:?}"
        );
        assert_eq!(world.server.count("PATCH", "/**"), 0);
    }
}

#[test]
fn a_namespace_whose_creation_was_not_answered_is_made_once() {
    let world = World::new();
    let fault = Fault::cut_after("POST", "/api/v1/namespaces");
    world.server.fail(fault.first(1));
    let mut unit = unit(1, &config("a", "x"));
    unit.namespace = "fresh".to_owned();
    let applied = world.apply(&unit, None).expect("applied");
    assert_eq!(world.server.count("POST", "/api/v1/namespaces"), 2);
    assert_eq!(applied.namespaces, ["fresh"]);
}

#[test]
fn a_batch_that_was_cut_goes_on_where_it_was() {
    let world = World::with(1);
    world.server.fail(Fault::cut_after("PATCH", WEB));
    let units = [
        unit(1, &config("a", "x")),
        unit(
            2,
            &all(&[config("b", "x"), deployment("web", "replicas: 1", "i")]),
        ),
        unit(3, &config("c", "x")),
    ];
    let options = ApplyOptions::default();
    let batch = |inventories: &[Option<Inventory>]| {
        let each = units.iter().zip(inventories);
        let units: Vec<_> = each
            .map(|(unit, inventory)| (unit.clone(), inventory.clone()))
            .collect();
        let plans = world
            .target
            .plan(&remembered(&units), &options)
            .expect("planned");
        let plans = plans.into_iter().map(|plan| plan.expect("planned"));
        let units = units.into_iter().map(|(unit, _)| unit);
        units.zip(plans).collect::<Vec<_>>()
    };
    let mut sent = world
        .target
        .send(&planned(&batch(&[None, None, None])), &options);
    assert!(matches!(sent[2], Sent::NotSent), "{:?}", sent[2]);
    assert!(
        world
            .server
            .object("/api/v1/namespaces/t/configmaps/c")
            .is_none()
    );
    let Sent::Done(first) = &sent[0] else {
        panic!("{:?}", sent[0])
    };
    let mut inventories = vec![first.inventory.clone(), None, None];
    if let Sent::Failed { inventory, .. } = &sent[1] {
        inventories[1].clone_from(inventory);
    }
    let (error, left) = failed(sent.remove(1));
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(left, ["ConfigMap/b", "Deployment/web"]);

    world.server.heal();
    let again = batch(&inventories);
    let told: Vec<String> = again.iter().map(|(_, plan)| steps(plan)).collect();
    assert_eq!(
        told,
        [
            "Keep ConfigMap/a",
            "Keep ConfigMap/b, Update Deployment/web",
            "Create ConfigMap/c"
        ]
    );
    let sent = world.target.send(&planned(&again), &options);
    for (at, sent) in sent.into_iter().enumerate() {
        let applied = super::done(sent).expect("finished");
        let live = applied.live.as_ref().expect("told");
        assert_eq!(live.status, Status::Ready, "{live:?}");
        inventories[at] = applied.inventory;
    }
    let last = batch(&inventories);
    assert!(last.iter().all(|(_, plan)| !plan.is_change()));
}

#[test]
fn waiting_needs_no_watch_and_outlasts_stalls() {
    let world = World::new();
    let unit = unit(1, &deployment("web", "replicas: 2", "img:1"));
    let inventory = world.apply(&unit, None).expect("applied").inventory;
    let set = |field: &str, count: u32| {
        let field = ["f:status", field];
        world.server.update(WEB, &field, json!(count), "controller");
    };
    set("f:readyReplicas", 1);
    set("f:availableReplicas", 1);
    world.server.fail(Fault::stalls("GET", WEB).only(2));
    world.server.fail(Fault::cut_before("GET", WEB).only(2));
    let units = [Deployed {
        owner: &unit.owner,
        inventory: inventory.as_ref(),
    }];
    let options = WaitOptions {
        timeout: Some(20_000),
        poll: 50,
    };
    let mut seen = Vec::new();
    let waited = world.target.wait(&units, &options, &mut |_, state| {
        seen.push(state.status);
        if seen.len() == 3 {
            set("f:readyReplicas", 2);
            set("f:availableReplicas", 2);
        }
        ControlFlow::Continue(())
    });
    let waited = waited.expect("waited");
    assert_eq!(waited[0].status, Status::Ready, "{}", waited[0].reason);
    assert_eq!(seen[..3], [Status::Progressing; 3]);
    assert_eq!(seen.last(), Some(&Status::Ready));
    assert_eq!(world.server.watches(), 0);

    set("f:readyReplicas", 0);
    let mut looks = 0;
    let stopped = world.target.wait(&units, &options, &mut |_, _| {
        looks += 1;
        match looks {
            2 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    assert_eq!(looks, 2);
}
