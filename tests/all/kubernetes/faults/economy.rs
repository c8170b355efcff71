//! No more requests than it takes.

use windlass::deploy::{ApplyOptions, Inventory, Target as _, UnitObjects};
use windlass::model::Status;

use super::super::scripted::Fault;
use super::super::{planned, remembered};
use super::{A, World, all, config, deployment, done, unit};

fn in_namespace(number: u64, namespace: &str, value: &str) -> UnitObjects {
    let yaml = all(&[
        config("a", value),
        config("b", "x"),
        deployment("web", "replicas: 1", "img:1"),
        deployment("api", "replicas: 1", "img:1"),
    ]);
    UnitObjects {
        namespace: namespace.to_owned(),
        ..unit(number, &yaml)
    }
}

#[test]
fn a_plan_is_one_list_for_each_kind_and_namespace() {
    let world = World::new();
    let options = ApplyOptions::default();
    let names = ["t", "u", "v"];
    let units = |value: &str| {
        let each = names.iter().zip(1..);
        let value = |name: &str| {
            if name == "u" {
                value.to_owned()
            } else {
                "x".to_owned()
            }
        };
        each.map(|(name, number)| in_namespace(number, name, &value(name)))
            .collect::<Vec<_>>()
    };
    let plan = |units: Vec<UnitObjects>, inventories: &[Option<Inventory>]| {
        let units: Vec<_> = units.into_iter().zip(inventories.iter().cloned()).collect();
        let plans = world
            .target
            .plan(&remembered(&units), &options)
            .expect("planned");
        let plans = plans.into_iter().map(|plan| plan.expect("planned"));
        let units = units.into_iter().map(|(unit, _)| unit);
        units.zip(plans).collect::<Vec<_>>()
    };
    let batch = plan(units("x"), &[None, None, None]);
    let sent = world.target.send(&planned(&batch), &options);
    let inventories: Vec<_> = sent
        .into_iter()
        .map(|sent| done(sent).expect("applied").inventory)
        .collect();

    let asked = || {
        let mut requests = world.server.requests();
        requests.sort();
        world.server.forget();
        requests
    };
    asked();
    let mut lists = vec!["GET /api/v1/namespaces".to_owned()];
    for name in names {
        lists.push(format!("GET /api/v1/namespaces/{name}/configmaps"));
        lists.push(format!("GET /apis/apps/v1/namespaces/{name}/deployments"));
    }
    lists.sort();
    let batch = plan(units("x"), &inventories);
    assert_eq!(asked(), lists);
    for (_, plan) in &batch {
        assert!(!plan.is_change());
        let live = plan.live.as_ref().expect("told by the look");
        assert_eq!((live.status, live.objects.len()), (Status::Ready, 4));
        assert_eq!(live.revision, Some(1));
    }
    // Nothing to send is nothing asked, and what the look told is still so.
    let sent = world.target.send(&planned(&batch), &options);
    assert_eq!(asked(), Vec::<String>::new());
    let applied = sent.into_iter().map(|sent| done(sent).expect("nothing"));
    for ((_, plan), applied) in batch.iter().zip(applied) {
        assert_eq!(applied.live, plan.live);
    }

    // One changed, and it alone is sent.
    let batch = plan(units("y"), &inventories);
    let sent = world.target.send(&planned(&batch), &options);
    let mut expected = lists;
    expected.push("PATCH /api/v1/namespaces/u/configmaps/a".to_owned());
    assert_eq!(asked(), expected);
    for (sent, inventory) in sent.into_iter().zip(&inventories) {
        let applied = done(sent).expect("applied");
        let live = applied.live.expect("told by look and answers");
        assert_eq!((live.status, live.objects.len()), (Status::Ready, 4));
        assert_eq!(
            applied.inventory.map(|now| now.objects.len()),
            inventory.as_ref().map(|before| before.objects.len())
        );
    }
}

#[test]
fn a_refusal_in_a_preview_is_of_its_own_unit_alone() {
    let world = World::new();
    let units = [
        (unit(1, &all(&[config("a", "x"), config("b", "x")])), None),
        (unit(2, &config("c", "x")), None),
        (unit(3, &config("d", "x")), None),
    ];
    world.server.fail(Fault::admission("PATCH", A, "no"));
    let options = ApplyOptions::default();
    let plans = world.target.plan(&remembered(&units), &options);
    let plans = plans.expect("planned").into_iter();
    let plans = plans.map(|plan| plan.expect("planned"));
    let batch: Vec<_> = units.into_iter().map(|(unit, _)| unit).zip(plans).collect();
    let previews = world.target.preview(&planned(&batch), &options);
    let previews = previews.expect("asked");
    assert!(previews[0].is_err(), "{:?}", previews[0]);
    for (at, name) in [(1, "c"), (2, "d")] {
        let objects = previews[at].as_ref().expect("taken");
        let names: Vec<&str> = objects
            .iter()
            .map(|object| object.resource.name.as_str())
            .collect();
        assert_eq!(names, [name]);
    }
}
