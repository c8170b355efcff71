//! Groups of lines, and what is saved as a script.

use super::{compare, fleet, piped, said};
use crate::world::World;

#[test]
fn a_group_is_seen_by_its_lines_and_written_as_one_operation() {
    let world = fleet();
    let before = world.store();
    let dropped = piped(
        &world,
        ":begin\nlet n = 4\nunit(\"prod-us/web\").set_replicas(n);\nunit(\"prod-us/web\").get(\"spec.replicas\")\n",
    );
    assert_eq!(dropped.code, 0, "{}", dropped.stderr);
    assert!(dropped.stdout.ends_with("\n4\n"), "{}", dropped.stdout);
    assert!(
        dropped.stderr.contains("dropped the group of 3 lines"),
        "{}",
        dropped.stderr
    );
    assert!(world.store() == before, "the store has changed");

    let text = said(
        &world,
        "let n = 4\n:begin\nn += 1\nunit(\"prod-us/web\").set_replicas(n);\nlet eu = unit(\"prod-eu/web\")\n\
         eu.set_replicas(n + 1);\neu.set_image(\"web\", \"web:v2\");\nprint(\"once\")\n:diff\n:commit opening day\nn\n\
         eu.head_revision\nlog(1)\n",
    );
    compare("repl-group", &text);
}

#[test]
fn a_line_that_fails_leaves_nothing_in_the_group() {
    let world = fleet();
    let ran = piped(
        &world,
        ":begin\nunit(\"prod-us/web\").set_replicas(4);\nunit(\"prod-us/web\").set_replicas(5); throw \"no\"\n",
    );
    assert_eq!(ran.code, 1);
    for (line, part) in [
        ("unit(\"prod-us/web\").apply()", "after the group"),
        ("write_file(\"x\", \"y\")", "after the group"),
        ("undo()", "after the group"),
        (":begin", "outside a group"),
        (":dry on\n:commit", "dry off"),
    ] {
        let ran = piped(&world, &format!(":begin\n{line}\n"));
        assert_ne!(ran.code, 0, "{line}");
        assert!(ran.stderr.contains(part), "{line}: {}", ran.stderr);
    }
    for line in [":commit", ":rollback"] {
        let ran = piped(&world, &format!("{line}\n"));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(":begin opens one"), "{}", ran.stderr);
    }
}

#[test]
fn a_group_that_is_rolled_back_leaves_no_byte_and_no_variable() {
    let world = fleet();
    let before = world.store();
    let text = said(
        &world,
        "let n = 1\n:begin\nn = 2\nensure_space(\"new\");\nunit(\"base/web\").set_replicas(n);\ncd prod-us\n:rollback\nn\n\
         spaces().len\n:begin\n:diff\n:commit\n",
    );
    assert!(text.contains("dropped 4 lines\n1\n3\n"), "{text}");
    assert!(world.store() == before, "the store has changed");
}

fn contents(world: &World) -> Vec<String> {
    ["base/web", "prod-us/web", "prod-eu/web"]
        .map(|unit| world.ok(&["unit", "data", unit]))
        .to_vec()
}

#[test]
fn what_is_saved_does_the_same_again() {
    let lines = "let n = 3\nfn more(x) {\n  x + 1\n}\nunits(\"prod-*/web\")\nit.set_replicas(more(n)) // four\n\
                 cd prod-us\n:begin\nlet image = \"web:v9\"; fn tag(x) { x }\nunit(\"web\")\n\
                 it.set_image(\"web\", tag(image))\n:commit because \"it\" is so\nimage\n:tree\n\
                 if n > 2 { unit(\"web\").set_env_var(\"web\", \"A\", \"1\") } // note\n\
                 unit(\"prod-eu/web\").set_env_var(\"web\", \"B\", \"2\");\n:undo\n:save again\n";
    let world = fleet();
    let _ = said(&world, lines);
    let script = std::fs::read_to_string(world.path().join("again.rhai")).unwrap();
    compare("repl-saved", &script);
    let fresh = fleet();
    fresh.write("again.rhai", &script);
    let _ = fresh.ok(&["run", "again.rhai"]);
    assert_eq!(contents(&fresh), contents(&world));
    assert_eq!(
        fresh.json(&["log", "--limit", "5"])[1]["Verb"],
        world.json(&["log", "--limit", "5"])[1]["Verb"]
    );
}

#[test]
fn saving_overwrites_only_what_was_saved() {
    let world = fleet();
    world.write("mine.rhai", "let precious = 1;\n");
    let ran = piped(&world, "1\n:save mine\n");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("mine.rhai"), "{}", ran.stderr);
    let text = std::fs::read_to_string(world.path().join("mine.rhai")).unwrap();
    assert_eq!(text, "let precious = 1;\n");
    let _ = said(&world, "1\n:save ours\n2\n:save ours\n");
    let text = std::fs::read_to_string(world.path().join("ours.rhai")).unwrap();
    assert_eq!(text, "//! Lines of a session.\n\n1;\n2;\n");
    for bad in ["../out", "/tmp/out", ".windlass/out"] {
        let ran = piped(&world, &format!("1\n:save {bad}\n"));
        assert_eq!(ran.code, 1, "{bad}: {}", ran.stderr);
    }
}

#[test]
fn a_group_can_make_the_store_and_has_an_end() {
    let world = World::empty();
    let text = said(
        &world,
        ":begin\nlet base = ensure_space(\"base\")\n\
         base.create_unit(\"c\", \"kind: ConfigMap\\nmetadata:\\n  name: c\\n\");\nbase.units().len\n:commit\n",
    );
    assert!(text.contains("1 created   op-1"), "{text}");
    // A layer for each line that writes: not without end.
    let many: Vec<String> = (0..258)
        .map(|n| format!("unit(\"base/c\").set_annotation(\"n\", \"{n}\");"))
        .collect();
    let ran = piped(&world, &format!(":begin\n{}\n", many.join("\n")));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("at most 256 calls"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("dropped the group of 256 lines"),
        "{}",
        ran.stderr
    );
    let some = many[..200].join("\n");
    let ran = piped(
        &world,
        &format!(":begin\n{some}\n:commit\nunit(\"base/c\").head_revision\n"),
    );
    assert!(
        ran.stdout.ends_with("\n2\n"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}
