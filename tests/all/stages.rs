//! The tutorial, stages 1 to 5, through the program.

use crate::world::World;

pub(crate) const STAGES: [&str; 7] = [
    "scripts/stage1-hello-traderx.rhai",
    "scripts/stage2-three-envs.rhai",
    "scripts/stage3-three-regions.rhai",
    "scripts/stage4-push-upgrade.rhai",
    "scripts/stage5-find-and-fix.rhai",
    "scripts/stage6-atomic-updates.rhai",
    STAGE_7,
];

/// Everything desired that a script may change, as JSON without what moves by itself.
fn desired(world: &World) -> serde_json::Value {
    let columns = "UnitID,Space.Slug,Slug,HeadRevisionNum,DataHash,UpstreamRevisionNum,Labels";
    world.json(&["unit", "list", "--columns", columns])
}

fn value(world: &World, unit: &str, path: &str) -> serde_json::Value {
    let rows = world.json(&["unit", "list", unit, "--columns", path]);
    rows[0][path].clone()
}

#[test]
fn the_stages_run_in_order_on_an_empty_store() {
    let world = World::tutorial();
    for stage in STAGES {
        let printed = world.ok(&["run", stage]);
        let name = stage
            .trim_start_matches("scripts/")
            .trim_end_matches(".rhai");
        insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, printed);
        });
    }
}

#[test]
fn each_stage_runs_alone_and_twice_and_the_second_run_changes_nothing() {
    for stage in STAGES {
        let world = World::tutorial();
        drop(world.ok(&["run", stage]));
        let before = desired(&world);
        let operations = world.json(&["log", "--limit", "1"]);
        drop(world.ok(&["run", stage]));
        assert_eq!(desired(&world), before, "{stage}");
        assert_eq!(
            world.json(&["log", "--limit", "1"]),
            operations,
            "{stage} wrote again"
        );
    }
}

#[test]
fn the_order_of_the_first_five_stages_does_not_matter_to_what_they_leave() {
    let reference = World::tutorial();
    for stage in &STAGES[..5] {
        drop(reference.ok(&["run", stage]));
    }
    let facts = |world: &World| {
        let columns = "Space.Slug,Slug,DataHash,Status,UpgradeNeeded,UnappliedChanges";
        let mut rows = world.json(&["unit", "list", "--columns", columns]);
        rows.as_array_mut()
            .expect("rows")
            .sort_by_key(ToString::to_string);
        rows
    };
    for order in [[4, 3, 0, 2, 1], [2, 3, 1, 4, 0], [1, 4, 3, 0, 2]] {
        let world = World::tutorial();
        for stage in order {
            drop(world.ok(&["run", STAGES[stage]]));
        }
        assert_eq!(facts(&world), facts(&reference), "{order:?}");
    }
}

#[test]
fn a_customisation_by_hand_survives_every_stage_that_runs_again() {
    let world = World::tutorial();
    for stage in STAGES {
        drop(world.ok(&["run", stage]));
    }
    drop(world.ok(&[
        "function",
        "do",
        "--unit",
        "traderx-prod-eu/trade-service",
        "set-replicas",
        "7",
    ]));
    drop(world.ok(&[
        "unit",
        "update",
        "traderx-base/reference-data",
        "--patch",
        r#"{"kind":"Deployment","metadata":{"annotations":{"team":"data"}}}"#,
    ]));
    for stage in STAGES {
        drop(world.ok(&["run", stage]));
    }
    assert_eq!(
        value(&world, "traderx-prod-eu/trade-service", "spec.replicas"),
        7
    );
    assert_eq!(
        value(
            &world,
            "traderx-base/reference-data",
            "metadata.annotations.team"
        ),
        "data"
    );
}

#[test]
fn an_upgrade_keeps_the_replicas_of_each_region_and_touches_no_other_byte() {
    let world = World::tutorial();
    drop(world.ok(&["run", "scripts/stage3-three-regions.rhai"]));
    let before = world.ok(&["unit", "data", "traderx-prod-eu/trade-service"]);
    drop(world.ok(&["run", "scripts/stage4-push-upgrade.rhai"]));
    let after = world.ok(&["unit", "data", "traderx-prod-eu/trade-service"]);
    assert_eq!(after, before.replace("value: v1\n", "value: v2\n"));
    assert!(after.contains("replicas: 5 # each region sets its own"));
}

