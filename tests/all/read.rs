//! The tree reads as other readers of YAML do, where they agree with kubectl.

use serde_json::Value;
use windlass::yaml::Stream;

use crate::corpus;

/// Plain scalars that serde-saphyr reads differently from kubectl (leading zeros).
fn disagrees(stream: &Stream) -> bool {
    !windlass::yaml::lint(stream).is_empty()
}

#[test]
fn real_manifests_read_as_serde_saphyr_reads_them() {
    let Some(texts) = corpus::texts() else { return };
    let (mut compared, mut skipped) = (0, 0);
    for (name, text) in &texts {
        let Ok(stream) = Stream::parse(text) else {
            continue;
        };
        let theirs = serde_saphyr::from_multiple::<Value>(text);
        let Ok(theirs) = theirs.map_err(|_| ()) else {
            skipped += 1;
            continue;
        };
        let ours: Vec<Value> = stream
            .view()
            .documents()
            .map(|root| root.to_value())
            .collect();
        let theirs: Vec<Value> = theirs
            .into_iter()
            .filter(|value| !value.is_null())
            .collect();
        if disagrees(&stream) || (!text.ends_with('\n') && ours != theirs) {
            skipped += 1;
            continue;
        }
        assert_eq!(ours, theirs, "{name}");
        compared += 1;
    }
    assert!(compared > 400, "{compared} compared, {skipped} skipped");
}
