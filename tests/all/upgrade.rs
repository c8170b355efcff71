//! Upgrades and conflicts through the program: what every region keeps, takes and is asked.

use crate::world::{Ran, World};

const API: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api # the api
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: api
        image: api:v1 # pinned
        args: [serve, --fast]
        env:
        - name: MODE
          value: plain
        - name: LEGACY
          value: \"on\"
      - name: proxy
        image: proxy:v1
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  ports: [{name: http, port: 80}]
";

const ENV: &str = "spec.template.spec.containers.?name=api.env";

/// A base and three variants of it: us protects its replicas, eu owns them, asia has none.
fn fleet() -> World {
    let world = World::empty();
    world.write("api.yaml", API);
    let _ = world.printed(
        r#"let api = ensure_space("base").ensure_unit("api", read_file("api.yaml"));
        for region in ["us", "eu", "asia"] {
            ensure_space(`prod-${region}`).ensure_clone(api, |unit| {
                if region != "asia" { unit.set_replicas(3); }
                if region == "us" { unit.protect("spec.replicas"); }
            });
        }"#,
    );
    world
}

fn upgrade(world: &World) -> Ran {
    world.run(&["unit", "update", "--upgrade", "--patch", "--space", "*"])
}

fn conflicts(world: &World) -> Vec<(String, String, String)> {
    let rows = world.json(&["conflict", "list", "--all"]);
    let rows = rows.as_array().expect("rows");
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().expect("text").to_owned();
    rows.iter()
        .map(|row| (text(row, "Unit"), text(row, "Path"), text(row, "State")))
        .collect()
}

fn row(unit: &str, path: &str, state: &str) -> (String, String, String) {
    (unit.to_owned(), path.to_owned(), state.to_owned())
}

