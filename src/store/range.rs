//! Which keys a scan visits, and in which direction.

use std::ops::Bound;

/// A range of keys, visited in ascending or descending order.
///
/// ```
/// use windlass::store::Range;
///
/// let range = Range::prefix(b"u");
/// assert!(range.contains(b"unit"));
/// assert!(!range.contains(b"v"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    descending: bool,
}

impl Range {
    /// Every key.
    pub fn all() -> Self {
        Self {
            start: Vec::new(),
            end: None,
            descending: false,
        }
    }

    /// The keys that begin with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self {
            start: prefix.to_vec(),
            end: after_prefix(prefix),
            descending: false,
        }
    }

    /// The keys from `start`, included, to `end`, excluded.
    pub fn between(start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        Self {
            start: start.into(),
            end: Some(end.into()),
            descending: false,
        }
    }

    /// The same keys, the last one first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Whether the last key is visited first.
    pub fn is_descending(&self) -> bool {
        self.descending
    }

    /// Whether a key lies in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.start.as_slice() && self.end.as_ref().is_none_or(|end| key < end.as_slice())
    }

    /// The part of the range that comes after `key` in its own direction.
    #[must_use]
    pub fn after(&self, key: &[u8]) -> Self {
        let mut rest = self.clone();
        if self.descending {
            rest.end = Some(key.to_vec());
        } else {
            rest.start = key.to_vec();
            rest.start.push(0);
        }
        rest
    }

    /// Whether no key at all can lie in the range.
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// The two ends as the standard library's maps take them.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = match &self.end {
            Some(end) => Bound::Excluded(end.as_slice()),
            None => Bound::Unbounded,
        };
        (Bound::Included(self.start.as_slice()), end)
    }
}

/// The first key after all those that begin with `prefix`; none when they go on to the end.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=kept].to_vec();
    end[kept] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_one_whatever_its_last_bytes() {
        for (prefix, inside, outside) in [
            (&b"a"[..], &b"a\xff\xff"[..], &b"b"[..]),
            (b"a\xff", b"a\xff\x00", b"b"),
            (b"a\xff", b"a\xff", b"a\xfe"),
            (b"\x00", b"\x00", b"\x01"),
        ] {
            let range = Range::prefix(prefix);
            assert!(range.contains(inside), "{prefix:?} {inside:?}");
            assert!(!range.contains(outside), "{prefix:?} {outside:?}");
        }
        assert!(Range::prefix(b"\xff").contains(b"\xff\xff"));
        assert!(Range::prefix(b"").contains(b""));
    }

    #[test]
    fn the_rest_of_a_range_leaves_out_the_key_it_follows() {
        let up = Range::all().after(b"m");
        assert!(!up.contains(b"m") && up.contains(b"m\x00") && !up.contains(b"l"));
        let down = Range::all().descending().after(b"m");
        assert!(!down.contains(b"m") && down.contains(b"l") && !down.contains(b"n"));
    }
}
