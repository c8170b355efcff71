//! Writing a revision of a unit.

use std::collections::BTreeSet;

use super::key::Key;
use super::pack::Place;
use super::{Error, Prepared, Transaction, blob, codec};
use crate::id::UnitId;
use crate::model::{Bookkeeping, EditRecord, Hash, Revision, RevisionSource, Unit};
use crate::yaml::{Scalar, Stream};

/// A description longer than this many bytes is not continued when its revision is amended.
const MAX_DESCRIPTION: usize = 120;

/// What a unit is to hold from now on.
#[derive(Debug, Clone)]
pub struct NewRevision<'a> {
    /// The data.
    pub stream: &'a Stream,
    /// What made it.
    pub source: RevisionSource,
    /// In words.
    pub description: String,
    /// The places that it changed.
    pub edits: Vec<EditRecord>,
    /// What the unit is to have beside its data; none leaves that as it is.
    pub bookkeeping: Option<Bookkeeping>,
    /// Who made it.
    pub author: String,
}

impl<'a> NewRevision<'a> {
    /// A revision without description, edits or new bookkeeping.
    pub fn of(stream: &'a Stream, source: RevisionSource, author: impl Into<String>) -> Self {
        Self {
            stream,
            source,
            description: String::new(),
            edits: Vec::new(),
            bookkeeping: None,
            author: author.into(),
        }
    }
}

/// What a write came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The unit as it is now.
    pub unit: Unit,
    /// The number of the revision made; none when the data is what it was.
    pub revision: Option<u32>,
    /// Whether the bookkeeping is another now.
    pub bookkeeping_changed: bool,
}

impl Written {
    /// Whether anything changed at all.
    pub fn is_changed(&self) -> bool {
        self.revision.is_some() || self.bookkeeping_changed
    }
}

impl Transaction {
    /// Gives a unit new data and bookkeeping.
    ///
    /// Data that equals the head's makes no revision; bookkeeping that differs is written even
    /// then. A unit without a revision gets its first. A revision that this transaction made is
    /// amended, unless it is a unit's first or a variant has taken it already; amended back to
    /// what was there before, it is gone again.
    ///
    /// # Errors
    /// [`Error::NotFound`], and when the store cannot be used; the transaction is poisoned then.
    pub fn write_revision(&mut self, unit: UnitId, new: NewRevision<'_>) -> Result<Written, Error> {
        self.guarded(|writing| writing.write_revision_unguarded(unit, new, None))
    }

    /// As [`Self::write_revision`], with the text of the new data prepared already.
    ///
    /// # Errors
    /// As [`Self::write_revision`].
    pub fn write_prepared(
        &mut self,
        unit: UnitId,
        new: NewRevision<'_>,
        prepared: Prepared,
    ) -> Result<Written, Error> {
        debug_assert_eq!(prepared.hash, Hash::of(new.stream.text().as_bytes()));
        self.guarded(|writing| writing.write_revision_unguarded(unit, new, Some(prepared)))
    }

    /// Reads at once what writing the next revisions of these units will look at: faster than one
    /// by one, and needed by nothing. With each unit goes the hash of its new data, if known.
    ///
    /// # Errors
    /// When the store cannot be read; the transaction is poisoned then.
    pub fn read_ahead(&mut self, units: &[(UnitId, u32, Option<Hash>)]) -> Result<(), Error> {
        let mut keys = Vec::with_capacity(units.len() * 3);
        keys.extend(units.iter().map(|(unit, ..)| Key::Unit(*unit).encode()));
        for (unit, head, data) in units {
            if let Some(data) = data {
                keys.push(Key::Revision(*unit, head + 1).encode());
                keys.push(Key::Text(*data).encode());
            }
        }
        self.guarded(|writing| Ok(writing.buffer().read_ahead(keys)?))
    }

