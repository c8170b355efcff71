//! The tool scripts: bulk operations, validation, pre-flight, cleanup, prefixes, setting up.

use serde_json::{Value, json};

use crate::world::{Ran, World};

fn run(world: &World, command: &str) -> Ran {
    let words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
    let mut all = vec!["run"];
    all.extend(words);
    world.run(&all)
}

pub(crate) fn ok(world: &World, command: &str) -> String {
    let ran = run(world, command);
    assert_eq!(ran.code, 0, "{command}\n{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// One value of each unit that a selector names.
pub(crate) fn values(world: &World, selector: &str, column: &str) -> Vec<Value> {
    let rows = world.json(&["unit", "list", selector, "--columns", column]);
    let rows = rows.as_array().expect("rows");
    rows.iter().map(|row| row[column].clone()).collect()
}

/// What is in a store, as people see it.
pub(crate) fn content(world: &World) -> Value {
    json!({
        "spaces": world.json(&["space", "list"]),
        "units": world.json(&["unit", "list", "--columns", "UnitID,Space.Slug,Slug,DataHash,HeadRevisionNum,Status"]),
        "workers": world.json(&["worker", "list"]),
        "targets": world.json(&["target", "list"]),
    })
}

const IMAGE: &str = "spec.template.spec.containers.0.image";

// ---- bulk-operations -------------------------------------------------------------------------

#[test]
fn scaling_a_stage_changes_and_deploys_its_services() {
    for (stage, services, others) in [
        (1, "traderx/reference-data", None),
        (
            2,
            "traderx-prod/reference-data",
            Some("traderx-dev/reference-data"),
        ),
        (
            3,
            "traderx-prod-*/trade-service",
            Some("traderx-*/reference-data"),
        ),
    ] {
        let world = World::tutorial();
        ok(&world, &format!("scripts/setup-structure.rhai {stage}"));
        ok(
            &world,
            &format!("scripts/bulk-operations.rhai {stage} scale 4"),
        );
        assert!(
            values(&world, services, "spec.replicas")
                .iter()
                .all(|n| *n == 4),
            "stage {stage}"
        );
        assert!(
            values(&world, services, "Status")
                .iter()
                .all(|word| *word == "Ready")
        );
        assert!(
            values(&world, services, "UnappliedChanges")
                .iter()
                .all(|is| *is == false)
        );
        if let Some(others) = others {
            assert!(
                values(&world, others, "spec.replicas")
                    .iter()
                    .all(|n| *n == 1)
            );
        }
        let before = world.json(&["log", "--limit", "1"]);
        ok(
            &world,
            &format!("scripts/bulk-operations.rhai {stage} scale 4"),
        );
        assert_eq!(
            world.json(&["log", "--limit", "1"]),
            before,
            "again, it writes nothing"
        );
    }
}

#[test]
fn a_version_goes_through_the_base_and_replicas_stay() {
    let world = World::tutorial();
    ok(&world, "scripts/stage3-three-regions.rhai");
    ok(&world, "scripts/stage2-three-envs.rhai");
    ok(&world, "scripts/bulk-operations.rhai 3 version v1.2.3");
    let image = json!("ghcr.io/finos/traderx/trade-service:v1.2.3");
    assert_eq!(
        values(&world, "traderx-base/trade-service", IMAGE),
        vec![image.clone(); 1]
    );
    assert_eq!(
        values(&world, "traderx-prod-*/trade-service", IMAGE),
        vec![image; 3]
    );
    assert_eq!(
        values(&world, "traderx-prod-*/trade-service", "spec.replicas"),
        [3, 5, 2]
    );
    assert_eq!(
        values(&world, "traderx-prod-*/trade-service", "UnappliedChanges"),
        [false; 3]
    );
    assert_eq!(
        values(&world, "*/reference-data", "HeadRevisionNum"),
        vec![json!(1); 8]
    );

    let printed = ok(&world, "scripts/bulk-operations.rhai 2 version :v9");
    assert!(
        printed.contains("UPGRADED   traderx/reference-data r1 → r2 into 3 variants"),
        "{printed}"
    );
    let tags = values(&world, "traderx-prod/reference-data", IMAGE);
    assert_eq!(tags, ["ghcr.io/finos/traderx/reference-data:v9"]);
    assert_eq!(
        values(&world, "traderx-dev/reference-data", "Status"),
        ["NoLive"]
    );
}

#[test]
fn a_version_reaches_regions_that_have_one_of_their_own() {
    let world = World::tutorial();
    ok(&world, "scripts/stage3-three-regions.rhai");
    let hot_fix = "unit(\"traderx-prod-us/trade-service\").set_image_reference(\":v1-hotfix\");";
    let _ = world.printed(hot_fix);
    ok(&world, "scripts/bulk-operations.rhai 3 version v2");
    let image = json!("ghcr.io/finos/traderx/trade-service:v2");
    let services = "traderx-*/trade-service";
    assert_eq!(values(&world, services, IMAGE), vec![image.clone(); 4]);
    assert_eq!(world.json(&["conflict", "list"]), json!([]));
    // The base has it already, so there is nothing to upgrade to.
    let _ = world.printed(hot_fix);
    ok(&world, "scripts/bulk-operations.rhai 3 version v2");
    assert_eq!(values(&world, services, IMAGE), vec![image; 4]);
    ok(&world, "scripts/bulk-operations.rhai 3 version v3");
    let image = json!("ghcr.io/finos/traderx/trade-service:v3");
    assert_eq!(values(&world, services, IMAGE), vec![image; 4]);
}

#[test]
fn status_shows_a_table_for_each_space_and_says_when_there_is_none() {
    let world = World::tutorial();
    assert!(ok(&world, "scripts/bulk-operations.rhai 3 status").contains("setup-structure"));
    ok(&world, "scripts/setup-structure.rhai 3");
    let printed = ok(&world, "scripts/bulk-operations.rhai 3 status");
    for space in [
        "traderx-base/",
        "traderx-prod-us/",
        "traderx-prod-eu/",
        "traderx-prod-asia/",
    ] {
        assert!(printed.contains(space), "{printed}");
    }
    assert_eq!(printed.matches("UNAPPLIED-CHANGES").count(), 4);
}

#[test]
fn help_is_printed_wherever_the_word_stands() {
    let world = World::tutorial();
    for words in [
        "help",
        "3 help",
        "3 scale help",
        "help 3 scale 2",
        "--help",
        "3 -h",
        "9 help",
    ] {
        let printed = ok(&world, &format!("scripts/bulk-operations.rhai {words}"));
        let usage =
            "Usage: windlass run scripts/bulk-operations.rhai STAGE scale|version|status [VALUE]";
        assert!(printed.contains(usage), "{words}: {printed}");
        assert!(
            printed.contains("\n  scale N  "),
            "its own lines as they are: {printed}"
        );
    }
    assert!(ok(&world, "scripts/validate.rhai help").contains("STAGE"));
    assert!(ok(&world, "scripts/cleanup.rhai help").contains("[--yes]"));
    assert!(!world.path().join(".windlass").exists());
}

#[test]
fn wrong_words_end_with_2_and_the_usage_and_write_nothing() {
    let world = World::tutorial();
    for command in [
        "bulk-operations.rhai",
        "bulk-operations.rhai 8 scale 3",
        "bulk-operations.rhai 0 status",
        "bulk-operations.rhai three scale 3",
        "bulk-operations.rhai 3",
        "bulk-operations.rhai 3 frobnicate",
        "bulk-operations.rhai 3 scale",
        "bulk-operations.rhai 3 scale x",
        "bulk-operations.rhai 3 scale -1",
        "bulk-operations.rhai 3 scale 1e3",
        "bulk-operations.rhai 3 scale 999999999999999999999",
        "bulk-operations.rhai 3 version",
        "bulk-operations.rhai 3 version a/b",
        "bulk-operations.rhai 3 version v1@sha256:0f",
        "bulk-operations.rhai 3 status now",
        "bulk-operations.rhai 3 scale 3 4",
        "validate.rhai",
        "validate.rhai 0",
        "validate.rhai 8",
        "validate.rhai x",
        "preflight.rhai now",
        "cleanup.rhai yes",
        "cleanup.rhai --force",
        "setup-structure.rhai 8",
        "deploy.rhai 0",
        "new-prefix.rhai x",
    ] {
        let ran = run(&world, &format!("scripts/{command}"));
        assert_eq!(ran.code, 2, "{command}: {}{}", ran.stdout, ran.stderr);
        let usage = format!(
            "usage: windlass run scripts/{}",
            &command[..command.find(".rhai").unwrap()]
        );
        assert!(ran.stderr.contains(&usage), "{command}: {}", ran.stderr);
        assert_eq!(
            ran.stderr.matches("usage").count(),
            1,
            "{command}: {}",
            ran.stderr
        );
        assert!(!world.path().join(".windlass").exists(), "{command} wrote");
    }
    let ran = run(&world, "scripts/bulk-operations.rhai 3 scale 3");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("setup-structure.rhai 3"),
        "{}",
        ran.stderr
    );
}

// ---- validate --------------------------------------------------------------------------------

fn validated(world: &World, stage: u8) -> (i32, Value) {
    let stage = stage.to_string();
    let ran = world.run(&["--json", "run", "scripts/validate.rhai", &stage]);
    let result = serde_json::from_str(&ran.stdout).expect("JSON");
    (ran.code, result)
}

fn failed_checks(result: &Value) -> Vec<String> {
    let checks = result["checks"].as_array().expect("checks");
    let failed = checks.iter().filter(|check| check["Result"] == "failed");
    failed
        .map(|check| check["Check"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn what_is_set_up_is_valid_and_what_is_not_deployed_is_a_warning() {
    for stage in 1..=7 {
        let world = World::tutorial();
        ok(&world, &format!("scripts/setup-structure.rhai {stage}"));
        let (code, result) = validated(&world, stage);
        assert_eq!(
            (code, &result["failed"]),
            (0, &json!(0)),
            "stage {stage}: {:?}",
            failed_checks(&result)
        );
        assert!(
            result["warnings"].as_u64() > Some(0),
            "stage {stage} is not deployed"
        );
        ok(&world, &format!("scripts/deploy.rhai {stage}"));
        let (code, after) = validated(&world, stage);
        assert_eq!(code, 0);
        assert!(
            after["warnings"].as_u64() < result["warnings"].as_u64(),
            "stage {stage}"
        );
        let count = |key: &str| after[key].as_u64().expect("a count");
        let all = after["checks"].as_array().expect("checks").len() as u64;
        assert_eq!(count("passed") + count("failed") + count("warnings"), all);
    }
}

#[test]
fn an_empty_store_is_no_stage() {
    let world = World::tutorial();
    for stage in 1..=7 {
        let (code, result) = validated(&world, stage);
        assert_eq!(code, 1, "stage {stage}");
        assert!(result["failed"].as_u64() > Some(1));
    }
    let ran = run(&world, "scripts/validate.rhai 1");
    assert!(ran.stdout.contains("space traderx  "), "{}", ran.stdout);
    assert!(ran.stdout.contains("failed 2"), "{}", ran.stdout);
}

#[test]
fn each_damage_fails_the_check_that_is_about_it() {
    let us = "unit(\"traderx-prod-us/trade-service\")";
    let cases: [(u8, &str, &str); 13] = [
        (
            1,
            "space(\"traderx\").delete(#{ recursive: true });",
            "space traderx",
        ),
        (
            1,
            "unit(\"traderx/reference-data\").delete();",
            "unit traderx/reference-data",
        ),
        (
            2,
            "space(\"traderx-staging\").delete(#{ recursive: true });",
            "space traderx-staging",
        ),
        (
            2,
            "unit(\"traderx-dev/reference-data\").delete();
             space(\"traderx-dev\").copy(unit(\"traderx/reference-data\"));",
            "traderx-dev/reference-data inherits from traderx",
        ),
        (
            3,
            "space(\"traderx-prod-asia\").delete(#{ recursive: true });",
            "space traderx-prod-asia",
        ),
        (
            3,
            "unit(\"traderx-prod-eu/trade-service\").set_replicas(4);",
            "traderx-prod-eu/trade-service replicas 5",
        ),
        (
            3,
            "unit(\"traderx-prod-eu/trade-service\").patch(#{ kind: \"Deployment\", spec: #{ replicas: \"5\" } });",
            "traderx-prod-eu/trade-service replicas 5",
        ),
        (
            3,
            "unit(\"traderx-prod-us/trade-service\").set_namespace(\"elsewhere\");",
            "traderx-prod-us/trade-service namespace confighubplaceholder",
        ),
        (
            4,
            "unit(\"traderx-base/trade-service\").delete();",
            "traderx-prod-us/trade-service inherits from traderx-base",
        ),
        (
            4,
            "unit(\"traderx-base/trade-service\").set_env_var(\"*\", \"TRADING_ALGORITHM\", \"v2\");",
            "no region waits for an upgrade",
        ),
        (
            5,
            "unit(\"traderx-prod-asia/trade-service\").delete();",
            "query by name finds the services of the regions",
        ),
        (
            6,
            "unit(\"traderx-prod-us/reference-data\").set_image_reference(\":v2\");",
            "us has one version of both services",
        ),
        (
            7,
            "SELF.set_env_var(\"*\", \"CIRCUIT_BREAKER\", \"broken\");",
            "us has a circuit breaker, as text",
        ),
    ];
    for (stage, damage, check) in cases {
        let world = World::tutorial();
        ok(&world, &format!("scripts/setup-structure.rhai {stage}"));
        let _ = world.printed(&damage.replace("SELF", us));
        let (code, result) = validated(&world, stage);
        assert_eq!(code, 1, "stage {stage}: {damage}");
        let failed = failed_checks(&result);
        assert!(
            failed.iter().any(|name| name == check),
            "stage {stage}: {damage}: {failed:?}"
        );
    }
}

#[test]
fn what_runs_and_is_not_the_head_is_a_warning() {
    let world = World::tutorial();
    ok(&world, "scripts/stage4-push-upgrade.rhai");
    let (_, before) = validated(&world, 4);
    assert_eq!(before["warnings"], 0);
    let _ = world.printed("unit(\"traderx-prod-us/trade-service\").set_label(\"team\", \"us\");");
    let (code, after) = validated(&world, 4);
    assert_eq!((code, &after["warnings"]), (0, &json!(1)));
}

// ---- preflight -------------------------------------------------------------------------------

#[test]
fn the_pre_flight_passes_and_leaves_the_store_as_it_was() {
    let world = World::tutorial();
    let printed = ok(&world, "scripts/preflight.rhai");
    let last = printed.lines().last();
    assert_eq!(
        last,
        Some("🎉 SUCCESS! Windlass + sandbox integration verified")
    );
    assert!(
        printed.contains("passed 8, failed 0, warnings 0"),
        "{printed}"
    );
    assert_eq!(content(&world)["spaces"], json!([]));
    assert_eq!(content(&world)["targets"], json!([]));

    ok(&world, "scripts/stage2-three-envs.rhai");
    let before = content(&world);
    let printed = ok(&world, "scripts/preflight.rhai");
    assert!(
        printed.contains("passed 7, failed 0, warnings 1"),
        "an earlier installation: {printed}"
    );
    assert_eq!(content(&world), before);
    drop(world.ok(&["log", "verify"]));
}

#[test]
fn the_pre_flight_cleans_up_when_the_cluster_fails() {
    let probe = World::empty();
    let prefix = probe.ok(&["space", "new-prefix", "--seed", "7"]);
    let object = format!(
        "#{{ group: \"apps\", kind: \"Deployment\", namespace: \"{}-preflight\", name: \"preflight\" }}",
        prefix.trim()
    );
    for (fault, found) in [
        (
            format!("#{{ Refuse: #{{ object: {object}, reason: \"out of quota\" }} }}"),
            "out of quota",
        ),
        (
            format!("#{{ NeverReady: #{{ object: {object} }} }}"),
            "become ready",
        ),
        ("#{ LoseConnection: #{ after: 0 } }".to_owned(), ""),
        ("#{ LoseConnection: #{ after: 1 } }".to_owned(), ""),
    ] {
        let world = World::tutorial();
        ok(&world, "scripts/stage1-hello-traderx.rhai");
        let _ = world.printed(&format!("inject_fault({fault});"));
        let before = content(&world);
        let mut command = world.command(&["run", "scripts/preflight.rhai"]);
        command.env("WINDLASS_SEED", "7");
        let ran = world.finish(command);
        assert_eq!(ran.code, 1, "{fault}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("FAILED"), "{fault}: {}", ran.stdout);
        assert!(ran.stdout.contains(found), "{fault}: {}", ran.stdout);
        assert!(!ran.stdout.contains("SUCCESS"));
        assert_eq!(content(&world), before, "{fault}");
    }
}

#[test]
fn the_pre_flight_says_which_files_are_missing() {
    let world = World::tutorial();
    std::fs::remove_file(world.path().join("k8s/trade-service-v2.yaml")).unwrap();
    let printed = ok(&world, "scripts/preflight.rhai");
    assert!(
        printed.contains("missing: k8s/trade-service-v2.yaml"),
        "{printed}"
    );
}

// ---- cleanup and prefixes --------------------------------------------------------------------

#[test]
fn cleanup_asks_first_removes_only_the_tutorial_and_may_run_again() {
    let world = World::tutorial();
    ok(&world, "scripts/stage2-three-envs.rhai");
    ok(&world, "scripts/stage4-push-upgrade.rhai");
    let _ = world.printed(
        "let mine = ensure_space(\"traderx-mine\"); mine.ensure_clone(unit(\"traderx-base/trade-service\"));
         ensure_space(\"fleet-osprey-traderx\").ensure_unit(\"a\", \"kind: ConfigMap\\nmetadata: {name: a}\\n\");",
    );
    let before = content(&world);
    let ran = run(&world, "scripts/cleanup.rhai");
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("space traderx-prod-us   units 2, live 2"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("--yes"));
    assert_eq!(content(&world), before, "it only lists");

    let printed = ok(&world, "scripts/cleanup.rhai --yes");
    assert!(
        printed.contains("namespace traderx-prod-us deleted"),
        "{printed}"
    );
    let names: Vec<Value> = world
        .json(&["space", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["Name"].clone())
        .collect();
    assert_eq!(names, ["traderx-mine", "fleet-osprey-traderx"]);
    assert_eq!(world.json(&["worker", "list"]), json!([]));
    let kept = world.ok(&["unit", "data", "traderx-mine/trade-service"]);
    assert!(
        kept.contains("kind: Deployment"),
        "a variant elsewhere keeps what it holds"
    );

    for command in ["scripts/cleanup.rhai --yes", "scripts/cleanup.rhai"] {
        assert_eq!(ok(&world, command), "nothing to clean up\n");
    }
    drop(world.ok(&["log", "verify"]));
    ok(&world, "scripts/stage2-three-envs.rhai");
}

#[test]
fn cleanup_stops_where_the_cluster_cannot_be_reached_and_goes_on_later() {
    let world = World::tutorial();
    ok(&world, "scripts/new-prefix.rhai");
    ok(&world, "scripts/stage3-three-regions.rhai");
    let _ = world.printed("inject_fault(#{ LoseConnection: #{ after: 0 } });");
    let before = content(&world);
    let ran = run(&world, "scripts/cleanup.rhai --yes");
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("clean:"), "{}", ran.stdout);
    assert_eq!(content(&world)["units"], before["units"]);
    assert!(world.path().join(".traderx-prefix").exists());
    let _ = world.printed("clear_faults();");
    ok(&world, "scripts/cleanup.rhai --yes");
    assert_eq!(world.json(&["space", "list"]), json!([]));
}

#[test]
fn a_prefix_is_two_words_the_same_for_a_seed_and_never_one_in_use() {
    let world = World::empty();
    let seeded = |seed: &str| {
        world
            .ok(&["space", "new-prefix", "--seed", seed])
            .trim()
            .to_owned()
    };
    let first = seeded("7");
    assert_eq!(seeded("7"), first);
    assert_ne!(seeded("8"), first);
    let words: Vec<&str> = first.split('-').collect();
    assert!(
        words.len() == 2
            && words
                .iter()
                .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())),
        "{first}"
    );
    assert_eq!(world.printed("print(new_prefix(7));").trim(), first);
    assert!(
        !world.path().join(".windlass").exists(),
        "asking writes nothing"
    );

    // A name that only begins with it counts as well.
    drop(world.ok(&["space", "create", &format!("{first}er-dev")]));
    let second = seeded("7");
    assert_ne!(second, first);
    drop(world.ok(&["space", "create", &second]));
    assert!(![first.clone(), second].contains(&seeded("7")));

    let mut command = world.command(&["eval", "new_prefix()"]);
    command.env("WINDLASS_SEED", "9");
    assert_eq!(world.finish(command).stdout.trim(), seeded("9"));
    let mut command = world.command(&["space", "new-prefix"]);
    command.env("WINDLASS_SEED", "nine");
    assert_eq!(world.finish(command).code, 2);
}

#[test]
fn an_installation_has_one_prefix_and_every_stage_uses_it() {
    let world = World::tutorial();
    let prefix = ok(&world, "scripts/new-prefix.rhai").trim().to_owned();
    assert_eq!(ok(&world, "scripts/new-prefix.rhai").trim(), prefix);
    for script in [
        "scripts/stage1-hello-traderx.rhai",
        "scripts/stage2-three-envs.rhai",
        "scripts/stage3-three-regions.rhai",
        "scripts/stage4-push-upgrade.rhai",
        "scripts/setup-structure.rhai",
        "scripts/bulk-operations.rhai 3 scale 3",
    ] {
        ok(&world, script);
    }
    let spaces = world.json(&["space", "list"]);
    let spaces = spaces.as_array().unwrap();
    assert_eq!(spaces.len(), 8);
    let beginning = format!("{prefix}-traderx");
    assert!(
        spaces
            .iter()
            .all(|row| row["Name"].as_str().unwrap().starts_with(&beginning))
    );
    let (code, result) = validated(&world, 7);
    assert_eq!(code, 0, "{:?}", failed_checks(&result));
    ok(&world, "scripts/cleanup.rhai --yes");
    assert_eq!(world.json(&["space", "list"]), json!([]));
    assert!(!world.path().join(".traderx-prefix").exists());

    ok(&world, "scripts/stage1-hello-traderx.rhai");
    let ran = run(&world, "scripts/new-prefix.rhai");
    assert_eq!(
        ran.code, 3,
        "spaces without it would be lost: {}",
        ran.stdout
    );
}

#[test]
fn a_prefix_file_that_is_none_is_refused() {
    let world = World::tutorial();
    for text in ["*", "", "a-", "A-b", "a-b-c", "../x"] {
        world.write(".traderx-prefix", text);
        let ran = run(&world, "scripts/cleanup.rhai --yes");
        assert_eq!(ran.code, 1, "`{text}`: {}", ran.stdout);
        assert!(ran.stderr.contains(".traderx-prefix"), "{}", ran.stderr);
    }
}

// ---- setting up, reports ---------------------------------------------------------------------

#[test]
fn setting_up_takes_every_stage_and_the_last_where_none_is_named() {
    let spaces = |world: &World| world.json(&["space", "list"]).as_array().unwrap().len();
    for (stage, count) in [
        ("1", 1),
        ("2", 4),
        ("3", 4),
        ("4", 4),
        ("5", 4),
        ("6", 4),
        ("7", 8),
        ("", 8),
    ] {
        let world = World::tutorial();
        ok(&world, &format!("scripts/setup-structure.rhai {stage}"));
        assert_eq!(spaces(&world), count, "stage {stage}");
        assert_eq!(
            world.json(&["worker", "list"]),
            json!([]),
            "nothing is deployed"
        );
    }
}

#[test]
fn the_quick_demo_shows_what_runs_and_may_run_again() {
    let world = World::tutorial();
    let printed = ok(&world, "scripts/quick-demo.rhai");
    for object in ["Deployment  reference-data", "Service     reference-data"] {
        assert!(printed.contains(object), "{printed}");
    }
    let before = content(&world);
    ok(&world, "scripts/quick-demo.rhai");
    assert_eq!(content(&world), before);
    let targets = world.json(&["target", "list"]);
    assert_eq!(targets[0]["Worker"], json!(["worker"]));
    assert_eq!(targets[0]["Space"], json!(["traderx"]));
    let headers = world.ok(&["target", "list"]);
    let headers: Vec<&str> = headers.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(
        headers,
        ["NAME", "WORKER", "PROVIDER-TYPE", "PARAMETERS", "SPACE"]
    );
}

#[test]
fn a_report_is_lines_for_people_data_for_programs_and_an_exit_code() {
    let world = World::empty();
    world.write(
        "report.rhai",
        "report([table([#{ A: 1 }]), \"two\"], #{ a: [1, 2] }, 4)",
    );
    let ran = world.run(&["run", "report.rhai"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, "A\n1\ntwo\n"));
    let ran = world.run(&["--json", "run", "report.rhai"]);
    assert_eq!(ran.code, 4);
    assert_eq!(
        serde_json::from_str::<Value>(&ran.stdout).unwrap(),
        json!({ "a": [1, 2] })
    );
    for wrong in ["report(\"\", 1, 256)", "report(\"\", 1, -1)", "table([1])"] {
        assert_eq!(world.script(wrong).code, 2, "{wrong}");
    }
}

#[test]
fn an_operation_refuses_keys_that_it_does_not_have() {
    let world = World::tutorial();
    ok(&world, "scripts/setup-structure.rhai 2");
    let before = content(&world);
    for (call, key) in [
        (
            "space_delete(#{ slug: \"traderx-dev\", recursve: true })",
            "recursve",
        ),
        (
            "function_run(#{ space: \"traderx-*\", function: \"set-replicas\", args: [3], dryrun: true })",
            "dryrun",
        ),
        ("unit_list(#{ spaec: \"traderx\" })", "spaec"),
    ] {
        let ran = world.script(call);
        assert_eq!(ran.code, 2, "{call}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!("found `{key}`")),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(content(&world), before);
    let printed = world.printed(
        "print(unit_list(#{ space: \"traderx-*\", where_data: \"spec.replicas = 1\" }).len());
         print(function_run(#{ space: \"traderx-*\", function: \"set-replicas\", args: [3], dry_run: true }).Changed);",
    );
    assert_eq!(printed, "3\n3\n");
}
