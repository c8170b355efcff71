//! Three sequences woven into one, for lists without merge keys and for the lines of a text.
//!
//! Each side is aligned with the base; the stretches it changed are its hunks. Hunks of the two
//! sides that do not overlap both stand. Where they overlap and differ, one side's stands and the
//! caller writes a row.

use std::hash::Hash;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Which side's elements a [`Part`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The side that is merged into.
    Local,
    /// The side that is merged.
    Incoming,
}

/// A stretch of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Elements that neither side changed: their indexes in local, incoming and base begin here.
    Common {
        /// First index in local.
        local: usize,
        /// First index in incoming.
        incoming: usize,
        /// First index in base.
        base: usize,
        /// How many elements.
        len: usize,
    },
    /// Elements of one side.
    Of(Side, Range<usize>),
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Woven {
    /// The result from front to back.
    pub(super) parts: Vec<Part>,
    /// Whether hunks overlapped and differed.
    pub(super) conflict: bool,
}

impl Woven {
    /// The elements of the result.
    pub(super) fn elements<'s, T>(&self, incoming: &'s [T], local: &'s [T]) -> Vec<&'s T> {
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Part::Common { local: at, len, .. } => out.extend(&local[*at..at + len]),
                Part::Of(Side::Local, range) => out.extend(&local[range.clone()]),
                Part::Of(Side::Incoming, range) => out.extend(&incoming[range.clone()]),
            }
        }
        out
    }
}

/// How to weave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule<'r> {
    /// Elements of local (by index) that count as changed there although they equal the base's.
    pub(super) frozen: &'r [usize],
    /// Whose hunk stands where hunks overlap.
    pub(super) winner: Side,
    /// Whether an element that both sides added, at different places, is added once: right for
    /// the elements of a list, wrong for lines such as `}`.
    pub(super) once: bool,
}

/// A stretch that one side changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk {
    base: Range<usize>,
    side: Range<usize>,
}

/// Weaves the changes of `incoming` into `local`.
///
/// Weaving them into the result again changes nothing: where repeated or moved elements can be
/// aligned in several ways so that it would, the whole sequence is one conflict. (A result that
/// equals the base is the one exception: it cannot be told from no change.)
pub(super) fn weave<T: Eq + Hash>(
    base: &[T],
    incoming: &[T],
    local: &[T],
    rule: Rule<'_>,
) -> Woven {
    let woven = weave_into(base, incoming, local, rule);
    let result = woven.elements(incoming, local);
    if result.iter().copied().eq(base) || result.iter().copied().eq(local) {
        return woven;
    }
    let (base, theirs): (Vec<&T>, Vec<&T>) = (base.iter().collect(), incoming.iter().collect());
    let again = weave_into(
        &base,
        &theirs,
        &result,
        Rule {
            frozen: &[],
            ..rule
        },
    );
    if again.elements(&theirs, &result).into_iter().eq(&result) {
        return woven;
    }
    let whole = match rule.winner {
        Side::Local => Part::Of(Side::Local, 0..local.len()),
        Side::Incoming => Part::Of(Side::Incoming, 0..incoming.len()),
    };
    Woven {
        parts: vec![whole],
        conflict: true,
    }
}

fn weave_into<T: Eq + Hash>(base: &[T], incoming: &[T], local: &[T], rule: Rule<'_>) -> Woven {
    let woven = weave_once(base, incoming, local, rule);
    if !holds_already(base, incoming, local, &woven) {
        return woven;
    }
    Woven {
        parts: vec![Part::Of(Side::Local, 0..local.len())],
        conflict: false,
    }
}

/// Whether local is the outcome of this very merge: taken back and done again it gives the same.
///
/// Repeated elements can be aligned in several ways, so without this a merge done twice from the
/// same base could add an element twice.
fn holds_already<T: Eq + Hash>(base: &[T], incoming: &[T], local: &[T], woven: &Woven) -> bool {
    let plain = Rule {
        frozen: &[],
        winner: Side::Local,
        once: false,
    };
    let unchanged = !woven.conflict && woven.elements(incoming, local).into_iter().eq(local);
    if unchanged {
        return false;
    }
    let back = weave_once(incoming, base, local, plain);
    if back.conflict {
        return false;
    }
    let before = back.elements(base, local);
    if before.iter().copied().eq(local) {
        return false;
    }
    let base: Vec<&T> = base.iter().collect();
    let incoming: Vec<&T> = incoming.iter().collect();
    let again = weave_once(&base, &incoming, &before, plain);
    !again.conflict
        && again
            .elements(&incoming, &before)
            .into_iter()
            .copied()
            .eq(local)
}

