//! Loops over the tables: what is in a folder is in its table, and every row is complete.

use std::collections::BTreeSet;
use std::path::Path;

use windlass::error::Kind;
use windlass::ops::OPS;
use windlass::script::{Catalogue, Stdlib};

/// Files of `src/ops` that are no operation.
const NOT_OPERATIONS: [&str; 4] = ["file", "mod", "output", "selecting"];

#[test]
fn every_file_in_the_folder_of_operations_is_a_row_of_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .filter(|stem| !NOT_OPERATIONS.contains(&stem.as_str()))
        .collect();
    let rows = OPS.iter().map(|op| match op.name {
        "whoami" => "whoami".to_owned(),
        "function run" => "function_do".to_owned(),
        name => name.replace([' ', '-'], "_"),
    });
    assert_eq!(files, rows.collect::<BTreeSet<String>>());
}

#[test]
fn operations_have_distinct_names_and_their_examples_parse() {
    let mut names = BTreeSet::new();
    for op in OPS {
        assert!(names.insert(op.name), "{} stands twice", op.name);
        assert!(
            !op.about.is_empty() && !op.about.ends_with('.'),
            "{}: {}",
            op.name,
            op.about
        );
        assert!(!op.examples.is_empty(), "{} has no example", op.name);
        for example in op.examples {
            let words = split(&format!("windlass {example}"));
            let parsed = windlass::cli::command().try_get_matches_from(&words);
            let is_help = words.iter().any(|word| word == "--help");
            if let (false, Err(error)) = (is_help, parsed) {
                panic!("{example}: {error}");
            }
        }
    }
}

/// Splits a command as a shell does, as far as examples need it.
pub(crate) fn split(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ') => words.push(String::new()),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (_, '\\') => words.last_mut().expect("a word").extend(chars.next()),
            (_, c) => words.last_mut().expect("a word").push(c),
        }
    }
    words
}

#[test]
fn the_whole_help_is_one_snapshot() {
    let mut help = String::new();
    render(
        &mut windlass::cli::command().term_width(100),
        "windlass",
        &mut help,
    );
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("cli-help", help);
    });
}

fn render(command: &mut clap::Command, name: &str, help: &mut String) {
    help.extend(["== ", name, "\n", &command.render_help().to_string(), "\n"]);
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for sub in names {
        let found = command
            .find_subcommand_mut(&sub)
            .expect("it was just listed");
        let mut found = found.clone().term_width(100);
        render(&mut found, &format!("{name} {sub}"), help);
    }
}

#[test]
fn every_function_of_the_standard_library_can_be_used_and_is_documented() {
    let (catalogue, problems) = Catalogue::load(&[&Stdlib], &|_| false);
    assert!(problems.is_empty() && catalogue.problems().is_empty());
    for function in catalogue.list() {
        assert!(!function.summary.is_empty(), "{}", function.name);
        assert!(!function.examples.is_empty(), "{}", function.name);
        for param in &function.params {
            assert!(
                !param.about.is_empty(),
                "{} of {}",
                param.name,
                function.name
            );
        }
    }
}

#[test]
fn the_table_of_errors_in_the_documentation_is_the_one_in_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).expect("ARCHITECTURE.md");
    let start = text
        .find("| kind | exit | HTTP |")
        .expect("the table of errors");
    let mut seen = BTreeSet::new();
    for row in text[start..]
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let statuses: Vec<&str> = cells[2].split(", ").collect();
        for (at, name) in cells[0].split(", ").enumerate() {
            let kind = Kind::from_name(name).expect("a kind");
            assert_eq!(cells[1], kind.exit_code().to_string(), "{name}");
            assert_eq!(statuses[at], kind.http_status().to_string(), "{name}");
            assert_eq!(cells[3] != "no", kind.is_worth_retrying(), "{name}");
            seen.insert(kind);
        }
    }
    assert_eq!(seen.len(), Kind::ALL.len());
}
