//! What does not come to its end: deletions that finalizers hold, definitions that are not taken.

use serde_json::json;
use windlass::deploy::{ApplyOptions, Deployed, Error, Sent, Target as _};

use super::super::{planned, remembered};
use super::{A, World, all, config, done, failed, unit};

fn held() -> String {
    config("a", "x").replace("name: a", "name: a\n  finalizers: [example.com/hold]")
}

#[test]
fn what_stays_after_its_deletion_is_never_done() {
    let world = World::new();
    let whole = unit(1, &all(&[held(), config("b", "x")]));
    let inventory = world.apply(&whole, None).expect("applied").inventory;
    let is_held = |error: &Error| {
        assert!(matches!(error, Error::StillThere { .. }), "{error:?}");
        let text = error.to_string();
        for part in ["ConfigMap/a", "example.com/hold"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    };
    // No longer the unit's: it is deleted, and does not go.
    let less = unit(1, &config("b", "x"));
    let (error, left) = world.fail(&less, inventory.as_ref());
    is_held(&error);
    assert_eq!(left, ["ConfigMap/b", "ConfigMap/a"]);
    // Wanted again, it is not taken for there.
    let (error, left) = world.fail(&whole, inventory.as_ref());
    is_held(&error);
    assert_eq!(left, ["ConfigMap/a", "ConfigMap/b"]);
    // Destroyed, neither.
    let deployed = Deployed {
        owner: &whole.owner,
        inventory: inventory.as_ref(),
    };
    let (error, left) = failed(world.target.destroy(&[deployed]).remove(0));
    is_held(&error);
    assert_eq!(left, ["ConfigMap/a"]);
    assert!(world.server.object(A).is_some());
}

#[test]
fn restoring_waits_until_what_was_created_is_gone() {
    let world = World::new();
    let created = unit(1, &held());
    let image = world.target.capture(&created, None).expect("captured");
    world.apply(&created, None).expect("applied");
    let restored = world.target.put_back(&created.owner, &image);
    let error = restored.expect_err("it is there");
    assert!(matches!(error, Error::StillThere { .. }), "{error:?}");
}

#[test]
fn a_definition_that_is_not_taken_is_an_error_of_its_unit() {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";
    let definition = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true}]
";
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n";
    let refused = json!({ "status": { "conditions": [
        { "type": "NamesAccepted", "status": "False", "reason": "PluralConflict",
          "message": "\"widgets\" is already in use" },
        { "type": "Established", "status": "False", "reason": "NotAccepted", "message": "not all names are accepted" },
    ]}});
    let alone = [unit(1, &all(&[definition.to_owned(), widget.to_owned()]))];
    let apart = [unit(1, definition), unit(2, widget)];
    for (units, body, says) in [
        (&alone[..], Some(&refused), "\"widgets\" is already in use"),
        (&apart[..], Some(&refused), "\"widgets\" is already in use"),
        (&alone[..], None, "no condition"),
        (&apart[..], None, "no condition"),
    ] {
        let world = World::new();
        if let Some(body) = body {
            world.server.put(path, body.clone());
        }
        let options = ApplyOptions {
            takeover: true,
            ..ApplyOptions::default()
        };
        let wanted: Vec<_> = units.iter().map(|unit| (unit.clone(), None)).collect();
        let plans = world
            .target
            .plan(&remembered(&wanted), &options)
            .expect("planned");
        let plans = plans.into_iter().map(|plan| plan.expect("planned"));
        let batch: Vec<_> = units.iter().cloned().zip(plans).collect();
        let mut sent = world.target.send(&planned(&batch), &options);
        let (error, left) = failed(sent.remove(0));
        assert!(matches!(error, Error::Rejected { .. }), "{error:?}");
        let text = error.to_string();
        for part in [says, "widgets.example.com` of `test/u1`", "established"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(left, ["CustomResourceDefinition/widgets.example.com"]);
        assert!(
            sent.iter().all(|sent| matches!(sent, Sent::NotSent)),
            "{sent:?}"
        );
        assert_eq!(world.server.count("PATCH", "/apis/example.com/**"), 0);
    }
}

#[test]
fn a_unit_that_never_had_anything_is_destroyed_at_once() {
    let world = World::new();
    let owner = unit(1, &config("a", "x")).owner;
    let nothing = Deployed {
        owner: &owner,
        inventory: None,
    };
    let destroyed = done(world.target.destroy(&[nothing]).remove(0));
    assert!(destroyed.expect("nothing to do").objects.is_empty());
    assert_eq!(world.server.requests(), Vec::<String>::new());
}
