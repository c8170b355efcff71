//! Dry runs that are committed by their name.

use crate::world::{WEB, World};

fn world() -> World {
    let world = World::empty();
    for name in ["a", "b", "c"] {
        world.write(&format!("files/{name}.yaml"), WEB);
    }
    drop(world.ok(&["import", "files", "--space", "prod"]));
    world
}

fn replicas(world: &World) -> Vec<i64> {
    let rows = world.json(&["unit", "list", "--columns", "replicas"]);
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row["replicas"].as_i64().expect("a number"))
        .collect()
}

/// The name that a dry run of this command gives.
fn previewed(world: &World, command: &[&str]) -> String {
    let mut words = command.to_vec();
    words.push("--dry-run");
    let shown = world.json(&words);
    shown["PreviewID"].as_str().expect("a name").to_owned()
}

#[test]
fn what_a_dry_run_showed_is_written_by_its_name_and_only_once() {
    for command in [
        ["run", "set-replicas", "5", "--space", "prod"].as_slice(),
        &["function", "do", "--space", "prod", "set-replicas", "5"],
        &[
            "unit",
            "update",
            "--space",
            "prod",
            "--patch",
            "{\"spec\":{\"replicas\":5}}",
        ],
    ] {
        let world = world();
        let id = match command[0] {
            "function" => {
                let shown = world.json(&[
                    "function",
                    "do",
                    "--space",
                    "prod",
                    "--dry-run",
                    "set-replicas",
                    "5",
                ]);
                shown["PreviewID"].as_str().expect("a name").to_owned()
            }
            _ => previewed(&world, command),
        };
        assert_eq!(replicas(&world), [2, 2, 2], "{command:?}");
        let committed = world.json(&["commit", &id, "-m", "as reviewed"]);
        assert_eq!(
            (&committed["Changed"], &committed["Preview"]),
            (&3.into(), &false.into())
        );
        assert_eq!(replicas(&world), [5, 5, 5], "{command:?}");
        assert!(world.ok(&["log", "--limit", "1"]).contains("as reviewed"));
        assert_eq!(world.run(&["commit", &id]).code, 1, "it is gone");
    }
}

#[test]
fn the_same_dry_run_has_the_same_name_and_another_one_another() {
    let world = world();
    let five = ["run", "set-replicas", "5", "--space", "prod"];
    let first = previewed(&world, &five);
    assert_eq!(previewed(&world, &five), first);
    assert_ne!(
        previewed(&world, &["run", "set-replicas", "6", "--space", "prod"]),
        first
    );
    let told = world.ok(&["run", "set-replicas", "5", "--space", "prod", "--dry-run"]);
    assert!(told.contains(&format!("windlass commit {first}")), "{told}");
}

#[test]
fn a_preview_that_is_no_longer_true_is_refused_whole() {
    let world = world();
    let id = previewed(&world, &["run", "set-replicas", "5", "--space", "prod"]);
    drop(world.ok(&["run", "set-replicas", "9", "--unit", "prod/b"]));
    let refused = world.run(&["commit", &id]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("nothing was written"),
        "{}",
        refused.stderr
    );
    assert_eq!(replicas(&world), [2, 9, 2]);

    let id = previewed(&world, &["run", "set-replicas", "5", "--space", "prod"]);
    world.write("files/d.yaml", WEB);
    drop(world.ok(&["import", "files", "--space", "prod"]));
    assert_eq!(
        world.run(&["commit", &id]).code,
        3,
        "a unit more would be changed"
    );
    assert_eq!(replicas(&world), [2, 9, 2, 2]);
}

#[test]
fn a_unit_can_be_left_out() {
    let world = world();
    let id = previewed(&world, &["run", "set-replicas", "5", "--space", "prod"]);
    drop(world.ok(&["commit", &id, "--except", "prod/b"]));
    assert_eq!(replicas(&world), [5, 2, 5]);
    for (words, code) in [
        (["commit", "p-nothing"].as_slice(), 1),
        (&["commit", "../store"], 1),
        (&["commit", &id, "--except", "prod/z"], 1),
    ] {
        assert_eq!(world.run(words).code, code, "{words:?}");
    }
}
