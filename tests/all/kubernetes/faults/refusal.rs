//! What the cluster refuses for good.

use windlass::deploy::Error;

use super::super::scripted::Fault;
use super::{A, B, World, all, config, unit};

#[test]
fn what_a_rule_of_admission_denies_is_rejected_with_object_and_unit() {
    for code in [400, 403, 422, 429, 500, 503] {
        let world = World::new();
        world
            .server
            .fail(Fault::denied("PATCH", A, code, "no `latest` here"));
        let (error, left) = world.fail(&unit(1, &config("a", "x")), None);
        let Error::Rejected {
            object,
            unit,
            reason,
            ..
        } = &error
        else {
            panic!("{code}: {error:?}")
        };
        assert_eq!((object.as_str(), unit.as_str()), ("ConfigMap/a", "test/u1"));
        assert!(
            reason.contains("policy.example.com") && reason.contains("no `latest` here"),
            "{reason}"
        );
        assert!(left.is_empty(), "{code}: it was refused: {left:?}");
        assert_eq!(world.server.count("PATCH", A), 1, "{code}: not tried again");
    }
}

#[test]
fn a_malformed_object_is_no_failure_of_the_server() {
    let world = World::new();
    world.server.fail(Fault::malformed("PATCH", A));
    let (error, left) = world.fail(&unit(1, &config("a", "x")), None);
    assert!(matches!(error, Error::Rejected { .. }), "{error:?}");
    let text = error.to_string();
    for part in [".dta", "`ConfigMap/a` of `test/u1`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(world.server.count("PATCH", A), 1, "not tried again");
}

#[test]
fn what_is_not_allowed_is_forbidden() {
    let world = World::new();
    world.server.fail(Fault::forbidden("PATCH", A));
    let (error, _) = world.fail(&unit(1, &config("a", "x")), None);
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
    assert_eq!(world.server.count("PATCH", A), 1);
}

#[test]
fn a_namespace_that_goes_while_it_is_filled_is_named() {
    let world = World::with(1);
    world.server.fail(Fault::terminating("PATCH", B, "t"));
    let unit = unit(1, &all(&[config("a", "x"), config("b", "x")]));
    let (error, left) = world.fail(&unit, None);
    let Error::Terminating {
        namespace, unit, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!((namespace.as_str(), unit.as_str()), ("t", "test/u1"));
    assert_eq!(left, ["ConfigMap/a"]);
}
