//! What a dry run of a bulk change shows, and showing it again.

use std::fmt::Write as _;

use crate::world::World;

const CALL: [&str; 6] = [
    "run",
    "set-env-var",
    "*",
    "OTEL",
    "http://otel-gateway:4317",
    "--dry-run",
];

fn workload(name: &str, containers: &[(&str, &str)]) -> String {
    let mut text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  template:\n    \
         spec:\n      containers:\n"
    );
    for (container, env) in containers {
        let _ = write!(
            text,
            "        - name: {container}\n          image: {container}:v1\n          env:\n            \
             - name: LOG_LEVEL\n              value: info\n{env}"
        );
    }
    text
}

/// Two spaces with units for which the call of [`CALL`] means every different thing.
fn world() -> World {
    let world = World::empty();
    let set = |value: &str| format!("            - name: OTEL\n              {value}\n");
    for (name, text) in [
        ("checkout", workload("checkout", &[("api", "")])),
        ("fraud", workload("fraud", &[("api", ""), ("cache", "")])),
        ("ledger", workload("ledger", &[("api", "")])),
        (
            "payment",
            workload(
                "payment",
                &[("api", &set("value: http://old:4317 # until PAY-311"))],
            ),
        ),
        (
            "pricing",
            workload(
                "pricing",
                &[("api", &set("value: http://otel-gateway:4317"))],
            ),
        ),
        (
            "refunds",
            "kind: ConfigMap\nmetadata:\n  name: refunds\n".to_owned(),
        ),
    ] {
        for space in ["prod-eu", "prod-us"] {
            if (space, name) != ("prod-us", "refunds") {
                world.write(&format!("{space}/{name}.yaml"), &text);
            }
        }
    }
    for space in ["prod-eu", "prod-us"] {
        drop(world.ok(&["import", space, "--space", space, "-m", "as in the cluster"]));
    }
    let keep = ["run", "set-env-var", "api", "OTEL", "http://collector:4317"];
    let keep = [keep.as_slice(), &["--unit", "prod-eu/payment"]].concat();
    drop(world.ok(&[keep.as_slice(), &["-m", "PAY-311 keep EU"]].concat()));
    drop(world.ok(&["hold", "prod-eu/ledger", "-m", "INC-7"]));
    world
}

