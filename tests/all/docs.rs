//! The documents that are made from the program are what the program says, and their examples run.
//!
//! `UPDATE_DOCS=1 cargo test --test all docs::` writes them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::registry::split;
use crate::world::World;

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name)
}

/// Compares a document with what it should be, or writes it.
fn compare(name: &str, want: &str) {
    let path = document(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, want).expect("the document is written");
        return;
    }
    let found = std::fs::read_to_string(&path).expect("the document");
    if found == want {
        return;
    }
    let differs = found
        .lines()
        .zip(want.lines())
        .position(|(found, want)| found != want)
        .unwrap_or_else(|| found.lines().count().min(want.lines().count()));
    let line = |text: &str| text.lines().nth(differs).unwrap_or("(the end)").to_owned();
    panic!(
        "docs/{name} is not what the program prints, from line {}:\n- {}\n+ {}\n\
         UPDATE_DOCS=1 cargo test --test all docs:: writes it anew",
        differs + 1,
        line(&found),
        line(want)
    );
}

#[test]
fn the_reference_of_scripts_describes_what_there_is_and_nothing_else() {
    let text = World::empty().ok(&["script-api"]);
    for heading in ["## Not described yet", "## Described, and not there"] {
        if let Some(at) = text.find(heading) {
            let section: Vec<&str> = text[at..]
                .lines()
                .take_while(|line| !line.starts_with("## ") || *line == heading)
                .collect();
            panic!("src/session/api.md: {}", section.join("\n"));
        }
    }
    compare("script-api.md", &text);
}

/// Blocks of code in a document, with the line before the first of theirs.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<(usize, Vec<&'a str>)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, Vec<&str>)> = None;
    for (at, line) in text.lines().enumerate() {
        match &mut open {
            None if line == format!("```{language}") => open = Some((at + 1, Vec::new())),
            None => {}
            Some(_) if line == "```" => found.extend(open.take()),
            Some((_, lines)) => lines.push(line),
        }
    }
    found
}

/// What an example says that it prints: comments behind `print`, and comments on lines of their
/// own.
fn promised(lines: &[&str]) -> Vec<String> {
    let mut promised = Vec::new();
    for line in lines {
        let comment = match line.strip_prefix("//") {
            Some(comment) => Some(comment),
            None if line.trim_start().starts_with("print(") => {
                line.rsplit_once(" // ").map(|(_, comment)| comment)
            }
            None => None,
        };
        promised.extend(comment.map(|comment| comment.trim().to_owned()));
    }
    promised
}

#[test]
fn the_examples_of_the_reference_run_and_print_what_they_say() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/session/api.md"))
            .expect("the written part");
    let world = World::tutorial();
    drop(world.ok(&["run", "scripts/stage3-three-regions.rhai"]));
    let store = world.store();
    let examples = blocks(&text, "rhai");
    assert!(examples.len() > 8, "{}", examples.len());
    let mut count = 0;
    for (at, lines) in examples {
        std::fs::write(world.path().join(".windlass/store.redb"), &store).expect("the store");
        let printed = world.printed(&lines.join("\n"));
        let printed: Vec<&str> = printed.lines().map(str::trim).collect();
        let promised = promised(&lines);
        assert_eq!(
            printed, promised,
            "the example at line {at} of src/session/api.md"
        );
        count += promised.len();
    }
    assert!(count > 30, "{count}");
}

/// A command's words behind `windlass`; none where it runs a script that is not there.
fn words(world: &World, command: &str) -> Option<Vec<String>> {
    let words = split(
        command
            .strip_prefix("windlass ")
            .expect("a command of ours"),
    );
    let script = words.iter().find(|word| word.starts_with("scripts/"));
    script
        .is_none_or(|script| world.path().join(script).is_file())
        .then_some(words)
}

/// The document with what its commands print now, run one after another in one project.
fn replayed(text: &str, world: &World) -> String {
    let mut replayed = String::new();
    let mut is_console = false;
    // Whether the output below the last command is taken over as it is.
    let mut is_kept = true;
    for line in text.lines() {
        match line {
            "```console" => is_console = true,
            "```" if is_console => is_console = false,
            _ => {
                if let (true, Some(command)) = (is_console, line.strip_prefix("$ ")) {
                    replayed.push_str(line);
                    replayed.push('\n');
                    let words = words(world, command);
                    is_kept = words.is_none();
                    if let Some(words) = words {
                        let words: Vec<&str> = words.iter().map(String::as_str).collect();
                        replayed.push_str(&shown(world, &words));
                    }
                } else if !is_console || is_kept {
                    replayed.push_str(line);
                    replayed.push('\n');
                }
                continue;
            }
        }
        is_kept = true;
        replayed.push_str(line);
        replayed.push('\n');
    }
    replayed
}

fn shown(world: &World, words: &[&str]) -> String {
    let mut command = world.command(words);
    command.env("WINDLASS_SEED", "7");
    let ran = world.finish(command);
    let mut shown = ran.stderr + &ran.stdout;
    if ran.code != 0 {
        let _ = writeln!(shown, "[exit {}]", ran.code);
    }
    shown
}

#[test]
fn the_tutorial_shows_what_its_commands_print() {
    let text = std::fs::read_to_string(document("tutorial.md")).expect("the tutorial");
    let replayed = replayed(&text, &World::tutorial());
    compare("tutorial.md", &replayed);
}

#[test]
fn the_tutorial_has_every_stage_that_there_is() {
    let text = std::fs::read_to_string(document("tutorial.md")).expect("the tutorial");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut stages = 0;
    for entry in std::fs::read_dir(folder).expect("the scripts") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        if name.starts_with("stage") {
            stages += 1;
            assert!(
                text.contains(&format!("$ windlass run scripts/{name}\n")),
                "{name}"
            );
        }
    }
    assert!(stages >= 4);
    let failed = text.lines().filter(|line| line.starts_with("[exit"));
    assert_eq!(failed.collect::<Vec<_>>(), ["[exit 3]"], "of cleanup alone");
}

#[test]
fn a_command_of_a_document_keeps_its_words_together() {
    let text =
        "a\n```console\n$ windlass run scripts/none.rhai\nkept\n$ windlass whoami\nold\n```\nb\n";
    let want = "a\n```console\n$ windlass run scripts/none.rhai\nkept\n$ windlass whoami\nalice@trading.com\n```\nb\n";
    assert_eq!(replayed(text, &World::empty()), want);
}
