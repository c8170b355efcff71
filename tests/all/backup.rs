//! Backups: what comes back, and what is refused.

use crate::world::World;

fn place() -> World {
    let world = World::empty();
    world.write(
        "in/web.yaml",
        "kind: Deployment\nspec:\n  replicas: 1 # one\n",
    );
    drop(world.ok(&["import", "in", "--space", "base"]));
    drop(world.ok(&["function", "do", "--space", "base", "set-replicas", "3"]));
    world
}

#[test]
fn a_restored_store_is_the_one_that_was_backed_up_with_its_history() {
    let world = place();
    let made = world.json(&["backup", "create", "day.backup"]);
    assert_eq!(made["Problems"], serde_json::json!([]));
    let verified = world.json(&["backup", "verify", "day.backup"]);
    assert_eq!(verified["Operations"], 2, "{verified}");
    let other = World::empty();
    std::fs::copy(
        world.path().join("day.backup"),
        other.path().join("day.backup"),
    )
    .unwrap();
    drop(other.ok(&["backup", "restore", "day.backup"]));
    for command in [
        &["log"][..],
        &["unit", "data", "base/web"],
        &["revision", "list", "base/web"],
    ] {
        assert_eq!(world.ok(command), other.ok(command));
    }
    drop(other.ok(&["log", "verify"]));
    drop(other.ok(&["undo"]));
    assert!(
        other
            .ok(&["unit", "data", "base/web"])
            .contains("replicas: 1 # one")
    );
    // The same state makes the same bytes, deleted things and pages of the file aside.
    drop(world.ok(&["backup", "create", "again.backup"]));
    let read = |name| std::fs::read(world.path().join(name)).unwrap();
    assert_eq!(read("day.backup"), read("again.backup"));
}

#[test]
fn a_store_is_replaced_only_with_force_and_then_kept_beside() {
    let world = place();
    drop(world.ok(&["backup", "create", "day.backup"]));
    drop(world.ok(&["space", "create", "later"]));
    let before = world.store();
    let ran = world.run(&["backup", "restore", "day.backup"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(world.store(), before, "no byte was touched");
    let done = world.json(&["backup", "restore", "day.backup", "--force"]);
    assert!(!world.ok(&["space", "list"]).contains("later"));
    let kept = ".windlass/before-restore-1.backup";
    assert!(done["Before"].as_str().unwrap().ends_with(kept), "{done}");
    drop(world.ok(&["backup", "restore", kept, "--force"]));
    assert!(world.ok(&["space", "list"]).contains("later"));
    drop(world.ok(&["log", "verify"]));
}

#[test]
fn what_is_no_whole_backup_is_refused_and_changes_nothing() {
    let world = place();
    drop(world.ok(&["backup", "create", "day.backup"]));
    let whole = std::fs::read(world.path().join("day.backup")).unwrap();
    let mut other = whole.clone();
    other[whole.len() / 2] ^= 1;
    let cases: [(&str, &[u8]); 4] = [
        ("cut", &whole[..whole.len() - 1]),
        ("other", &other),
        ("text", b"kind: Deployment\n"),
        ("empty", b""),
    ];
    for (name, bytes) in cases {
        std::fs::write(world.path().join(name), bytes).unwrap();
        let fresh = World::empty();
        std::fs::write(fresh.path().join(name), bytes).unwrap();
        for verb in ["verify", "restore"] {
            let ran = fresh.run(&["backup", verb, name]);
            assert_eq!(ran.code, 1, "{name} {verb}: {}", ran.stderr);
            assert!(ran.stderr.contains("backup"), "{}", ran.stderr);
        }
        assert!(!fresh.path().join(".windlass").exists(), "{name}");
    }
    let ran = world.run(&["backup", "create", "day.backup"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let ran = World::empty().run(&["backup", "create", "none.backup"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let ran = world.script("atomic(|| backup_create(#{ file: \"x.backup\" }));");
    assert_ne!(ran.code, 0);
}

#[test]
fn scripts_reach_backups_below_the_root_only() {
    let world = place();
    drop(world.printed("backup_create(#{ file: \"in/x.backup\" });"));
    drop(world.printed("backup_verify(#{ file: \"in/x.backup\" });"));
    for file in [
        "../x.backup",
        "/x.backup",
        ".git/x.backup",
        "in/../../x.backup",
    ] {
        let ran = world.script(&format!("backup_create(#{{ file: \"{file}\" }});"));
        assert_eq!(ran.code, 1, "{file}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("below the project's root"),
            "{}",
            ran.stderr
        );
    }
}
