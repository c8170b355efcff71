//! Data-driven cases of edits: each file in `tests/edit/` holds cases of before, do and after.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;

use serde_json::Value;
use windlass::yaml::{Change, Edit, Fragment, Stream};

/// One case: `=== before`, `=== do` (one edit a line), `=== after` (or `error: …`).
struct Case {
    name: String,
    before: String,
    edits: Vec<Edit>,
    after: String,
}

/// In a case's text `␍` stands for a carriage return and a final `␄` for "no final line break".
fn unescape(text: &str) -> String {
    text.replace('␍', "\r")
        .replace("␄\n", "")
        .replace('␉', "\t")
        .replace('␠', " ")
        .replace('␂', "\u{feff}")
}

fn edit(line: &str, stream: &Stream) -> Edit {
    let mut words = line.splitn(3, ' ');
    let (verb, path) = (words.next().unwrap(), words.next().unwrap_or(""));
    let rest = words.next().unwrap_or("");
    let (document, path) = path
        .split_once('@')
        .map_or((0, path), |(n, path)| (n.parse().unwrap(), path));
    let value =
        || -> Value { serde_json::from_str(rest).unwrap_or_else(|e| panic!("{line}: {e}")) };
    let source = || {
        let from = stream
            .view()
            .document(0)
            .unwrap()
            .at(&rest.parse().unwrap())
            .unwrap();
        Fragment::of(stream, from)
    };
    let change = match verb {
        "set" => Change::Set(value().into()),
        "copy" => Change::Set(source().into()),
        "copy-append" => Change::Append(source().into()),
        "remove" => Change::Remove,
        "append" => Change::Append(value().into()),
        "insert" => {
            let (index, value) = rest.split_once(' ').unwrap();
            let content = serde_json::from_str::<Value>(value).unwrap().into();
            Change::Insert {
                index: index.parse().unwrap(),
                content,
            }
        }
        "reorder" => Change::Reorder(serde_json::from_str(rest).unwrap()),
        "comment" => {
            let value = value();
            let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
            Change::SetComment {
                above: text("above"),
                beside: text("beside"),
            }
        }
        "add-document" => Change::AddDocument(value().into()),
        "remove-document" => Change::RemoveDocument,
        other => panic!("unknown edit {other}"),
    };
    Edit {
        document,
        path: path.parse().unwrap(),
        change,
    }
}

fn cases(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).unwrap();
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let mut cases = Vec::new();
    for block in text.split("=== before").skip(1) {
        let (title, block) = block.split_once('\n').unwrap();
        let (before, block) = block.split_once("=== do\n").expect("a case has `=== do`");
        let (edits, after) = block
            .split_once("=== after\n")
            .expect("a case has `=== after`");
        let before = unescape(before);
        let stream = Stream::parse(&before).unwrap_or_else(|e| panic!("{name}:{title}: {e}"));
        cases.push(Case {
            name: format!("{name}:{title}"),
            edits: edits.lines().map(|line| edit(line, &stream)).collect(),
            before,
            after: unescape(after),
        });
    }
    cases
}

#[test]
fn cases_in_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edit");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let (mut count, mut failed) = (0, Vec::new());
    for case in files.iter().flat_map(|file| cases(file)) {
        count += 1;
        let found = match Stream::parse(&case.before).unwrap().apply(&case.edits) {
            Ok(stream) => stream.text().to_owned(),
            Err(error) => format!("error: {error}\n"),
        };
        if found != case.after {
            failed.push(format!(
                "{}\n--- wanted\n{}\n--- found\n{}",
                case.name, case.after, found
            ));
        }
    }
    assert!(count > 0, "no cases found");
    assert!(
        failed.is_empty(),
        "{} of {count} cases:\n{}",
        failed.len(),
        failed.join("\n")
    );
}
