//! A session as somebody at a terminal has it.

use super::fleet;
use super::pty::{CTRL_C, CTRL_D, ENTER, TAB, Terminal};
use crate::world::World;

#[test]
fn a_session_from_its_banner_to_its_end() {
    let world = fleet();
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    at.see(":help shows what you can type");
    assert!(at.shown().ends_with("windlass>"), "{}", at.shown());
    assert_eq!(at.line("1 + 1"), "2");
    at.line("cd prod-us");
    assert!(at.shown().ends_with("prod-us>"), "{}", at.shown());
    assert!(at.line("unit(\"web\")").contains("web   prod-us"));
    at.line(":begin");
    assert!(
        at.shown().ends_with("prod-us [group of 0]>"),
        "{}",
        at.shown()
    );
    at.line("it.set_replicas(6)");
    assert!(
        at.shown().ends_with("prod-us [group of 1]>"),
        "{}",
        at.shown()
    );
    at.line(":rollback");
    at.line(":dry on");
    assert!(at.shown().ends_with("prod-us [dry]>"), "{}", at.shown());
    at.line(":dry off");
    // An error ends the line, not the session.
    let error = at.line("unit(\"web\").nope()");
    assert!(error.contains(":1:13"), "{error}");
    assert!(at.line("unit(\"web\").set_replicas(6)").contains("op-"));
    at.press(CTRL_D);
    assert_eq!(at.ended(), 0);
    assert!(
        world
            .ok(&["unit", "data", "prod-us/web"])
            .contains("replicas: 6")
    );

    for (last, code) in [("exit", 0), ("exit(7)", 7), (":exit", 0)] {
        let mut at = Terminal::start(&world, "xterm", 80, &[]);
        at.press(last);
        at.press(ENTER);
        assert_eq!(at.ended(), code, "{last}");
    }
}

#[test]
fn what_is_open_goes_on_on_the_next_line() {
    let world = World::empty();
    let mut at = Terminal::start(&world, "xterm", 80, &[]);
    assert_eq!(at.line("fn twice(x) {\r  x * 2\r}"), "");
    assert_eq!(at.line("twice(21)"), "42");
    assert_eq!(at.line("`a\rb`"), "a\nb");
    assert_eq!(at.line("1 /* why\r*/ + 1"), "2");
    assert!(at.line("let open = \"a\rb\"").contains("backticks"));
    assert!(at.line(")").contains(":1:1"));
}

#[test]
fn tab_completes_from_the_live_store() {
    let world = fleet();
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    for (keys, want) in [
        ("unit(\"prod-us/w", "> unit(\"prod-us/web"),
        ("cd prod-u", "> cd prod-us"),
        ("units(\"Labels.te", "> units(\"Labels.team"),
        ("units(\"Labels.team = 'sh", "> units(\"Labels.team = 'shop"),
        ("units(\"UpgradeN", "> units(\"UpgradeNeeded"),
        (
            "unit(\"prod-us/web\").get(\"spec.repl",
            ".get(\"spec.replicas",
        ),
        (
            "unit(\"prod-us/web\").set_repl",
            "> unit(\"prod-us/web\").set_replicas(",
        ),
        ("read_file(\"we", "> read_file(\"web.yaml"),
        (":expl", "> :explain"),
        (":help clau", "> :help clauses"),
    ] {
        at.press(keys);
        at.press(TAB);
        at.see(want);
        let _ = at.answered(CTRL_C, 1);
    }
    // Another process makes a space: it is there at once.
    let _ = world.ok(&["space", "create", "staging"]);
    at.press("cd stag");
    at.press(TAB);
    at.see("> cd staging");
}

#[test]
fn ctrl_c_clears_a_line_and_stops_a_loop_without_harm() {
    let world = fleet();
    let before = world.ok(&["log", "verify"]);
    let mut at = Terminal::start(&world, "xterm", 80, &[]);
    at.line("let x = 41");
    at.clear("this is not meant");
    at.press("atomic(|| { unit(\"prod-us/web\").set_replicas(9); print(\"begun\"); loop {} })");
    at.press(ENTER);
    at.wait("its first words", |at| {
        at.shown().lines().any(|line| line == "begun")
    });
    assert!(at.answered(CTRL_C, 1).contains("interrupted"));
    assert_eq!(at.line("x + 1"), "42", "the session goes on");
    assert_eq!(world.ok(&["log", "verify"]), before, "nothing was written");
    // And again, with the next line.
    at.press("print(\"again\"); loop {}");
    at.press(ENTER);
    at.wait("its first words", |at| {
        at.shown().lines().any(|line| line == "again")
    });
    assert!(at.answered(CTRL_C, 1).contains("interrupted"));
    at.press(CTRL_D);
    assert_eq!(at.ended(), 0);
}

