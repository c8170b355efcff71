//! Other writers while a session is open, and targets that are real clusters.

use std::collections::BTreeMap;
use std::sync::Arc;

use windlass::clock::Clock;
use windlass::db::{Db, OperationDraft};
use windlass::model::Target;
use windlass::store::Embedded;

use super::pty::Terminal;
use super::{fleet, said};
use crate::world::World;

#[test]
fn others_write_between_two_lines_and_are_seen() {
    let world = fleet();
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    at.line("let web = unit(\"prod-us/web\")");
    at.line("let pinned = units(\"prod-*/web\")");
    let _ = world.ok(&["run", "set-replicas", "8", "--unit", "prod-us/web"]);
    assert_eq!(at.line("web.get(\"spec.replicas\")"), "8");
    // What was selected before has moved, and a write says so.
    let refused = at.line("pinned.set_replicas(2)");
    assert!(refused.contains("error[Conflict]"), "{refused}");
    assert!(
        at.line("units(\"prod-*/web\").set_replicas(2)")
            .contains("2 changed")
    );
    assert!(
        world
            .ok(&["unit", "data", "prod-us/web"])
            .contains("replicas: 2")
    );
}

#[test]
fn others_write_while_a_group_is_open() {
    let world = fleet();
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    at.line(":begin");
    at.line("let seen = unit(\"prod-us/web\").get(\"spec.replicas\")");
    at.line("unit(\"prod-us/web\").set_replicas(seen + 4)");
    // A failing line leaves nothing behind, and the group goes on.
    let failed = at.line("unit(\"prod-us/web\").set_replicas(77); unit(\"prod-us/nope\")");
    assert!(failed.contains("error[NotFound]"), "{failed}");
    assert_eq!(at.line("unit(\"prod-us/web\").get(\"spec.replicas\")"), "5");
    // Somebody else writes another unit: no matter. Nobody waits for the group.
    let _ = world.ok(&[
        "--lock-timeout",
        "0.5",
        "run",
        "set-replicas",
        "3",
        "--unit",
        "prod-eu/web",
    ]);
    assert!(at.line(":diff").contains("replicas: 5"));
    // And then the same unit: the group is computed again.
    let _ = world.ok(&["run", "set-replicas", "10", "--unit", "prod-us/web"]);
    let refused = at.line(":commit");
    assert!(refused.contains("error[Conflict]"), "{refused}");
    assert!(refused.contains("computed again"), "{refused}");
    assert!(at.shown().ends_with("[group of 3]>"), "{}", at.shown());
    assert!(
        world
            .ok(&["unit", "data", "prod-us/web"])
            .contains("replicas: 10")
    );
    assert!(at.line(":diff").contains("replicas: 14"));
    assert!(at.line(":commit after all").contains("1 changed"));
    assert!(
        world
            .ok(&["unit", "data", "prod-us/web"])
            .contains("replicas: 14")
    );
    assert!(
        world
            .ok(&["unit", "data", "prod-eu/web"])
            .contains("replicas: 3")
    );
    let _ = world.ok(&["log", "verify"]);
    assert_eq!(at.line("seen"), "10");
}

/// Gives a space a target of another kind, as if a cluster had answered.
fn on_a_cluster(world: &World, space: &str) {
    let store = Embedded::new(world.path().join(".windlass/store.redb"));
    let db = Db::new(Arc::new(store), Clock::System);
    let mut writing = db.write("target create").unwrap();
    writing
        .put_target(&Target {
            slug: "eu-1".parse().unwrap(),
            kind: "kubernetes".to_owned(),
            parameters: BTreeMap::new(),
        })
        .unwrap();
    let mut space = writing
        .find_space(&space.parse().unwrap())
        .unwrap()
        .unwrap();
    space.target = Some("eu-1".parse().unwrap());
    writing.put_space(&space).unwrap();
    let draft = OperationDraft::new("target create", "ada");
    let _ = writing.finish(draft).unwrap();
}

#[test]
fn dry_is_on_where_the_target_is_a_real_cluster() {
    let world = fleet();
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    assert!(at.shown().ends_with("windlass>"), "{}", at.shown());
    on_a_cluster(&world, "prod-eu");
    at.line("cd prod-us");
    assert!(at.shown().ends_with("prod-us>"), "{}", at.shown());
    assert!(at.line("cd prod-eu").contains("dry is on"));
    assert!(
        at.shown().ends_with("prod-eu [kubernetes, dry]>"),
        "{}",
        at.shown()
    );
    let before = world.store();
    assert!(at.line("unit(\"web\").set_replicas(9)").contains("PREVIEW"));
    assert!(world.store() == before, "the store has changed");
    at.line(":dry off");
    assert!(
        at.shown().ends_with("prod-eu [kubernetes]>"),
        "{}",
        at.shown()
    );
    assert!(at.line("unit(\"web\").set_replicas(9)").contains("op-"));
    // It stays off until somebody goes into such a space again.
    at.line("cd prod-us");
    at.line("use_space(\"prod-eu\")");
    assert!(
        at.shown().ends_with("prod-eu [kubernetes, dry]>"),
        "{}",
        at.shown()
    );
    at.line("cd ..");
    assert!(at.shown().ends_with("windlass [dry]>"), "{}", at.shown());

    let at = Terminal::start_with(&world, &["--space", "prod-us"], "xterm", 100, &[]);
    assert!(at.shown().ends_with("prod-us>"), "{}", at.shown());
    let at = Terminal::start_with(&world, &["--space", "prod-eu"], "xterm", 100, &[]);
    assert!(
        at.shown().ends_with("prod-eu [kubernetes, dry]>"),
        "{}",
        at.shown()
    );
    // Without a space, any of them may be meant.
    let at = Terminal::start(&world, "xterm", 100, &[]);
    assert!(at.shown().ends_with("windlass [dry]>"), "{}", at.shown());
    assert_eq!(said(&world, ":dry\n"), "dry is on\n");
}
