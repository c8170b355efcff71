//! Previews, transactions and pinned selections through the program.

use crate::world::{Background, World};

const WEB: &str = "\
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1 # by load
";

/// A space with two units.
fn world() -> World {
    let world = World::empty();
    world.write("web.yaml", WEB);
    let _ = world.printed(
        r#"let a = ensure_space("a");
        for slug in ["x", "y"] { a.ensure_unit(slug, read_file("web.yaml")); }"#,
    );
    world
}

fn heads(world: &World) -> Vec<i64> {
    let rows = world.json(&["unit", "list", "a/*", "--columns", "HeadRevisionNum"]);
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row["HeadRevisionNum"].as_i64().expect("a number"))
        .collect()
}

#[test]
fn a_preview_shows_what_its_commit_writes() {
    let world = world();
    let printed = world.printed(
        r#"let p = units("a/*").preview(|all| { all.set_replicas(3); all.set_replicas(4); });
        print(p.diff());
        print(unit("a/x").head_revision);
        let done = p.commit();
        print(`${done.changed} ${done.op}`);
        print(unit("a/x").get("spec.replicas"));"#,
    );
    assert_eq!(
        printed,
        "2 units, identical change; shown: a/x  r1 → r2\n  \
         Deployment/web   spec.replicas\n     \
         3     name: web\n     4   spec:\n     5 -   replicas: 1 # by load\n     5 +   replicas: 4 # by load\n  \
         as well: a/y  r1 → r2\n1\n2 op-4\n4\n"
    );
    assert_eq!(heads(&world), [2, 2]);
}

#[test]
fn a_commit_is_refused_when_somebody_moved_a_unit_meanwhile() {
    let world = world();
    let ran = world.script(
        r#"let p = units("a/*").preview(|all| all.set_replicas(3));
        unit("a/x").set_label("team", "web");
        p.commit();"#,
    );
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(heads(&world), [2, 1]);
}

#[test]
fn a_closure_that_writes_something_else_the_second_time_is_refused() {
    let world = world();
    let ran = world.script(
        r#"let count = #{ n: 1 };
        let p = units("a/*").preview(|all| { count.n += 1; all.set_replicas(count.n); });
        p.commit();"#,
    );
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(heads(&world), [1, 1]);
}

#[test]
fn dry_runs_of_every_kind_leave_the_store_byte_for_byte() {
    let world = world();
    world.write("s.rhai", "units(\"a/*\").set_replicas(7); ensure_space(\"b\"); print(unit(\"a/x\").get(\"spec.replicas\"));");
    let before = world.store();
    let shown = world.ok(&["run", "--dry-run", "s.rhai"]);
    assert!(
        shown.starts_with("7\n") && shown.contains("PREVIEW   2 units matched in 1 space:"),
        "{shown}"
    );
    for args in [
        &["eval", "--dry-run", "unit(\"a/x\").delete()"][..],
        &[
            "unit",
            "update",
            "a/x",
            "--dry-run",
            "--patch",
            "{\"spec\":{\"replicas\":3}}",
        ],
        &[
            "function",
            "do",
            "--space",
            "a",
            "--dry-run",
            "set-replicas",
            "3",
        ],
        &["run", "set-replicas", "3", "--space", "a", "--dry-run"],
    ] {
        let _ = world.ok(args);
    }
    assert!(before == world.store(), "the store changed");
}

#[test]
fn a_dry_run_reports_every_unit_where_one_fails() {
    let world = world();
    world.write(
        "functions/only-x.rhai",
        "export const META = #{ scope: \"unit\" };\n\
         fn only_x(unit) {\n    if unit.slug != \"x\" { throw `not ${unit.slug}`; }\n    \
         unit.resources(\"Deployment\")[0].set(\"spec.replicas\", 9);\n}\n",
    );
    let ran = world.run(&["run", "only-x", "--space", "a", "--dry-run"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    for part in ["1 would change   1 FAILS", "not y", "replicas: 9"] {
        assert!(
            ran.stdout.contains(part),
            "no `{part}` in {}{}",
            ran.stdout,
            ran.stderr
        );
    }
}

#[test]
fn atomic_is_one_operation_with_at_most_one_new_revision_a_unit() {
    let world = world();
    let printed = world.printed(
        r#"atomic("capacity", || {
            units("a/*").set_replicas(3);
            unit("a/x").set_label("team", "web");
            atomic(|| units("a/*").set_replicas(4));
            let z = space("a").ensure_unit("z", read_file("web.yaml"));
            z.set_replicas(2);
            z.set_replicas(3);
            unit("a/y").set_replicas(1);
        });
        print(log(1).rows()[0].Message);
        for u in units("a/*") { print(`${u.slug} r${u.head_revision} ${u.get("spec.replicas")}`); }
        print(unit("a/x").revisions().rows()[0].Description);"#,
    );
    assert_eq!(
        printed,
        "capacity\nx r2 4\ny r1 1\nz r2 3\n\
         set-replicas --replicas 3; set-label --key \"team\" --value \"web\"; \
         set-replicas --replicas 4\n"
    );
    assert_eq!(world.json(&["log"]).as_array().map(Vec::len), Some(4));
    let _ = world.ok(&["log", "verify"]);
}

