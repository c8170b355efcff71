//! The merge table, row by row: the cases under `tests/merge/`, one file a case.
//!
//! A file holds sections that begin with a line `=== name`: `base`, `incoming`, `local`, `want`
//! and `conflicts`; optionally `owned`, `protected` (a line a path, or `Kind/name path`) and
//! `prefer`. `swapped want` and `swapped conflicts` say what comes out with the two sides
//! exchanged. A row is a line `Kind/name path reason state`, and may be followed by indented lines
//! `base: "…"`, `local: "…"`, `incoming: "…"` with the texts as JSON (`null` for none).
//!
//! `WINDLASS_BLESS=1` writes what came out into the files, for review.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be read or made fails the test"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path as FilePath, PathBuf};

use windlass::path::Path;
use windlass::yaml::merge::{ConflictRow, MergeInput, Merged, Prefer, merge};
use windlass::yaml::{PathSet, Stream};

use crate::account;

/// One file: its sections, in order.
struct Case {
    file: PathBuf,
    sections: Vec<(String, String)>,
}

impl Case {
    fn read(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap();
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.split_inclusive('\n') {
            if let Some(name) = line.strip_prefix("=== ") {
                sections.push((name.trim().to_owned(), String::new()));
            } else if let Some((_, body)) = sections.last_mut() {
                body.push_str(line);
            }
        }
        Self { file, sections }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.sections.iter().find(|(section, _)| section == name);
        found.map(|(_, body)| body.as_str())
    }

    fn stream(&self, name: &str) -> Stream {
        let text = self
            .get(name)
            .unwrap_or_else(|| panic!("{}: no {name}", self.name()));
        Stream::parse(text).unwrap_or_else(|e| panic!("{}: {name}: {e}", self.name()))
    }

    fn paths(&self, name: &str) -> PathSet {
        let mut set = PathSet::default();
        for line in self.get(name).unwrap_or_default().lines() {
            let (resource, path) = match line.split_once(' ') {
                Some((resource, path)) => (Some(resource), path),
                None => (None, line),
            };
            let resources = self.stream("local").resources();
            let resource = resource.map(|name| {
                let found = resources.into_iter().find(|r| r.is_named(name));
                found.unwrap_or_else(|| panic!("{}: no {name}", self.name()))
            });
            set.insert(resource, path.parse().unwrap());
        }
        set
    }

    fn name(&self) -> String {
        self.file
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }
}

fn cases() -> Vec<Case> {
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/merge");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    files.into_iter().map(Case::read).collect()
}

/// The rows as the files write them.
fn show(rows: &[ConflictRow], with_texts: bool) -> String {
    let mut out = String::new();
    for row in rows {
        let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let reason = word(serde_json::to_value(row.reason).unwrap());
        let state = word(serde_json::to_value(row.state).unwrap());
        let path = if row.path.is_root() {
            "(document)".to_owned()
        } else {
            row.path.to_string()
        };
        writeln!(out, "{} {path} {reason} {state}", row.resource).unwrap();
        if with_texts {
            for (name, text) in [
                ("base", &row.base),
                ("local", &row.local),
                ("incoming", &row.incoming),
            ] {
                writeln!(out, "  {name}: {}", serde_json::to_string(text).unwrap()).unwrap();
            }
        }
    }
    out
}

fn run(case: &Case, incoming: &Stream, local: &Stream) -> Result<Merged, String> {
    let (base, owned, protected) = (
        case.stream("base"),
        case.paths("owned"),
        case.paths("protected"),
    );
    let prefer = match case.get("prefer").map(str::trim) {
        Some("incoming") => Prefer::Incoming,
        _ => Prefer::Local,
    };
    let input = MergeInput {
        base: &base,
        incoming,
        local,
        owned: &owned,
        protected: &protected,
        prefer,
    };
    let merged = merge(input).map_err(|e| e.to_string())?;
    let lost = account::lost(input, &merged);
    if !lost.is_empty() {
        return Err(format!("lost {lost:#?}"));
    }
    account::laws(input, &merged)?;
    Ok(merged)
}

