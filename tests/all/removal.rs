//! Deleting spaces, units and targets: only as far as was said.

use serde_json::{Value, json};

use crate::tools::{content, ok, values};
use crate::world::World;

#[test]
fn a_space_is_deleted_only_as_far_as_was_said() {
    let world = World::tutorial();
    ok(&world, "scripts/stage2-three-envs.rhai");
    let before = content(&world);
    for (words, kind, says) in [
        (&["traderx-dev"][..], 3, "1 unit"),
        (&["traderx-prod"], 3, "1 unit and 1 worker"),
        (&["traderx-prod", "--destroy"], 3, "1 unit and 1 worker"),
        (&["traderx-prod", "--recursive"], 3, "--destroy"),
        (
            &["traderx", "--recursive", "--destroy"],
            3,
            "traderx-dev/reference-data, traderx-staging/reference-data, traderx-prod/reference-data",
        ),
        (&["traderx-none"], 1, "traderx-none"),
    ] {
        let mut all = vec!["space", "delete"];
        all.extend(words);
        let ran = world.run(&all);
        assert_eq!(ran.code, kind, "{words:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
        assert_eq!(content(&world), before, "{words:?}");
    }

    let last = |world: &World| world.json(&["log", "--limit", "1"]);
    let count = world
        .json(&["log", "--limit", "1000"])
        .as_array()
        .unwrap()
        .len();
    drop(world.ok(&[
        "space",
        "delete",
        "traderx-dev",
        "--recursive",
        "-m",
        "not needed",
    ]));
    assert_eq!(
        world
            .json(&["log", "--limit", "1000"])
            .as_array()
            .unwrap()
            .len(),
        count + 1,
        "one operation"
    );
    assert!(
        last(&world)
            .to_string()
            .contains("space delete traderx-dev"),
        "{}",
        last(&world)
    );

    let printed = world.ok(&[
        "space",
        "delete",
        "traderx-prod",
        "--recursive",
        "--destroy",
    ]);
    assert!(printed.contains("1 worker deleted"), "{printed}");
    assert!(
        printed.contains("namespace traderx-prod deleted on the target"),
        "{printed}"
    );
    assert_eq!(world.json(&["worker", "list"]), json!([]));
    drop(world.ok(&["space", "create", "traderx-prod"]));
    drop(world.ok(&["space", "delete", "traderx-prod"]));
    drop(world.ok(&["log", "verify"]));
}

#[test]
fn a_space_in_a_preview_or_a_failed_transaction_stays() {
    let world = World::tutorial();
    ok(&world, "scripts/stage2-three-envs.rhai");
    let before = content(&world);
    world.write(
        "delete.rhai",
        "space(\"traderx-prod\").delete(#{ recursive: true, destroy: true });",
    );
    drop(world.ok(&["run", "--dry-run", "delete.rhai"]));
    assert_eq!(content(&world), before);
    let ran = world.script(
        "atomic(|| { space(\"traderx-dev\").delete(#{ recursive: true }); throw \"no\"; });",
    );
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(content(&world), before);
    let ran = world
        .script("atomic(|| space(\"traderx-prod\").delete(#{ recursive: true, destroy: true }));");
    assert_eq!(
        ran.code, 2,
        "deploying is no part of a transaction: {}",
        ran.stderr
    );
    let ran = world.script("space(\"traderx-dev\").delete(#{ recursiv: true });");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(content(&world), before);
}

#[test]
fn nothing_is_deleted_when_it_cannot_be_destroyed() {
    let world = World::tutorial();
    ok(&world, "scripts/stage2-three-envs.rhai");
    let _ = world.printed("inject_fault(#{ LoseConnection: #{ after: 0 } });");
    let ran = world.run(&[
        "space",
        "delete",
        "traderx-prod",
        "--recursive",
        "--destroy",
    ]);
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("nothing was deleted"), "{}", ran.stderr);
    assert_eq!(
        values(&world, "traderx-prod/reference-data", "HeadRevisionNum"),
        [1]
    );
    let _ = world.printed("clear_faults();");
    drop(world.ok(&[
        "space",
        "delete",
        "traderx-prod",
        "--recursive",
        "--destroy",
    ]));
}

#[test]
fn a_variant_whose_upstream_is_gone_works_and_says_so() {
    let world = World::tutorial();
    ok(&world, "scripts/stage2-three-envs.rhai");
    let printed = world.ok(&["space", "delete", "traderx", "--recursive", "--force"]);
    assert!(
        printed.contains("3 variants lose their upstream"),
        "{printed}"
    );
    let tree = world.ok(&[
        "unit",
        "tree",
        "*/reference-data",
        "--columns",
        "UpgradeNeeded",
    ]);
    assert_eq!(tree.lines().count(), 4, "{tree}");
    assert!(
        tree.lines().skip(1).all(|line| !line.starts_with(' ')),
        "all are roots: {tree}"
    );
    assert_eq!(
        values(&world, "*/reference-data", "UpgradeNeeded"),
        vec![Value::Null; 3]
    );
    let ran = world.run(&[
        "unit",
        "update",
        "--upgrade",
        "--space",
        "traderx-dev",
        "--allow-empty",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("its upstream unit was deleted"),
        "{}",
        ran.stdout
    );
    let _ = world.printed("unit(\"traderx-dev/reference-data\").set_replicas(2);");
    assert_eq!(
        values(&world, "traderx-dev/reference-data", "spec.replicas"),
        [2]
    );
}

#[test]
fn a_unit_is_deleted_after_it_was_destroyed_or_although_it_is_live() {
    let world = World::tutorial();
    ok(&world, "scripts/stage2-three-envs.rhai");
    let ran = world.run(&["unit", "delete", "traderx-prod/reference-data"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("--destroy"), "{}", ran.stderr);
    let printed = world.ok(&["unit", "delete", "traderx/reference-data"]);
    assert!(
        printed.contains("3 variants lose their upstream")
            && printed.contains("traderx-dev/reference-data"),
        "{printed}"
    );
    let printed = world.ok(&["unit", "delete", "traderx-prod/reference-data", "--destroy"]);
    assert!(printed.contains("deleted"), "{printed}");

    let world = World::tutorial();
    ok(&world, "scripts/stage2-three-envs.rhai");
    let printed = world.printed("print(units(\"traderx-prod/*\").delete(#{ force: true }));");
    assert!(
        printed.contains("its objects stay on the target"),
        "{printed}"
    );
    let ran = world.run(&["unit", "get", "traderx-prod/reference-data"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
}

#[test]
fn a_target_is_deleted_when_nothing_uses_it() {
    let world = World::tutorial();
    ok(&world, "scripts/stage1-hello-traderx.rhai");
    let ran = world.run(&["target", "delete", "sandbox"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("space traderx"), "{}", ran.stderr);
    ok(&world, "scripts/cleanup.rhai --yes");
    drop(world.ok(&["target", "delete", "sandbox"]));
    assert_eq!(world.json(&["target", "list"]), json!([]));
    assert_eq!(world.run(&["target", "delete", "sandbox"]).code, 1);
}
