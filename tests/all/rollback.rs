//! Back to earlier revisions, holds and gates, through the program.

use crate::world::World;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:v1
";

/// A unit of which r1, r2 and r3 were live one after the other, and r4 is not yet.
fn deployed() -> World {
    let world = World::empty();
    world.write("web.yaml", WEB);
    let _ = world.printed(
        r#"let prod = ensure_space("prod");
        prod.install_worker("worker", #{ wait: true });
        let web = prod.ensure_unit("web", read_file("web.yaml"));
        web.apply();
        for replicas in [2, 3] { web.set_replicas(replicas).apply(); }
        web.set_replicas(4);"#,
    );
    world
}

/// Head, live and replicas of the head and of what runs.
fn state(world: &World) -> String {
    world
        .printed(
            r#"let web = unit("prod/web");
            let live = web.live_state().Objects[0].Replicas;
            print(`head r${web.head_revision} live r${web.live_revision} store ${web.get("spec.replicas")} cluster ${live}`);"#,
        )
        .trim()
        .to_owned()
}

#[test]
fn an_old_revision_is_applied_and_the_head_stays() {
    let world = deployed();
    assert_eq!(state(&world), "head r4 live r3 store 4 cluster 3");
    for (revision, live, replicas) in [
        ("N-1", 2, 2),
        ("r1", 1, 1),
        ("prev-live", 2, 2),
        ("4", 4, 4),
    ] {
        let _ = world.ok(&["unit", "apply", "prod/web", "--revision", revision]);
        let want = format!("head r4 live r{live} store 4 cluster {replicas}");
        assert_eq!(state(&world), want, "{revision}");
    }
}

#[test]
fn restore_makes_a_new_head_and_deploys_nothing() {
    let world = deployed();
    let shown = world.ok(&["unit", "update", "prod/web", "--restore", "N-1"]);
    assert!(shown.contains("data of r2, which was live"), "{shown}");
    assert_eq!(state(&world), "head r5 live r3 store 2 cluster 3");
    let _ = world.ok(&["unit", "update", "prod/web", "--restore", "live"]);
    assert_eq!(state(&world), "head r6 live r3 store 3 cluster 3");
    let again = world.ok(&["unit", "update", "prod/web", "--restore", "3"]);
    assert!(again.contains("1 unchanged"), "{again}");
    let _ = world.printed(r#"unit("prod/web").restore(-2); unit("prod/web").restore("r4");"#);
    assert_eq!(state(&world), "head r8 live r3 store 4 cluster 3");
}

#[test]
fn revisions_that_are_not_there_are_refused() {
    let world = deployed();
    let before = world.store();
    for (revision, code, message) in [
        (
            "9",
            1,
            "expected a revision from r1 to r4 of `prod/web`, found r9",
        ),
        (
            "N-3",
            1,
            "expected a revision from r1 to r4 of `prod/web`, found r0",
        ),
        ("0", 2, "expected a revision such as 12, r12"),
        ("last", 2, "expected a revision such as 12, r12"),
    ] {
        for flags in [
            ["unit", "update", "--restore"],
            ["unit", "apply", "--revision"],
        ] {
            let [noun, verb, flag] = flags;
            let ran = world.run(&[noun, verb, "prod/web", flag, revision]);
            assert_eq!(ran.code, code, "{revision} {}", ran.stderr);
            assert!(ran.stderr.contains(message), "{}", ran.stderr);
        }
        let ran = world.run(&["rollback", "prod/web", "--to", revision]);
        assert_eq!(ran.code, code, "{revision} {}", ran.stderr);
    }
    assert_eq!(state(&world), "head r4 live r3 store 4 cluster 3");
    assert_eq!(world.ok(&["log", "--limit", "1"]).lines().count(), 2);
    drop(before);
}

#[test]
fn rollback_changes_store_and_cluster_and_holds() {
    let world = deployed();
    let shown = world.ok(&["rollback", "prod/web", "-m", "INC-4312", "--until", "2h"]);
    assert!(shown.contains("data of r2, which was live"), "{shown}");
    assert_eq!(state(&world), "head r5 live r5 store 2 cluster 2");
    let held = world.ok(&["hold", "list"]);
    assert!(
        held.contains("INC-4312") && held.contains("2026-01-16 11:15 UTC"),
        "{held}"
    );

    // What is held is not applied, whoever asks; the store can be changed.
    let _ = world.ok(&["run", "set-replicas", "7", "--unit", "prod/web"]);
    let ran = world.run(&["unit", "apply", "prod/web"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("prod/web   hold (held by alice@trading.com"),
        "{}",
        ran.stderr
    );
    assert_eq!(state(&world), "head r6 live r5 store 7 cluster 2");
    let listed = world.ok(&[
        "unit",
        "list",
        "--where",
        "ApplyGates ? 'hold'",
        "--columns",
        "Name,ApplyGates",
    ]);
    assert_eq!(listed, "NAME  APPLY-GATES\nweb   hold\n");
    assert_eq!(
        world.ok(&[
            "unit",
            "list",
            "--where",
            "ApplyGates IS NULL",
            "--no-header"
        ]),
        ""
    );

    // Past it, with a trace in the log; or after its end.
    let _ = world.ok(&["unit", "apply", "prod/web", "--override-gate", "hold"]);
    let log = world.ok(&["log", "--limit", "1"]);
    assert!(log.contains("apply --override-gate hold"), "{log}");
    let _ = world.ok(&["unhold", "prod/web"]);
    assert_eq!(world.ok(&["hold", "list", "--no-header"]), "");
    let again = world.ok(&["unhold", "prod/web"]);
    assert!(again.contains("1 unchanged"), "{again}");
}

#[test]
fn a_hold_ends_by_itself() {
    let world = deployed();
    let _ = world.ok(&["hold", "prod/web", "--until", "30m"]);
    let mut later = world.command(&["unit", "apply", "prod/web"]);
    later.env("WINDLASS_CLOCK", "2026-01-16T09:44:59Z");
    assert_eq!(world.finish(later).code, 3);
    let mut later = world.command(&["unit", "apply", "prod/web"]);
    later.env("WINDLASS_CLOCK", "2026-01-16T09:45:00Z");
    assert_eq!(world.finish(later).code, 0);
    for (until, message) in [
        ("yesterday", "expected a duration such as 2h"),
        ("2026-01-16T09:00:00Z", "expected a time after"),
        ("0s", "expected a time after"),
    ] {
        let ran = world.run(&["hold", "prod/web", "--until", until]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
}

#[test]
fn a_dry_run_of_a_rollback_touches_nothing() {
    let world = deployed();
    let before = world.store();
    let shown = world.ok(&["rollback", "prod/web", "--to", "r1", "--dry-run"]);
    assert!(
        shown.contains("PREVIEW") && shown.contains("data of r1"),
        "{shown}"
    );
    assert_eq!(before, world.store());
}

#[test]
fn units_that_are_not_deployed_are_left_out_of_a_rollback() {
    let world = deployed();
    let _ = world.printed(r#"space("prod").create_unit("idle", read_file("web.yaml"));"#);
    let shown = world.ok(&["rollback", "--space", "prod"]);
    assert!(
        shown.contains("skipped") && shown.contains("not deployed"),
        "{shown}"
    );
    let ran = world.run(&["rollback", "prod/idle"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("unit update --restore"),
        "{}",
        ran.stderr
    );
}

/// A variant with an open conflict in a space that refuses to deploy such units, and one without.
fn contested() -> World {
    let world = World::empty();
    world.write("web.yaml", WEB);
    let _ = world.printed(
        r#"let web = ensure_space("base").ensure_unit("web", read_file("web.yaml"));
        let text = read_file("web.yaml");
        text.replace("web", "idle");
        let idle = ensure_space("base").ensure_unit("idle", text);
        let prod = ensure_space("prod");
        prod.update(#{ gates: #{ "conflicts/open": true } });
        prod.ensure_clone(web, |unit| { unit.set_image("web", "web:hotfix"); });
        prod.ensure_clone(idle);
        prod.install_worker("worker", #{ wait: true });
        units("prod/*").apply();
        units("base/*").set_image("*", "web:v2").set_env_var("*", "MODE", "fast");
        units("prod/*").upgrade();
        ()"#,
    );
    world
}

#[test]
fn open_conflicts_gate_where_the_space_says_so() {
    let world = contested();
    let ran = world.run(&["unit", "apply", "--space", "prod"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.stderr
            .contains("prod/web   conflicts/open (1 conflict to decide)"),
        "{}",
        ran.stderr
    );
    let before = world.ok(&[
        "unit",
        "list",
        "--space",
        "prod",
        "--columns",
        "Name,LiveRevisionNum",
    ]);
    assert_eq!(
        before,
        "NAME  LIVE-REVISION\nweb               2\nidle              1\n"
    );
    let shown = world.ok(&["unit", "apply", "--space", "prod", "--skip-gated"]);
    assert!(
        shown.contains("1 skipped") && shown.contains("1 changed"),
        "{shown}"
    );
    let _ = world.ok(&["conflict", "keep", "c1"]);
    let _ = world.ok(&["unit", "apply", "--space", "prod"]);
}

#[test]
fn an_upgrade_says_who_waits_at_the_gate_and_how_the_others_are_applied() {
    let world = contested();
    world.printed("units(\"base/*\").set_image(\"*\", \"web:v3\"); ()");
    let ran = world.run(&["upgrade", "prod/*"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    let waits = "The gate conflicts/open is on in these spaces: 1 unit waits for it. Apply the other 1 \
                 with\n  windlass ";
    let (_, command) = ran
        .stdout
        .split_once(waits)
        .unwrap_or_else(|| panic!("no `{waits}` in {}", ran.stdout));
    let words: Vec<&str> = command.split_whitespace().collect();
    drop(world.ok(&words));
    let rows = world.json(&[
        "unit",
        "list",
        "prod/*",
        "--columns",
        "Name,UnappliedChanges",
    ]);
    let waiting = |at: usize| {
        (
            rows[at]["Name"].clone(),
            rows[at]["UnappliedChanges"].clone(),
        )
    };
    assert_eq!(waiting(0), ("web".into(), true.into()));
    assert_eq!(waiting(1), ("idle".into(), false.into()));
}

#[test]
fn a_gate_can_be_switched_off_and_unknown_ones_are_refused() {
    let world = contested();
    let ran = world.run(&["space", "update", "prod", "--gate", "everything"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let ran = world.run(&["unit", "apply", "prod/web", "--override-gate", "holds"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let shown = world.ok(&["space", "update", "prod", "--no-gate", "conflicts/open"]);
    assert!(shown.contains("changed"), "{shown}");
    let _ = world.ok(&["unit", "apply", "prod/web"]);
}

#[test]
fn rolling_back_an_upgrade_takes_its_open_conflicts_along() {
    let world = contested();
    let _ = world.ok(&["unit", "update", "prod/web", "--restore", "2"]);
    assert_eq!(world.ok(&["conflict", "list", "--no-header"]), "");
    let row = world.ok(&[
        "unit",
        "list",
        "--unit",
        "prod/web",
        "--columns",
        "UpgradeNeeded,Conflicts",
        "--no-header",
    ]);
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["Yes", "0"]);
    let ran = world.run(&["unit", "update", "prod/web", "--upgrade", "--patch"]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
}