#[test]
fn a_revision_that_a_variant_took_inside_atomic_is_not_amended_behind_its_back() {
    let world = world();
    let printed = world.printed(
        r#"ensure_space("b").ensure_clone(unit("a/x"));
        atomic(|| {
            unit("a/x").set_replicas(2);
            units("b/*").upgrade();
            unit("a/x").set_replicas(3);
        });
        print(unit("b/x").upgrade_needed);
        units("b/*").upgrade();
        print(unit("b/x").get("spec.replicas"));"#,
    );
    assert_eq!(printed, "true\n3\n");
}

#[test]
fn an_error_in_atomic_writes_nothing_even_where_the_script_goes_on() {
    let world = world();
    let before = world.json(&["log"]);
    let printed = world.printed(
        r#"fn kind(e) { let e = error(e); `${e.kind}: ${e.message}` }
        try { atomic(|| { units("a/*").set_replicas(5); throw "enough"; }); } catch (e) { print(kind(e)); }
        try { atomic(|| { units("a/*").set_replicas(5); unit("a/none"); }); } catch (e) { print(kind(e)); }
        try { atomic(|| { units("a/*").set_replicas(5); units("a/*").apply(); }); } catch (e) { print(kind(e)); }
        try { atomic(|| { units("a/*").set_replicas(5); let n = 1 / 0; }); } catch (e) { print(kind(e)); }
        try { atomic(|| {
            units("a/*").set_replicas(5);
            try { unit("a/x").patch([#{ op: "test", path: "/kind", value: "Job" }]); } catch (inner) {}
        }); } catch (e) { print(error(e).kind); }"#,
    );
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "Invalid: enough",
            "NotFound: expected a unit `a/none`, found none",
            "Usage: expected apply after atomic, found it inside",
            "Invalid: division by zero: 1 / 0",
        ]
    );
    assert_eq!(lines.len(), 5, "{printed}");
    assert_eq!(world.json(&["log"]), before);
}

#[test]
fn exit_inside_atomic_writes_nothing_and_ends_the_script() {
    let world = world();
    let before = world.json(&["log"]);
    let ran = world.script(
        "try { atomic(|| { units(\"a/*\").set_replicas(5); exit(3); }); } catch (e) { print(\"caught\"); }",
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
    assert_eq!(world.json(&["log"]), before);
}

#[test]
fn a_pinned_selection_refuses_what_another_process_moved() {
    let world = world();
    let mut other = Background::start(
        &world,
        "let pinned = units(\"a/*\"); print(\"pinned\");\n\
         while unit(\"a/x\").head_revision == 1 {}\npinned.set_replicas(8);",
    );
    other.wait_for("pinned");
    let _ = world.ok(&["function", "do", "--unit", "a/x", "set-replicas", "4"]);
    let ran = other.finish();
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr
            .contains("at r1, as it was selected, found it at r2"),
        "{}",
        ran.stderr
    );
    assert_eq!(heads(&world), [2, 1]);
    let printed = world.printed(
        "let pinned = units(\"a/*\");\nas_actor(\"other\", || unit(\"a/x\").set_replicas(5));\n\
         print(pinned.set_replicas(8).changed);",
    );
    assert_eq!(printed, "2\n", "a session's own writes never refuse");
}

#[test]
fn bound_values_are_values_never_clauses() {
    let world = world();
    let printed = world.printed(
        r#"let evil = "x' OR Slug = 'y";
        print(units("Slug = $s", #{ s: "x" }).len);
        print(units("Slug = $s", #{ s: evil }).len);
        print(units("replicas < $n AND Slug IN $all", #{ n: 2, all: ["x", "y"] }).len);
        try { units("Slug = $s"); } catch (e) { print(error(e).kind); }"#,
    );
    assert_eq!(printed, "1\n0\n2\nInvalid\n");
}

#[test]
fn a_preview_inside_a_rehearsal_sees_it_and_leaves_no_trace_in_it() {
    let world = World::empty();
    let script = r#"
        let text = "kind: ConfigMap\nmetadata: {name: x}\ndata: {a: '1'}\n";
        let space = ensure_space("s");
        let x = space.ensure_unit("x", text);
        let seen = units("s/*").preview(|all| {
            all.patch(#{ data: #{ a: "2" } });
            ensure_space("s").ensure_unit("y", text);
            print(units("s/*").len);
        });
        print(seen.diff().contains("+ data: {a: '2'}"));
        print(units("s/*").len);
        print(x.get("data.a"));
        // Numbers that the preview gave are given again.
        space.ensure_unit("z", text).patch(#{ data: #{ a: "3" } });
        print(unit("s/z").get("data.a") + unit("s/x").get("data.a"));
        print(atomic("why", || { x.patch(#{ data: #{ a: "4" } }); x.history(1) }).contains("patch"));
    "#;
    world.write("script.rhai", script);
    let printed = world.ok(&["run", "--dry-run", "script.rhai"]);
    assert!(
        printed.starts_with("2\ntrue\n1\n1\n31\ntrue\n"),
        "{printed}"
    );
    assert!(!world.path().join(".windlass").exists());
}

#[test]
fn every_stage_can_be_rehearsed() {
    let world = World::tutorial();
    for round in ["on an empty store", "once all have run"] {
        for stage in crate::stages::STAGES {
            let ran = world.run(&["run", "--dry-run", stage]);
            assert_eq!(ran.code, 0, "{stage} {round}: {}{}", ran.stdout, ran.stderr);
        }
        for stage in crate::stages::STAGES {
            drop(world.ok(&["run", stage]));
        }
    }
}
