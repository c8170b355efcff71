//! The history: on disk where the project is, and never before there is a store.

use super::fleet;
use super::pty::{CTRL_D, Terminal, UP};
use crate::world::World;

fn file(world: &World) -> std::path::PathBuf {
    world.path().join(".windlass/history")
}

#[test]
fn lines_come_back_in_the_next_session() {
    let world = fleet();
    let mut at = Terminal::start(&world, "xterm", 80, &[]);
    at.line("let größe = \"取引\"");
    assert_eq!(at.line("if true {\r7 }"), "7");
    at.line(" \"secret\"");
    at.press(CTRL_D);
    assert_eq!(at.ended(), 0);
    let kept = std::fs::read_to_string(file(&world)).unwrap();
    assert!(kept.contains("größe"), "{kept}");
    assert!(!kept.contains("secret"), "{kept}");

    let mut at = Terminal::start(&world, "xterm", 80, &[]);
    at.press(UP);
    at.see("7 }");
    at.see("if true {");
    at.press(UP);
    at.press(UP);
    at.see("let größe = \"取引\"");
}

#[test]
fn two_sessions_keep_the_lines_of_both() {
    let world = fleet();
    let mut one = Terminal::start(&world, "xterm", 80, &[]);
    let mut two = Terminal::start(&world, "xterm", 80, &[]);
    one.line("\"of one\"");
    two.line("\"of two\"");
    one.line("\"of one again\"");
    let kept = std::fs::read_to_string(file(&world)).unwrap();
    for line in ["\"of one\"", "\"of two\"", "\"of one again\""] {
        assert_eq!(
            kept.lines().filter(|kept| *kept == line).count(),
            1,
            "{kept}"
        );
    }
}

#[test]
fn a_project_without_a_store_gets_no_files_from_looking() {
    let world = World::empty();
    let mut at = Terminal::start(&world, "xterm", 80, &[]);
    at.line("1 + 1");
    at.line("units(\"*\")");
    at.line(":help");
    assert!(!world.path().join(".windlass").exists());
    at.line("ensure_space(\"first\")");
    at.line("2");
    let kept = std::fs::read_to_string(file(&world)).unwrap();
    assert!(kept.ends_with("2\n"), "{kept}");
    // From a pipe there is none.
    let other = fleet();
    assert!(!file(&other).exists());
}