fn weave_once<T: Eq + Hash>(base: &[T], incoming: &[T], local: &[T], rule: Rule<'_>) -> Woven {
    let mut ours = hunks(base, local);
    freeze(&mut ours, rule.frozen, base.len());
    let theirs = hunks(base, incoming);
    let mut out = Woven {
        parts: Vec::new(),
        conflict: false,
    };
    let (mut at, mut o, mut t) = (Cursor::default(), 0, 0);
    while o < ours.len() || t < theirs.len() {
        let (mine, yours) = cluster(&ours[o..], &theirs[t..]);
        let mine = &ours[o..o + mine];
        let yours = &theirs[t..t + yours];
        o += mine.len();
        t += yours.len();
        let start = mine.iter().chain(yours).map(|h| h.base.start).min();
        let end = mine.iter().chain(yours).map(|h| h.base.end).max();
        let (Some(start), Some(end)) = (start, end) else {
            break;
        };
        at.common_to(start, &mut out.parts);
        let ours_here = at.local..at.local + stretched(mine, end - start);
        let theirs_here = at.incoming..at.incoming + stretched(yours, end - start);
        let there = |hunk| rule.once && added_elsewhere(hunk, base, incoming, local);
        let side = if yours.is_empty() {
            Side::Local
        } else if mine.is_empty() {
            if yours.iter().all(there) {
                Side::Local
            } else {
                Side::Incoming
            }
        } else if contains(
            &base[start..end],
            &incoming[theirs_here.clone()],
            &local[ours_here.clone()],
        ) {
            Side::Local
        } else {
            out.conflict = true;
            rule.winner
        };
        let range = match side {
            Side::Local => ours_here.clone(),
            Side::Incoming => theirs_here.clone(),
        };
        if !range.is_empty() {
            out.parts.push(Part::Of(side, range));
        }
        at = Cursor {
            base: end,
            local: ours_here.end,
            incoming: theirs_here.end,
        };
    }
    at.common_to(base.len(), &mut out.parts);
    out
}

/// How far the three sequences have been read.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    base: usize,
    local: usize,
    incoming: usize,
}

impl Cursor {
    fn common_to(&mut self, base: usize, parts: &mut Vec<Part>) {
        let len = base - self.base;
        if len > 0 {
            parts.push(Part::Common {
                local: self.local,
                incoming: self.incoming,
                base: self.base,
                len,
            });
        }
        self.base += len;
        self.local += len;
        self.incoming += len;
    }
}

fn hunks<T: Eq + Hash>(base: &[T], side: &[T]) -> Vec<Hunk> {
    let mut out: Vec<Hunk> = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, base, side) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let hunk = Hunk {
            base: op.old_range(),
            side: op.new_range(),
        };
        match out.last_mut() {
            Some(last) if last.base.end == hunk.base.start && last.side.end == hunk.side.start => {
                last.base.end = hunk.base.end;
                last.side.end = hunk.side.end;
            }
            _ => out.push(hunk),
        }
    }
    out
}

/// Makes each frozen element of the side that lies between hunks a hunk of its own.
fn freeze(hunks: &mut Vec<Hunk>, frozen: &[usize], base_len: usize) {
    if frozen.is_empty() {
        return;
    }
    let mut added = Vec::new();
    let mut from = Cursor::default();
    let ends = std::iter::once(Hunk {
        base: base_len..base_len,
        side: usize::MAX..usize::MAX,
    });
    for hunk in hunks.iter().cloned().chain(ends) {
        let len = hunk.base.start - from.base;
        for &at in frozen {
            if (from.local..from.local + len).contains(&at) {
                let base = from.base + (at - from.local);
                added.push(Hunk {
                    base: base..base + 1,
                    side: at..at + 1,
                });
            }
        }
        from.base = hunk.base.end;
        from.local = hunk.side.end;
    }
    hunks.extend(added);
    hunks.sort_by_key(|h| (h.base.start, h.base.end));
}

/// How many hunks at the front of each side hang together.
fn cluster(ours: &[Hunk], theirs: &[Hunk]) -> (usize, usize) {
    let key = |h: &Hunk| (h.base.start, h.base.end);
    let (mut o, mut t) = match (ours.first(), theirs.first()) {
        (Some(a), Some(b)) if key(a) <= key(b) => (1, 0),
        (Some(_), None) => (1, 0),
        _ => (0, 1),
    };
    loop {
        let more_theirs = theirs
            .get(t)
            .is_some_and(|next| ours[..o].iter().any(|h| overlap(h, next)));
        if more_theirs {
            t += 1;
            continue;
        }
        let more_ours = ours
            .get(o)
            .is_some_and(|next| theirs[..t].iter().any(|h| overlap(h, next)));
        if !more_ours {
            return (o, t);
        }
        o += 1;
    }
}

/// Hunks that only touch do not overlap: an addition at the border of the other side's change has
/// one place to go.
fn overlap(a: &Hunk, b: &Hunk) -> bool {
    if a.base.is_empty() && b.base.is_empty() {
        return a.base.start == b.base.start;
    }
    a.base.start < b.base.end && b.base.start < a.base.end
}

