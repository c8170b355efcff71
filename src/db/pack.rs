//! Packs: texts and their trees, many to a value.
//!
//! A tree fills half a page of the store, so that one value for each would waste the other half,
//! and their hashes are scattered, so that each would change a page of its own. A pack takes what
//! is written one after the other and fills whole pages.
//!
//! A pack is a byte with the version of the form (1) and entries: the hash of the text, the
//! lengths of the packed text (see `blob`) and of the tree (4 bytes each, little-endian), and the
//! two. A text that is no unit's data has no tree. The index from the hash to the place can be
//! made anew from the packs; where two hold a text, the later counts.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::Hash;

const FORM: u8 = 1;
const HEAD: usize = Hash::BYTES + 8;

/// How long a pack grows: a little less than a power of two, which is what the store gives it.
const LIMIT: usize = 65_000;

/// Where a text and its tree are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) pack: u64,
    /// Where the packed text begins; the tree follows it.
    at: u32,
    text: u32,
    tree: u32,
}

impl Place {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = self.pack.to_be_bytes().to_vec();
        for number in [self.at, self.text, self.tree] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (pack, rest) = bytes.split_first_chunk::<8>()?;
        let (numbers, []) = rest.as_chunks::<4>() else {
            return None;
        };
        let &[at, text, tree] = numbers else {
            return None;
        };
        Some(Self {
            pack: u64::from_be_bytes(*pack),
            at: u32::from_be_bytes(at),
            text: u32::from_be_bytes(text),
            tree: u32::from_be_bytes(tree),
        })
    }

    pub(super) fn text(self) -> Range<usize> {
        let start = self.at as usize;
        start..start + self.text as usize
    }

    pub(super) fn tree(self) -> Range<usize> {
        let start = self.text().end;
        start..start + self.tree as usize
    }

    pub(super) fn has_tree(self) -> bool {
        self.tree > 0
    }
}

/// A pack that is still filled.
pub(super) struct Open {
    number: u64,
    bytes: Vec<u8>,
    places: BTreeMap<Hash, Place>,
}

impl Open {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            bytes: vec![FORM],
            places: BTreeMap::new(),
        }
    }

    /// Whether this many more bytes would make it too long. An empty one takes any text.
    pub(super) fn is_full_with(&self, text: &[u8], tree: &[u8]) -> bool {
        !self.places.is_empty() && self.bytes.len() + HEAD + text.len() + tree.len() > LIMIT
    }

    pub(super) fn add(&mut self, hash: Hash, text: &[u8], tree: &[u8]) -> Place {
        let short = |length: usize| {
            u32::try_from(length).expect("a text is limited far below four gigabytes")
        };
        let place = Place {
            pack: self.number,
            at: short(self.bytes.len() + HEAD),
            text: short(text.len()),
            tree: short(tree.len()),
        };
        self.bytes.extend_from_slice(hash.as_bytes());
        self.bytes.extend_from_slice(&place.text.to_le_bytes());
        self.bytes.extend_from_slice(&place.tree.to_le_bytes());
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(tree);
        self.places.insert(hash, place);
        place
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The entries of a pack; none when it is damaged.
pub(super) fn entries(pack: u64, bytes: &[u8]) -> Option<Vec<(Hash, Place)>> {
    let mut found = Vec::new();
    let (&FORM, mut rest) = bytes.split_first()? else {
        return None;
    };
    while !rest.is_empty() {
        let (hash, after) = rest.split_first_chunk::<{ Hash::BYTES }>()?;
        let (text, after) = after.split_first_chunk::<4>()?;
        let (tree, after) = after.split_first_chunk::<4>()?;
        let place = Place {
            pack,
            at: u32::try_from(bytes.len() - after.len()).ok()?,
            text: u32::from_le_bytes(*text),
            tree: u32::from_le_bytes(*tree),
        };
        rest = bytes.get(place.tree().end..)?;
        found.push((Hash::from_bytes(*hash), place));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_tells_its_places_again_and_damage_is_none() {
        let mut open = Open::new(7);
        let mut places = Vec::new();
        for (text, tree) in [(&b"a"[..], &b"tree"[..]), (b"", b""), (b"bc", b"t")] {
            let hash = Hash::of(text);
            let place = open.add(hash, text, tree);
            assert_eq!(&open.bytes()[place.text()], text);
            assert_eq!(&open.bytes()[place.tree()], tree);
            assert_eq!(Place::decode(&place.encode()), Some(place));
            places.push((hash, place));
        }
        let bytes = open.into_bytes();
        assert_eq!(entries(7, &bytes).unwrap(), places);
        for length in 0..bytes.len() {
            if let Some(fewer) = entries(7, &bytes[..length]) {
                assert!(fewer.len() < places.len());
            }
        }
        assert_eq!(entries(7, &[2]), None);
        let mut endless = bytes;
        endless[1 + Hash::BYTES..][..8].fill(0xff);
        assert_eq!(entries(7, &endless), None);
    }
}
