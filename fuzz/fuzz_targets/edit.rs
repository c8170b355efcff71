//! Any bytes parse or are refused; an edit of any place gives what it says, or is refused.
//!
//! `cargo +nightly fuzz run edit`
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use windlass::path::Path;
use windlass::yaml::{Change, Edit, Kind, NodeRef, Stream, apply_to_values};

fn paths(node: NodeRef<'_>, path: &Path, found: &mut Vec<Path>) {
    found.push(path.clone());
    match node.kind() {
        Kind::Map => node.entries().for_each(|(key, child)| paths(child, &path.key(key), found)),
        Kind::List => {
            let items = node.items().enumerate();
            items.for_each(|(at, child)| paths(child, &path.index(at), found));
        }
        Kind::Scalar => {}
    }
}

fn values(stream: &Stream) -> Vec<Value> {
    stream.view().documents().map(|root| root.to_value()).collect()
}

fuzz_target!(|input: (u8, u8, &str)| {
    let (place, verb, text) = input;
    let Ok(stream) = Stream::parse(text) else { return };
    let Some(root) = stream.view().document(0) else { return };
    let mut found = Vec::new();
    paths(root, &Path::root(), &mut found);
    let path = found.swap_remove(usize::from(place) % found.len());
    let change = match verb % 6 {
        0 => Change::Set(json!("x: y\n").into()),
        1 => Change::Set(json!({ "a": [1, { "b": null }] }).into()),
        2 => Change::Remove,
        3 => Change::Append(json!("yes").into()),
        4 => Change::Insert { index: 0, content: json!({ "name": "n" }).into() },
        _ => Change::AddDocument(json!({ "kind": "X" }).into()),
    };
    let edit = Edit { document: 0, path, change };
    let mut wanted = values(&stream);
    let possible = apply_to_values(&mut wanted, &edit).is_ok();
    if let Ok(edited) = stream.apply(&[edit]) {
        assert!(possible);
        assert_eq!(values(&Stream::parse(edited.text()).expect("the result parses")), wanted);
    }
});
