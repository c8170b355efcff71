//! Which document of one text is which of another.

use super::{ResourceId, Stream};

/// Pairs the documents of two versions of a text: by identity, then by group, kind and name, then
/// as the only one of its kind. In the order of `after`; those that are gone come last.
pub fn pair(before: &Stream, after: &Stream) -> Vec<(Option<usize>, Option<usize>)> {
    let (old, new) = (before.resources(), after.resources());
    let mut found: Vec<Option<usize>> = vec![None; new.len()];
    let rules: [fn(&ResourceId, &ResourceId) -> bool; 3] = [
        |a, b| a == b,
        |a, b| a.group == b.group && a.kind == b.kind && a.name == b.name,
        |a, b| a.group == b.group && a.kind == b.kind,
    ];
    for rule in rules {
        for at in 0..new.len() {
            let is_free = |o: &usize, found: &[Option<usize>]| !found.contains(&Some(*o));
            let fits: Vec<usize> = (0..old.len())
                .filter(|o| is_free(o, &found) && rule(&old[*o], &new[at]))
                .collect();
            let rivals = (0..new.len())
                .filter(|n| found[*n].is_none() && rule(&new[at], &new[*n]))
                .count();
            if found[at].is_none() && rivals == 1 && fits.len() == 1 {
                found[at] = fits.first().copied();
            }
        }
    }
    let gone = (0..old.len()).filter(|o| !found.contains(&Some(*o)));
    let gone: Vec<_> = gone.map(|o| (Some(o), None)).collect();
    let mut pairs: Vec<_> = found
        .iter()
        .enumerate()
        .map(|(n, o)| (*o, Some(n)))
        .collect();
    pairs.extend(gone);
    pairs
}