#[test]
fn setting_up_deploys_nothing_and_deploying_changes_nothing_desired() {
    for stage in ["1", "2", "3", "4", "5", "6", "7"] {
        let world = World::tutorial();
        drop(world.ok(&["run", "scripts/setup-structure.rhai", stage]));
        let live = world.json(&["unit", "list", "--where", "LiveRevisionNum IS NOT NULL"]);
        assert_eq!(live, serde_json::json!([]), "stage {stage}");
        let before = desired(&world);
        drop(world.ok(&["run", "scripts/deploy.rhai", stage]));
        assert_eq!(desired(&world), before, "stage {stage}");
        let live = world.json(&["unit", "list", "--where", "Status = 'Ready'"]);
        let expected = match stage {
            "1" | "2" => 1,
            _ => 6,
        };
        assert_eq!(
            live.as_array().map(Vec::len),
            Some(expected),
            "stage {stage}"
        );
    }
}

#[test]
fn script_arguments_are_checked_before_anything_is_written() {
    let world = World::tutorial();
    for wrong in [&["9"][..], &["x"], &["1", "2"], &["--stage"]] {
        let mut args = vec!["run", "scripts/setup-structure.rhai"];
        args.extend(wrong);
        let ran = world.run(&args);
        assert_eq!(ran.code, 2, "{wrong:?}: {}{}", ran.stdout, ran.stderr);
        assert!(!world.path().join(".windlass").exists(), "{wrong:?} wrote");
    }
    let help = world.ok(&["run", "scripts/setup-structure.rhai", "--help"]);
    assert!(help.contains("stage"), "{help}");
}

#[test]
fn stage_five_changes_what_it_found_and_nothing_else() {
    let world = World::tutorial();
    drop(world.ok(&["run", "scripts/stage4-push-upgrade.rhai"]));
    drop(world.ok(&["run", "scripts/stage2-three-envs.rhai"]));
    let columns = "Space.Slug,Slug,HeadRevisionNum,spec.replicas,UnappliedChanges";
    let rows = || {
        let rows = world.json(&["unit", "list", "--columns", columns]);
        rows.as_array().expect("rows").clone()
    };
    let before = rows();
    drop(world.ok(&["run", "scripts/stage5-find-and-fix.rhai"]));
    for (before, after) in before.iter().zip(rows()) {
        let space = after["Space.Slug"].as_str().expect("a space");
        let is_found = after["Slug"] == "trade-service" && space.contains("prod");
        if !is_found {
            assert_eq!(before, &after);
            continue;
        }
        let head = before["HeadRevisionNum"].as_u64().expect("a number");
        let more = u64::from(!space.ends_with("us"));
        assert_eq!(after["HeadRevisionNum"], head + more, "{space}");
        assert_eq!(after["spec.replicas"], 3, "{space}");
        assert_eq!(after["UnappliedChanges"], false, "{space}");
    }
}

#[test]
fn stage_five_is_done_once_and_a_scale_that_is_set_later_stays() {
    let world = World::tutorial();
    drop(world.ok(&["run", "scripts/stage5-find-and-fix.rhai"]));
    for region in ["eu", "asia"] {
        let unit = format!("traderx-prod-{region}/trade-service");
        drop(world.ok(&["run", "set-replicas", "6", "--unit", &unit]));
    }
    drop(world.ok(&["unit", "apply", "--space", "traderx-prod-*", "--wait"]));
    let before = desired(&world);
    let operations = world.json(&["log", "--limit", "1"]);
    drop(world.ok(&["run", "scripts/stage5-find-and-fix.rhai"]));
    assert_eq!(desired(&world), before);
    assert_eq!(world.json(&["log", "--limit", "1"]), operations);
}

const STAGE_7: &str = "scripts/stage7-emergency-bypass.rhai";