#[test]
fn replicas_of_the_base_are_taken_asked_about_or_kept_as_each_region_said() {
    let world = fleet();
    let _ = world.printed("unit(\"base/api\").set_replicas(4);");
    // A preview leaves nothing open and decides nothing.
    let shown = world.ok(&["unit", "update", "--upgrade", "--dry-run", "--space", "*"]);
    assert!(
        shown.contains("1 OPEN CONFLICT") && !shown.contains("Decide"),
        "{shown}"
    );
    let ran = upgrade(&world);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        conflicts(&world),
        [
            row("prod-us/api", "spec.replicas", "kept"),
            row("prod-eu/api", "spec.replicas", "open"),
        ]
    );
    let rows = world.json(&[
        "unit",
        "list",
        "prod-*/api",
        "--columns",
        "spec.replicas,Conflicts",
    ]);
    let facts: Vec<(i64, i64)> = rows
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            (
                row["spec.replicas"].as_i64().unwrap(),
                row["Conflicts"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(facts, [(3, 0), (3, 1), (4, 0)]);
    for part in [
        "1 OPEN CONFLICT",
        "incoming  4",
        "▸ local     3",
        "conflict take c2",
        "1 protected",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
}

#[test]
fn a_second_upgrade_changes_nothing_and_is_no_operation() {
    let world = fleet();
    let _ = world.printed("unit(\"base/api\").set_replicas(4);");
    let _ = upgrade(&world);
    let before = world.json(&["log"]);
    let ran = upgrade(&world);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("4 units matched: 4 unchanged\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(world.json(&["log"]), before, "the second upgrade wrote");
}

#[test]
fn conflicts_on_values_deletions_and_lists_are_rows_and_everything_else_is_taken() {
    let world = fleet();
    let _ = world.printed(
        r#"let base = unit("base/api");
        base.set_image("api", "api:v2");
        base.set_env_var("api", "MODE", "fancy");
        base.set_env_var("api", "NEW", "1");
        base.delete_path("spec.template.spec.containers.?name=api.env.?name=LEGACY");
        let eu = unit("prod-eu/api");
        eu.set_image("api", "api:v1-hotfix");
        eu.set_env_var("api", "REGION", "eu");
        let us = unit("prod-us/api");
        us.set_env_var("api", "LEGACY", "strict");
        us.delete_path("spec.template.spec.containers.?name=api.env.?name=MODE");
        unit("prod-asia/api").patch([#{ op: "replace",
            path: "/spec/template/spec/containers/0/args", value: ["--fast", "serve"] }]);
        base.patch([#{ op: "add", path: "/spec/template/spec/containers/0/args/-", value: "--new" }]);"#,
    );
    assert_eq!(upgrade(&world).code, 5);
    let open: Vec<_> = conflicts(&world)
        .into_iter()
        .filter(|(_, _, state)| state == "open")
        .map(|(unit, path, _)| (unit, path))
        .collect();
    let of = |unit: &str| -> Vec<&str> {
        let rows = open.iter().filter(|(of, _)| of == unit);
        rows.map(|(_, path)| path.as_str()).collect()
    };
    assert_eq!(
        of("prod-us/api"),
        [format!("{ENV}.?name=MODE"), format!("{ENV}.?name=LEGACY")]
    );
    assert_eq!(
        of("prod-eu/api"),
        ["spec.template.spec.containers.?name=api.image"]
    );
    let eu = world.ok(&["unit", "data", "prod-eu/api"]);
    assert!(eu.contains("image: api:v1-hotfix # pinned"), "{eu}");
    assert!(!eu.contains("LEGACY"), "{eu}");
    let at = |name: &str| eu.find(name).unwrap_or_else(|| panic!("no {name} in {eu}"));
    assert!(at("value: fancy") < at("name: NEW"), "{eu}");
    assert!(at("name: REGION") > at("value: fancy"), "{eu}");
    let us = world.ok(&["unit", "data", "prod-us/api"]);
    assert!(
        us.contains("value: \"strict\"") && !us.contains("name: MODE"),
        "{us}"
    );
    // Two lists that were both changed are not mixed: the local one stays, and a row says so.
    assert_eq!(
        of("prod-asia/api"),
        ["spec.template.spec.containers.?name=api.args"]
    );
    let asia = world.ok(&["unit", "data", "prod-asia/api"]);
    assert!(
        asia.find("--fast") < asia.find("serve") && !asia.contains("--new"),
        "{asia}"
    );
}

#[test]
fn two_changes_of_the_base_come_as_one_merge_and_who_made_them_is_named() {
    let world = fleet();
    let _ = world.printed(
        r#"as_actor("dana@corp", || unit("base/api").set_image("proxy", "proxy:v2"));
        as_actor("ci@corp", || unit("base/api").set_image("api", "api:v2"));
        as_actor("bo@corp", || unit("prod-eu/api").set_image("api", "api:hot"));"#,
    );
    let ran = upgrade(&world);
    assert_eq!(ran.code, 5);
    let find = |word: &str| {
        let mut lines = ran.stdout.lines();
        lines
            .find(|line| line.contains(word))
            .unwrap_or_else(|| panic!("{}", ran.stdout))
    };
    assert!(
        find("incoming  api:v2").contains("r3  ci@corp"),
        "{}",
        ran.stdout
    );
    assert!(
        find("▸ local     api:hot").contains("r3  bo@corp"),
        "{}",
        ran.stdout
    );
    let heads = world.json(&["unit", "list", "prod-*/api", "--columns", "HeadRevisionNum"]);
    let heads: Vec<i64> = heads
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["HeadRevisionNum"].as_i64().unwrap())
        .collect();
    assert_eq!(heads, [3, 4, 2]);
}

#[test]
fn a_chain_of_variants_is_upgraded_by_one_call_and_by_one_operation() {
    let world = fleet();
    let printed = world.printed(
        r#"ensure_space("dr").ensure_clone(unit("prod-eu/api"));
        unit("base/api").set_image("api", "api:v2");
        let shown = units("*/*").upgrade(#{ dry_run: true });
        print(`${shown.changed} would change, now r${unit("dr/api").head_revision}`);
        let done = units("*/*").upgrade();
        print(`${done.changed} changed by ${done.op}`);
        print(units("UpgradeNeeded = true").len);
        print(unit("dr/api").get("spec.template.spec.containers.?name=api.image"));
        unit("base/api").set_image("api", "api:v3");
        print(units("*/*").upgrade(#{ hops: 1 }).changed);
        print(units("UpgradeNeeded = true").names());"#,
    );
    let operations = world.json(&["log", "--limit", "100"]);
    let upgrades = operations.as_array().expect("operations").iter();
    let upgrades = upgrades.filter(|operation| {
        operation["Verb"]
            .as_str()
            .is_some_and(|verb| verb.contains("upgrade"))
    });
    assert_eq!(upgrades.count(), 2);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "4 would change, now r1");
    assert!(lines[1].starts_with("4 changed by op-"), "{printed}");
    assert_eq!(lines[2..], ["0", "api:v2", "3", "[\"dr/api\"]"]);
}

#[test]
fn strict_writes_nothing_and_prefer_incoming_takes_what_both_changed() {
    let world = fleet();
    let printed = world.printed(
        r#"unit("base/api").set_image("api", "api:v2");
        unit("prod-us/api").set_image("api", "api:hot");
        try { units("prod-*/*").upgrade(#{ strict: true }); }
        catch (e) { let e = error(e); print(`${e.kind}: ${e.message}`); }
        print(units("UpgradeNeeded = true").len);
        let done = units("prod-*/*").upgrade(#{ prefer: "incoming" });
        print(`${done.changed} ${done.conflicts}`);
        print(unit("prod-us/api").get("spec.template.spec.containers.?name=api.image"));
        for row in unit("prod-us/api").conflicts() { print(`${row.path} ${row.state} ${row.local}`); }"#,
    );
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("Conflict: "), "{printed}");
    assert_eq!(lines[1..4], ["3", "3 []", "api:v2"], "{printed}");
    assert_eq!(
        lines[4],
        "spec.template.spec.containers.?name=api.image taken api:hot"
    );
    let ran = world.run(&[
        "unit",
        "update",
        "--upgrade",
        "--strict",
        "--space",
        "prod-*",
    ]);
    assert_eq!(ran.code, 0, "nothing is left to take: {}", ran.stderr);
}

#[test]
fn a_conflict_is_taken_kept_or_protected_once() {
    let world = fleet();
    let _ = world.printed(
        r#"unit("base/api").set_replicas(4);
        unit("base/api").set_image("api", "api:v2");
        unit("prod-eu/api").set_image("api", "api:hot");
        let done = units("*/*").upgrade();"#,
    );
    let shown = world.ok(&["conflict", "show", "c2"]);
    assert!(
        shown.contains("prod-eu/api") && shown.contains("spec.replicas"),
        "{shown}"
    );
    let _ = world.ok(&["conflict", "take", "c3"]);
    let _ = world.ok(&[
        "conflict",
        "keep",
        "c2",
        "--protect",
        "-m",
        "capacity is regional",
    ]);
    assert_eq!(
        conflicts(&world),
        [
            row("prod-us/api", "spec.replicas", "kept"),
            row("prod-eu/api", "spec.replicas", "kept"),
            row(
                "prod-eu/api",
                "spec.template.spec.containers.?name=api.image",
                "taken"
            ),
        ]
    );
    let data = world.ok(&["unit", "data", "prod-eu/api"]);
    assert!(
        data.contains("image: api:v2 # pinned") && data.contains("replicas: 3"),
        "{data}"
    );
    for (args, code) in [
        (&["conflict", "take", "c3"][..], 3),
        (&["conflict", "take", "c99"], 1),
        (&["conflict", "keep", "x"], 2),
    ] {
        assert_eq!(world.run(args).code, code, "{args:?}");
    }
    // What is protected is not asked about again; what was taken is upstream's again.
    let _ = world.printed("unit(\"base/api\").set_replicas(5).set_image(\"api\", \"api:v3\");");
    assert_eq!(upgrade(&world).code, 0);
    let data = world.ok(&["unit", "data", "prod-eu/api"]);
    assert!(
        data.contains("image: api:v3 # pinned") && data.contains("replicas: 3"),
        "{data}"
    );
    // Given back, it follows the base from the next change on.
    let _ = world.printed(
        r#"unit("prod-eu/api").release("spec.replicas");
        unit("prod-eu/api").patch([#{ op: "replace", path: "/spec/replicas", value: 5 }]);
        unit("prod-eu/api").release("spec.replicas");
        unit("base/api").set_replicas(6);
        let done = units("*/*").upgrade();"#,
    );
    assert!(
        world
            .ok(&["unit", "data", "prod-eu/api"])
            .contains("replicas: 6")
    );
}

#[test]
fn rows_are_selected_by_what_is_in_them() {
    let world = fleet();
    let printed = world.printed(
        r#"unit("base/api").set_replicas(4).set_image("api", "api:v2");
        unit("prod-eu/api").set_image("api", "api:hot");
        units("*/*").upgrade();
        print(conflicts().len);
        print(conflicts("Path LIKE '%.image'").len);
        print(conflicts("Space.Slug = 'prod-us'").len);
        print(conflicts("Path LIKE '%.image' AND Space.Slug = 'prod-eu'").take().changed);
        print(conflicts().len);"#,
    );
    assert_eq!(printed, "2\n1\n0\n1\n1\n");
    let rows = world.json(&["conflict", "list", "--where", "Path = 'spec.replicas'"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    let ran = world.run(&["conflict", "list", "--where", "Pth = 'x'"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
}

#[test]
fn variants_of_a_deleted_unit_are_skipped_and_keep_their_data() {
    let world = fleet();
    let before = world.ok(&["unit", "data", "prod-eu/api"]);
    let _ = world.ok(&["unit", "delete", "base/api"]);
    let ran = upgrade(&world);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("its upstream unit was deleted"),
        "{}",
        ran.stderr
    );
    assert_eq!(world.ok(&["unit", "data", "prod-eu/api"]), before);
    assert_eq!(world.run(&["log", "verify"]).code, 0);
}

#[test]
fn a_write_to_a_unit_with_an_open_conflict_does_not_report_it_again() {
    let world = fleet();
    let _ =
        world.printed("unit(\"base/api\").set_replicas(4); let done = units(\"*/*\").upgrade();");
    let _ = world.ok(&[
        "function",
        "do",
        "--unit",
        "prod-eu/api",
        "set-image",
        "api",
        "api:v9",
    ]);
}
