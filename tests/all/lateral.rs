//! Merges between siblings: exactly the range comes, what is the target's own stays.

use proptest::prelude::*;

use crate::world::{Ran, World};

const API: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 1 # by volume
  template:
    spec:
      containers:
      - name: api
        image: api:v1
        env:
        - name: MODE
          value: plain
";

const EU: &str = "prod-eu/api";
const ASIA: &str = "prod-asia/api";

/// Europe at revision 7: r3 sets `LOG_LEVEL`, r5 scales to 5, r6 to 2, r7 sets the flag. Asia has 4
/// replicas, the US 3.
fn regions() -> World {
    let world = World::empty();
    world.write("api.yaml", API);
    world.printed(
        r#"let api = ensure_space("base").ensure_unit("api", read_file("api.yaml"));
        let replicas = #{ us: 3, eu: 2, asia: 4 };
        for region in ["us", "eu", "asia"] {
            ensure_space(`prod-${region}`).ensure_clone(api, |unit| {
                unit.set_replicas(replicas[region]);
            });
        }
        ensure_space("other").ensure_unit("api", read_file("api.yaml"));
        let eu = unit("prod-eu/api");
        eu.set_env_var("api", "LOG_LEVEL", "debug");
        eu.set_image("api", "api:v1-eu");
        as_actor("system", || {
            atomic("scale 2→5 (market open)", || eu.set_replicas(5));
            atomic("scale 5→2 (market close)", || eu.set_replicas(2));
        });
        as_actor("bo@corp", || eu.set_env_var("api", "CIRCUIT_BREAKER", "true"));
        print(eu.head_revision);"#,
    );
    world
}

fn merge(world: &World, target: &str, source: &str, more: &[&str]) -> Ran {
    let mut args = vec!["unit", "update", target, "--merge-unit", source];
    args.extend(more);
    world.run(&args)
}

fn range<'a>(base: &'a str, end: &'a str) -> [&'a str; 4] {
    ["--merge-base", base, "--merge-end", end]
}

fn data(world: &World, unit: &str) -> String {
    world.ok(&["unit", "data", unit])
}

/// All that a merge may write, as JSON; opening the store for a write moves bytes of the file.
fn digest(world: &World) -> Vec<serde_json::Value> {
    let columns = "UnitID,HeadRevisionNum,DataHash,UpstreamRevisionNum,Conflicts";
    vec![
        world.json(&["unit", "list", "--columns", columns]),
        world.json(&["log", "--limit", "1000"]),
        world.json(&["conflict", "list", "--all"]),
    ]
}

fn operations(world: &World) -> usize {
    let rows = world.json(&["log", "--limit", "1000"]);
    rows.as_array().expect("operations").len()
}

fn paths_between(world: &World, unit: &str, from: usize, to: usize) -> String {
    world.printed(&format!("print(unit(\"{unit}\").diff({from}, {to}));"))
}

