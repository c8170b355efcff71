//! Several runs of the program on one store: waiting, reading meanwhile, being killed.

use crate::world::{Background, World};

const SETUP: &str = r#"let a = ensure_space("a");
for slug in ["x", "y"] { a.ensure_unit(slug, "kind: Deployment\nspec:\n  replicas: 1\n"); }"#;

/// Holds the write lock until there is a file `go`.
const HOLD: &str = r#"fn may_go() { try { read_file("go"); return true; } catch { return false; } }
atomic(|| { units("a/*").set_replicas(3); print("holding"); while !may_go() {} });"#;

#[test]
fn a_second_writer_names_the_first_and_waits_while_readers_go_on() {
    let world = World::empty();
    let _ = world.printed(SETUP);
    let mut first = Background::start(&world, HOLD);
    first.wait_for("holding");
    let mut second = world.start(&["function", "do", "--unit", "a/y", "set-replicas", "9"]);
    let notice = second.wait_for_notice("waiting for");
    assert!(notice.contains(&format!("pid {}", first.id())), "{notice}");
    assert!(notice.contains("run background.rhai"), "{notice}");
    let seen = world.json(&["unit", "list", "a/*", "--columns", "replicas"]);
    assert_eq!(
        seen,
        serde_json::json!([{ "replicas": 1 }, { "replicas": 1 }])
    );
    let refused = world.run(&["space", "create", "b", "--lock-timeout", "0.2"]);
    assert_eq!(refused.code, 4, "{}{}", refused.stdout, refused.stderr);
    world.write("go", "");
    assert_eq!(first.finish().code, 0);
    let second = second.finish();
    assert_eq!(second.code, 0, "{}{}", second.stdout, second.stderr);
    let seen = world.json(&["unit", "list", "a/*", "--columns", "replicas"]);
    assert_eq!(
        seen,
        serde_json::json!([{ "replicas": 3 }, { "replicas": 9 }])
    );
    let _ = world.ok(&["log", "verify"]);
}

#[test]
fn a_run_that_is_killed_leaves_whole_operations_and_the_next_one_finishes() {
    let reference = World::tutorial();
    let stage = "scripts/stage3-three-regions.rhai";
    let _ = reference.ok(&["run", stage]);
    let facts = |world: &World| {
        let columns = "Space.Slug,Slug,HeadRevisionNum,DataHash,Status,UpstreamRevisionNum";
        world.json(&["unit", "list", "--columns", columns])
    };
    let expected = facts(&reference);
    let all = reference.json(&["log"]).as_array().map_or(0, Vec::len);
    for operations in [1, 5, all / 2, all - 2] {
        let world = World::tutorial();
        // Dies as soon as there are so many operations, which no run of a stage stops for.
        let killed = world.start(&["run", stage]);
        let store = world.path().join(".windlass/store.redb");
        while !store.exists() || count(&world) < operations {
            std::thread::yield_now();
        }
        killed.kill();
        let _ = world.ok(&["log", "verify"]);
        let _ = world.ok(&["run", stage]);
        assert_eq!(
            facts(&world),
            expected,
            "killed after {operations} operations"
        );
        let _ = world.ok(&["log", "verify"]);
    }
}

fn count(world: &World) -> usize {
    let ran = world.run(&["log", "--json"]);
    serde_json::from_str::<Vec<serde_json::Value>>(&ran.stdout).map_or(0, |rows| rows.len())
}

#[test]
fn a_run_that_is_killed_inside_atomic_wrote_nothing() {
    let world = World::empty();
    let _ = world.printed(SETUP);
    let mut first = Background::start(&world, HOLD);
    first.wait_for("holding");
    first.kill();
    let seen = world.json(&["unit", "list", "a/*", "--columns", "replicas"]);
    assert_eq!(
        seen,
        serde_json::json!([{ "replicas": 1 }, { "replicas": 1 }])
    );
    let _ = world.ok(&["function", "do", "--space", "a", "set-replicas", "2"]);
    let _ = world.ok(&["log", "verify"]);
}
