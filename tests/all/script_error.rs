//! What a script's author is told: one shape, the right line, the nearest name.

use crate::world::World;

fn world() -> World {
    let world = World::empty();
    let _ = world.printed(
        "ensure_space(\"a\").ensure_unit(\"x\", \"kind: Deployment\\nmetadata:\\n  name: w\\nspec:\\n  replicas: 1\\n\");",
    );
    world
}

#[test]
fn errors_point_at_the_line_that_failed() {
    let world = world();
    world.write(
        "lib.rhai",
        "fn boom(x) {\n    let y = x;\n    unit(\"a/nothing\")\n}\n",
    );
    for (script, place, parts) in [
        (
            "let a = 1;\nunit(\"a/nothing\");",
            "script.rhai:2:1",
            "expected a unit `a/nothing`",
        ),
        (
            "atomic(|| {\n  let z = 1;\n  unit(\"a/none\");\n});",
            "script.rhai:3:3",
            "expected a unit",
        ),
        (
            "atomic(|| {\n  let z = 1;\n  zork(z);\n});",
            "script.rhai:3:3",
            "no function `zork`",
        ),
        (
            "import \"lib\" as lib;\n\nlib::boom(1);",
            "lib.rhai:3:5",
            "expected a unit",
        ),
        (
            "let u = unit(\"a/x\");\nu.set_replica(3);",
            "script.rhai:2:3",
            "set_replicas",
        ),
        (
            "fn local() {\n    let q = 1 / 0;\n}\nlocal();",
            "script.rhai:2:15",
            "division by zero",
        ),
        (
            "let m = #{ a: 1 };\nfor (k, v) in m { }",
            "script.rhai:2:15",
            "map.keys()",
        ),
        (
            "let here = 1;\nfn local() { here }\nlocal();",
            "script.rhai:2:14",
            "use a closure",
        ),
        ("units(\"Slug = = 1\");", "script.rhai:1:1", "column 8"),
        ("let x = ;", "script.rhai:1:9", "unexpected"),
    ] {
        let ran = world.script(script);
        assert_ne!(ran.code, 0, "{script}");
        for part in [place, parts] {
            assert!(
                ran.stderr.contains(part),
                "no `{part}` for {script}: {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn every_error_has_the_same_shape_in_a_script() {
    let world = world();
    let printed = world.printed(
        r#"fn show(e) { let e = error(e); print(`${e.kind} | ${e.message} | ${type_of(e.hints)}`); }
        try { unit("a/none") } catch (e) { show(e) }
        try { throw "mine" } catch (e) { show(e) }
        try { throw #{ kind: "Gated", message: "not now" } } catch (e) { show(e) }
        try { 1 / 0 } catch (e) { show(e) }
        try { unit("a/x").set_replicas(-1) } catch (e) { show(e) }
        try { unit("a/x").upgrade(#{ stric: true }) } catch (e) { show(e) }"#,
    );
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "NotFound | expected a unit `a/none`, found none | array",
            "Invalid | mine | array",
            "Gated | not now | array",
            "Invalid | Division by zero: 1 / 0 | array",
        ]
    );
    assert!(
        lines[4].starts_with("Usage | parameter `replicas`"),
        "{printed}"
    );
    assert!(
        lines[5].starts_with("Usage | ") && lines[5].contains("found `stric`"),
        "{printed}"
    );
}

#[test]
fn an_uncaught_error_ends_with_the_code_of_its_kind() {
    let world = world();
    for (script, code) in [
        ("throw #{ kind: \"Gated\", message: \"m\" };", 3),
        ("throw #{ kind: \"Unavailable\", message: \"m\" };", 4),
        ("throw \"m\";", 1),
        ("exit(7);", 7),
        ("exit(300);", 2),
        ("env(\"HOME\");", 1),
    ] {
        assert_eq!(world.script(script).code, code, "{script}");
    }
}

#[test]
fn an_error_in_a_function_shows_its_line_what_there_is_and_how_to_go_on() {
    let world = world();
    world.write(
        "functions/pin-pool.rhai",
        "fn pin_pool(resource, pool) {\n    resource.set(\"spec.pool\", pool);\n    \
         for c in resource.spec.contaners {\n        c.image = \"x\";\n    }\n}\n",
    );
    let ran = world.run(&["run", "pin-pool", "payments", "--space", "a"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("error-in-a-function", ran.stderr);
    });
    assert!(
        world
            .ok(&["unit", "data", "a/x"])
            .ends_with("replicas: 1\n")
    );
}

#[test]
fn actor_and_message_are_kept_and_parameters_are_typed() {
    let world = world();
    let _ = world.printed(
        r#"message("black friday");
        as_actor("bob@corp", || unit("a/x").set_replicas(8));
        unit("a/x").set_replicas(9);"#,
    );
    let log = world.json(&["log", "--limit", "2"]);
    assert_eq!(
        (&log[1]["Actor"], &log[0]["Actor"]),
        (&"bob@corp".into(), &"alice@trading.com".into())
    );
    assert_eq!(
        (&log[1]["Message"], &log[0]["Message"]),
        (&"black friday".into(), &"black friday".into())
    );
    world.write(
        "typed.rhai",
        "export const META = #{ params: [#{ name: \"stage\", type: \"int\", max: 4, default_value: 2 }], flags: [\"yes\"] };\n\
         print(`${args.stage + 1} ${args.yes}`);\n",
    );
    assert_eq!(world.ok(&["run", "typed.rhai"]), "3 false\n");
    assert_eq!(
        world.ok(&["run", "typed.rhai", "--yes", "--stage=4"]),
        "5 true\n"
    );
    for wrong in [&["5"][..], &["--no"], &["1", "2"], &["x"]] {
        let ran = world.run(&[&["run", "typed.rhai"], wrong].concat());
        assert_eq!(ran.code, 2, "{wrong:?}: {}", ran.stderr);
    }
}

#[test]
fn the_same_error_in_many_units_is_told_once_with_what_to_run_next() {
    let world = World::empty();
    for name in ["a", "b", "c", "d"] {
        world.write(
            &format!("in/{name}.yaml"),
            &format!("kind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: 1\n"),
        );
    }
    world.write("in/e.yaml", "kind: ConfigMap\nmetadata:\n  name: e\n");
    drop(world.ok(&["import", "in", "--space", "prod"]));
    world.write(
        "functions/pin-pool.rhai",
        "export const META = #{ resources: [\"Deployment\"] };\nfn pin_pool(resource, pool) {\n    \
         resource.set(\"spec.pool\", pool);\n    for c in resource.spec.contaners {\n        c.set(\"x\", 1);\n    }\n}\n",
    );
    let ran = world.run(&["run", "pin-pool", "payments", "--space", "prod"]);
    assert_eq!(ran.code, 1);
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("error-in-many-units", format!("{}\n{}", ran.stdout, ran.stderr));
    });
    let keep = [
        "function",
        "test",
        "pin-pool",
        "payments",
        "--add-case",
        "prod/a",
    ];
    assert!(world.ok(&keep).contains("fails on it now"));

    // Another error in one of them is told as well.
    world.write(
        "functions/pin-pool.rhai",
        "fn pin_pool(resource, pool) {\n    if resource.metadata.name == \"c\" {\n        throw \"not c\";\n    }\n    \
         for c in resource.spec.contaners {\n        c.set(\"x\", 1);\n    }\n}\n",
    );
    let told = world
        .run(&["run", "pin-pool", "payments", "--space", "prod"])
        .stderr;
    assert!(told.contains("others fail otherwise"), "{told}");
    assert!(told.contains("prod/c: not c"), "{told}");
    assert!(!told.contains("the same error"), "{told}");
}