/// The length on its side of a stretch of `len` base elements that holds `hunks`.
fn stretched(hunks: &[Hunk], len: usize) -> usize {
    let changed: usize = hunks.iter().map(|h| h.base.len()).sum();
    let by: usize = hunks.iter().map(|h| h.side.len()).sum();
    len - changed + by
}

/// Whether local has incoming's change of a stretch already: what it added stands there in its
/// order, what it removed is gone. Something else in the place of what incoming only removed is
/// no removal.
fn contains<T: Eq + Hash>(base: &[T], incoming: &[T], local: &[T]) -> bool {
    let changes = hunks(base, incoming);
    let removals = changes.iter().any(|hunk| hunk.side.is_empty());
    if removals && hunks(base, local).iter().any(|hunk| !hunk.side.is_empty()) {
        return false;
    }
    let mut rest = local.iter();
    let added = changes
        .iter()
        .flat_map(|h| &incoming[h.side.clone()])
        .all(|wanted| rest.any(|found| found == wanted));
    let count = |of: &[T], element: &T| of.iter().filter(|e| *e == element).count();
    let removed = changes
        .iter()
        .flat_map(|h| &base[h.base.clone()])
        .all(|gone| count(local, gone) <= count(incoming, gone));
    added && removed
}

/// Whether everything that a hunk only adds was added by local too, at another place.
fn added_elsewhere<T: Eq + Hash>(hunk: &Hunk, base: &[T], incoming: &[T], local: &[T]) -> bool {
    let count = |of: &[T], element: &T| of.iter().filter(|e| *e == element).count();
    hunk.base.is_empty()
        && incoming[hunk.side.clone()].iter().all(|element| {
            let had = count(base, element);
            count(local, element) > had && count(local, element) >= count(incoming, element)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule<'_> = Rule {
        frozen: &[],
        winner: Side::Local,
        once: true,
    };

    fn run(base: &str, incoming: &str, local: &str, rule: Rule<'_>) -> (String, bool) {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let (b, i, l) = (chars(base), chars(incoming), chars(local));
        let woven = weave(&b, &i, &l, rule);
        let text = woven.elements(&i, &l).into_iter().collect();
        (text, woven.conflict)
    }

    #[track_caller]
    fn check(base: &str, incoming: &str, local: &str, want: &str, conflict: bool) {
        assert_eq!(
            run(base, incoming, local, RULE),
            (want.to_owned(), conflict)
        );
    }

    #[test]
    fn changes_at_different_places_both_stand() {
        check("abcd", "xbcd", "abcy", "xbcy", false);
        check("ab", "xb", "ay", "xy", false);
        check("ab", "abn", "ay", "ayn", false);
        check("abc", "ac", "abcn", "acn", false);
        check("", "", "a", "a", false);
    }

    #[test]
    fn overlapping_changes_keep_the_winners_and_say_so() {
        check("abc", "axc", "ayc", "ayc", true);
        check("a", "ax", "ay", "ay", true);
        check("abcd", "ad", "abxd", "abxd", true);
        let theirs = Rule {
            winner: Side::Incoming,
            ..RULE
        };
        assert_eq!(run("abcz", "axcz", "aycw", theirs), ("axcw".into(), true));
    }

    #[test]
    fn what_both_did_counts_once() {
        check("abc", "axc", "axc", "axc", false);
        check("a", "ax", "axy", "axy", false);
        check("ab", "abv", "vab", "vab", false);
        check("abc", "ac", "ac", "ac", false);
    }

    #[test]
    fn a_frozen_element_counts_as_changed() {
        let frozen = Rule {
            frozen: &[1],
            ..RULE
        };
        assert_eq!(run("abc", "axc", "abc", frozen), ("abc".into(), true));
        assert_eq!(run("abc", "xbc", "abc", frozen), ("xbc".into(), false));
        assert_eq!(run("abc", "axc", "nabc", frozen), ("naxc".into(), false));
    }

    #[test]
    fn weaving_again_changes_nothing() {
        let words = [
            "", "a", "aa", "ab", "ba", "aba", "abb", "bab", "abcab", "caa", "bbb", "abc", "xaby",
        ];
        for once in [true, false] {
            let rule = Rule { once, ..RULE };
            for base in words {
                for incoming in words {
                    for local in words {
                        let (first, _) = run(base, incoming, local, rule);
                        // What undid local's change looks like no change at all.
                        if first == base {
                            continue;
                        }
                        let (second, _) = run(base, incoming, &first, rule);
                        assert_eq!(first, second, "{base:?} {incoming:?} {local:?} {once}");
                    }
                }
            }
        }
    }

    #[test]
    fn one_changed_side_is_taken_whole() {
        let words = ["", "a", "aa", "ab", "aba", "abb", "bab", "abcab"];
        for base in words {
            for other in words {
                assert_eq!(run(base, other, base, RULE), (other.to_owned(), false));
                assert_eq!(run(base, base, other, RULE), (other.to_owned(), false));
            }
        }
    }
}
