//! What can be read, of a committed state and of an open transaction alike.

use std::collections::BTreeMap;
use std::ops::{self, ControlFlow};

use super::buffer::Buffer;
use super::codec::{Stored, decode};
use super::key::{Counter, Key, prefix};
use super::pack::Place;
use super::{Error, FORMAT, PackedStream, blob};
use crate::clock::Timestamp;
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::{Bookkeeping, Hash, Space, Unit};
use crate::store::{Range, Snapshot};
use crate::yaml::{Stream, Tree, TreeView};

/// Typed reads. [`Reader`](super::Reader) and [`Transaction`](super::Transaction) both are one by
/// dereferencing; a transaction sees its own writes.
///
/// `get` methods err when there is no such entity, `find` methods return none; lists are in the
/// order of slugs or numbers; scans stream.
pub struct View {
    source: Source,
    now: Timestamp,
}

enum Source {
    Snapshot(Box<dyn Snapshot>),
    Buffer(Box<Buffer>),
}

impl View {
    pub(super) fn of_snapshot(snapshot: Box<dyn Snapshot>, now: Timestamp) -> Self {
        Self {
            source: Source::Snapshot(snapshot),
            now,
        }
    }

    pub(super) fn of_buffer(buffer: Buffer, now: Timestamp) -> Self {
        Self {
            source: Source::Buffer(Box::new(buffer)),
            now,
        }
    }

    /// When it was opened: the instant at which it is decided what has run out.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn snapshot(&self) -> &dyn Snapshot {
        match &self.source {
            Source::Snapshot(snapshot) => &**snapshot,
            Source::Buffer(buffer) => &**buffer,
        }
    }

    /// The buffer of a transaction's view; only transactions ask.
    pub(super) fn buffer(&mut self) -> &mut Buffer {
        match &mut self.source {
            Source::Buffer(buffer) => buffer,
            Source::Snapshot(_) => unreachable!("a reader has no buffer, and never asks"),
        }
    }

    pub(super) fn into_buffer(self) -> Buffer {
        match self.source {
            Source::Buffer(buffer) => *buffer,
            Source::Snapshot(_) => unreachable!("a reader has no buffer, and never asks"),
        }
    }

    pub(super) fn check_format(&self) -> Result<(), Error> {
        match self.snapshot().get(&Key::Format.encode())?.as_deref() {
            None | Some([FORMAT]) => Ok(()),
            Some([found, ..]) if *found > FORMAT => Err(Error::NewerFormat {
                what: "the store",
                known: FORMAT,
                found: *found,
            }),
            Some(found) => Err(Error::damaged("format", "store", format!("{found:?}"))),
        }
    }

    pub(super) fn counter(&self, counter: Counter) -> Result<u64, Error> {
        match self.snapshot().get(&Key::Counter(counter).encode())? {
            None => Ok(0),
            Some(bytes) => number(&bytes)
                .ok_or_else(|| Error::damaged("counter", format!("{counter:?}"), "its length")),
        }
    }

    pub(super) fn find<T: Stored>(
        &self,
        key: &Key,
        which: impl ToString,
    ) -> Result<Option<T>, Error> {
        let mut found = Ok(None);
        self.snapshot().get_with(&key.encode(), &mut |value| {
            found = value
                .map(|bytes| decode(bytes, which.to_string()))
                .transpose();
        })?;
        found
    }

    pub(super) fn get<T: Stored>(&self, key: &Key, which: impl ToString) -> Result<T, Error> {
        let which = which.to_string();
        self.find(key, &which)?.ok_or(Error::NotFound {
            what: T::NAME,
            which,
        })
    }

    /// Visits the records of a range.
    pub(super) fn scan_records<T: Stored, E: From<Error>>(
        &self,
        range: &Range,
        mut f: impl FnMut(T) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut failed = None;
        self.snapshot()
            .scan(range, &mut |key, value| {
                let flow = decode(value, shown(key)).map_err(E::from).and_then(&mut f);
                flow.unwrap_or_else(|error| {
                    failed = Some(error);
                    ControlFlow::Break(())
                })
            })
            .map_err(Error::from)?;
        failed.map_or(Ok(()), Err)
    }

    /// All records of a range, at most `limit`.
    pub(super) fn records<T: Stored>(&self, range: &Range, limit: usize) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        self.scan_records(range, |record| {
            found.push(record);
            Ok::<_, Error>(if found.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        })?;
        Ok(found)
    }

    /// The keys that begin with a prefix, taken apart and chosen from.
    pub(super) fn keys<T>(
        &self,
        prefix: &[u8],
        mut choose: impl FnMut(Key) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        let mut bad = None;
        self.snapshot()
            .scan(&Range::prefix(prefix), &mut |key, _| {
                if let Some(chosen) = Key::decode(key).and_then(&mut choose) {
                    found.push(chosen);
                    return ControlFlow::Continue(());
                }
                bad = Some(shown(key));
                ControlFlow::Break(())
            })?;
        match bad {
            Some(key) => Err(Error::damaged("index", key, "it is no key")),
            None => Ok(found),
        }
    }

    /// The numbers that an index of slugs points to.
    fn pointed_to(&self, prefix: &[u8]) -> Result<Vec<u64>, Error> {
        let mut found = Vec::new();
        let mut bad = None;
        self.snapshot()
            .scan(&Range::prefix(prefix), &mut |key, value| {
                match number(value) {
                    Some(number) => found.push(number),
                    None => bad = Some(shown(key)),
                }
                ControlFlow::Continue(())
            })?;
        match bad {
            Some(key) => Err(Error::damaged("index", key, "it points nowhere")),
            None => Ok(found),
        }
    }

    /// Several records, each of which must be there.
    fn get_all<T: Stored>(&self, keys: &[Key]) -> Result<Vec<T>, Error> {
        let encoded: Vec<Vec<u8>> = keys.iter().map(Key::encode).collect();
        let values = self.snapshot().get_many(&encoded)?;
        encoded
            .iter()
            .zip(values)
            .map(|(key, value)| match value {
                Some(bytes) => decode(&bytes, shown(key)),
                None => Err(Error::NotFound {
                    what: T::NAME,
                    which: shown(key),
                }),
            })
            .collect()
    }
}