#[test]
fn colours_are_for_smart_terminals_that_want_them() {
    let world = fleet();
    let code = "units(\"Slug = 'web' AND replicas > 0\").len // all";
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    assert_eq!(at.line(code), "3");
    for part in [
        "\u{1b}[34munits",
        "\u{1b}[33mAND",
        "\u{1b}[36mreplicas",
        "\u{1b}[2m// all",
    ] {
        assert!(at.raw().contains(part), "{part:?}: {:?}", at.raw());
    }
    for (kind, variables) in [("xterm", &[("NO_COLOR", "1")][..]), ("dumb", &[])] {
        let mut at = Terminal::start(&world, kind, 100, variables);
        assert_eq!(at.line(code), "3");
        let table = at.line("units(\"*/web\")");
        assert!(table.starts_with("NAME  SPACE"), "{table}");
        assert!(!at.raw().contains("\u{1b}[3"), "{kind}: {:?}", at.raw());
        if kind == "dumb" {
            assert!(!at.raw().contains('\u{1b}'), "{:?}", at.raw());
        }
    }
}

#[test]
fn a_dumb_terminal_has_all_but_comfort() {
    let world = fleet();
    let mut at = Terminal::start(&world, "dumb", 80, &[]);
    assert_eq!(at.line("let n = 3"), "");
    assert_eq!(at.line("if n > 2 {\r  \"more\" }"), "more");
    at.clear("not meant");
    assert_eq!(at.line("n"), "3");
    at.press("print(\"begun\"); loop {}");
    at.press(ENTER);
    at.wait("its first words", |at| {
        at.shown().lines().any(|line| line == "begun")
    });
    assert!(at.answered(CTRL_C, 1).contains("interrupted"));
    at.press(CTRL_D);
    assert_eq!(at.ended(), 0);
}

#[test]
fn a_narrow_terminal_and_other_scripts() {
    let world = fleet();
    let _ =
        world.printed("unit(\"prod-us/web\").set_labels(#{ team: \"取引サービス・グループ\" })");
    let mut at = Terminal::start(&world, "xterm", 40, &[]);
    let table = at.line("units(\"*/web\").table([\"Name\", \"Labels.team\", \"Data\"])");
    let cells = table.lines().filter(|line| line.contains("web"));
    assert!(cells.clone().count() >= 3, "{table}");
    at.line("\"größe 取引 é\"");
    at.see("größe 取引 é");
    let wide = at.line("units(\"*/web\")");
    assert!(
        wide.lines().all(|line| line.chars().count() <= 110),
        "{wide}"
    );
    // A long line is wrapped by the editor, and runs whole.
    let sum = vec!["1"; 60].join(" + ");
    assert!(at.line(&sum).ends_with("60"), "{}", at.shown());
}

#[test]
fn several_lines_are_written_in_an_editor() {
    let world = fleet();
    world.write(
        "edit.sh",
        "#!/bin/sh\nprintf 'let a = 20;\\na + 22\\n' >> \"$1\"\n",
    );
    let script = world.path().join("edit.sh");
    let editor = format!("sh {}", script.display());
    let mut at = Terminal::start(&world, "xterm", 100, &[("EDITOR", editor.as_str())]);
    let shown = at.line(":edit let b = 1;");
    assert!(shown.ends_with("42"), "{shown}");
    assert_eq!(at.line("a + b"), "21");
    let mut at = Terminal::start(&world, "xterm", 100, &[("EDITOR", "false")]);
    assert!(at.line(":edit").contains("expected `false` to end well"));
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    assert!(at.line(":edit").contains("$EDITOR"));
}

#[test]
fn what_is_pasted_is_taken_command_by_command() {
    let world = fleet();
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    let pasted = ":begin\nlet n = 6;\nunit(\"prod-us/web\")\n  .set_replicas(n)\n:commit why";
    let shown = at.line(&format!("\u{1b}[200~{pasted}\u{1b}[201~"));
    assert!(shown.contains("op-"), "{shown}");
    assert!(world.ok(&["log"]).contains("why"));
    assert_eq!(at.line("fn mine(x) { x }"), "");
    at.press("min");
    at.press(TAB);
    at.see("> mine(");
}

#[test]
fn a_commit_that_is_stopped_keeps_its_group() {
    let world = fleet();
    let mut at = Terminal::start(&world, "xterm", 100, &[]);
    at.line("let first = true; let seen = |x| x;");
    at.line(":begin");
    at.line("unit(\"prod-us/web\").set_replicas(6)");
    // It goes on for as long as there is a file.
    at.line("while file_exists(\"slow\") {}");
    world.write("slow", "");
    at.press(":commit");
    at.press(ENTER);
    let writer = world.path().join(".windlass/store.redb.writer");
    let until = |is_writing: bool| {
        while writer.exists() != is_writing {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    until(true);
    at.press(CTRL_C);
    until(false);
    std::fs::remove_file(world.path().join("slow")).expect("it is there");
    let stopped = at.answered("", 1);
    assert!(stopped.contains("interrupted"), "{stopped}");
    assert!(stopped.trim_end().ends_with("[group of 2]>"), "{stopped}");
    assert!(at.line(":commit").contains("1 changed"));
    assert!(
        world
            .ok(&["unit", "data", "prod-us/web"])
            .contains("replicas: 6")
    );
}
