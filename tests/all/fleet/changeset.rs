//! Changesets on a cluster: all or nothing, also where the process dies in between.

use super::*;

fn staged(fleet: &Fleet, images: &[(&str, &str)]) {
    fleet.ok(&["changeset", "create", "release"]);
    for (name, image) in images {
        let patch = format!(r#"{{"image":"{image}"}}"#);
        fleet.ok(&[
            "unit",
            "update",
            &fleet.unit(name),
            "--patch",
            &patch,
            "--changeset",
            "release",
        ]);
    }
}

fn two(fleet: &Fleet) {
    fleet.deployment("data", "data:1", 1, 1);
    fleet.deployment("trade", "trade:1", 1, 2);
    fleet.ok(&["unit", "apply", "--space", fleet.space(), "--wait"]);
}

#[test]
fn a_changeset_becomes_true_as_a_whole_or_is_put_back() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "changeset");
    two(&fleet);
    staged(&fleet, &[("data", "data:2"), ("trade", "trade:missing")]);
    let ran = fleet.run(&["changeset", "apply", "release", "--wait", "--timeout", "4s"]);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(
        (fleet.image("data"), fleet.image("trade")),
        (json!("data:1"), json!("trade:1"))
    );
    assert_eq!(
        (fleet.state("data").0, fleet.state("data").1),
        (json!(1), json!(1))
    );

    let patch = r#"{"image":"trade:2"}"#;
    fleet.ok(&[
        "unit",
        "update",
        &fleet.unit("trade"),
        "--patch",
        patch,
        "--changeset",
        "release",
    ]);
    fleet.ok(&["changeset", "apply", "release", "--wait"]);
    assert_eq!(
        (fleet.image("data"), fleet.image("trade")),
        (json!("data:2"), json!("trade:2"))
    );
    for name in ["data", "trade"] {
        assert_eq!(fleet.state(name), (json!(2), json!(2), json!("Ready")));
    }
    assert_eq!(
        fleet.json(&["drift", "list", "--space", fleet.space()]),
        json!([])
    );
    // What was put back and then sent is the units' own still.
    fleet.patch("data", r#"{"spec":{"replicas":2}}"#);
    fleet.ok(&["unit", "apply", &fleet.unit("data"), "--wait"]);
    assert_eq!(fleet.replicas("data"), 2);
}

#[test]
fn a_changeset_whose_process_is_killed_is_finished_by_the_next_command() {
    let Some(cluster) = cluster() else { return };
    let fleet = Fleet::new(&cluster, "killed");
    two(&fleet);
    let mut ends = [0, 0];
    for (round, pause) in [0_u64, 40, 80, 120, 200, 400, 1_500]
        .into_iter()
        .enumerate()
    {
        let (data, trade) = (format!("data:slow{round}"), format!("trade:slow{round}"));
        let before = (fleet.image("data"), fleet.image("trade"));
        staged(&fleet, &[("data", &data), ("trade", &trade)]);
        let running = fleet.start(&["changeset", "apply", "release", "--wait"]);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        running.kill();
        // Any command that writes finishes it, forward or back.
        fleet.ok(&[
            "space",
            "update",
            fleet.space(),
            "--label",
            &format!("round={round}"),
        ]);
        let after = (fleet.image("data"), fleet.image("trade"));
        let (live, head, _) = fleet.state("data");
        assert_eq!(live, head, "round {round}");
        let is_new = after == (json!(data), json!(trade));
        assert!(
            is_new || after == before,
            "round {round}: {before:?} became {after:?}"
        );
        ends[usize::from(is_new)] += 1;
        let text = fleet.ok(&["unit", "data", &fleet.unit("trade")]);
        assert_eq!(
            text.contains(&trade),
            is_new,
            "round {round}: the store and the cluster differ"
        );
        fleet.ok(&["changeset", "delete", "release"]);
    }
    assert!(ends[0] > 0, "no kill came before the end: {ends:?}");
    fleet.ok(&["log", "verify"]);
}
