//! Stored filters, and finding and fixing many units, through the program.

use crate::db::{finish, memory, new_space};
use crate::world::{Ran, World};
use windlass::db::Error;
use windlass::model::Filter;

/// Three regions: `trade` with 3, 5 and 2 replicas, `data` with 1.
fn regions() -> World {
    let world = World::empty();
    let _ = world.printed(
        r#"
        fn deployment(name, replicas) {
            `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
      - name: ${name}
        image: ${name}:v1
        env: []
        resources: {requests: {cpu: ${replicas * 250}m}}
`
        }
        let scale = #{ us: 3, eu: 5, asia: 2 };
        for region in ["us", "eu", "asia"] {
            let space = ensure_space(`prod-${region}`);
            space.install_worker("worker", #{ wait: true });
            space.ensure_unit("trade", deployment("trade", scale[region]));
            space.ensure_unit("data", deployment("data", 1));
        }"#,
    );
    world
}

const BUSY: &str = "Data CONTAINS 'replicas:' AND replicas > 2";

fn names(world: &World, args: &[&str]) -> Vec<String> {
    let mut command = vec!["unit", "list", "--names"];
    command.extend(args);
    let names = world.json(&command);
    let names = names.as_array().expect("a list").iter();
    names
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect()
}

fn last_operation(world: &World) -> serde_json::Value {
    world.json(&["log", "--limit", "1"])
}

fn said(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn a_filter_is_evaluated_when_it_is_used() {
    let world = regions();
    drop(world.ok(&["filter", "create", "busy", "Unit", "--where-field", BUSY]));
    assert_eq!(
        names(&world, &["--filter", "busy"]),
        ["prod-us/trade", "prod-eu/trade"]
    );
    drop(world.ok(&["run", "set-replicas", "4", "--unit", "prod-asia/trade"]));
    drop(world.ok(&["run", "set-replicas", "1", "--unit", "prod-us/trade"]));
    assert_eq!(
        names(&world, &["--filter", "busy"]),
        ["prod-eu/trade", "prod-asia/trade"]
    );
    assert_eq!(
        names(&world, &["--filter", "busy", "--space", "*-asia"]),
        ["prod-asia/trade"]
    );
    assert_eq!(
        names(
            &world,
            &["--filter", "busy", "--where", "Space.Slug LIKE '%eu'"]
        ),
        ["prod-eu/trade"]
    );
}

#[test]
fn every_operation_over_units_takes_a_filter() {
    let world = regions();
    drop(world.ok(&["filter", "create", "busy", "--where", BUSY]));
    let busy = ["prod-us/trade", "prod-eu/trade"];
    for command in [
        "run set-env-var trade MODE fast --filter busy",
        "unit update --filter busy --patch {\"metadata\":{\"annotations\":{\"a\":\"1\"}}}",
        "unit update --filter busy --label tier=critical",
        "protect spec.replicas --filter busy",
        "release spec.replicas --filter busy",
        "hold --filter busy",
        "unhold --filter busy",
        "unit apply --filter busy --wait",
        "unit destroy --filter busy",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let outcome = world.json(&words);
        let units = outcome["Units"].as_array().expect("units").iter();
        let units: Vec<&str> = units.filter_map(|unit| unit["Unit"].as_str()).collect();
        // A destroy goes the other way round.
        assert!(
            units.len() == 2 && busy.iter().all(|unit| units.contains(unit)),
            "{command}: {outcome}"
        );
        assert_eq!(outcome["Changed"], 2, "{command}: {outcome}");
    }
    let tree = world.ok(&["unit", "tree", "--filter", "busy"]);
    assert!(
        tree.contains("prod-us") && tree.contains("prod-eu") && !tree.contains("prod-asia"),
        "{tree}"
    );
    let deleted = world.json(&["unit", "delete", "--filter", "busy"]);
    assert_eq!(deleted["Changed"], 2, "{deleted}");
    assert!(names(&world, &["--filter", "busy"]).is_empty());
}

#[test]
fn a_clause_that_cannot_be_read_is_refused_with_its_place_and_nothing_is_written() {
    let cases = [
        ("Slug == 'a'", "column 6"),
        ("Slugg = 'a'", "did you mean `Slug`?"),
        ("replicas > 2 AND", "column 17"),
        ("(Slug = 'a'", "column 1"),
        ("Slug = $name", "column 8"),
        ("Slug ~ '['", "column 8"),
        ("EXPLAIN Slug = 'a'", "found EXPLAIN"),
    ];
    let world = World::empty();
    for (clause, place) in cases {
        let ran = world.run(&["filter", "create", "busy", "Unit", "--where", clause]);
        assert_ne!(ran.code, 0, "{clause}");
        assert!(said(&ran).contains(place), "{clause}: {}", said(&ran));
        let ran = world.script(&format!("ensure_filter(\"busy\", \"{clause}\");"));
        assert_ne!(ran.code, 0, "{clause}");
        assert!(said(&ran).contains(place), "{clause}: {}", said(&ran));
        assert!(!world.path().join(".windlass").exists(), "{clause} wrote");
    }
    drop(world.ok(&["filter", "create", "busy", "--where", BUSY]));
    let before = last_operation(&world);
    for (clause, place) in cases {
        let ran = world.run(&["filter", "update", "busy", "--where", clause]);
        assert_ne!(ran.code, 0, "{clause}");
        assert!(said(&ran).contains(place), "{clause}: {}", said(&ran));
    }
    assert_eq!(world.json(&["filter", "get", "busy"])["Clause"], BUSY);
    assert_eq!(last_operation(&world), before);
}

#[test]
fn what_is_no_filter_is_refused_by_name() {
    let world = World::empty();
    for (args, code, part) in [
        (
            &["busy", "Space", "--where", "*"][..],
            2,
            "found one of `Space`",
        ),
        (&["busy", "unit", "--where", "*"], 2, "found one of `unit`"),
        (&["busy", "Unit"], 2, "--where"),
        (&["Busy", "--where", "*"], 2, "slug"),
        (&["a/b", "--where", "*"], 2, "slug"),
        (
            &["busy", "--where", "*", "--space", "none"],
            1,
            "space `none`",
        ),
        (&["busy", "--where", "*", "--from-space", "A b"], 2, "`A b`"),
        (&["busy", "--where", "*", "--from-space", ""], 2, "glob"),
    ] {
        let mut command = vec!["filter", "create"];
        command.extend(args);
        let ran = world.run(&command);
        assert_eq!(ran.code, code, "{args:?}: {}", said(&ran));
        assert!(said(&ran).contains(part), "{args:?}: {}", said(&ran));
        assert!(!world.path().join(".windlass").exists(), "{args:?} wrote");
    }
}

#[test]
fn names_lead_to_filters_from_anywhere() {
    let world = World::empty();
    let _ = world.printed(
        r#"for name in ["a", "a-filters", "b", "c", "c-filters"] { ensure_space(name); }
        space("a").ensure_filter("one", "Slug = 'a1'");
        space("b").ensure_filter("one", "Slug = 'b1'");
        space("a-filters").ensure_filter("two", "Slug = 'af2'");
        space("c").ensure_filter("three", "Slug = 'c3'");
        space("c-filters").ensure_filter("three", "Slug = 'cf3'");
        space("b").ensure_filter("both", "Slug = 'bb'");
        create_filter("both", "Slug = 'store'");"#,
    );
    for (args, clause) in [
        (&["a/one"][..], "Slug = 'a1'"),
        (&["b/one"], "Slug = 'b1'"),
        (&["a/two"], "Slug = 'af2'"),
        (&["a-filters/two"], "Slug = 'af2'"),
        (&["two"], "Slug = 'af2'"),
        (&["c/three"], "Slug = 'c3'"),
        (&["one", "--space", "b"], "Slug = 'b1'"),
        (&["both"], "Slug = 'store'"),
        (&["both", "--space", "b"], "Slug = 'bb'"),
        (&["both", "--space", "a"], "Slug = 'store'"),
    ] {
        let mut command = vec!["filter", "get"];
        command.extend(args);
        assert_eq!(world.json(&command)["Clause"], clause, "{args:?}");
    }
    for (args, code, parts) in [
        (&["one"][..], 2, &["ambiguous", "a/one, b/one"][..]),
        (&["three"], 2, &["c/three, c-filters/three"]),
        (&["one", "--space", "c"], 2, &["ambiguous"]),
        (
            &["tow"],
            1,
            &[
                "expected a filter `tow`, found none",
                "did you mean `a-filters/two`?",
            ],
        ),
        (&["b/two"], 1, &["expected a filter `b/two`"]),
        (&["none/two"], 1, &["expected a filter `none/two`"]),
        (&["a/b/c"], 2, &["found `a/b/c`"]),
        (&["Slug = 'a'"], 2, &["expected the name of a filter"]),
    ] {
        for verb in ["get", "delete"] {
            let mut command = vec!["filter", verb];
            command.extend(args);
            let ran = world.run(&command);
            assert_eq!(ran.code, code, "{args:?}: {}", said(&ran));
            for part in parts {
                assert!(said(&ran).contains(part), "{args:?}: {}", said(&ran));
            }
        }
    }
    assert_eq!(
        world.json(&["filter", "list"]).as_array().map(Vec::len),
        Some(7)
    );
}

#[test]
fn where_a_filter_is_taken_so_is_a_clause_and_what_is_neither_hears_both_reasons() {
    let world = regions();
    drop(world.ok(&["filter", "create", "trade", "--where", "Slug = 'data'"]));
    // A name that exists is the filter, even where a unit has the same name.
    assert_eq!(names(&world, &["--filter", "trade"]).len(), 3);
    assert!(names(&world, &["--filter", "trade"])[0].ends_with("/data"));
    assert_eq!(
        names(&world, &["--filter", "Slug = 'trade' AND replicas > 3"]),
        ["prod-eu/trade"]
    );
    assert_eq!(names(&world, &["--filter", "*"]).len(), 6);
    let ran = world.run(&["unit", "list", "--filter", "trad"]);
    assert_eq!(ran.code, 1);
    for part in [
        "expected the name of a filter or a clause, found `trad`",
        "as a filter: expected a filter `trad`, found none",
        "as a clause: column 5: expected an operator",
        "did you mean `trade`?",
    ] {
        assert!(said(&ran).contains(part), "{part}: {}", said(&ran));
    }
    let ran = world.run(&["unit", "list", "--filter", "Slug ="]);
    assert!(
        said(&ran).contains("column 7") && !said(&ran).contains("as a filter"),
        "{}",
        said(&ran)
    );
    // Two of a name are an error, even though the text could not be a clause either.
    let _ = world.printed(
        r#"for region in ["us", "eu"] { space(`prod-${region}`).ensure_filter("busy", "*"); }"#,
    );
    let ran = world.run(&["unit", "list", "--filter", "busy"]);
    assert_eq!(ran.code, 2, "{}", said(&ran));
    assert!(
        said(&ran).contains("prod-us/busy, prod-eu/busy"),
        "{}",
        said(&ran)
    );
    assert_eq!(
        names(&world, &["--filter", "busy", "--space", "prod-eu"]).len(),
        2
    );
}

#[test]
fn a_filter_may_look_in_some_spaces_only() {
    let world = regions();
    drop(world.ok(&[
        "filter",
        "create",
        "coast",
        "--where",
        "Slug = 'trade'",
        "--from-space",
        "prod-?s*",
    ]));
    assert_eq!(
        names(&world, &["--filter", "coast"]),
        ["prod-us/trade", "prod-asia/trade"]
    );
    drop(world.ok(&["filter", "update", "coast", "--from-space", "prod-*a*"]));
    assert_eq!(names(&world, &["--filter", "coast"]), ["prod-asia/trade"]);
    // A unit that is named and not in those spaces is no error: it is not selected.
    assert!(names(&world, &["prod-eu/trade", "--filter", "coast"]).is_empty());
    drop(world.ok(&["filter", "update", "coast", "--from-space", ""]));
    assert_eq!(names(&world, &["--filter", "coast"]).len(), 3);
}

#[test]
fn making_sure_of_a_filter_twice_writes_once() {
    let world = regions();
    let printed = world.printed(
        r#"let busy = ensure_filter("busy", "replicas > 2");
        print(busy.outcome);
        print(ensure_filter("busy", "replicas > 2").outcome);
        print(`${busy} ${busy.slug} ${busy.clause} ${busy.units().names}`);
        print(ensure_filter("busy", "replicas > 4").outcome);
        print(`${busy.clause} ${units(busy).names}`);
        print(space("prod-us").units(busy).len);
        print(tree(busy).rows().len);
        print(busy.update("replicas > 9").outcome);
        try { create_filter("busy", "*"); } catch (e) { print(error(e).kind); }
        busy.delete();
        try { busy.units(); } catch (e) { print(error(e).message); }"#,
    );
    assert_eq!(
        printed.lines().collect::<Vec<_>>(),
        [
            "created",
            "unchanged",
            r#"busy busy replicas > 2 ["prod-us/trade", "prod-eu/trade"]"#,
            "changed",
            r#"replicas > 4 ["prod-eu/trade"]"#,
            "0",
            "1",
            "changed",
            "Exists",
            "expected the name of a filter or a clause, found `busy`",
        ]
    );
    let create = ["filter", "create", "f", "--where", "*", "--allow-exists"];
    drop(world.ok(&create));
    let before = last_operation(&world);
    assert!(world.ok(&create).contains("unchanged"));
    assert_eq!(last_operation(&world), before);
    let _ = world.printed(r#"ensure_filter("f", "*"); filter("f").update("*");"#);
    assert_eq!(last_operation(&world), before);
}

#[test]
fn the_list_shows_one_clause_in_the_columns_of_others() {
    let world = regions();
    let _ = world.printed(
        r#"space("prod-us").ensure_filter("busy",
            "kind = 'Deployment' AND Slug = 'trade' AND replicas > 2", #{ from_space: "prod-*" });
        ensure_filter("either", "Slug = 'data' OR replicas > 2");
        ensure_filter("text", "Data CONTAINS 'replicas:' AND (Slug = 'a' OR Slug = 'b')");
        ensure_filter("all", "*");"#,
    );
    assert_eq!(
        world.ok(&["filter", "list"]),
        "\
NAME    SPACE    FROM  WHERE                       WHERE-DATA                            RESOURCE-TYPE  FROM-SPACE
all              Unit
either           Unit                              (Slug = 'data' OR spec.replicas > 2)
text             Unit  (Slug = 'a' OR Slug = 'b')  Data CONTAINS 'replicas:'
busy    prod-us  Unit  Slug = 'trade'              spec.replicas > 2                     Deployment     prod-*
"
    );
    let rows = world.json(&["filter", "list", "--space", "prod-*"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    assert_eq!(rows[0]["ResourceType"], "Deployment");
    assert_eq!(world.json(&["filter", "get", "busy"])["Matches"], 2);
}

#[test]
fn a_space_is_not_deleted_while_it_holds_a_filter() {
    let db = memory();
    let mut writing = db.write("make").unwrap();
    let space = new_space(&mut writing, "a");
    let filter = Filter {
        slug: "busy".parse().unwrap(),
        space: Some(space),
        clause: "*".to_owned(),
        from_space: None,
        created: writing.at(),
    };
    writing.put_filter(&filter).unwrap();
    let _ = finish(writing, "make");
    let mut writing = db.write("delete").unwrap();
    let error = writing.delete_space(space).unwrap_err();
    assert!(
        matches!(&error, Error::InUse { found, .. } if found.contains("1 filter")),
        "{error}"
    );
    drop(writing);
    let mut writing = db.write("delete").unwrap();
    writing.delete_filter(Some(space), &filter.slug).unwrap();
    writing.delete_space(space).unwrap();
    let _ = finish(writing, "delete");
    let reading = db.read().unwrap();
    assert_eq!(reading.filters().unwrap(), []);
    assert!(reading.verify_log().unwrap().is_sound());
}

#[test]
fn a_filter_of_a_space_that_is_not_there_is_not_written() {
    let db = memory();
    let mut writing = db.write("make").unwrap();
    let filter = Filter {
        slug: "busy".parse().unwrap(),
        space: Some(windlass::id::SpaceId(7)),
        clause: "*".to_owned(),
        from_space: None,
        created: writing.at(),
    };
    assert!(matches!(
        writing.put_filter(&filter),
        Err(Error::NotFound { .. })
    ));
}

#[test]
fn a_preview_and_a_failed_transaction_make_no_filter() {
    let world = regions();
    let ran = world.script(r#"atomic(|| { ensure_filter("busy", "replicas > 2"); throw "no"; });"#);
    assert_ne!(ran.code, 0);
    world.write("make.rhai", r#"ensure_filter("busy", "replicas > 2");"#);
    drop(world.ok(&["run", "--dry-run", "make.rhai"]));
    assert_eq!(world.json(&["filter", "list"]), serde_json::json!([]));
}

#[test]
fn an_undo_takes_filters_and_labels_back() {
    let world = regions();
    let clauses = || {
        let rows = world.json(&["filter", "list"]);
        let rows = rows.as_array().expect("rows").iter();
        let clauses = rows.map(|row| row["WhereData"].as_str().unwrap_or_default().to_owned());
        clauses.collect::<Vec<_>>().join("; ")
    };
    let create = ["filter", "create", "busy", "--space", "prod-us", "--where"];
    drop(world.ok(&[&create[..], &["replicas > 2"]].concat()));
    drop(world.ok(&["filter", "update", "busy", "--where", "replicas > 4"]));
    drop(world.ok(&["undo"]));
    assert_eq!(clauses(), "spec.replicas > 2");
    drop(world.ok(&["redo"]));
    assert_eq!(clauses(), "spec.replicas > 4");
    drop(world.ok(&["filter", "delete", "busy"]));
    assert_eq!(clauses(), "");
    drop(world.ok(&["undo"]));
    assert_eq!(clauses(), "spec.replicas > 4");
    drop(world.ok(&[
        "unit",
        "update",
        "--filter",
        "busy",
        "--label",
        "tier=critical",
    ]));
    assert_eq!(
        names(&world, &["--where", "Labels.tier IS NOT NULL"]).len(),
        1
    );
    drop(world.ok(&["undo"]));
    assert!(names(&world, &["--where", "Labels.tier IS NOT NULL"]).is_empty());
}

#[test]
fn a_space_goes_with_its_filters_only_where_that_was_asked_for() {
    let world = World::empty();
    drop(world.ok(&["space", "create", "rules"]));
    drop(world.ok(&["filter", "create", "f", "--space", "rules", "--where", "*"]));
    let ran = world.run(&["space", "delete", "rules"]);
    assert_ne!(ran.code, 0);
    assert!(said(&ran).contains("1 filter"), "{}", said(&ran));
    drop(world.ok(&["space", "delete", "rules", "--recursive"]));
    assert_eq!(world.json(&["filter", "list"]), serde_json::json!([]));
    // Another space of that name gets none of them.
    drop(world.ok(&["space", "create", "rules"]));
    assert_eq!(world.json(&["filter", "list"]), serde_json::json!([]));
}

#[test]
fn a_changeset_pins_what_a_filter_selects_and_takes_no_labels() {
    let world = regions();
    let _ = world.printed(
        r#"ensure_filter("busy", "replicas > 2");
        create_changeset("kept", #{ filter: "busy" });"#,
    );
    let create = ["changeset", "create", "also", "--filter", "busy"];
    assert_eq!(world.json(&create)["Units"], 2);
    let kept = world.json(&["changeset", "get", "kept"]).to_string();
    assert!(
        kept.contains("prod-us/trade") && kept.contains("prod-eu/trade") && !kept.contains("asia"),
        "{kept}"
    );
    drop(world.ok(&["changeset", "create", "open"]));
    let label = [
        "unit",
        "update",
        "--filter",
        "busy",
        "--label",
        "a=b",
        "--changeset",
        "open",
    ];
    let ran = world.run(&label);
    assert_eq!(ran.code, 2, "{}", said(&ran));
    assert!(names(&world, &["--where", "Labels.a = 'b'"]).is_empty());
}
