//! What is sent, and in which order.

use windlass::deploy::{ApplyOptions, Error, Inventory, Sent, Target as _, UnitObjects};
use windlass::path::Path;

use super::cluster::DEFINITION;
use super::{Room, config, deployment, done, planned, remembered, steps, told};

fn autoscaler(target: &str) -> String {
    format!(
        "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {target}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}
  minReplicas: 4
  maxReplicas: 9
  metrics:
    - type: Resource
      resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 50}}}}
"
    )
}

/// A unit of one Deployment that was applied, with what it has in the cluster.
fn web(room: &Room) -> (UnitObjects, Inventory) {
    let unit = room.unit(1, &deployment("web", "replicas: 2", "img:1"));
    let inventory = room
        .apply(&unit, None)
        .expect("applied")
        .inventory
        .expect("an inventory");
    (unit, inventory)
}

#[test]
fn a_field_that_somebody_took_is_a_conflict_unless_forced() {
    let Some(room) = Room::tended("conflict") else {
        return;
    };
    let (unit, inventory) = web(&room);
    let patch =
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"img:theirs"}]}}}}"#;
    room.inside(&[
        "patch",
        "deployment",
        "web",
        "--field-manager=kubectl-edit",
        "-p",
        patch,
    ]);
    let error = room.apply(&unit, Some(&inventory)).expect_err("a conflict");
    let Error::Conflicts {
        object,
        unit: name,
        conflicts,
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (object.as_str(), name.as_str()),
        ("Deployment/web", "test/u1")
    );
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].manager, "kubectl-edit");
    assert_eq!(
        conflicts[0].path,
        "spec.template.spec.containers.?name=main.image"
    );

    let id = unit.objects[0].id.clone();
    let force = |path: &str| {
        let mut id = id.clone();
        id.namespace.clone_from(&room.namespace);
        ApplyOptions {
            force: vec![(id, Path::parse(path).expect("a path"))],
            ..ApplyOptions::default()
        }
    };
    let error = room
        .apply_with(&unit, Some(&inventory), &force("spec.replicas"))
        .expect_err("another field");
    assert!(matches!(error, Error::Conflicts { .. }), "{error:?}");
    room.apply_with(&unit, Some(&inventory), &force(&conflicts[0].path))
        .expect("forced");
    let image = "jsonpath={.spec.template.spec.containers[0].image}";
    assert_eq!(
        room.inside(&["get", "deployment", "web", "-o", image]),
        "img:1"
    );
}

#[test]
fn an_autoscaler_keeps_its_number_of_pods() {
    let Some(room) = Room::tended("scaled") else {
        return;
    };
    let (unit, inventory) = web(&room);
    let scaler = room.unit(2, &autoscaler("web"));
    room.apply(&scaler, None).expect("applied");
    room.inside(&["scale", "deployment", "web", "--replicas=5"]);
    let plan = room
        .plan(&unit, Some(&inventory), &ApplyOptions::default())
        .expect("planned");
    assert_eq!(steps(&plan), "Keep Deployment/web");

    let unit = room.unit(1, &deployment("web", "replicas: 2", "img:2"));
    let applied = room.apply(&unit, Some(&inventory)).expect("applied");
    assert_eq!(told(&applied), "Update Deployment/web");
    let shown = room.inside(&[
        "get",
        "deployment",
        "web",
        "-o",
        "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}",
    ]);
    assert_eq!(shown, "5 img:2");
    let inventory = applied.inventory.expect("an inventory");
    let plan = room
        .plan(&unit, Some(&inventory), &ApplyOptions::default())
        .expect("planned");
    assert_eq!(steps(&plan), "Keep Deployment/web");

    // Without the autoscaler the unit decides again.
    room.inside(&["delete", "hpa", "web"]);
    let plan = room
        .plan(&unit, Some(&inventory), &ApplyOptions::default())
        .expect("planned");
    assert_eq!(steps(&plan), "Update Deployment/web");
}

