//! The columns of listings where none are chosen, and what they say.

use crate::world::World;

/// The space prod with the units web and api, and a space base without units.
fn world() -> World {
    let world = World::empty();
    for name in ["web", "api"] {
        world.write(
            &format!("files/{name}.yaml"),
            &format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  size: \"1\"\n"
            ),
        );
    }
    drop(world.ok(&["import", "files", "--space", "prod"]));
    drop(world.ok(&["space", "create", "base"]));
    world
}

fn column(world: &World, column: &str) -> Vec<serde_json::Value> {
    let rows = world.json(&["unit", "list", "prod/*", "--columns", column]);
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row[column].clone()).collect()
}

fn action(world: &World, unit: &str) -> String {
    let record = world.json(&["unit", "get", unit]);
    record["LastAction"].as_str().expect("a word").to_owned()
}

#[test]
fn a_list_of_units_has_the_columns_of_the_documents() {
    let world = world();
    drop(world.ok(&["changeset", "create", "release-7"]));
    let stage = ["unit", "update", "prod/web", "--changeset", "release-7"];
    let patch = ["--patch", "{\"data\":{\"size\":\"5\"}}"];
    drop(world.ok(&[stage.as_slice(), &patch].concat()));
    drop(world.ok(&["hold", "prod/api", "-m", "INC-7"]));
    assert_eq!(
        world.ok(&["unit", "list", "prod/*"]),
        "NAME  SPACE  CHANGESET  TARGET  STATUS  LAST-ACTION  UPGRADE-NEEDED  UNAPPLIED-CHANGES  \
         APPLY-GATES\n\
         api   prod                      NoLive  create                                          \
         hold\n\
         web   prod   release-7          NoLive  create\n"
    );
    let rows = world.json(&["unit", "list", "prod/*"]);
    assert_eq!(
        (&rows[0]["Slug"], &rows[0]["HeadRevisionNum"]),
        (&"api".into(), &1.into()),
        "JSON has these as well"
    );
}

#[test]
fn the_changeset_of_a_unit_is_the_open_one_that_has_its_new_data() {
    let world = world();
    let names = |clause: &str| {
        let rows = world.json(&["unit", "list", "--where", clause]);
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| row["Name"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    drop(world.ok(&["changeset", "create", "pinned", "--space", "prod"]));
    for (changeset, unit) in [
        ("one", "prod/web"),
        ("two", "prod/web"),
        ("two", "prod/api"),
    ] {
        if names(&format!("ChangeSet.Slug = '{changeset}'")).is_empty() {
            drop(world.ok(&["changeset", "create", changeset]));
        }
        let stage = ["unit", "update", unit, "--changeset", changeset];
        let patch = ["--patch", "{\"data\":{\"size\":\"5\"}}"];
        drop(world.ok(&[stage.as_slice(), &patch].concat()));
    }
    assert_eq!(names("ChangeSet.Slug = 'one'"), ["web"]);
    assert_eq!(names("ChangeSet.Slug = 'two'"), ["api", "web"]);
    assert_eq!(names("ChangeSet.Slug IN ('one', 'three')"), ["web"]);
    assert_eq!(names("ChangeSet.Slug = 'pinned'"), Vec::<String>::new());
    assert_eq!(names("ChangeSet.Slug IS NULL"), Vec::<String>::new());
    drop(world.ok(&["changeset", "discard", "two"]));
    assert_eq!(names("ChangeSet.Slug IS NULL"), ["api"]);
    assert_eq!(
        column(&world, "ChangeSet.Slug"),
        [serde_json::Value::Null, "one".into()]
    );
    let wrong = world.run(&["unit", "list", "--where", "ChangeSet.State = 'Open'"]);
    assert_eq!(wrong.code, 1, "{}", wrong.stderr);
}

#[test]
fn the_last_action_is_the_verb_of_head_or_what_was_done_with_it_since() {
    let world = world();
    assert_eq!(action(&world, "prod/web"), "create");
    drop(world.ok(&[
        "run",
        "set-label",
        "tier",
        "web",
        "--unit",
        "prod/web",
        "-m",
        "more of it",
    ]));
    assert_eq!(action(&world, "prod/web"), "set-label");
    drop(world.ok(&["worker", "install", "worker", "--space", "prod", "--wait"]));
    drop(world.ok(&["apply", "prod/web", "--wait"]));
    assert_eq!(action(&world, "prod/web"), "apply");
    let patch = [
        "unit",
        "update",
        "prod/web",
        "--patch",
        "{\"data\":{\"size\":\"5\"}}",
    ];
    drop(world.ok(&patch));
    assert_eq!(action(&world, "prod/web"), "patch");
    drop(world.ok(&["apply", "prod/web", "--wait"]));
    drop(world.ok(&["destroy", "prod/web"]));
    assert_eq!(action(&world, "prod/web"), "destroy");
    drop(world.ok(&[
        "unit",
        "create",
        "web",
        "--space",
        "base",
        "--upstream-unit",
        "prod/web",
    ]));
    assert_eq!(action(&world, "base/web"), "clone");
    drop(world.ok(&["run", "set-label", "tier", "back", "--unit", "prod/web"]));
    drop(world.ok(&["upgrade", "base/web"]));
    assert_eq!(action(&world, "base/web"), "upgrade");
    let found = world.json(&["unit", "list", "--where", "LastAction = 'upgrade'"]);
    assert_eq!(found[0]["Space.Slug"], "base");
    assert_eq!(found.as_array().map(Vec::len), Some(1));
}

#[test]
fn a_list_of_spaces_counts_what_waits() {
    let world = world();
    drop(world.ok(&["hold", "prod/api", "-m", "INC-7"]));
    assert_eq!(
        world.ok(&["space", "list"]),
        "NAME  ENVIRONMENT  UNITS  GATED  UPGRADABLE  WORKERS  TARGET\n\
         prod                   2      1           0        0\n\
         base                   0      0           0        0\n"
    );
}