    /// Stores a text by its hash, such as a source text, without making it a unit's data.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_text(&mut self, text: &str) -> Result<Hash, Error> {
        self.guarded(|writing| {
            let hash = Hash::of(text.as_bytes());
            if writing.find_place(&hash)?.is_none() {
                writing.put_packed(hash, &blob::pack(text), &[])?;
            }
            Ok(hash)
        })
    }

    /// Stores a text with its tree, and bookkeeping, that no revision has yet.
    ///
    /// # Errors
    /// When the store cannot be used; the transaction is poisoned then.
    pub fn put_staged(
        &mut self,
        stream: &Stream,
        bookkeeping: &Bookkeeping,
    ) -> Result<(Hash, Hash), Error> {
        self.guarded(|writing| {
            let data = Hash::of(stream.text().as_bytes());
            writing.put_stream(data, stream, None)?;
            Ok((data, writing.put_bookkeeping(bookkeeping)?))
        })
    }

    fn write_revision_unguarded(
        &mut self,
        unit: UnitId,
        new: NewRevision<'_>,
        prepared: Option<Prepared>,
    ) -> Result<Written, Error> {
        let old = self.unit(unit)?;
        let mut unit = old.clone();
        let before = unit.bookkeeping;
        if let Some(bookkeeping) = &new.bookkeeping {
            unit.bookkeeping = self.put_bookkeeping(bookkeeping)?;
        }
        let bookkeeping_changed = unit.bookkeeping != before;
        let data = match &prepared {
            Some(prepared) => prepared.hash,
            None => Hash::of(new.stream.text().as_bytes()),
        };
        if unit.head > 0 && unit.data == data {
            if bookkeeping_changed {
                unit.updated = self.at();
                self.put_unit_over(Some(&old), &unit)?;
            }
            return Ok(Written {
                unit,
                revision: None,
                bookkeeping_changed,
            });
        }
        let amended = self.amendable_revision(&unit)?;
        if let Some(made) = &amended {
            let earlier = self.revision(unit.id, made.num - 1)?;
            if earlier.data == data {
                return self.withdraw(&old, unit, new.stream, earlier, bookkeeping_changed);
            }
        }
        self.put_stream(data, new.stream, prepared)?;
        unit.data = data;
        unit.updated = self.at();
        unit.kinds = kinds(new.stream);
        let mut revision = Revision {
            unit: unit.id,
            num: unit.head + 1,
            data,
            author: new.author,
            at: self.at(),
            source: new.source,
            description: new.description,
            op: self.op(),
            edits: new.edits,
            bookkeeping_before: before,
            bookkeeping_after: unit.bookkeeping,
        };
        if let Some(made) = amended {
            amend(&mut revision, made);
        } else if revision.num > 1 {
            self.amendable.insert(unit.id, revision.num);
        }
        unit.head = revision.num;
        unit.last_change.clone_from(&revision.description);
        let key = Key::Revision(unit.id, unit.head);
        self.put_record(&key, Some(codec::encode(&revision)))?;
        self.put_unit_over(Some(&old), &unit)?;
        Ok(Written {
            revision: Some(unit.head),
            unit,
            bookkeeping_changed,
        })
    }

    /// The head, where this step of the transaction made it and nobody has taken it yet.
    fn amendable_revision(&self, unit: &Unit) -> Result<Option<Revision>, Error> {
        if self.amendable.get(&unit.id) != Some(&unit.head) {
            return Ok(None);
        }
        for variant in self.by_upstream(unit.id)? {
            let variant = self.unit(variant)?;
            let taken = variant.upstream.map(|link| link.revision);
            if taken == Some(unit.head) {
                return Ok(None);
            }
        }
        Ok(Some(self.revision(unit.id, unit.head)?))
    }

    /// Takes back the revision that this transaction made: the data is the one before again.
    fn withdraw(
        &mut self,
        old: &Unit,
        mut unit: Unit,
        stream: &Stream,
        earlier: Revision,
        bookkeeping_changed: bool,
    ) -> Result<Written, Error> {
        self.put_record(&Key::Revision(unit.id, unit.head), None)?;
        self.amendable.remove(&unit.id);
        unit.head = earlier.num;
        unit.data = earlier.data;
        unit.kinds = kinds(stream);
        unit.last_change = earlier.description;
        unit.updated = self.at();
        self.put_unit_over(Some(old), &unit)?;
        Ok(Written {
            unit,
            revision: Some(earlier.num),
            bookkeeping_changed,
        })
    }

    fn put_stream(
        &mut self,
        data: Hash,
        stream: &Stream,
        prepared: Option<Prepared>,
    ) -> Result<(), Error> {
        // A text that was stored as a source has no tree yet.
        if self.find_place(&data)?.is_some_and(Place::has_tree) {
            return Ok(());
        }
        let packed = match prepared {
            Some(prepared) => prepared.packed,
            None => blob::pack(stream.text()),
        };
        self.put_packed(data, &packed, stream.tree().as_bytes())
    }

    /// Empty bookkeeping, which most units have, takes no record.
    fn put_bookkeeping(&mut self, bookkeeping: &Bookkeeping) -> Result<Hash, Error> {
        if *bookkeeping == Bookkeeping::default() {
            return Ok(Hash::ZERO);
        }
        let stored = codec::encode(bookkeeping);
        let hash = Hash::of(&stored);
        self.put_content(&Key::Bookkeeping(hash), || stored)?;
        Ok(hash)
    }
}

/// Makes a revision stand for the one that the same transaction made before, and itself.
fn amend(revision: &mut Revision, made: Revision) {
    revision.num = made.num;
    revision.bookkeeping_before = made.bookkeeping_before;
    let later = std::mem::replace(&mut revision.description, made.description);
    let is_full = revision.description.len() > MAX_DESCRIPTION;
    if !is_full && !later.is_empty() && later != revision.description {
        revision.description = format!("{}; {later}", revision.description);
    } else if is_full && !revision.description.ends_with('…') {
        revision.description.push_str("; …");
    }
    revision.edits.extend(made.edits);
    revision.edits.sort_unstable();
    revision.edits.dedup();
}

fn kinds(stream: &Stream) -> Vec<String> {
    let kinds: BTreeSet<&str> = stream
        .view()
        .documents()
        .filter_map(|root| match root.get("kind")?.scalar()? {
            Scalar::Str(kind) if !kind.is_empty() => Some(kind),
            _ => None,
        })
        .collect();
    kinds.into_iter().map(str::to_owned).collect()
}
