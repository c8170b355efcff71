//! The layer table of ARCHITECTURE.md is what the code does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// No file has more lines than this outside its tests.
const MAX_LINES: usize = 800;

type Table = BTreeMap<String, BTreeSet<String>>;

fn table() -> Table {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let start = text.find("| module | may name |").expect("the layer table");
    let mut table = Table::new();
    for row in text[start..]
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let names = |cell: &str| -> BTreeSet<String> {
            cell.split(',')
                .map(|name| name.trim_matches([' ', '`', '–']).to_owned())
                .filter(|name| !name.is_empty())
                .collect()
        };
        for module in names(cells[0]) {
            table.insert(module, names(cells[1]));
        }
    }
    table
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&root().join("src"), &mut found);
    found.sort();
    found
}

/// The lines before the tests at the bottom, without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).expect("below src");
    let first = relative
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_name_only_what_the_table_allows() {
    let table = table();
    let mut broken = Vec::new();
    for path in all_sources() {
        let module = module_of(&path);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let Some(allowed) = table.get(&module) else {
            broken.push(format!("{module} is missing from the table"));
            continue;
        };
        let text = std::fs::read_to_string(&path).expect("a source file");
        for (line, code) in code(&text) {
            for part in code.split("crate::").skip(1) {
                let named: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let is_error_of_leaf = module == "error" && table.contains_key(&named);
                if named != module
                    && !named.is_empty()
                    && !allowed.contains(&named)
                    && !is_error_of_leaf
                {
                    broken.push(format!(
                        "{}:{}: {module} names {named}",
                        path.display(),
                        line + 1
                    ));
                }
            }
            let depth = path
                .strip_prefix(root().join("src"))
                .expect("below src")
                .components()
                .count();
            if code.matches("super::super::").count() > 0 && depth <= 2 {
                broken.push(format!(
                    "{}:{}: climbs out by super",
                    path.display(),
                    line + 1
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_module_of_the_table_exists() {
    let modules: BTreeSet<String> = all_sources().iter().map(|path| module_of(path)).collect();
    let missing: Vec<_> = table()
        .into_keys()
        .filter(|module| !modules.contains(module))
        .collect();
    assert!(
        missing.is_empty(),
        "in the table, but not in src: {missing:?}"
    );
}

#[test]
fn files_stay_small_and_say_what_they_are() {
    let vague = [
        "util", "utils", "common", "helper", "helpers", "misc", "manager", "types",
    ];
    let mut broken = Vec::new();
    for path in all_sources() {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let lines = text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
            .count();
        if lines > MAX_LINES {
            broken.push(format!("{} has {lines} lines", path.display()));
        }
        let stem = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if vague.contains(&stem.as_str()) {
            broken.push(format!("{} does not say what it is", path.display()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_key_layout_in_the_documentation_is_the_one_in_the_code() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).expect("a file");
    let code = read("src/db/key.rs");
    let documented = read("ARCHITECTURE.md");
    let rows = code.lines().filter_map(|line| line.strip_prefix("//! |"));
    for row in rows {
        // Links of the code's documentation are plain names elsewhere.
        let mut plain = String::from("|");
        let mut rest = row;
        while let Some((before, link)) = rest.split_once("[`") {
            let (name, after) = link.split_once("`](").expect("a link");
            plain.extend([before, "`", name, "`"]);
            rest = after.split_once(')').expect("the end of a link").1;
        }
        plain.push_str(rest);
        assert!(
            documented.contains(&plain),
            "missing in ARCHITECTURE.md: {plain}"
        );
    }
}
