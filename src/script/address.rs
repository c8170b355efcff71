//! Paths of concrete places, as edits and ownership record them.

use super::look::{Look, Step};
use crate::path::{Path, Segment};

/// Keys that tell the elements of a list apart, by the key that the list stands under: the merge
/// keys of Kubernetes' own API.
const MERGE_KEYS: [(&str, &[&str]); 18] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("env", &["name"]),
    ("volumes", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("ports", &["containerPort", "protocol"]),
    ("ports", &["containerPort"]),
    ("ports", &["port", "protocol"]),
    ("ports", &["port"]),
    ("imagePullSecrets", &["name"]),
    ("hostAliases", &["ip"]),
    (
        "topologySpreadConstraints",
        &["topologyKey", "whenUnsatisfiable"],
    ),
    ("volumeClaimTemplates", &["metadata.name"]),
    ("resourceClaims", &["name"]),
    ("secrets", &["name"]),
    ("ownerReferences", &["uid"]),
];

/// The place with indexes for elements.
pub(super) fn plain(steps: &[Step]) -> Path {
    steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => Segment::Key(key.to_string()),
            Step::Index(index) => Segment::Key(index.to_string()),
        })
        .collect::<Vec<_>>()
        .into()
}

/// The place with `?name=api` for elements of keyed lists, where that names one element only.
pub(super) fn keyed(root: Look<'_>, steps: &[Step]) -> Path {
    let mut at = Some(root);
    let mut list_key = None;
    let mut segments = Vec::with_capacity(steps.len());
    for step in steps {
        segments.push(match step {
            Step::Key(key) => Segment::Key(key.to_string()),
            Step::Index(index) => at
                .zip(list_key)
                .and_then(|(list, key)| matching(list, key, *index))
                .unwrap_or_else(|| Segment::Key(index.to_string())),
        });
        list_key = match step {
            Step::Key(key) => Some(key.as_ref()),
            Step::Index(_) => None,
        };
        at = at.and_then(|look| look.step(step));
    }
    segments.into()
}

fn matching(list: Look<'_>, list_key: &str, index: usize) -> Option<Segment> {
    let item = list.item(index)?;
    MERGE_KEYS
        .iter()
        .filter(|(key, _)| *key == list_key)
        .find_map(|(_, fields)| {
            let pairs: Vec<(String, String)> = fields
                .iter()
                .map(|field| Some(((*field).to_owned(), item.get(field)?.text()?)))
                .collect::<Option<_>>()?;
            let alike = (0..list.len())
                .filter_map(|at| list.item(at))
                .filter(|other| {
                    pairs.iter().all(|(key, value)| {
                        other.get(key).and_then(Look::text).as_deref() == Some(value.as_str())
                    })
                });
            (alike.count() == 1).then_some(Segment::Match(pairs))
        })
}
