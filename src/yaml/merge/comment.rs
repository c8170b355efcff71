//! Comments, merged three-way like values, except that two changes never make a row: local stays.

use super::source::Source;
use crate::yaml::Comments;
use crate::yaml::tree::{NodeRef, flag};

/// The comments that a node shall have, if they are not those that it has in local.
pub(super) fn merge(
    source: &Source<'_>,
    base: Option<NodeRef<'_>>,
    incoming: NodeRef<'_>,
    local: NodeRef<'_>,
) -> Option<Comments> {
    // What an alias brought has the comments of the original; they are merged there.
    if incoming.has(flag::ALIAS) || local.has(flag::ALIAS) {
        return None;
    }
    let before = base
        .map(|node| source.base.comments(node))
        .unwrap_or_default();
    let theirs = source.incoming.comments(incoming);
    let ours = source.local.comments(local);
    let pick = |before: &Option<String>, theirs: &Option<String>, ours: &Option<String>| {
        if ours == before {
            theirs.clone()
        } else {
            ours.clone()
        }
    };
    let merged = Comments {
        above: pick(&before.above, &theirs.above, &ours.above),
        beside: pick(&before.beside, &theirs.beside, &ours.beside),
    };
    (merged != ours).then_some(merged)
}
