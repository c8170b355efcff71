//! Paths of concrete places, as edits and ownership record them.

use super::look::{Look, Step};
use crate::path::{Path, Segment};
use crate::yaml::merge_keys;

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
    let kind = root.get("kind").and_then(Look::text).unwrap_or_default();
    let mut at = Some(root);
    let mut segments = Vec::with_capacity(steps.len());
    for step in steps {
        let segment = match step {
            Step::Key(key) => Segment::Key(key.to_string()),
            Step::Index(index) => at
                .and_then(|list| matching(list, &kind, &segments, *index))
                .unwrap_or_else(|| Segment::Key(index.to_string())),
        };
        segments.push(segment);
        at = at.and_then(|look| look.step(step));
    }
    segments.into()
}

/// The merge keys of an element of the list at `place`, where no other has the same values. What
/// the API would fill in is left out, so that the path names what is written.
fn matching(list: Look<'_>, kind: &str, place: &[Segment], index: usize) -> Option<Segment> {
    let item = list.item(index)?;
    merge_keys(kind, place).find_map(|keys| {
        let mut pairs: Vec<(String, String)> = Vec::with_capacity(keys.len());
        for key in keys {
            match item.get(key.name).and_then(Look::text) {
                Some(value) => pairs.push((key.name.to_owned(), value)),
                None if key.default.is_some() => {}
                None => return None,
            }
        }
        let is_alike = |other: &Look<'_>| {
            pairs.iter().all(|(key, value)| {
                other.get(key).and_then(Look::text).as_deref() == Some(value.as_str())
            })
        };
        let items = (0..list.len()).filter_map(|at| list.item(at));
        (items.filter(is_alike).count() == 1).then_some(Segment::Match(pairs))
    })
}
