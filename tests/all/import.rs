//! Importing manifests: from a folder, a file or standard input; by file, workload or resource;
//! as variants of another space.

use crate::world::World;

const CHART: &str = include_str!("../data/import/chart.yaml");

/// The same chart with other values.
fn overlay() -> String {
    CHART
        .replace("image: web:1", "image: web:2")
        .replace("replicas: 2 #", "replicas: 4 #")
}

fn slugs(world: &World, space: &str) -> Vec<String> {
    let units = world.json(&["unit", "list", "--space", space]);
    let units = units.as_array().expect("a list").iter();
    let slugs = units.map(|unit| unit["Slug"].as_str().expect("a slug").to_owned());
    slugs.collect()
}

#[test]
fn a_rendered_chart_becomes_a_unit_a_workload_with_what_belongs_to_it() {
    let world = World::empty();
    let ran = world.run_with_input(&["import", "-", "--space", "base"], CHART);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("imported 4, secrets 1 kept out"),
        "{}",
        ran.stdout
    );
    let expected = ["shop-namespace", "shop-serviceaccount", "web", "worker"];
    assert_eq!(slugs(&world, "base"), expected);
    let web = world.ok(&["unit", "data", "base/web"]);
    let kinds: Vec<_> = web
        .lines()
        .filter(|line| line.starts_with("kind: "))
        .collect();
    let expected = [
        "kind: ConfigMap",
        "kind: Service",
        "kind: Deployment",
        "kind: Ingress",
    ];
    assert_eq!(kinds, expected, "in the order of the chart: {web}");
    for comment in [
        "# Source: shop/templates/cm.yaml",
        "a: \"1\" # note",
        "# Source: svc",
    ] {
        assert!(web.contains(comment), "{web}");
    }
    let again = world.run_with_input(&["--json", "import", "-", "--space", "base"], CHART);
    assert!(
        again.stdout.contains("\"Unchanged\": 4"),
        "{}",
        again.stdout
    );
    let other = world.run_with_input(&["import", "-", "--space", "base"], &overlay());
    assert!(other.stdout.contains("1 changed"), "{}", other.stdout);
    assert!(
        world
            .ok(&["unit", "data", "base/web"])
            .contains("replicas: 4 # two")
    );
}

#[test]
fn by_says_what_becomes_a_unit() {
    let world = World::empty();
    world.write("in/chart.yaml", CHART);
    let import = |space: &str, by: &str| {
        let line = [
            "import",
            "in",
            "--space",
            space,
            "--by",
            by,
            "--secrets",
            "allow",
        ];
        drop(world.ok(&line));
        slugs(&world, space)
    };
    assert_eq!(import("files", "file"), ["chart"]);
    let workloads = import("workloads", "workload");
    assert!(workloads.contains(&"worker".to_owned()), "{workloads:?}");
    let resources = import("resources", "resource");
    assert_eq!(resources.len(), 8, "{resources:?}");
    assert!(
        resources.contains(&"web-http-service".to_owned()),
        "{resources:?}"
    );
    let ran = world.run_with_input(&["import", "-", "--space", "x", "--by", "file"], CHART);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn workloads_of_one_name_and_documents_without_one_are_refused_with_nothing_written() {
    let world = World::empty();
    let twice = format!("{CHART}---\nkind: StatefulSet\nmetadata:\n  name: web\n");
    let ran = world.run_with_input(&["import", "-", "--space", "base"], &twice);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("apps/Deployment//web") && ran.stderr.contains("StatefulSet//web"),
        "{}",
        ran.stderr
    );
    let bad = "kind: A\nmetadata: {name: a}\n---\nkind: A\nkind: B\n---\nx: 1\n\ty: 2\n";
    let ran = world.run_with_input(&["import", "-", "--space", "base"], bad);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("duplicate key 1"), "{}", ran.stderr);
    let ran = world.run_with_input(&["import", "-", "--space", "base"], "kind: A\n---\nx: 1\n");
    assert!(ran.stderr.contains("no name 2"), "{}", ran.stderr);
    assert!(!world.path().join(".windlass").exists());
}

