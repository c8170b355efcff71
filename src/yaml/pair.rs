//! Which document of one version is which of another.

use super::Stream;
use super::resource::ResourceId;
use super::tree::{Kind, NodeRef};

/// Pairs the documents of two versions of a unit.
///
/// By group, kind, namespace and name; then by group, kind and name where that is unique on both
/// sides; then the only one of its kind; then by likeness, at least half of the leaves. The
/// version of the API never counts. Each document is in exactly one pair: first those of `before`
/// in order, with none for what is gone, then what is new, in the order of `after`.
///
/// ```
/// use windlass::yaml::{Stream, pair};
///
/// let before = Stream::parse("kind: A\n---\nkind: B\n").unwrap();
/// let after = Stream::parse("kind: B\n---\nkind: C\nx: 1\n").unwrap();
/// assert_eq!(pair(&before, &after), [(Some(0), None), (Some(1), Some(0)), (None, Some(1))]);
/// ```
pub fn pair(before: &Stream, after: &Stream) -> Vec<(Option<usize>, Option<usize>)> {
    let sides = [before.resources(), after.resources()];
    let mut found = Pairs {
        of_before: vec![None; sides[0].len()],
        of_after: vec![None; sides[1].len()],
    };
    found.by_key(&sides, |id| Some(id.full()), false);
    found.by_key(
        &sides,
        |id| Some(format!("{}/{}/{}", id.group, id.kind, id.name)),
        true,
    );
    found.by_key(&sides, |id| Some(format!("{}/{}", id.group, id.kind)), true);
    found.by_likeness(before, after, &sides);
    let new = found.of_after.iter().enumerate();
    let new = new
        .filter(|(_, partner)| partner.is_none())
        .map(|(at, _)| (None, Some(at)));
    let old = found
        .of_before
        .iter()
        .enumerate()
        .map(|(at, partner)| (Some(at), *partner));
    old.chain(new).collect()
}

struct Pairs {
    of_before: Vec<Option<usize>>,
    of_after: Vec<Option<usize>>,
}

impl Pairs {
    fn join(&mut self, before: usize, after: usize) {
        self.of_before[before] = Some(after);
        self.of_after[after] = Some(before);
    }

    /// Joins what has the same key and is still alone: in order, or only where it is unique.
    fn by_key(
        &mut self,
        sides: &[Vec<ResourceId>; 2],
        key: impl Fn(&ResourceId) -> Option<String>,
        unique: bool,
    ) {
        let keyed = |ids: &[ResourceId], taken: &[Option<usize>]| -> Vec<(String, usize)> {
            let free = ids
                .iter()
                .enumerate()
                .filter(|(at, _)| taken[*at].is_none());
            free.filter_map(|(at, id)| Some((key(id)?, at))).collect()
        };
        let left = keyed(&sides[0], &self.of_before);
        let right = keyed(&sides[1], &self.of_after);
        let count =
            |list: &[(String, usize)], key: &str| list.iter().filter(|(k, _)| k == key).count();
        for (key, at) in &left {
            if unique && (count(&left, key) != 1 || count(&right, key) != 1) {
                continue;
            }
            let partner = right
                .iter()
                .find(|(k, to)| k == key && self.of_after[*to].is_none());
            if let Some((_, to)) = partner {
                self.join(*at, *to);
            }
        }
    }

    /// Joins documents of one kind, the likest first.
    fn by_likeness(&mut self, before: &Stream, after: &Stream, sides: &[Vec<ResourceId>; 2]) {
        let mut likes = Vec::new();
        for (at, left) in before.view().documents().enumerate() {
            for (to, right) in after.view().documents().enumerate() {
                let (a, b) = (&sides[0][at], &sides[1][to]);
                let free = self.of_before[at].is_none() && self.of_after[to].is_none();
                if !free || a.kind != b.kind || a.group != b.group {
                    continue;
                }
                let (same, all) = likeness(left, right);
                if same * 2 >= all {
                    likes.push((std::cmp::Reverse(same * 1000 / all.max(1)), at, to));
                }
            }
        }
        likes.sort_unstable();
        for (_, at, to) in likes {
            if self.of_before[at].is_none() && self.of_after[to].is_none() {
                self.join(at, to);
            }
        }
    }
}

/// How many leaves two nodes share at the same places, and how many the larger one has.
pub(super) fn likeness(left: NodeRef<'_>, right: NodeRef<'_>) -> (usize, usize) {
    (shared(left, right), leaves(left).max(leaves(right)))
}

fn leaves(node: NodeRef<'_>) -> usize {
    match node.kind() {
        Kind::Scalar => 1,
        _ => node.items().map(leaves).sum(),
    }
}

fn shared(left: NodeRef<'_>, right: NodeRef<'_>) -> usize {
    match (left.kind(), right.kind()) {
        (Kind::Map, Kind::Map) => left
            .entries()
            .filter_map(|(key, child)| Some(shared(child, right.get(key)?)))
            .sum(),
        (Kind::List, Kind::List) => left
            .items()
            .zip(right.items())
            .map(|(a, b)| shared(a, b))
            .sum(),
        (Kind::Scalar, Kind::Scalar) => usize::from(left.same_value(&right)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(before: &str, after: &str) -> Vec<(Option<usize>, Option<usize>)> {
        pair(
            &Stream::parse(before).unwrap(),
            &Stream::parse(after).unwrap(),
        )
    }

    fn doc(version: &str, kind: &str, namespace: &str, name: &str) -> String {
        format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata:\n  namespace: {namespace}\n  name: {name}\n"
        )
    }

    #[test]
    fn the_version_never_counts_and_order_does_not() {
        let before = [doc("apps/v1beta1", "A", "x", "1"), doc("v1", "B", "x", "2")].join("---\n");
        let after = [doc("v2", "B", "x", "2"), doc("apps/v1", "A", "x", "1")].join("---\n");
        assert_eq!(
            pairs(&before, &after),
            [(Some(0), Some(1)), (Some(1), Some(0))]
        );
    }

    #[test]
    fn a_moved_namespace_and_a_new_name_are_followed() {
        assert_eq!(
            pairs(&doc("v1", "A", "x", "1"), &doc("v1", "A", "y", "1")),
            [(Some(0), Some(0))]
        );
        assert_eq!(
            pairs(&doc("v1", "A", "x", "1"), &doc("v1", "A", "y", "2")),
            [(Some(0), Some(0))]
        );
    }

    #[test]
    fn of_several_of_a_kind_the_likest_is_taken() {
        let before = format!(
            "{}a: 1\nb: 2\n---\n{}c: 3\n",
            doc("v1", "A", "x", "1"),
            doc("v1", "A", "x", "2")
        );
        let after = format!(
            "{}c: 3\n---\n{}a: 1\nb: 2\n",
            doc("v1", "A", "x", "3"),
            doc("v1", "A", "x", "4")
        );
        assert_eq!(
            pairs(&before, &after),
            [(Some(0), Some(1)), (Some(1), Some(0))]
        );
        let other = "apiVersion: v1\nkind: A\nq: 1\nr: 2\ns: 3\nt: 4\n";
        let two = format!("{other}---\n{other}u: 5\n");
        assert_eq!(
            pairs(&before, &two)
                .iter()
                .filter(|(a, b)| a.is_some() && b.is_some())
                .count(),
            0
        );
    }
}
