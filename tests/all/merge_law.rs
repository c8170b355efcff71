//! The laws of the merge on real manifests with random changes on both sides, and on small
//! generated documents.
//!
//! `WINDLASS_MERGES` sets how many merges of manifests are tried; `WINDLASS_SEED` says where to begin.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be read or made fails the test"
)]

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};
use windlass::path::{Path, Segment};
use windlass::yaml::merge::{MergeInput, Prefer, RowState, edits_between, merge, settle, take};
use windlass::yaml::{Change, Content, Edit, Kind, NodeRef, PathSet, Stream, diff};

use crate::account;

/// Numbers that look random and come again with the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var_os(name).and_then(|text| text.to_str()?.parse().ok());
    given.unwrap_or(default)
}

/// Every node below the root with its path.
fn nodes<'a>(node: NodeRef<'a>, path: &Path, out: &mut Vec<(Path, NodeRef<'a>)>) {
    for (at, child) in node.items().enumerate() {
        let inner = match child.key() {
            Some(key) => path.key(key),
            None => path.index(at),
        };
        out.push((inner.clone(), child));
        nodes(child, &inner, out);
    }
}

fn changed_scalar(random: &mut Random, node: NodeRef<'_>) -> Value {
    match node.to_value() {
        Value::Number(_) => json!(random.below(9)),
        Value::Bool(value) => json!(!value),
        Value::String(text) if text.trim_end().contains('\n') => {
            let mut lines: Vec<String> = text.split_inclusive('\n').map(Into::into).collect();
            let at = random.below(lines.len());
            lines[at] = format!("changed {}\n", random.below(4));
            json!(lines.concat())
        }
        _ => json!(format!("value-{}", random.below(5))),
    }
}

/// A random change at a random place of the text.
fn random_edit(random: &mut Random, stream: &Stream) -> Option<Edit> {
    let document = random.below(stream.view().document_count());
    let root = stream.view().document(document)?;
    let mut all = Vec::new();
    nodes(root, &Path::root(), &mut all);
    let (path, node) = all.get(random.below(all.len()))?.clone();
    let identity = [
        "apiVersion",
        "kind",
        "metadata",
        "metadata.name",
        "metadata.namespace",
    ]
    .contains(&path.to_string().as_str());
    let change = match (node.kind(), random.below(8)) {
        _ if identity => return None,
        (Kind::Map, 0..=3) => {
            let key = format!("added{}", random.below(3));
            let value = json!(random.below(3));
            let path = path.key(&key);
            let change = Change::Set(Content::Value(value));
            return Some(Edit {
                document,
                path,
                change,
            });
        }
        (Kind::List, 0..=1) => {
            let named = node.item(0).is_some_and(|item| item.get("name").is_some());
            let name = format!("added{}", random.below(3));
            let value = if named {
                json!({ "name": name })
            } else {
                json!(name)
            };
            Change::Insert {
                index: random.below(node.len() + 1),
                content: Content::Value(value),
            }
        }
        (Kind::List, 2..=3) if node.len() > 1 => {
            let mut order: Vec<usize> = (0..node.len()).collect();
            order.rotate_left(1 + random.below(node.len() - 1));
            Change::Reorder(order)
        }
        (Kind::Scalar, 0..=5) => Change::Set(Content::Value(changed_scalar(random, node))),
        (Kind::Scalar, 6) if matches!(path.last(), Some(Segment::Key(_))) => Change::SetComment {
            above: Some(format!("# comment {}", random.below(3))),
            beside: None,
        },
        (_, 7) => Change::Remove,
        _ => return None,
    };
    Some(Edit {
        document,
        path,
        change,
    })
}

fn varied(random: &mut Random, base: &Stream) -> Stream {
    let mut stream = base.clone();
    let mut left = 1 + random.below(4);
    for _ in 0..40 {
        if left == 0 {
            break;
        }
        if let Some(edit) = random_edit(random, &stream)
            && let Ok(next) = stream.apply(&[edit])
        {
            stream = next;
            left -= 1;
        }
    }
    stream
}

fn values(stream: &Stream) -> Vec<Value> {
    stream
        .view()
        .documents()
        .map(|root| root.to_value())
        .collect()
}