/// Spaces.
impl View {
    /// A space by number.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn space(&self, space: SpaceId) -> Result<Space, Error> {
        self.get(&Key::Space(space), space)
    }

    /// A space by number, if it is there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_space_by_id(&self, space: SpaceId) -> Result<Option<Space>, Error> {
        self.find(&Key::Space(space), space)
    }

    /// A space by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_space(&self, slug: &Slug) -> Result<Option<Space>, Error> {
        let key = Key::SpaceSlug(slug.clone()).encode();
        match self.snapshot().get(&key)? {
            None => Ok(None),
            Some(found) => {
                let number = number(&found)
                    .ok_or_else(|| Error::damaged("index", slug, "it points nowhere"))?;
                self.space(SpaceId(number)).map(Some)
            }
        }
    }

    /// All spaces, sorted by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spaces(&self) -> Result<Vec<Space>, Error> {
        self.spaces_beginning("")
    }

    /// The spaces whose slugs begin with a text, sorted by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn spaces_beginning(&self, beginning: &str) -> Result<Vec<Space>, Error> {
        let keys: Vec<Key> = self
            .pointed_to(&prefix::space_slugs(beginning))?
            .into_iter()
            .map(|number| Key::Space(SpaceId(number)))
            .collect();
        self.get_all(&keys)
    }
}