#[test]
fn the_emergency_fix_goes_sideways_and_a_second_run_writes_nothing() {
    let world = World::tutorial();
    let printed = world.ok(&["run", STAGE_7]);
    let flag = "spec.template.spec.containers.?name=trade-service.env.?name=CIRCUIT_BREAKER.value";
    for (region, replicas) in [("us", 3), ("eu", 2), ("asia", 2)] {
        let unit = format!("traderx-prod-{region}/trade-service");
        assert_eq!(value(&world, &unit, flag), "true", "{printed}");
        assert_eq!(value(&world, &unit, "spec.replicas"), replicas, "{region}");
    }
    let rows = world.json(&[
        "revision",
        "list",
        "traderx-prod-eu/trade-service",
        "--limit",
        "3",
    ]);
    let facts = |at: usize| (rows[at]["Num"].clone(), rows[at]["User"].clone());
    assert_eq!(facts(0), (47.into(), "alice@trading.com".into()));
    assert_eq!(facts(1), (46.into(), "system".into()));
    assert_eq!(facts(2), (45.into(), "system".into()));
    let log = world.ok(&["log", "--limit", "100"]);
    for part in [
        "scale replicas 5→2 (market close)",
        "scale replicas 2→5 (market open)",
        "set CIRCUIT_BREAKER=true",
    ] {
        assert!(log.contains(part), "no `{part}` in {log}");
    }
    let asia = world.json(&[
        "revision",
        "list",
        "traderx-prod-asia/trade-service",
        "--limit",
        "1",
    ]);
    assert_eq!(
        asia[0]["Description"],
        "merge traderx-prod-eu/trade-service r46..r47"
    );
    let live = world.json(&["unit", "list", "--where", "Status = 'Ready'"]);
    assert_eq!(live.as_array().map(Vec::len), Some(6));
    let before = desired(&world);
    let operations = world.json(&["log", "--limit", "1"]);
    drop(world.ok(&["run", STAGE_7]));
    assert_eq!(desired(&world), before);
    assert_eq!(world.json(&["log", "--limit", "1"]), operations);
}

/// Numbers that look random, the same in every run.
struct Shuffle(u64);

impl Shuffle {
    fn order(&mut self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..STAGES.len()).collect();
        for at in (1..order.len()).rev() {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let other = usize::try_from(self.0 >> 33).expect("it fits") % (at + 1);
            order.swap(at, other);
        }
        order
    }
}

#[test]
fn the_stages_run_in_any_order_and_once_all_have_run_none_writes_anything_more() {
    let mut shuffle = Shuffle(2026);
    for round in 0..10 {
        let world = World::tutorial();
        let first = shuffle.order();
        for stage in &first {
            drop(world.ok(&["run", STAGES[*stage]]));
        }
        drop(world.ok(&["run", "scripts/validate.rhai", "7"]));
        let before = desired(&world);
        let operations = world.json(&["log", "--limit", "1"]);
        for stage in shuffle.order() {
            drop(world.ok(&["run", STAGES[stage]]));
            assert_eq!(
                world.json(&["log", "--limit", "1"]),
                operations,
                "round {round}, {first:?}: {} wrote again",
                STAGES[stage]
            );
        }
        assert_eq!(desired(&world), before, "{first:?}");
    }
}

#[test]
fn the_emergency_fix_survives_upgrades_scaling_and_hands() {
    for upgrade_first in [true, false] {
        let world = World::tutorial();
        if upgrade_first {
            drop(world.ok(&["run", STAGES[3]]));
        }
        drop(world.ok(&["run", STAGE_7]));
        drop(world.ok(&["run", STAGES[3]]));
        drop(world.ok(&[
            "function",
            "do",
            "--where",
            "Slug = 'trade-service' AND Space.Slug LIKE '%prod%'",
            "set-replicas",
            "3",
        ]));
        drop(world.ok(&[
            "function",
            "do",
            "--unit",
            "traderx-prod-asia/trade-service",
            "set-env-var",
            "trade-service",
            "CIRCUIT_BREAKER",
            "half",
        ]));
        drop(world.ok(&["run", STAGE_7]));
        let before = desired(&world);
        let operations = world.json(&["log", "--limit", "1"]);
        drop(world.ok(&["run", STAGE_7]));
        assert_eq!(desired(&world), before);
        assert_eq!(world.json(&["log", "--limit", "1"]), operations);
        let asia = world.ok(&["unit", "data", "traderx-prod-asia/trade-service"]);
        assert!(
            asia.contains("value: \"half\"") && asia.contains("replicas: 3"),
            "{asia}"
        );
        for region in ["eu", "us"] {
            let data = world.ok(&[
                "unit",
                "data",
                &format!("traderx-prod-{region}/trade-service"),
            ]);
            assert!(
                data.contains("CIRCUIT_BREAKER\n              value: \"true\""),
                "{data}"
            );
        }
    }
}