/// Merges and checks everything that holds for every merge.
fn check(name: &str, base: &Stream, incoming: &Stream, local: &Stream, random: &mut Random) {
    let none = PathSet::default();
    let some = |random: &mut Random| -> PathSet {
        let mut set = PathSet::default();
        let all = diff(base, incoming);
        if random.below(3) == 0
            && let Some(found) = all.get(random.below(all.len()))
            && !found.path.is_root()
        {
            set.insert(None, found.path.clone());
        }
        set
    };
    let (owned, protected) = (some(random), some(random));
    let held = [(&none, &none), (&owned, &protected)];
    for (owned, protected) in held {
        for prefer in [Prefer::Local, Prefer::Incoming] {
            let input = MergeInput {
                base,
                incoming,
                local,
                owned,
                protected,
                prefer,
            };
            let told = || {
                format!(
                    "{name}\n=== base\n{}=== incoming\n{}=== local\n{}",
                    base.text(),
                    incoming.text(),
                    local.text()
                )
            };
            let merged = merge(input).unwrap_or_else(|e| panic!("{e}: {}", told()));
            let lost = account::lost(input, &merged);
            let rows: Vec<String> = merged
                .conflicts
                .iter()
                .map(|row| {
                    format!(
                        "{} {} {:?} {:?}",
                        row.resource, row.path, row.reason, row.state
                    )
                })
                .collect();
            assert!(lost.is_empty(), "lost {lost:#?}\n{rows:#?}\n{}", told());
            account::laws(input, &merged).unwrap_or_else(|e| panic!("{e}\n{}", told()));
            if prefer == Prefer::Incoming && protected.is_empty() {
                let open = merged
                    .conflicts
                    .iter()
                    .any(|row| row.state != RowState::Taken);
                assert!(
                    !open,
                    "an open row though incoming is preferred: {}",
                    told()
                );
            }
            let again = local.apply(&merged.edits).unwrap();
            assert_eq!(values(&again), values(&merged.stream), "{}", told());
            settles(&merged.stream, &merged.conflicts, &told);
        }
    }
    let edits = edits_between(base, incoming).unwrap();
    assert_eq!(
        values(&base.apply(&edits).unwrap()),
        values(incoming),
        "{name}"
    );
}

/// Taking incoming of a row and putting local back are possible, and taking twice is once.
fn settles(
    stream: &Stream,
    rows: &[windlass::yaml::merge::ConflictRow],
    told: &dyn Fn() -> String,
) {
    for row in rows {
        let edits = take(stream, row).unwrap_or_else(|e| panic!("{e}: {row:#?}\n{}", told()));
        let taken = stream
            .apply(&edits)
            .unwrap_or_else(|e| panic!("{e}: {row:#?}\n{}", told()));
        if row.reason == windlass::yaml::merge::Reason::Renamed {
            continue;
        }
        let again = take(&taken, row).unwrap_or_else(|e| panic!("{e}: {row:#?}\n{}", told()));
        assert!(
            again.is_empty(),
            "{again:#?} {row:#?}\n{}\n{}",
            taken.text(),
            told()
        );
        settle(stream, row, row.local.as_deref()).unwrap();
    }
}

fn corpus() -> Option<Vec<std::path::PathBuf>> {
    let given = std::env::var_os("WINDLASS_CORPUS").map(std::path::PathBuf::from);
    let folder = given.unwrap_or_else(|| {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/yaml")
    });
    let mut files: Vec<_> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    Some(files)
}

#[test]
fn merges_of_real_manifests_account_for_every_place() {
    let Some(files) = corpus() else {
        println!("skipped: no corpus; set WINDLASS_CORPUS to its folder");
        return;
    };
    let (count, seed) = (number("WINDLASS_MERGES", 120), number("WINDLASS_SEED", 1));
    let mut tried = 0;
    for round in 0..count {
        let mut random = Random(seed.wrapping_mul(1_000_003).wrapping_add(round));
        let file = &files[random.below(files.len())];
        let Ok(base) = Stream::parse_bytes(&fs::read(file).unwrap()) else {
            continue;
        };
        if base.text().len() > 20_000 || base.view().document_count() == 0 {
            continue;
        }
        tried += 1;
        let incoming = varied(&mut random, &base);
        let local = varied(&mut random, &base);
        let name = format!("{} round {round}", file.display());
        check(&name, &base, &incoming, &local, &mut random);
    }
    assert!(
        tried * 2 > count,
        "most files should be read: {tried} of {count}"
    );
}

/// Small values: few keys and few scalars, so that the sides meet.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (0..3_u8).prop_map(|n| json!(n)),
        "[ab]".prop_map(|s| json!(s)),
        "[ab]\n[ab]\n[ab]\n".prop_map(|s| json!(s)),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let named = prop::sample::subsequence(vec!["p", "q", "r", "s"], 0..=4)
            .prop_shuffle()
            .prop_flat_map({
                let inner = inner.clone();
                move |names| {
                    prop::collection::vec(inner.clone(), names.len()).prop_map(move |values| {
                        names
                            .iter()
                            .zip(values)
                            .map(|(name, value)| json!({ "name": name, "value": value }))
                            .collect::<Value>()
                    })
                }
            });
        let keys = prop::sample::select(vec!["k", "env", "valueFrom", "strategy", "type"]);
        prop_oneof![
            prop::collection::btree_map(keys, inner.clone(), 0..4).prop_map(|map| json!(map)),
            named.prop_map(|list| json!({ "env": list })),
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

fn document(spec: &Value) -> Stream {
    let base = Stream::parse("kind: Pod\nmetadata:\n  name: a\nspec: 0\n").unwrap();
    let path = Path::root().key("spec");
    base.apply(&[Edit::set(0, path, spec.clone())]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn merges_of_small_documents_account_for_every_place(
        base in value(), incoming in value(), local in value(), seed in any::<u64>(),
    ) {
        let [base, incoming, local] = [&base, &incoming, &local].map(document);
        check("generated", &base, &incoming, &local, &mut Random(seed));
    }
}
