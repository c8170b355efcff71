//! Changes to a store: a batch to be applied, and changes laid over what they will be applied to.

use std::collections::BTreeMap;
use std::ops::{self, ControlFlow};

use super::{Error, Range, Snapshot, Visit};

/// Keys and their new values, in the order in which they are applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// Gives a key a value, whether it had one or not.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push((key.into(), Some(value.into())));
    }

    /// Takes a key away, if it is there.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.changes.push((key.into(), None));
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl IntoIterator for Batch {
    type Item = (Vec<u8>, Option<Vec<u8>>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.changes.into_iter()
    }
}

/// Changes held in memory, sorted, and read as if they were applied already.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    keys: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl Changes {
    pub(crate) fn insert(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        if let Some(Some(old)) = self.keys.insert(key, value) {
            self.bytes = self.bytes.saturating_sub(old.len());
        }
    }

    pub(crate) fn apply(&mut self, batch: Batch) {
        for (key, value) in batch {
            self.insert(key, value);
        }
    }

    /// What the changes say of a key: nothing, that it is gone, or its value.
    #[expect(
        clippy::option_option,
        reason = "unchanged, deleted and written are three states"
    )]
    pub(crate) fn find(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.keys.get(key).map(Option::as_deref)
    }

    /// About how many bytes of keys and values are held.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The keys that are held, sorted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.keys().map(Vec::as_slice)
    }

    /// Empties the changes into a batch sorted by key.
    pub(crate) fn take(&mut self) -> Batch {
        self.bytes = 0;
        Batch {
            changes: std::mem::take(&mut self.keys).into_iter().collect(),
        }
    }

    pub(crate) fn get_over(
        &self,
        base: &dyn Snapshot,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        match self.find(key) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => base.get(key),
        }
    }

    pub(crate) fn get_with_over(
        &self,
        base: &dyn Snapshot,
        key: &[u8],
        f: &mut dyn FnMut(Option<&[u8]>),
    ) -> Result<(), Error> {
        match self.find(key) {
            Some(value) => {
                f(value);
                Ok(())
            }
            None => base.get_with(key, f),
        }
    }

    pub(crate) fn get_part_over(
        &self,
        base: &dyn Snapshot,
        key: &[u8],
        part: ops::Range<usize>,
        f: &mut dyn FnMut(Option<&[u8]>),
    ) -> Result<(), Error> {
        match self.find(key) {
            Some(value) => {
                f(value.and_then(|value| value.get(part)));
                Ok(())
            }
            None => base.get_part(key, part, f),
        }
    }

    pub(crate) fn get_many_over(
        &self,
        base: &dyn Snapshot,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let missing: Vec<Vec<u8>> = keys
            .iter()
            .filter(|key| !self.keys.contains_key(*key))
            .cloned()
            .collect();
        let mut below = if missing.is_empty() {
            Vec::new().into_iter()
        } else {
            base.get_many(&missing)?.into_iter()
        };
        Ok(keys
            .iter()
            .map(|key| match self.find(key) {
                Some(value) => value.map(<[u8]>::to_vec),
                None => below.next().flatten(),
            })
            .collect())
    }

    /// Scans `base` with the changes laid over it.
    pub(crate) fn scan_over(
        &self,
        base: &dyn Snapshot,
        range: &Range,
        f: &mut Visit<'_>,
    ) -> Result<(), Error> {
        if range.is_empty() {
            return Ok(());
        }
        let held = self.keys.range::<[u8], _>(range.bounds());
        if range.is_descending() {
            merge(held.rev(), base, range, &|held, below| held > below, f)
        } else {
            merge(held, base, range, &|held, below| held < below, f)
        }
    }
}

/// A change as the map holds it.
type Held<'a> = (&'a Vec<u8>, &'a Option<Vec<u8>>);

/// Visits two sorted sequences as one; where both have a key, the held one counts.
fn merge<'a>(
    held: impl Iterator<Item = Held<'a>>,
    base: &dyn Snapshot,
    range: &Range,
    comes_before: &dyn Fn(&[u8], &[u8]) -> bool,
    f: &mut Visit<'_>,
) -> Result<(), Error> {
    let mut held = held.peekable();
    let mut stopped = false;
    base.scan(range, &mut |key, value| {
        while let Some((held_key, held_value)) =
            held.next_if(|(held_key, _)| comes_before(held_key, key))
        {
            if let Some(held_value) = held_value
                && f(held_key, held_value).is_break()
            {
                stopped = true;
                return ControlFlow::Break(());
            }
        }
        let flow = match held.next_if(|(held_key, _)| held_key.as_slice() == key) {
            Some((_, None)) => ControlFlow::Continue(()),
            Some((_, Some(held_value))) => f(key, held_value),
            None => f(key, value),
        };
        stopped = flow.is_break();
        flow
    })?;
    if stopped {
        return Ok(());
    }
    for (key, value) in held {
        if let Some(value) = value
            && f(key, value).is_break()
        {
            break;
        }
    }
    Ok(())
}