/// Units.
impl View {
    /// A unit by number.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn unit(&self, unit: UnitId) -> Result<Unit, Error> {
        self.get(&Key::Unit(unit), unit)
    }

    /// Several units by number, in the order given.
    ///
    /// # Errors
    /// [`Error::NotFound`] when one is not there, or when the store cannot be read.
    pub fn units(&self, units: &[UnitId]) -> Result<Vec<Unit>, Error> {
        let keys: Vec<Key> = units.iter().map(|unit| Key::Unit(*unit)).collect();
        self.get_all(&keys)
    }

    /// Several units by number, in the order given; none where one is not there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_units(&self, units: &[UnitId]) -> Result<Vec<Option<Unit>>, Error> {
        let keys: Vec<Vec<u8>> = units.iter().map(|unit| Key::Unit(*unit).encode()).collect();
        let values = self.snapshot().get_many(&keys)?;
        keys.iter()
            .zip(values)
            .map(|(key, value)| value.map(|bytes| decode(&bytes, shown(key))).transpose())
            .collect()
    }

    /// A unit by number, if it is there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_unit_by_id(&self, unit: UnitId) -> Result<Option<Unit>, Error> {
        self.find(&Key::Unit(unit), unit)
    }

    /// A unit by its slug in a space.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn find_unit(&self, space: SpaceId, slug: &Slug) -> Result<Option<Unit>, Error> {
        let key = Key::UnitSlug(space, slug.clone()).encode();
        match self.snapshot().get(&key)? {
            None => Ok(None),
            Some(found) => {
                let number = number(&found)
                    .ok_or_else(|| Error::damaged("index", slug, "it points nowhere"))?;
                self.unit(UnitId(number)).map(Some)
            }
        }
    }

    /// The units of a space, sorted by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn units_in(&self, space: SpaceId) -> Result<Vec<Unit>, Error> {
        self.units(&self.unit_ids_in(space)?)
    }

    /// The numbers of the units of a space, sorted by slug.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn unit_ids_in(&self, space: SpaceId) -> Result<Vec<UnitId>, Error> {
        let numbers = self.pointed_to(&prefix::units_of(space))?;
        Ok(numbers.into_iter().map(UnitId).collect())
    }

    /// Visits all units in the order of their numbers.
    ///
    /// # Errors
    /// What `f` returns, and when the store cannot be read.
    pub fn scan_units<E: From<Error>>(
        &self,
        f: impl FnMut(Unit) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.scan_records(&Range::prefix(&prefix::of(b'u')), f)
    }

    /// The units with a slug, in whatever space.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn by_slug(&self, slug: &Slug) -> Result<Vec<UnitId>, Error> {
        self.keys(&prefix::slug(slug), |key| match key {
            Key::Slug(_, unit) => Some(unit),
            _ => None,
        })
    }

    /// The units with this value of a label.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn by_label(&self, key: &str, value: &str) -> Result<Vec<UnitId>, Error> {
        self.keys(&prefix::label(key, value), |key| match key {
            Key::Label(_, _, unit) => Some(unit),
            _ => None,
        })
    }

    /// The units with any value of a label, sorted by value.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn by_label_key(&self, key: &str) -> Result<Vec<UnitId>, Error> {
        self.keys(&prefix::label_key(key), |key| match key {
            Key::Label(_, _, unit) => Some(unit),
            _ => None,
        })
    }

    /// The units cloned from a unit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn by_upstream(&self, unit: UnitId) -> Result<Vec<UnitId>, Error> {
        self.keys(&prefix::variants_of(unit), |key| match key {
            Key::Variant(_, unit) => Some(unit),
            _ => None,
        })
    }

    /// The units that have a resource of a kind, such as `Deployment`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn by_kind(&self, kind: &str) -> Result<Vec<UnitId>, Error> {
        self.keys(&prefix::kind(kind), |key| match key {
            Key::Kind(_, unit) => Some(unit),
            _ => None,
        })
    }
}

