//! Texts, packed: zstd with a dictionary of what Kubernetes manifests usually say.
//!
//! A packed text is a byte with the version of the form (1), a byte with the method (0: as it is,
//! 1: zstd with `dictionary-1.yaml`), the length of the text (4 bytes, little-endian), and the
//! bytes. A dictionary, once released, is never changed: another one gets a method of its own.

use std::cell::RefCell;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::Error;
use crate::model::Hash;
use crate::yaml::{Stream, Tree};

const FORM: u8 = 1;
const AS_IT_IS: u8 = 0;
const ZSTD_1: u8 = 1;
const HEAD: usize = 6;

/// The longest text that is believed to have been stored; above what a unit may hold.
const MAX_TEXT: usize = 256 << 20;

/// Higher levels take longer and save next to nothing on texts of this size.
const LEVEL: i32 = 3;

static DICTIONARY_1: &[u8] = include_bytes!("dictionary-1.yaml");

static TO_PACK: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static TO_UNPACK: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

thread_local! {
    // A context is a quarter of a megabyte to set up, and only the dictionary can be shared.
    static PACKING: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKING: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs a text.
pub(super) fn pack(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let head = |method: u8, body: &[u8]| {
        let mut packed = Vec::with_capacity(HEAD + body.len());
        packed.extend_from_slice(&[FORM, method]);
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(body);
        packed
    };
    match compress(text.as_bytes()) {
        Some(body) if body.len() < text.len() => head(ZSTD_1, &body),
        _ => head(AS_IT_IS, text.as_bytes()),
    }
}

fn compress(text: &[u8]) -> Option<Vec<u8>> {
    PACKING.with_borrow_mut(|packing| {
        if packing.is_none() {
            *packing = Compressor::with_prepared_dictionary(&TO_PACK).ok();
        }
        packing.as_mut()?.compress(text).ok()
    })
}

/// A text made ready to be stored, its hash taken and its bytes packed: work for any thread, while
/// a transaction is of one.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) hash: Hash,
    pub(super) packed: Vec<u8>,
}

impl Prepared {
    /// Hashes and packs a text.
    pub fn of(text: &str) -> Self {
        Self {
            hash: Hash::of(text.as_bytes()),
            packed: pack(text),
        }
    }

    /// The hash of the text.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

/// A text and its tree as they are stored, to be unpacked on any thread.
#[derive(Debug, Clone)]
pub struct PackedStream {
    pub(super) hash: Hash,
    pub(super) text: Vec<u8>,
    pub(super) tree: Vec<u8>,
}

impl PackedStream {
    /// The text with its tree, without parsing.
    ///
    /// # Errors
    /// [`Error::Damaged`], or [`Error::NewerFormat`] when a later version packed it.
    pub fn unpack(self) -> Result<Stream, Error> {
        let text = unpack(&self.text, &self.hash)?;
        let tree = Tree::from_bytes(self.tree)
            .map_err(|error| Error::damaged("tree", self.hash, error))?;
        Ok(Stream::from_stored(text, tree))
    }
}

/// A text with its tree, folded to a fraction of their size: for holding many at a time.
#[derive(Debug, Clone)]
pub struct Folded {
    prepared: Prepared,
    tree: Vec<u8>,
    tree_length: usize,
}

impl Folded {
    /// Folds a text and its tree.
    pub fn of(stream: &Stream) -> Self {
        let tree = stream.tree().as_bytes();
        Self {
            prepared: Prepared::of(stream.text()),
            tree: compress(tree).unwrap_or_default(),
            tree_length: tree.len(),
        }
    }

    /// The hash of the text.
    pub fn hash(&self) -> Hash {
        self.prepared.hash
    }

    /// The text with its tree, and what it takes to store it.
    ///
    /// # Errors
    /// [`Error::Damaged`], which only memory that fails can bring about.
    pub fn unfold(&self) -> Result<(Stream, Prepared), Error> {
        let hash = &self.prepared.hash;
        let text = unpack(&self.prepared.packed, hash)?;
        let tree = decompress(&self.tree, self.tree_length)
            .and_then(|tree| Tree::from_bytes(tree).ok())
            .ok_or_else(|| Error::damaged("tree", hash, "it cannot be unfolded"))?;
        Ok((Stream::from_stored(text, tree), self.prepared.clone()))
    }
}

/// Unpacks a text.
///
/// # Errors
/// [`Error::Damaged`], or [`Error::NewerFormat`] when a later version packed it.
pub(super) fn unpack(packed: &[u8], hash: &Hash) -> Result<String, Error> {
    let damaged = |detail: &str| Error::damaged("text", hash, detail);
    let Some((&[form, method, a, b, c, d], body)) = packed.split_first_chunk::<HEAD>() else {
        return Err(damaged("it is too short"));
    };
    if form > FORM || method > ZSTD_1 {
        return Err(Error::NewerFormat {
            what: "text",
            known: FORM.max(ZSTD_1),
            found: form.max(method),
        });
    }
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length > MAX_TEXT {
        return Err(damaged("its length is impossible"));
    }
    let text = if method == AS_IT_IS {
        body.to_vec()
    } else {
        decompress(body, length).ok_or_else(|| damaged("it cannot be unpacked"))?
    };
    if text.len() != length {
        return Err(damaged("its length is another"));
    }
    String::from_utf8(text).map_err(|_| damaged("it is not UTF-8"))
}

fn decompress(body: &[u8], length: usize) -> Option<Vec<u8>> {
    UNPACKING.with_borrow_mut(|unpacking| {
        if unpacking.is_none() {
            *unpacking = Decompressor::with_prepared_dictionary(&TO_UNPACK).ok();
        }
        unpacking.as_mut()?.decompress(body, length).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        let long = "spec:\n  replicas: 3\n".repeat(5_000);
        for text in ["", "a", "kind: Deployment\n", "é\r\n\u{feff}x", &long] {
            let packed = pack(text);
            assert_eq!(unpack(&packed, &Hash::of(text.as_bytes())).unwrap(), text);
        }
        assert!(pack(&long).len() < 200);
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let packed = pack("kind: Deployment\nmetadata:\n  name: api\n");
        for length in 0..packed.len() {
            assert!(unpack(&packed[..length], &Hash::ZERO).is_err(), "{length}");
        }
        let mut newer = packed.clone();
        newer[0] = 2;
        assert!(matches!(
            unpack(&newer, &Hash::ZERO),
            Err(Error::NewerFormat { .. })
        ));
        let mut endless = packed;
        endless[2..6].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(unpack(&endless, &Hash::ZERO).is_err());
    }
}