fn dry(world: &World, more: &[&str]) -> String {
    world.ok(&[CALL.as_slice(), more].concat())
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn a_bulk_dry_run_shows_each_change_once_and_every_unit() {
    let world = world();
    let shown = dry(&world, &["--space", "prod-*"]);
    assert!(
        shown.lines().all(|line| line.chars().count() <= 100),
        "{shown}"
    );
    snapshot("dry-run-bulk", &shown);
}

#[test]
fn the_commands_that_a_dry_run_names_do_what_it_says_of_them() {
    let world = world();
    world.write(
        "functions/not-eu-ledger.rhai",
        "export const META = #{ scope: \"unit\" };\n\
         fn not_eu_ledger(unit) {\n    if unit.space.slug == \"prod-eu\" && unit.slug == \"ledger\" \
         { throw \"the ledger of Europe is closed\"; }\n    \
         for r in unit.resources(\"Deployment\") { r.set(\"spec.replicas\", 9); }\n}\n",
    );
    let call = ["run", "not-eu-ledger", "--space", "prod-*", "--dry-run"];
    let ran = world.run(&call);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    snapshot("dry-run-fails", &ran.stdout);
    let commit = ran.stdout.lines().find_map(|line| {
        let line = line.trim().strip_prefix("windlass commit ")?;
        line.split("    ").next()
    });
    let commit: Vec<&str> = commit.expect("a command").split(' ').collect();
    let done = world.json(&[&["commit"], commit.as_slice()].concat());
    assert_eq!(done["Changed"], 9);
    let heads = world.json(&["unit", "list", "prod-*/ledger", "--columns", "replicas"]);
    assert_eq!(
        (&heads[0]["replicas"], &heads[1]["replicas"]),
        (&serde_json::Value::Null, &9.into())
    );
}

#[test]
fn a_preview_can_be_shown_again_grouped_or_every_unit_until_it_moves() {
    let world = world();
    let shown = dry(&world, &["--space", "prod-*"]);
    let json = world.json(&[CALL.as_slice(), &["--space", "prod-*"]].concat());
    let id = json["PreviewID"].as_str().expect("a name");
    for diff in [["diff"].as_slice(), &["unit", "diff"]] {
        assert_eq!(world.ok(&[diff, &[id]].concat()), shown);
    }
    let each = world.json(&["diff", id, "--each"]);
    let units: Vec<&str> = each
        .as_array()
        .expect("a list")
        .iter()
        .map(|unit| unit["Unit"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        units,
        [
            "prod-eu/checkout",
            "prod-eu/fraud",
            "prod-eu/ledger",
            "prod-eu/payment",
            "prod-us/checkout",
            "prod-us/fraud",
            "prod-us/ledger",
            "prod-us/payment"
        ]
    );
    let text = world.ok(&["diff", id, "--each"]);
    assert!(
        text.contains("prod-us/ledger  r1 → r2\n  Deployment/ledger   spec."),
        "each by its own name: {text}"
    );
    assert_eq!(world.run(&["diff", "prod-eu/ledger", "--each"]).code, 2);
    assert_eq!(world.run(&["diff", "p-zzzzz"]).code, 1);

    drop(world.ok(&["run", "set-replicas", "4", "--unit", "prod-us/ledger"]));
    let moved = world.run(&["diff", id]);
    assert_eq!((moved.code, moved.stdout.as_str()), (3, ""));
    assert!(
        moved.stderr.contains("nothing was written"),
        "{}",
        moved.stderr
    );
}

#[test]
fn json_has_the_groups_their_lines_and_the_gates() {
    let world = world();
    let shown = world.json(&[CALL.as_slice(), &["--space", "prod-*"]].concat());
    let groups = shown["Groups"].as_array().expect("groups");
    let of: Vec<(&str, usize)> = groups
        .iter()
        .map(|group| {
            (
                group["Letter"].as_str().expect("a letter"),
                group["Units"].as_array().expect("units").len(),
            )
        })
        .collect();
    assert_eq!(of, [("A", 4), ("B", 2), ("C", 1), ("D", 1)]);
    assert_eq!(
        shown["Gated"],
        serde_json::json!([{ "Gate": "hold", "Units": 1, "Spaces": ["prod-eu"] }])
    );
    assert_eq!(
        (&shown["LinesAdded"], &shown["LinesRemoved"]),
        (&18.into(), &2.into())
    );
}

#[test]
fn equal_lines_at_another_path_are_another_change() {
    let world = World::empty();
    world.write("a/x.yaml", &workload("x", &[("api", ""), ("cache", "")]));
    world.write("a/y.yaml", &workload("y", &[("api", ""), ("cache", "")]));
    drop(world.ok(&["import", "a", "--space", "a"]));
    world.write(
        "functions/one-env.rhai",
        "export const META = #{ scope: \"unit\" };\n\
         fn one_env(unit) {\n    let of = if unit.slug == \"x\" { \"api\" } else { \"cache\" };\n    \
         for r in unit.resources(\"Deployment\") { \
         r.set(`spec.template.spec.containers.?name=${of}.env.?name=LOG_LEVEL.value`, \"debug\"); }\n}\n",
    );
    let shown = world.json(&["run", "one-env", "--space", "a", "--dry-run"]);
    let groups = shown["Groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 2, "{shown}");
}

#[test]
fn the_same_change_in_the_containers_that_are_named_like_their_workloads_is_one() {
    let world = World::empty();
    for name in ["x", "y"] {
        world.write(&format!("a/{name}.yaml"), &workload(name, &[(name, "")]));
    }
    world.write("a/z.yaml", &workload("z", &[("api", "")]));
    drop(world.ok(&["import", "a", "--space", "a"]));
    let mut line = CALL.to_vec();
    line.extend(["--space", "a"]);
    let shown = world.json(&line);
    let groups = shown["Groups"].as_array().expect("groups").iter();
    let counts: Vec<_> = groups
        .map(|group| group["Units"].as_array().map(Vec::len))
        .collect();
    assert_eq!(counts, [Some(2), Some(1)], "{shown}");
}