/// Content.
impl View {
    /// A text by its hash.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn text(&self, hash: &Hash) -> Result<String, Error> {
        let place = self.place(hash)?;
        self.with_part(place.pack, place.text(), |packed| {
            blob::unpack(packed.unwrap_or_default(), hash)
        })?
    }

    /// A unit's text with its tree, without parsing.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn stream(&self, hash: &Hash) -> Result<Stream, Error> {
        let place = self.place(hash)?;
        let whole = place.text().start..place.tree().end;
        self.with_part(place.pack, whole, |both| {
            let (packed, tree) = both
                .unwrap_or_default()
                .split_at_checked(place.text().len())
                .ok_or_else(|| Error::damaged("text", hash, "its pack is too short"))?;
            let text = blob::unpack(packed, hash)?;
            let tree = Tree::from_bytes(tree.to_vec())
                .map_err(|error| Error::damaged("tree", hash, error))?;
            Ok(Stream::from_stored(text, tree))
        })?
    }

    /// Several texts with their trees, in the order given, as they are stored.
    ///
    /// # Errors
    /// [`Error::NotFound`] when one is not there, or when the store cannot be read.
    pub fn packed(&self, hashes: &[Hash]) -> Result<Vec<PackedStream>, Error> {
        let places = self.places(hashes)?;
        let mut by_pack: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (at, place) in places.iter().enumerate() {
            by_pack.entry(place.pack).or_default().push(at);
        }
        let mut found: Vec<Option<PackedStream>> = vec![None; hashes.len()];
        for (pack, members) in by_pack {
            let first = members.iter().map(|at| places[*at].text().start).min();
            let last = members.iter().map(|at| places[*at].tree().end).max();
            let whole = first.unwrap_or(0)..last.unwrap_or(0);
            self.with_part(pack, whole.clone(), |bytes| {
                for at in members {
                    let (place, hash) = (places[at], hashes[at]);
                    let part = |part: ops::Range<usize>| {
                        bytes?.get(part.start - whole.start..part.end - whole.start)
                    };
                    let (Some(text), Some(tree)) = (part(place.text()), part(place.tree())) else {
                        return Err(Error::damaged("text", hash, "its pack is too short"));
                    };
                    found[at] = Some(PackedStream {
                        hash,
                        text: text.to_vec(),
                        tree: tree.to_vec(),
                    });
                }
                Ok(())
            })??;
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn places(&self, hashes: &[Hash]) -> Result<Vec<Place>, Error> {
        let keys: Vec<Vec<u8>> = hashes
            .iter()
            .map(|hash| Key::Text(*hash).encode())
            .collect();
        let values = self.snapshot().get_many(&keys)?;
        hashes
            .iter()
            .zip(values)
            .map(|(hash, value)| {
                let value = value.ok_or_else(|| Error::NotFound {
                    what: "text",
                    which: hash.to_string(),
                })?;
                Place::decode(&value)
                    .ok_or_else(|| Error::damaged("index", hash, "it points nowhere"))
            })
            .collect()
    }

    /// Shows the tree of a text in place; the text itself is not unpacked.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn tree<R>(&self, hash: &Hash, f: impl FnOnce(TreeView<'_>) -> R) -> Result<R, Error> {
        let place = self.place(hash)?;
        self.with_part(place.pack, place.tree(), |bytes| {
            TreeView::open(bytes.unwrap_or_default())
                .map(f)
                .map_err(|error| Error::damaged("tree", hash, error))
        })?
    }

    fn place(&self, hash: &Hash) -> Result<Place, Error> {
        self.find_place(hash)?.ok_or_else(|| Error::NotFound {
            what: "text",
            which: hash.to_string(),
        })
    }

    pub(super) fn find_place(&self, hash: &Hash) -> Result<Option<Place>, Error> {
        let mut found = Ok(None);
        self.snapshot()
            .get_with(&Key::Text(*hash).encode(), &mut |value| {
                found = value
                    .map(|bytes| {
                        Place::decode(bytes)
                            .ok_or_else(|| Error::damaged("index", hash, "it points nowhere"))
                    })
                    .transpose();
            })?;
        found
    }

    fn with_part<R>(
        &self,
        pack: u64,
        part: ops::Range<usize>,
        f: impl FnOnce(Option<&[u8]>) -> R,
    ) -> Result<R, Error> {
        if let Source::Buffer(buffer) = &self.source
            && let Some(bytes) = buffer.open_pack(pack)
        {
            return Ok(f(bytes.get(part)));
        }
        let mut once = Some(f);
        let mut seen = None;
        let key = Key::Pack(pack).encode();
        self.snapshot().get_part(&key, part, &mut |bytes| {
            seen = once.take().map(|f| f(bytes));
        })?;
        Ok(seen.expect("a part is shown once, be it there or not"))
    }

    /// Bookkeeping by its hash; that of a unit which never had any is empty.
    ///
    /// # Errors
    /// [`Error::NotFound`], or when the store cannot be read.
    pub fn bookkeeping(&self, hash: &Hash) -> Result<Bookkeeping, Error> {
        if *hash == Hash::ZERO {
            return Ok(Bookkeeping::default());
        }
        self.get(&Key::Bookkeeping(*hash), hash)
    }
}

impl View {
    /// The bookkeeping under several hashes, in the order given.
    ///
    /// # Errors
    /// [`Error::NotFound`] when one is not there, or when the store cannot be read.
    pub fn bookkeepings(&self, hashes: &[Hash]) -> Result<Vec<Bookkeeping>, Error> {
        let stored = hashes.iter().filter(|hash| **hash != Hash::ZERO);
        let keys: Vec<Key> = stored.map(|hash| Key::Bookkeeping(*hash)).collect();
        let mut found = self.get_all::<Bookkeeping>(&keys)?.into_iter();
        let each = hashes.iter().map(|hash| match *hash {
            Hash::ZERO => Some(Bookkeeping::default()),
            _ => found.next(),
        });
        Ok(each.map(Option::unwrap_or_default).collect())
    }
}

pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// A key in words, for errors.
pub(super) fn shown(key: &[u8]) -> String {
    Key::decode(key).map_or_else(|| format!("{key:?}"), |key| format!("{key:?}"))
}
