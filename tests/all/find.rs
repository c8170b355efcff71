//! Finding and fixing many units: sorting, what a write must be told, labels, bulk clones.

use serde_json::json;

use crate::world::{Ran, World};

/// Units of two spaces with an order each; numbers sort otherwise than text does.
fn ordered() -> World {
    let world = World::empty();
    let _ = world.printed(
        r#"
        let base = ensure_space("base");
        let other = ensure_space("other");
        let orders = #{ a: "10", b: "9", c: "2", d: () };
        let memory = #{ a: "1Gi", b: "900Mi", c: "1500M", d: "2Gi" };
        for name in ["a", "b", "c", "d"] {
            let labels = if orders[name] == () { #{} } else { #{ order: orders[name], tier: "x" } };
            base.ensure_unit(name, `kind: Widget
metadata: {name: ${name}}
spec: {memory: ${memory[name]}, size: 1}
`, #{ labels: labels });
        }
        other.ensure_unit("e", "kind: Widget\nmetadata: {name: e}\nspec: {size: 1}\n",
            #{ labels: #{ order: "1", tier: "y" } });"#,
    );
    world
}

fn names(world: &World, args: &[&str]) -> String {
    let mut command = vec!["unit", "list", "--names"];
    command.extend(args);
    world.ok(&command).lines().collect::<Vec<_>>().join(" ")
}

fn last_operation(world: &World) -> serde_json::Value {
    world.json(&["log", "--limit", "1"])
}

fn said(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn numbers_are_sorted_as_numbers_and_what_is_missing_comes_last() {
    let world = ordered();
    for (column, want) in [
        ("Labels.order", "other/e base/c base/b base/a base/d"),
        ("spec.memory", "base/b base/a base/c base/d other/e"),
        ("Labels.tier", "base/a base/b base/c other/e base/d"),
        // Equal ones stay in the order of creation.
        ("spec.size", "base/a base/b base/c base/d other/e"),
        ("Labels.none", "base/a base/b base/c base/d other/e"),
        ("Slug", "base/a base/b base/c base/d other/e"),
    ] {
        assert_eq!(names(&world, &["--sort-by", column]), want, "{column}");
    }
    // One that is no number makes all of them text.
    drop(world.ok(&["unit", "update", "base/d", "--label", "order=last"]));
    assert_eq!(
        names(&world, &["--sort-by", "Labels.order"]),
        "other/e base/a base/c base/b base/d"
    );
    let ran = world.run(&["unit", "list", "--sort-by", "Labels."]);
    assert_ne!(ran.code, 0);
    let printed = world.printed(
        r#"print(units("base/*").table(["Name"], #{ sort_by: "spec.memory" }));
        try { units("base/*").table(["Name"], #{ sort: "x" }); } catch (e) { print(error(e).message); }"#,
    );
    assert_eq!(
        printed,
        "NAME\nb\na\nc\nd\nexpected one of the options sort_by, found `sort`\n"
    );
}

#[test]
fn a_write_is_told_which_units_and_a_bare_star_does_not_tell() {
    let world = ordered();
    let before = last_operation(&world);
    for args in [
        &[][..],
        &["*"],
        &[""],
        &["--where", "*"],
        &["--where", ""],
        &["--where", " * "],
        &["--where", "* ORDER BY Slug"],
        &["--filter", "*"],
        &["*", "--where", "*"],
    ] {
        for verb in [&["unit", "delete"][..], &["unit", "apply"], &["hold"]] {
            let mut command = verb.to_vec();
            command.extend(args);
            let ran = world.run(&command);
            assert_eq!(ran.code, 2, "{command:?}: {}", said(&ran));
            assert!(
                said(&ran).contains("--space '*'"),
                "{command:?}: {}",
                said(&ran)
            );
        }
        let mut command = vec!["unit", "list", "--names"];
        command.extend(args);
        assert_eq!(
            world.json(&command).as_array().map(Vec::len),
            Some(5),
            "{args:?}"
        );
    }
    for selector in ["*", "", " ", "* ORDER BY Slug"] {
        let ran = world.script(&format!("units(\"{selector}\").set_labels(#{{ a: 1 }});"));
        assert_eq!(ran.code, 2, "{selector:?}: {}", said(&ran));
        let ran = world.script(&format!(
            "units(\"{selector}\").patch(#{{ spec: #{{ size: 2 }} }});"
        ));
        assert_eq!(ran.code, 2, "{selector:?}: {}", said(&ran));
    }
    assert_eq!(last_operation(&world), before);
    for (args, matched) in [
        (&["--space", "*"][..], 5),
        (&["*/*"], 5),
        (&["--space", "base", "--where", "*"], 4),
        (&["--space", "base", "--where", ""], 4),
        (&["--space", "b*", "*"], 4),
        (&["--where", "* LIMIT 2"], 2),
        (&["--unit", "base/a"], 1),
    ] {
        let mut command = vec!["unit", "update", "--label", "seen=yes"];
        // The selector stands first.
        match args {
            [selector] => command.insert(2, selector),
            _ => command.extend(args),
        }
        if let [_, _, selector @ "*"] = args {
            command.pop();
            command.insert(2, selector);
        }
        assert_eq!(world.json(&command)["Matched"], matched, "{command:?}");
    }
}

#[test]
fn a_glob_without_a_match_lists_nothing_and_writes_nothing() {
    let world = ordered();
    let before = last_operation(&world);
    for args in [
        &["--space", "none-*"][..],
        &["--where", "Slug = 'none'"],
        &["--filter", "Slug = 'none'"],
        &["none-*/a"],
    ] {
        let mut command = vec!["unit", "list"];
        command.extend(args);
        assert_eq!(world.json(&command), json!([]), "{args:?}");
        for change in [
            &["--label", "a=b"][..],
            &["--patch", "{\"spec\":{\"size\":2}}"],
        ] {
            let mut command = vec!["unit", "update"];
            command.extend(args);
            command.extend(change);
            let ran = world.run(&command);
            assert_eq!(ran.code, 1, "{command:?}: {}", said(&ran));
            assert!(said(&ran).contains("--allow-empty"), "{}", said(&ran));
            command.push("--allow-empty");
            assert_eq!(world.json(&command)["Matched"], 0, "{command:?}");
        }
    }
    assert_eq!(last_operation(&world), before);
}

#[test]
fn what_was_listed_is_what_is_changed_even_where_more_would_match_by_then() {
    let world = ordered();
    let printed = world.printed(
        r#"let found = units("spec.size = 1 AND Space.Slug = 'base'");
        space("base").ensure_unit("late", "kind: Widget\nmetadata: {name: late}\nspec: {size: 1}\n");
        print(found.patch(#{ spec: #{ size: 2 } }).matched);
        print(units("spec.size = 1 AND Space.Slug = 'base'").names);
        print(units("spec.size = 2").names);"#,
    );
    assert_eq!(
        printed,
        "4\n[\"base/late\"]\n[\"base/a\", \"base/b\", \"base/c\", \"base/d\"]\n"
    );
}

#[test]
fn labels_beside_a_change_of_data_are_one_operation_or_nothing() {
    let world = ordered();
    let operations = || world.json(&["log"]).as_array().map(Vec::len);
    let patch = ["--patch", "{\"spec\":{\"size\":7}}", "--label", "team=core"];
    let update = [["unit", "update", "base/*"].as_slice(), &patch].concat();
    let before = (operations(), world.json(&["unit", "list"]));

    let shown = world.json(&[update.as_slice(), &["--dry-run"]].concat());
    assert_eq!((operations(), world.json(&["unit", "list"])), before);
    let done = world.json(&["commit", shown["PreviewID"].as_str().expect("a name")]);
    assert_eq!(
        (&done["Changed"], &shown["Changed"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(operations(), before.0.map(|count| count + 1));
    let clause = ["--where", "Labels.team = 'core' AND spec.size = 7"];
    assert_eq!(names(&world, &clause), "base/a base/b base/c base/d");

    drop(world.ok(&["undo"]));
    assert_eq!(names(&world, &["--where", "Labels.team = 'core'"]), "");
    assert_eq!(names(&world, &["--where", "spec.size = 7"]), "");

    // Where one unit fails, none gets the labels either.
    let test = "[{\"op\":\"test\",\"path\":\"/metadata/name\",\"value\":\"a\"}]";
    let failing = [
        "unit",
        "update",
        "base/*",
        "--patch",
        test,
        "--label",
        "team=core",
    ];
    let ran = world.run(&failing);
    assert_eq!(ran.code, 1, "{}", said(&ran));
    assert!(
        ran.stdout.contains("base/b"),
        "every unit is told: {}",
        ran.stdout
    );
    assert_eq!(names(&world, &["--where", "Labels.team = 'core'"]), "");

    // Data that is as asked already: the labels are still to be set, and no revision is made.
    drop(world.ok(&[
        "unit",
        "update",
        "base/a",
        "--patch",
        "{\"spec\":{\"size\":7}}",
    ]));
    let one = ["unit", "update", "base/a", "--label", "team=core"];
    let same = [one.as_slice(), &["--patch", "{\"spec\":{\"size\":7}}"]].concat();
    let done = world.json(&same);
    let unit = &done["Units"][0];
    assert_eq!(
        (&unit["Result"], &unit["Before"]),
        (&json!("changed"), &unit["After"])
    );
    assert_eq!(
        world.json(&same)["Operation"],
        json!(null),
        "twice changes nothing"
    );
}

#[test]
fn labels_are_set_and_removed_without_a_revision() {
    let world = ordered();
    let update = |args: &[&str]| {
        let mut command = vec!["unit", "update", "base/*"];
        command.extend(args);
        world.json(&command)
    };
    let changed = update(&["--label", "team=core", "--label", "tier="]);
    assert_eq!(
        (&changed["Changed"], &changed["Unchanged"]),
        (&json!(4), &json!(0))
    );
    assert!(changed["Operation"].is_string());
    assert_eq!(
        names(&world, &["--where", "Labels.team = 'core'"]),
        "base/a base/b base/c base/d"
    );
    // The index of labels followed.
    assert_eq!(names(&world, &["--where", "Labels.tier = 'x'"]), "");
    assert_eq!(
        names(&world, &["--where", "Labels.tier IS NOT NULL"]),
        "other/e"
    );
    let heads = world.json(&["unit", "list", "--columns", "HeadRevisionNum"]);
    assert!(
        heads
            .as_array()
            .expect("rows")
            .iter()
            .all(|row| row["HeadRevisionNum"] == 1)
    );
    let before = last_operation(&world);
    let again = update(&["--label", "team=core", "--label", "tier="]);
    assert_eq!(
        (&again["Unchanged"], &again["Operation"]),
        (&json!(4), &json!(null))
    );
    let preview = update(&["--label", "team=other", "--dry-run"]);
    assert_eq!(
        (&preview["Changed"], &preview["Preview"]),
        (&json!(4), &json!(true))
    );
    for wrong in [
        &["--label", "=x"][..],
        &["--label", "x"],
        &["--label", "a=b", "--upgrade", "--restore", "1"],
    ] {
        let mut command = vec!["unit", "update", "base/*"];
        command.extend(wrong);
        let ran = world.run(&command);
        assert_eq!(ran.code, 2, "{wrong:?}: {}", said(&ran));
    }
    assert_eq!(last_operation(&world), before);
    let printed = world.printed(
        r#"let a = unit("base/a");
        print(a.set_labels(#{ team: (), order: 7 }).changed);
        print(a.labels);
        print(a.head_revision);
        print(a.set_labels(#{ order: "7" }).unchanged);"#,
    );
    assert_eq!(printed, "1\n#{\"order\": \"7\"}\n1\n1\n");
    let ran = world.script(r#"unit("base/a").set_labels(#{});"#);
    assert_eq!(ran.code, 2, "{}", said(&ran));
}

#[test]
fn many_units_are_cloned_in_one_operation_and_those_that_are_there_stay() {
    let world = ordered();
    drop(world.ok(&["space", "create", "prod"]));
    drop(world.ok(&["filter", "create", "tiers", "--where", "Labels.tier = 'x'"]));
    let clone = [
        "unit",
        "create",
        "--dest-space",
        "prod",
        "--space",
        "base",
        "--filter",
        "tiers",
        "--label",
        "region=us",
    ];
    let preview = world.json(&[&clone[..], &["--dry-run"]].concat());
    assert_eq!(
        (&preview["Changed"], &preview["Preview"]),
        (&json!(3), &json!(true))
    );
    assert_eq!(names(&world, &["--space", "prod"]), "");
    let outcome = world.json(&clone);
    assert_eq!(
        (&outcome["Matched"], &outcome["Changed"]),
        (&json!(3), &json!(3))
    );
    assert!(outcome["Operation"].is_string(), "{outcome}");
    let columns =
        "Slug,UpstreamUnit.Slug,UpstreamRevisionNum,Labels.region,Labels.tier,UpgradeNeeded";
    let rows = world.json(&["unit", "list", "--space", "prod", "--columns", columns]);
    assert_eq!(rows.as_array().map(Vec::len), Some(3));
    for row in rows.as_array().expect("rows") {
        assert_eq!(row["Slug"], row["UpstreamUnit.Slug"]);
        assert_eq!(
            (
                &row["Labels.region"],
                &row["Labels.tier"],
                &row["UpgradeNeeded"]
            ),
            (&json!("us"), &json!("x"), &json!(false))
        );
    }
    let before = last_operation(&world);
    let again = world.json(&clone);
    assert_eq!(
        (&again["Unchanged"], &again["Operation"]),
        (&json!(3), &json!(null))
    );
    assert_eq!(last_operation(&world), before);
    // What is missing is made, what is there stays, customisation and all.
    drop(world.ok(&[
        "unit",
        "update",
        "prod/a",
        "--patch",
        "{\"spec\":{\"size\":7}}",
    ]));
    let rest = world.json(&["unit", "create", "--dest-space", "prod", "--space", "base"]);
    assert_eq!(
        (&rest["Changed"], &rest["Unchanged"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(
        world.json(&["unit", "list", "prod/a", "--columns", "spec.size"])[0]["spec.size"],
        7
    );
    let printed = world.printed(
        r#"ensure_space("eu");
        print(units("base/*").clone_to("eu", #{ labels: #{ region: "eu" } }).changed);
        print(units("base/*").clone_to("eu").unchanged);
        print(unit("base/a").clone_to("eu").unchanged);"#,
    );
    assert_eq!(printed, "4\n4\n1\n");
}

#[test]
fn a_clone_that_cannot_be_made_leaves_none() {
    let world = ordered();
    let _ = world.printed(
        r#"for space in ["t1", "t2"] {
            ensure_space(space).ensure_unit("twin", "kind: Widget\nmetadata: {name: twin}\n");
        }
        ensure_space("prod").ensure_unit("c", "kind: Widget\nmetadata: {name: c}\n");"#,
    );
    let before = last_operation(&world);
    for (args, code, part) in [
        (
            &["--dest-space", "prod", "--space", "base"][..],
            1,
            "expected no unit `prod/c` or a variant of it",
        ),
        // A unit is no variant of itself.
        (
            &["--dest-space", "base", "--space", "base"],
            1,
            "found another unit",
        ),
        (
            &["--dest-space", "none", "--space", "base"],
            1,
            "space `none`",
        ),
        (
            &["--dest-space", "prod", "--space", "none"],
            1,
            "space `none`",
        ),
        (&["--dest-space", "prod"], 2, "which units"),
        (&["--dest-space", "prod", "--where", "*"], 2, "which units"),
        (
            &["--dest-space", "prod", "--where", "Slug == 'a'"],
            1,
            "column 6",
        ),
        (
            &["--dest-space", "prod", "--where", "Slug = 'none'"],
            1,
            "--allow-empty",
        ),
        // Two of one name cannot both be cloned.
        (
            &["--dest-space", "prod", "--space", "t*"],
            1,
            "found another unit",
        ),
        (
            &["--dest-space", "prod", "--space", "t*", "--dry-run"],
            1,
            "found another unit",
        ),
        (
            &["name", "--dest-space", "prod", "--space", "base"],
            2,
            "cannot be used with",
        ),
        (
            &["name", "--space", "base"],
            2,
            "expected a name with a file",
        ),
        (
            &["name", "--space", "base", "--where", "*"],
            2,
            "--dest-space",
        ),
        (&["--space", "base"], 2, "required"),
    ] {
        let mut command = vec!["unit", "create"];
        command.extend(args);
        let ran = world.run(&command);
        assert_eq!(ran.code, code, "{args:?}: {}", said(&ran));
        assert!(said(&ran).contains(part), "{args:?}: {}", said(&ran));
    }
    assert_eq!(last_operation(&world), before);
    assert_eq!(names(&world, &["--space", "prod"]), "prod/c");
}

#[test]
fn a_dry_run_inside_a_rehearsed_script_is_no_part_of_what_it_would_write() {
    let world = ordered();
    world.write(
        "look.rhai",
        r#"ensure_space("new");
        let base = units("base/*");
        let show = #{ dry_run: true };
        print(base.patch(#{ spec: #{ size: 5 } }, show).summary);
        print(base.set_labels(#{ seen: "yes" }, show).summary);
        print(base.clone_to("new", show).summary);
        print(units("new/*").len + units("Labels.seen = 'yes'").len + units("spec.size = 5").len);"#,
    );
    let before = last_operation(&world);
    for command in [
        &["run", "--dry-run", "look.rhai"][..],
        &["run", "look.rhai"],
    ] {
        let printed = world.ok(command);
        assert!(
            printed.starts_with(
                "4 units matched: 4 changed\n4 units matched: 4 changed\n\
                 4 units matched: 4 created\n0\n"
            ),
            "{command:?}: {printed}"
        );
        assert!(!printed.contains("size: 5"), "{printed}");
        assert_eq!(
            names(&world, &["--space", "*", "--where", "spec.size = 5"]),
            ""
        );
        if command.contains(&"--dry-run") {
            assert_eq!(last_operation(&world), before);
        }
    }
}
