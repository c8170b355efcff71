//! Files that scripts write: below the project's root, and nowhere else.

use crate::world::World;

#[test]
fn scripts_write_files_below_the_root_and_nowhere_else() {
    let world = World::empty();
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir(world.path().join("folder")).unwrap();
    std::fs::write(outside.path().join("kept"), "old").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(outside.path(), world.path().join("way-out")).unwrap();
        symlink(outside.path().join("kept"), world.path().join("link")).unwrap();
        symlink(world.path().join(".windlass"), world.path().join("inside")).unwrap();
    }
    drop(world.ok(&["space", "create", "a"]));
    let store = world.store();
    let absolute = outside.path().join("new");
    for name in [
        "../out",
        "a/../../out",
        "./../out",
        absolute.to_str().unwrap(),
        "way-out/new",
        "link",
        "inside/store.redb",
        ".windlass/store.redb",
        "./.windlass/x",
        ".WINDLASS/x",
        ".git/hooks/x",
        "",
        ".",
        "folder",
        "folder/",
        "a/",
    ] {
        for call in [
            format!("write_file({name:?}, \"new\")"),
            format!("remove_file({name:?})"),
        ] {
            let ran = world.script(&format!("{call};"));
            assert_eq!(ran.code, 1, "{call}: {}", ran.stderr);
        }
    }
    assert_eq!(
        std::fs::read_to_string(outside.path().join("kept")).unwrap(),
        "old"
    );
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    assert_eq!(world.store(), store);

    let printed = world.printed(
        "print(file_exists(\"deep/er/file\")); print(write_file(\"deep/er/file\", \"é\\n\"));
         print(write_file(\"deep/er/file\", \"é\\n\")); print(read_file(\"deep/er/file\").len());
         print(file_exists(\"deep/er/file\")); print(file_exists(\"deep\"));
         print(remove_file(\"./deep/er/file\")); print(remove_file(\"deep/er/file\"));",
    );
    assert_eq!(printed, "false\ntrue\nfalse\n2\ntrue\nfalse\ntrue\nfalse\n");
    assert_eq!(
        std::fs::read_dir(world.path().join("deep/er"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn nothing_happens_to_files_in_dry_runs_previews_and_transactions() {
    let world = World::empty();
    world.write("kept", "old");
    world.write(
        "files.rhai",
        "write_file(\"new\", \"x\"); write_file(\"kept\", \"x\"); remove_file(\"kept\");",
    );
    let ran = world.run(&["run", "--dry-run", "files.rhai"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("new (1 bytes) is not written"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("kept is not removed"), "{}", ran.stderr);
    let _ = world.printed(
        "let s = ensure_space(\"a\"); s.ensure_unit(\"u\", \"kind: ConfigMap\\nmetadata: {name: a}\\n\");
         s.units().preview(|all| write_file(\"new\", \"x\"));",
    );
    let ran = world.script("atomic(|| write_file(\"new\", \"x\"));");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(!world.path().join("new").exists());
    assert_eq!(
        std::fs::read_to_string(world.path().join("kept")).unwrap(),
        "old"
    );
}