#[test]
fn a_range_brings_what_was_made_in_it_and_nothing_else() {
    let world = regions();
    let before = data(&world, ASIA);
    let ran = merge(&world, ASIA, EU, &range("6", "7"));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let flag = "        - name: CIRCUIT_BREAKER\n          value: \"true\"\n";
    assert_eq!(data(&world, ASIA), format!("{before}{flag}"));
    for part in [
        "MERGED   prod-eu/api r6 → r7 into 1 unit",
        "bo@corp",
        "r2 → r3",
        "1         0  of 1 incoming change\n",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    let rows = world.json(&["revision", "list", ASIA, "--limit", "1"]);
    assert_eq!(rows[0]["Description"], "merge prod-eu/api r6..r7");
    assert_eq!(rows[0]["Source"], "merge");
    let log = world.json(&["log", "--limit", "1"]);
    assert_eq!(log[0]["Verb"], "merge prod-eu/api r6..r7");
}

#[test]
fn the_same_range_again_is_no_operation_even_after_an_edit_by_hand() {
    let world = regions();
    assert_eq!(merge(&world, ASIA, EU, &range("5", "7")).code, 5);
    let (before, count) = (data(&world, ASIA), operations(&world));
    let again = merge(&world, ASIA, EU, &range("5", "7"));
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert!(again.stdout.contains("1 unchanged"), "{}", again.stdout);
    // A part of it has come as well.
    assert_eq!(merge(&world, ASIA, EU, &range("6", "7")).code, 0);
    assert_eq!(operations(&world), count);
    assert_eq!(data(&world, ASIA), before);
    world.printed("unit(\"prod-asia/api\").set_env_var(\"api\", \"CIRCUIT_BREAKER\", \"half\");");
    let (before, count) = (data(&world, ASIA), operations(&world));
    assert_eq!(merge(&world, ASIA, EU, &range("6", "7")).code, 0);
    assert_eq!((data(&world, ASIA), operations(&world)), (before, count));
    // A revision older than the last one merged still comes, and the pointer stays where it was.
    assert_eq!(merge(&world, ASIA, EU, &range("2", "3")).code, 0);
    assert!(data(&world, ASIA).contains("LOG_LEVEL"));
    let count = operations(&world);
    assert_eq!(merge(&world, ASIA, EU, &[]).code, 0);
    assert_eq!(operations(&world), count, "the pointer went backwards");
}

#[test]
fn a_merge_taken_back_can_come_again() {
    let world = regions();
    assert_eq!(merge(&world, ASIA, EU, &range("6", "7")).code, 0);
    world.ok(&["unit", "update", ASIA, "--restore", "2"]);
    assert!(!data(&world, ASIA).contains("CIRCUIT_BREAKER"));
    assert_eq!(merge(&world, ASIA, EU, &range("6", "7")).code, 0);
    assert!(data(&world, ASIA).contains("CIRCUIT_BREAKER"));
}

#[test]
fn a_wider_range_asks_about_what_both_changed() {
    let world = regions();
    let ran = merge(&world, ASIA, EU, &range("5", "7"));
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    let rows = world.json(&["conflict", "list", "--state", "open"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    assert_eq!(rows[0]["Path"], "spec.replicas");
    assert_eq!(
        (&rows[0]["Local"], &rows[0]["Incoming"]),
        (&"4".into(), &"2".into())
    );
    assert!(data(&world, ASIA).contains("replicas: 4"));
    assert!(ran.stdout.contains("r6  system"), "{}", ran.stdout);
    // The other side, where one says so; a preview writes nothing.
    let store = world.store();
    let args = ["--merge-base", "5", "--prefer-incoming"];
    let shown = merge(
        &world,
        "prod-us/api",
        EU,
        &[&args[..], &["--dry-run"]].concat(),
    );
    assert_eq!(shown.code, 0, "{}{}", shown.stdout, shown.stderr);
    assert!(
        shown.stdout.starts_with("PREVIEW   MERGED"),
        "{}",
        shown.stdout
    );
    assert_eq!(world.store(), store);
    assert_eq!(merge(&world, "prod-us/api", EU, &args).code, 0);
    assert!(data(&world, "prod-us/api").contains("replicas: 2"));
}

#[test]
fn without_a_range_comes_what_the_source_has_since_it_took_its_upstream() {
    let world = regions();
    let printed = world.printed(
        r#"let us = unit("prod-us/api");
        us.protect("spec.replicas");
        let done = us.merge("prod-eu/api");
        print(done.changed);
        print(done.conflicts);
        print(us.get("spec.replicas"));
        print(us.get("spec.template.spec.containers.?name=api.env.?name=CIRCUIT_BREAKER.value") == "true");
        print(us.last_change);
        print(us.merge("prod-eu/api").changed);
        unit("prod-eu/api").set_image("api", "api:v3");
        print(us.merge("prod-eu/api").changed);
        print(us.last_change);"#,
    );
    assert_eq!(
        printed,
        "1\n[]\n3\ntrue\nmerge prod-eu/api r1..r7\n0\n1\nmerge prod-eu/api r7..r8\n"
    );
}

#[test]
fn a_base_takes_the_fix_of_its_variant_and_later_upgrades_leave_it() {
    let world = regions();
    let printed = world.printed(
        r#"unit("base/api").merge("prod-eu/api", #{ base: 6, end: 7 });
        print(units("UpgradeNeeded = true").names());
        let before = unit("prod-eu/api").data;
        units("prod-*/api").upgrade();
        print(unit("prod-eu/api").data == before);
        print(unit("prod-eu/api").head_revision);
        print(units("prod-*/api").upgrade().changed);"#,
    );
    assert_eq!(
        printed,
        "[\"prod-us/api\", \"prod-eu/api\", \"prod-asia/api\"]\ntrue\n7\n0\n"
    );
    for unit in ["base/api", EU, ASIA, "prod-us/api"] {
        let data = data(&world, unit);
        assert_eq!(data.matches("CIRCUIT_BREAKER").count(), 1, "{unit}: {data}");
    }
}

#[test]
fn a_merge_of_the_upstream_counts_as_the_upgrade() {
    let world = regions();
    let printed = world.printed(
        r#"unit("base/api").set_image("api", "api:v2");
        ensure_space("dr").ensure_clone(unit("prod-asia/api"));
        print(unit("prod-asia/api").merge("base/api").changed);
        print(unit("prod-asia/api").upgrade_needed);
        print(unit("dr/api").merge("base/api").changed);
        print(unit("dr/api").last_change);
        print(unit("dr/api").get("spec.template.spec.containers.?name=api.image"));"#,
    );
    assert_eq!(printed, "1\nfalse\n1\nmerge base/api r1..r2\napi:v2\n");
}

#[test]
fn what_cannot_be_merged_is_told_and_nothing_is_written() {
    let world = regions();
    let before = digest(&world);
    let cases: [(&str, &str, &[&str], i32, &str); 9] = [
        (ASIA, EU, &range("7", "6"), 2, "found r7..r6"),
        (ASIA, EU, &range("6", "6"), 2, "found r6..r6"),
        (ASIA, EU, &range("6", "8"), 2, "from r1 to r7"),
        (ASIA, EU, &range("0", "7"), 2, "from r1 to r7"),
        (ASIA, "other/api", &[], 2, "--merge-base N"),
        (EU, EU, &range("6", "7"), 2, "the unit itself"),
        (ASIA, "prod-mars/api", &[], 1, "prod-mars"),
        (ASIA, EU, &["--merge-base", "x"], 2, "x"),
        (
            ASIA,
            EU,
            &["--merge-base", "5", "--strict"],
            3,
            "spec.replicas",
        ),
    ];
    for (target, source, more, code, part) in cases {
        let ran = merge(&world, target, source, more);
        assert_eq!(
            ran.code, code,
            "{target} {source} {more:?}: {}{}",
            ran.stdout, ran.stderr
        );
        assert!(ran.stderr.contains(part), "no `{part}` in {}", ran.stderr);
    }
    let more = ["--upgrade", "--merge-base", "6"];
    assert_eq!(merge(&world, ASIA, EU, &more).code, 2);
    assert_eq!(
        world
            .run(&["unit", "update", ASIA, "--merge-base", "6"])
            .code,
        2
    );
    let one_of_many = world.run(&[
        "unit",
        "update",
        "--unit",
        "other/api,prod-asia/api",
        "--merge-unit",
        EU,
    ]);
    assert_ne!(one_of_many.code, 0, "{}", one_of_many.stdout);
    assert_eq!(digest(&world), before);
    // With a range, the two need not be related.
    assert_eq!(merge(&world, "other/api", EU, &range("6", "7")).code, 0);
    assert!(data(&world, "other/api").contains("CIRCUIT_BREAKER"));
}

#[test]
fn a_merge_into_many_units_is_one_operation_and_leaves_the_source_alone() {
    let world = regions();
    let count = operations(&world);
    let ran = world.run(&[
        "unit",
        "update",
        "prod-*/api",
        "--merge-source",
        EU,
        "--merge-base",
        "6",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("into 2 units"), "{}", ran.stdout);
    assert!(ran.stdout.contains("it is the source"), "{}", ran.stdout);
    assert_eq!(operations(&world), count + 1);
}

#[test]
fn a_report_names_sources_revisions_and_what_each_unit_took_and_kept() {
    let world = regions();
    world.printed(
        r#"let base = unit("base/api");
        as_actor("ci@corp", || atomic("release 2", || base.set_image("api", "api:v2")));
        as_actor("dana@corp", || base.set_env_var("api", "NEW", "1"));"#,
    );
    let args = [
        "unit",
        "update",
        "--upgrade",
        "--patch",
        "--space",
        "prod-*",
    ];
    let ran = world.run(&args);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    for part in [
        "UPGRADED   base/api r1 → r3 into 3 variants   op-",
        "by alice@trading.com   nothing deployed",
        "  r2  ci@corp    release 2",
        "containers.?name=api.image",
        "  r3  dana@corp  set-env-var",
        "5         1  of 6 incoming changes",
        "conflict edit c1",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in {}", ran.stdout);
    }
    let again = world.json(&args);
    assert_eq!(again["Units"][0]["Result"], "unchanged");
    assert!(again.get("Incoming").is_none(), "{again}");
}

#[test]
fn every_upstream_of_a_call_has_a_line_and_long_histories_are_cut() {
    let world = regions();
    world.printed(
        r#"let web = space("base").ensure_unit("web", read_file("api.yaml"));
        for region in ["us", "eu"] { space(`prod-${region}`).ensure_clone(web); }
        for n in 1..=9 { web.set_env_var("api", "N", `${n}`); }
        unit("base/api").set_env_var("api", "NEW", "1");"#,
    );
    let args = ["unit", "update", "--upgrade", "--space", "prod-*"];
    let shown = world.ok(&[&args[..], &["--dry-run"]].concat());
    let printed = world.ok(&args);
    let heads = [
        "UPGRADED   base/api r1 → r2 into 3 variants",
        "UPGRADED   base/web r1 → r10 into 2 variants",
    ];
    for part in heads {
        assert!(printed.contains(part), "no `{part}` in {printed}");
        assert!(
            shown.contains(&format!("PREVIEW   {part}   nothing was written")),
            "{shown}"
        );
    }
    assert!(
        printed.contains("… and 3 more before these\n  r5 "),
        "{printed}"
    );
    assert!(!printed.contains("\n  r4 "), "{printed}");
    assert!(
        printed.contains("5         0  of 5 incoming changes"),
        "{printed}"
    );
}

#[test]
fn a_conflict_is_decided_with_another_value() {
    let world = regions();
    assert_eq!(merge(&world, ASIA, EU, &range("5", "7")).code, 5);
    let store = world.store();
    for value in ["", "# none", "{a", "1\n---\n2"] {
        let ran = world.run(&["conflict", "edit", "c1", "--value", value]);
        assert_ne!(ran.code, 0, "{value}: {}", ran.stdout);
    }
    let no_editor = world.run(&["conflict", "edit", "c1"]);
    assert_eq!(no_editor.code, 2);
    assert!(no_editor.stderr.contains("$EDITOR"), "{}", no_editor.stderr);
    for decision in [
        &["take", "c1"][..],
        &["keep", "c1"],
        &["edit", "c1", "--value", "3"],
    ] {
        let args = [&["conflict"], decision, &["--dry-run"]].concat();
        world.ok(&args);
    }
    assert_eq!(world.store(), store);
    world.write("value.yaml", "# between the two\n3\n");
    world.ok(&["conflict", "edit", "c1", "--file", "value.yaml"]);
    assert!(data(&world, ASIA).contains("replicas: 3 # by volume"));
    let states = |state: &str| {
        let rows = world.json(&["conflict", "list", "--state", state]);
        rows.as_array().map(Vec::len)
    };
    assert_eq!(
        (states("edited"), states("open"), states("all")),
        (Some(1), Some(0), Some(1))
    );
    assert_eq!(world.run(&["conflict", "list", "--state", "x"]).code, 2);
    assert_eq!(
        world.run(&["conflict", "edit", "c1", "--value", "9"]).code,
        3
    );
}

#[test]
fn the_editor_sees_all_sides_and_what_it_saves_is_taken() {
    let world = regions();
    assert_eq!(merge(&world, ASIA, EU, &range("5", "7")).code, 5);
    world.write(
        "editor.sh",
        "cp \"$1\" seen.yaml\ncase $MODE in\n\
         set) printf '# mine\\n6\\n' > \"$1\";;\nbad) printf '[6\\n' > \"$1\";;\nfail) exit 4;;\nesac\n",
    );
    let edit = |mode: &str| {
        let mut command = world.command(&["conflict", "edit", "c1"]);
        command
            .env("EDITOR", "/bin/sh editor.sh")
            .env("PATH", "/usr/bin:/bin")
            .env("TMPDIR", world.path())
            .env("MODE", mode);
        world.finish(command)
    };
    let store = world.store();
    for mode in ["none", "bad", "fail"] {
        let ran = edit(mode);
        assert_ne!(ran.code, 0, "{mode}: {}", ran.stdout);
        assert_eq!(world.store(), store, "{mode}");
    }
    let seen = std::fs::read_to_string(world.path().join("seen.yaml")).expect("it was run");
    for part in ["# base:\n#   5", "# incoming:\n#   2", "# local:\n4\n"] {
        assert!(seen.contains(part), "no `{part}` in {seen}");
    }
    let ran = edit("set");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(data(&world, ASIA).contains("replicas: 6"));
}

#[test]
fn scripts_edit_conflicts_with_values_of_their_own() {
    let world = regions();
    let printed = world.printed(
        r#"let asia = unit("prod-asia/api");
        asia.set_image("api", "api:hot");
        asia.merge("prod-eu/api", #{ base: 3, end: 7 });
        let image = conflicts("Path LIKE '%.image'");
        for row in image { row.edit("api:both"); }
        print(asia.get("spec.template.spec.containers.?name=api.image"));
        print(asia.open_conflicts);"#,
    );
    assert_eq!(
        printed, "api:both\n0\n",
        "replicas 2 at both ends of the range"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Whatever the history, a range changes only places that differ between its ends.
    #[test]
    fn a_range_changes_only_what_differs_between_its_ends(
        steps in prop::collection::vec((0..4_usize, 0..3_u8), 2..6),
        ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let world = regions();
        for (what, value) in &steps {
            let call = match what {
                0 => format!("eu.set_replicas({})", value + 1),
                1 => format!("eu.set_env_var(\"api\", \"E{value}\", \"x\")"),
                2 => format!("eu.set_image(\"api\", \"api:v{value}\")"),
                _ => format!("eu.set_env_var(\"api\", \"MODE\", \"m{value}\")"),
            };
            world.printed(&format!("let eu = unit(\"{EU}\"); {call};"));
        }
        let head = world.json(&["unit", "list", EU, "--columns", "HeadRevisionNum"]);
        let head = head[0]["HeadRevisionNum"].as_u64().expect("a number");
        let head = usize::try_from(head).expect("it fits");
        let (one, other) = (ends.0.index(head) + 1, ends.1.index(head) + 1);
        let (base, end) = (one.min(other), one.max(other));
        prop_assume!(base < end);
        let ran = merge(&world, ASIA, EU, &range(&base.to_string(), &end.to_string()));
        prop_assert!([0, 5].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
        let rows = world.json(&["revision", "list", ASIA]);
        let last = rows[0]["Num"].as_u64().expect("a number");
        let names = |text: &str| -> std::collections::BTreeSet<String> {
            let words = text.split_whitespace().filter(|word| word.starts_with("spec."));
            words.map(|word| word.trim_end_matches(',').to_owned()).collect()
        };
        let between = names(&paths_between(&world, EU, base, end));
        if last > 2 {
            let changed = names(&paths_between(&world, ASIA, 2, 3));
            prop_assert!(!changed.is_empty());
            let came = |path: &String| between.iter().any(|part| path.starts_with(part));
            prop_assert!(changed.iter().all(came), "{changed:?} beyond {between:?}");
        }
    }
}