/// Compares a section with what came out; with blessing, writes it instead.
fn compare(case: &mut Case, name: &str, found: &str, problems: &mut Vec<String>) {
    let bless = std::env::var_os("WINDLASS_BLESS").is_some();
    let wanted = case.get(name).map(ToOwned::to_owned);
    if wanted.as_deref() == Some(found) {
        return;
    }
    if bless {
        match case
            .sections
            .iter_mut()
            .find(|(section, _)| section == name)
        {
            Some((_, body)) => found.clone_into(body),
            None => case.sections.push((name.to_owned(), found.to_owned())),
        }
        return;
    }
    let wanted = wanted.unwrap_or_else(|| "(no such section)\n".to_owned());
    problems.push(format!(
        "{}: {name}\n--- wanted\n{wanted}--- found\n{found}",
        case.name()
    ));
}

fn check(case: &mut Case, problems: &mut Vec<String>) {
    let (incoming, local) = (case.stream("incoming"), case.stream("local"));
    let mut rounds = vec![("", run(case, &incoming, &local))];
    if case.get("swapped want").is_some() || case.get("swapped conflicts").is_some() {
        rounds.push(("swapped ", run(case, &local, &incoming)));
    }
    for (prefix, merged) in rounds {
        let merged = match merged {
            Ok(merged) => merged,
            Err(problem) => {
                problems.push(format!("{}: {prefix}{problem}", case.name()));
                continue;
            }
        };
        compare(
            case,
            &format!("{prefix}want"),
            merged.stream.text(),
            problems,
        );
        let name = format!("{prefix}conflicts");
        let with_texts = case
            .get(&name)
            .is_some_and(|rows| rows.contains("\n  base: "));
        compare(case, &name, &show(&merged.conflicts, with_texts), problems);
    }
}

#[test]
fn every_case_comes_out_as_written() {
    let mut problems = Vec::new();
    let cases = cases();
    assert!(cases.len() > 5, "expected the cases of the merge table");
    for mut case in cases {
        check(&mut case, &mut problems);
        if std::env::var_os("WINDLASS_BLESS").is_some() {
            let mut text = String::new();
            for (name, body) in &case.sections {
                write!(text, "=== {name}\n{body}").unwrap();
            }
            fs::write(&case.file, text).unwrap();
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The table has ten rows; each has a case, and each case says what happens with the
/// sides exchanged unless it is about owned or protected places.
#[test]
fn every_row_of_the_table_has_cases_in_both_directions() {
    let rows = [
        "scalar",
        "removed",
        "rename",
        "keys",
        "order",
        "list",
        "union",
        "lines",
        "comment",
        "document",
        "anchor",
        "owned",
        "protected",
        "prefer",
    ];
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases() {
        let name = case.name();
        let row = rows.iter().find(|row| name.starts_with(**row));
        let row = row.unwrap_or_else(|| panic!("{name}: begins with no row of the table"));
        *seen.entry(row).or_default() += 1;
        let sided = ["owned", "protected", "prefer"]
            .iter()
            .any(|s| case.get(s).is_some());
        assert!(
            sided || case.get("swapped want").is_some(),
            "{name}: only one direction"
        );
    }
    for row in rows {
        assert!(seen.contains_key(row), "no case for {row}");
    }
}

#[test]
fn paths_of_differences_go_by_merge_keys() {
    let before = "kind: Pod\nspec:\n  containers:\n  - {name: api, image: a, args: [x, y]}\n";
    let after = "kind: Pod\nspec:\n  containers:\n  - {name: web, image: w}\n  - {name: api, image: b, args: [y, z]}\n";
    let found: Vec<String> = windlass::yaml::diff(
        &Stream::parse(before).unwrap(),
        &Stream::parse(after).unwrap(),
    )
    .iter()
    .map(|d| format!("{} {:?} {:?}", d.path, d.before, d.after))
    .map(|line| line.replace('"', "").replace("String", ""))
    .collect();
    assert_eq!(
        found,
        [
            "spec.containers.?name=web None Some(Object {name: (web), image: (w)})",
            "spec.containers.?name=api.image Some((a)) Some((b))",
            "spec.containers.?name=api.args.0 Some((x)) None",
            "spec.containers.?name=api.args.1 None Some((z))",
        ]
    );
    assert!("spec.containers.?name=api".parse::<Path>().is_ok());
}