#[test]
fn what_stands_on_a_definition_goes_after_it_in_one_batch() {
    let Some(room) = Room::tended("defined") else {
        return;
    };
    let group = format!("{}.example.com", room.namespace);
    room.leaves(DEFINITION, &format!("widgets.{group}"));
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.{group}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Widget, plural: widgets}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          x-kubernetes-preserve-unknown-fields: true
"
    );
    let widget =
        format!("apiVersion: {group}/v1\nkind: Widget\nmetadata:\n  name: w\nspec:\n  size: 1\n");
    let own = room.unit(1, &[widget.as_str(), definition.as_str()].join("---\n"));
    let other = room.unit(2, &widget.replace("name: w", "name: v"));
    let options = ApplyOptions::default();
    let units = [(other.clone(), None), (own.clone(), None)];
    let plans = room
        .target
        .plan(&remembered(&units), &options)
        .expect("planned");
    let plans: Vec<_> = plans.into_iter().map(|plan| plan.expect("known")).collect();
    let units: Vec<_> = [other, own].into_iter().zip(plans).collect();
    let mut inventories = Vec::new();
    let sent = room.target.send(&planned(&units), &options);
    for (sent, (unit, _)) in sent.into_iter().zip(&units) {
        let applied = done(sent).expect("applied");
        inventories.push((unit.clone(), applied.inventory));
    }
    for (unit, inventory) in &inventories {
        let plan = room
            .plan(unit, inventory.as_ref(), &options)
            .expect("planned");
        assert!(!plan.is_change(), "{}", steps(&plan));
        room.destroy(unit, inventory.as_ref()).expect("destroyed");
    }
    let names = room.kubectl(&["get", "crd", "-o", "name"]);
    assert!(!names.contains(&group), "{names}");
}

#[test]
fn a_failure_leaves_what_was_sent_and_begins_no_more() {
    let Some(room) = Room::furnished("half") else {
        return;
    };
    let bad = config("Not_A_Name", "x");
    let unit = room.unit(
        1,
        &[config("a", "1"), deployment("web", "replicas: -1", "img")].join("---\n"),
    );
    let later: Vec<_> = (2..40).map(|number| room.unit(number, &bad)).collect();
    let options = ApplyOptions::default();
    let plan = |unit: &UnitObjects| room.plan(unit, None, &options).expect("planned");
    let units: Vec<_> = [unit]
        .into_iter()
        .chain(later)
        .map(|unit| (unit.clone(), plan(&unit)))
        .collect();
    let sent = room.target.send(&planned(&units), &options);
    let Sent::Failed { error, inventory } = &sent[0] else {
        panic!("{:?}", sent[0])
    };
    assert!(matches!(**error, Error::Rejected { .. }), "{error:?}");
    let inventory = inventory.as_ref().expect("what was sent");
    let names: Vec<String> = inventory
        .objects
        .iter()
        .map(|object| object.id.to_string())
        .collect();
    assert_eq!(names, ["ConfigMap/a"]);
    assert!(sent.iter().any(|sent| matches!(sent, Sent::NotSent)));
    for sent in &sent[1..] {
        assert!(
            !matches!(
                sent,
                Sent::Done(_)
                    | Sent::Failed {
                        inventory: Some(_),
                        ..
                    }
            ),
            "{sent:?}"
        );
    }
}

#[test]
fn a_field_that_cannot_be_changed_is_named() {
    let Some(room) = Room::furnished("immutable") else {
        return;
    };
    let unit = room.unit(1, &deployment("web", "replicas: 1", "img:1"));
    let inventory = room.apply(&unit, None).expect("applied").inventory;
    let unit = room.unit(
        1,
        &deployment("web", "replicas: 1", "img:1").replace("{app: web}", "{app: other}"),
    );
    let error = room
        .apply(&unit, inventory.as_ref())
        .expect_err("immutable");
    let text = error.to_string();
    assert!(text.contains("`spec.selector` cannot be changed"), "{text}");
    assert!(text.contains("windlass unit destroy test/u1"), "{text}");
}
