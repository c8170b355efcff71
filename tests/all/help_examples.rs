//! The examples of every help text, run: each in a project of its own in which what it names is
//! there, or in an empty one.

use std::path::Path;

use clap::Command;

use crate::registry::split;
use crate::world::World;

/// Examples that end otherwise, by how they begin, with the exit code and why.
const OTHERWISE: [(&str, i32, &str); 19] = [
    ("unit delete traderx/reference-data", 3, "it is live here"),
    ("unit edit", -1, "opens an editor"),
    ("commit p-", 1, "a preview has another name each time"),
    (
        "conflict edit c4",
        1,
        "the number of a row of a larger fleet",
    ),
    (
        "conflict keep c4",
        1,
        "the number of a row of a larger fleet",
    ),
    (
        "conflict show c4",
        1,
        "the number of a row of a larger fleet",
    ),
    (
        "conflict take c4",
        1,
        "the number of a row of a larger fleet",
    ),
    (
        "rollback a-93",
        1,
        "the number of an apply of a larger fleet",
    ),
    (
        "unit apply --resume a-93",
        1,
        "the number of an apply of a larger fleet",
    ),
    (
        "apply --resume a-93",
        1,
        "the number of an apply of a larger fleet",
    ),
    (
        "redo op-9",
        2,
        "the number of an operation that was undone elsewhere",
    ),
    (
        "undo op-7 --dry-run",
        3,
        "what the operation made is in use here",
    ),
    ("undo run-3", 3, "what the run made is in use here"),
    ("target delete sandbox", 3, "spaces deploy to it here"),
    (
        "backup restore daily.backup",
        1,
        "there is a store: it asks for --force",
    ),
    (
        "target create us --kind kubernetes",
        1,
        "a cluster that is not here",
    ),
    ("target rebind us", 1, "a cluster that is not here"),
    ("worker run", -1, "goes on until it is stopped"),
    ("function test --watch", -1, "goes on until it is stopped"),
];

/// What comes before examples that begin so.
const BEFORE: [(&str, &str); 6] = [
    (
        "drift",
        r#"eval 'inject_fault(#{ Drift: #{ object: #{ group: "apps", kind: "Deployment", namespace: "traderx-prod-eu", name: "trade-service" }, path: "spec.replicas", value: 9, manager: "kubectl-edit" } })'"#,
    ),
    ("backup restore", "backup create daily.backup"),
    ("backup verify", "backup create daily.backup"),
    (
        "filter create core",
        "filter delete core --space traderx-filters",
    ),
    (
        "function uninstall",
        "function install functions/set-team.rhai",
    ),
    (
        "unit create --space traderx reference-data",
        "space create traderx",
    ),
];

/// A project in which what the examples name is there.
fn fleet() -> World {
    let world = World::empty();
    drop(world.ok(&["tutorial", "."]));
    let mut stages: Vec<_> = std::fs::read_dir(world.path().join("scripts"))
        .expect("the scripts")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .filter(|name| name.starts_with("stage"))
        .collect();
    stages.sort();
    for stage in stages {
        drop(world.ok(&["run", &format!("scripts/{stage}")]));
    }
    let ledger = std::fs::read_to_string(world.path().join("k8s/trade-service.yaml"));
    let ledger = ledger
        .expect("the manifest")
        .replace("trade-service", "ledger");
    world.write("ledger.yaml", &ledger);
    for line in SETTING
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let words = split(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran = world.run(&words);
        assert!(
            matches!(ran.code, 0 | 5),
            "{line}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
    world.write("script.rhai", "print(1);\n");
    world.write("lines.rhai", "1 + 1\n");
    world
}

const SETTING: &str = r#"
    space delete traderx-dev --recursive --force
    space create traderx-dev
    space create prod
    unit create web k8s/trade-service.yaml --space prod
    run set-replicas 2 --unit traderx/reference-data
    space create prod-us
    space create prod-eu
    target create us-1 --kind sandbox
    space create base
    unit create ledger ledger.yaml --space base
    unit create ledger --space prod-us --upstream-unit base/ledger
    unit create ledger --space prod-eu --upstream-unit base/ledger
    run set-image-reference '*' :hotfix --unit prod-us/ledger
    run set-image-reference '*' :v9 --unit base/ledger
    upgrade prod-us/ledger
    space create traderx-filters
    filter create core Unit --space traderx-filters --where "replicas > 0"
    run set-image-reference '*' :v8 --space 'traderx-prod-*'
    apply --space 'traderx-prod-*' --wait
    changeset delete market-data-v2
    changeset create market-data-v2
    unit update traderx-prod-us/trade-service --patch '{"image": "trade-service:v7"}' --changeset market-data-v2
    export fleet
    run set-replicas 9 --unit prod-us/ledger
    undo
"#;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Every example, without the program's name.
fn examples(command: &Command, found: &mut Vec<String>) {
    let text = command.get_after_help().map(ToString::to_string);
    for line in text.unwrap_or_default().lines() {
        if let Some(example) = line.trim().strip_prefix("windlass ")
            && !found.iter().any(|known| known == example)
        {
            found.push(example.to_owned());
        }
    }
    for sub in command.get_subcommands() {
        examples(sub, found);
    }
}

/// Runs one, without what is the shell's: `< FILE` is its input, `> FILE` goes nowhere.
fn run(world: &World, example: &str) -> (i32, String) {
    for (_, line) in BEFORE
        .iter()
        .filter(|(begin, _)| example.starts_with(begin))
    {
        let words = split(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        drop(world.run(&words));
    }
    let words = split(&example.replace("functions/*.rhai", "functions/set-team.rhai"));
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut input = String::new();
    if let Some(at) = words.iter().position(|word| *word == "<") {
        input = std::fs::read_to_string(world.path().join(words[at + 1])).unwrap_or_default();
        words.truncate(at);
    }
    if let Some(at) = words.iter().position(|word| *word == ">") {
        words.truncate(at);
    }
    let ran = world.run_with_input(&words, &input);
    (ran.code, ran.stderr)
}

#[test]
fn every_example_of_the_help_does_what_it_is_shown_for() {
    let mut all = Vec::new();
    examples(&windlass::cli::command(), &mut all);
    assert!(all.len() > 120, "{} examples", all.len());
    let fleet = fleet();
    let mut problems = Vec::new();
    for example in &all {
        let otherwise = OTHERWISE
            .iter()
            .find(|(begin, _, _)| example.starts_with(begin));
        let expected = otherwise.map_or(0, |(_, code, _)| *code);
        if expected < 0 {
            continue;
        }
        let there = World::empty();
        copy(fleet.path(), there.path());
        let (code, told) = run(&there, example);
        let is_left_open = code == 5 && expected == 0;
        if code == expected || is_left_open {
            continue;
        }
        // What makes the first thing of its name.
        if expected == 0 && run(&World::tutorial(), example).0 == 0 {
            continue;
        }
        problems.push(format!("{code} {example}\n    {told}"));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