#[test]
fn an_overlay_imported_over_a_base_owns_what_differs() {
    let world = World::empty();
    world.write("base.yaml", CHART);
    let only_here = "---\nkind: Deployment\nmetadata:\n  name: extra\n";
    world.write("us.yaml", &format!("{}{only_here}", overlay()));
    drop(world.ok(&["import", "base.yaml", "--space", "base"]));
    let line = ["import", "us.yaml", "--space", "us", "--upstream", "base"];
    let told = world.ok(&line);
    let expected = "5 units: 4 linked to base (3 equal, 1 with 2 paths of their own), 1 only here";
    assert!(told.contains(expected), "{told}");
    let again = world.ok(&line);
    assert!(
        again.contains("5 units: 4 linked to base before, 1 only here"),
        "{again}"
    );
    assert!(again.contains("5 unchanged"), "{again}");

    drop(world.ok(&[
        "run",
        "set-image-reference",
        "web",
        ":3",
        "--unit",
        "base/web",
    ]));
    drop(world.ok(&["run", "set-env-var", "web", "A", "b", "--unit", "base/web"]));
    let ran = world.run(&["upgrade", "us/web"]);
    assert_eq!(ran.code, 5, "the image is a conflict: {}", ran.stdout);
    let data = world.ok(&["unit", "data", "us/web"]);
    assert!(
        data.contains("web:2") && data.contains("replicas: 4") && data.contains("name: A"),
        "{data}"
    );

    // The upstream comes to the same value: the path is the variant's own all the same.
    drop(world.ok(&["conflict", "keep", "c1"]));
    drop(world.ok(&["run", "set-replicas", "4", "--unit", "base/web"]));
    drop(world.ok(&["upgrade", "us/web"]));
    drop(world.ok(&["run", "set-replicas", "7", "--unit", "base/web"]));
    let ran = world.run(&["upgrade", "us/web"]);
    assert_eq!(ran.code, 5, "{}", ran.stdout);
    assert!(
        world
            .ok(&["unit", "data", "us/web"])
            .contains("replicas: 4")
    );
}

#[test]
fn units_follow_one_upstream_and_never_themselves() {
    let world = World::empty();
    world.write("a.yaml", "kind: Deployment\nmetadata:\n  name: a\n");
    for space in ["one", "two"] {
        drop(world.ok(&["import", "a.yaml", "--space", space]));
    }
    let link = |space: &str, upstream: &str| {
        world.run(&["import", "a.yaml", "--space", space, "--upstream", upstream])
    };
    assert_eq!(link("three", "one").code, 0);
    assert_eq!(link("three", "two").code, 3, "it follows another");
    assert_eq!(link("one", "three").code, 3, "in a circle");
    assert_eq!(link("one", "one").code, 2, "itself");
    assert_eq!(link("four", "none").code, 1, "no such space");
    assert!(
        !world.ok(&["space", "list"]).contains("four"),
        "all or none"
    );
}

#[test]
fn an_import_that_links_is_one_operation_and_can_be_undone() {
    let world = World::empty();
    world.write("a.yaml", "kind: Deployment\nmetadata:\n  name: a\n");
    drop(world.ok(&["import", "a.yaml", "--space", "base"]));
    drop(world.ok(&["import", "a.yaml", "--space", "us"]));
    drop(world.ok(&["import", "a.yaml", "--space", "us", "--upstream", "base"]));
    let upstream = || world.json(&["unit", "get", "us/a"])["UpstreamUnit"].clone();
    assert_eq!(upstream(), "base/a");
    drop(world.ok(&["undo"]));
    assert!(upstream().is_null(), "{}", upstream());
    drop(world.ok(&["redo"]));
    assert_eq!(upstream(), "base/a");
}

#[test]
fn a_person_may_name_files_outside_of_the_project_and_a_script_may_not() {
    let world = World::empty();
    let outside = World::empty();
    outside.write("web.yaml", CHART);
    let file = outside.path().join("web.yaml");
    let file = file.to_str().expect("a path");
    drop(world.ok(&["import", file, "--space", "base"]));
    drop(world.ok(&["unit", "create", "all", file, "--space", "base"]));
    let ran = world.script(&format!(
        "space_create(\"x\"); import(#{{ folder: \"{file}\", space: \"x\" }});"
    ));
    assert_ne!(ran.code, 0, "{}", ran.stdout);
}
