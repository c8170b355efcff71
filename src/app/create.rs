//! Making things: spaces, units, variants and copies.
//!
//! `create` errs when the thing exists; `ensure` makes sure of it and says what it found.

use std::collections::BTreeMap;

use crate::app::change::{ChangeOptions, Draft, Plan};
use crate::app::edit::merged;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::db::{NewRevision, Prepared, Transaction};
use crate::error::{Error, Kind, Result};
use crate::id::{OpId, Slug, SpaceId, UnitId};
use crate::model::{Bookkeeping, Hash, RevisionSource, SourceText, Space, Unit, Upstream};
use crate::yaml::Stream;
use crate::yaml::merge::Prefer;

/// The name under which scripts remember the text they gave a unit.
pub const SCRIPT_SOURCE: &str = "script";

/// What a space is made with.
#[derive(Debug, Clone, Default)]
pub struct SpaceOptions {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The target where its units deploy.
    pub target: Option<Slug>,
}

/// What a unit is made with beside its data.
#[derive(Debug, Clone, Default)]
pub struct UnitOptions {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The name under which the text is remembered; [`SCRIPT_SOURCE`] where none is given.
    pub source: Option<String>,
}

/// Something that was made, or was there.
#[derive(Debug, Clone)]
pub struct Made<T> {
    /// The thing.
    pub id: T,
    /// Created, changed or unchanged.
    pub status: Status,
    /// The report of the write, for a unit.
    pub report: Option<UnitReport>,
    /// The operation that was written; none where nothing changed.
    pub op: Option<OpId>,
}

impl App {
    /// Makes a space.
    ///
    /// # Errors
    /// [`Kind::Exists`] when there is one of that name.
    pub fn create_space(&self, slug: &Slug, options: &SpaceOptions) -> Result<Made<SpaceId>> {
        let verb = Verb::new(format!("space create {slug}"));
        let (id, _) = self.write(verb, |transaction| {
            if transaction.find_space(slug)?.is_some() {
                return Err(Error::new(
                    Kind::Exists,
                    format!("expected no space `{slug}`, found one"),
                )
                .hint(format!(
                    "ensure_space(\"{slug}\") makes sure of it whether it exists or not"
                )));
            }
            new_space(transaction, slug, options)
        })?;
        Ok(Made {
            id,
            status: Status::Created,
            report: None,
            op: None,
        })
    }

    /// Makes sure of a space. Labels and target that are given are set; others stay.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn ensure_space(&self, slug: &Slug, options: &SpaceOptions) -> Result<Made<SpaceId>> {
        if let Some(space) = self.read(|view| Ok(view.find_space(slug)?))?
            && has_options(&space, options)
        {
            return Ok(Made {
                id: space.id,
                status: Status::Unchanged,
                report: None,
                op: None,
            });
        }
        let verb = Verb::new(format!("space ensure {slug}"));
        let (made, _) = self.write(verb, |transaction| {
            let made = |id, status| Made {
                id,
                status,
                report: None,
                op: None,
            };
            let Some(mut space) = transaction.find_space(slug)? else {
                let id = new_space(transaction, slug, options)?;
                return Ok(made(id, Status::Created));
            };
            space.labels.extend(options.labels.clone());
            space.target = options.target.clone().or(space.target);
            transaction.put_space(&space)?;
            Ok(made(space.id, Status::Changed))
        })?;
        Ok(made)
    }

    /// Makes a unit from YAML and remembers the text.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the space has a unit of that name, [`Kind::Invalid`] when the text
    /// is not valid.
    pub fn create_unit(
        &self,
        space: SpaceId,
        slug: &Slug,
        text: &str,
        options: &UnitOptions,
    ) -> Result<Made<UnitId>> {
        let stream = Stream::parse(text)?;
        let verb = Verb::new(format!("unit create {slug}"));
        let (made, op) = self.write(verb, |transaction| {
            refuse_taken(transaction, space, slug)?;
            self.insert_unit(
                transaction,
                space,
                slug,
                stream,
                RevisionSource::Create,
                options,
            )
        })?;
        Ok(Made { op, ..made })
    }

    /// Makes sure of a unit: makes it, or merges what changed in `text` since it was last given.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the unit exists without a remembered text and with other data,
    /// [`Kind::Usage`] when it is a variant, [`Kind::Invalid`] when the text is not valid.
    pub fn ensure_unit(
        &self,
        space: SpaceId,
        slug: &Slug,
        text: &str,
        options: &UnitOptions,
    ) -> Result<Made<UnitId>> {
        let source = options.source.as_deref().unwrap_or(SCRIPT_SOURCE);
        let stream = Stream::parse(text)?;
        let digest = Hash::of(text.as_bytes());
        let found = self.read(|view| {
            let Some(unit) = view.find_unit(space, slug)? else {
                return Ok(None);
            };
            let bookkeeping = view.bookkeeping(&unit.bookkeeping)?;
            Ok(Some((unit, bookkeeping)))
        })?;
        let Some((unit, bookkeeping)) = found else {
            let verb = Verb::new(format!("unit ensure {slug}"));
            let kind = RevisionSource::Ensure {
                source: source.to_owned(),
            };
            let (made, _) = self.write(verb, |transaction| {
                refuse_taken(transaction, space, slug)?;
                self.insert_unit(transaction, space, slug, stream, kind, options)
            })?;
            return Ok(made);
        };
        refuse_variant(&unit)?;
        let remembered = bookkeeping.sources.get(source);
        if remembered.is_some_and(|remembered| remembered.digest == digest) {
            return Ok(Made {
                id: unit.id,
                status: Status::Unchanged,
                report: None,
                op: None,
            });
        }
        if remembered.is_none() && unit.data != digest {
            return Err(not_remembered(&unit, source));
        }
        let base = match remembered {
            Some(remembered) => {
                let text = self.read(|view| Ok(view.text(&remembered.digest)?))?;
                Some(Stream::parse(&text)?)
            }
            None => None,
        };
        self.merge_source(&unit, source, base.as_ref(), &stream)
    }

    /// Merges a text that is remembered under `source`, and remembers the new one.
    fn merge_source(
        &self,
        unit: &Unit,
        source: &str,
        base: Option<&Stream>,
        text: &Stream,
    ) -> Result<Made<UnitId>> {
        let now = self.0.db.clock().now();
        let verb = Verb::new(format!("unit ensure {}", unit.slug));
        let selection = Selection::of_unit(unit.id, unit.head);
        let outcome = self.change(&selection, verb, ChangeOptions::default(), &|head| {
            let kind = RevisionSource::Ensure {
                source: source.to_owned(),
            };
            let mut draft = Draft::of(head, kind, format!("merge the changed text of `{source}`"));
            remember(&mut draft.bookkeeping, source, text, now);
            draft.remembered.push(text.clone());
            match base {
                Some(base) => merged(head, draft, base, text, Prefer::Local),
                None => Ok(Plan::Write(Box::new(draft))),
            }
        })?;
        single(outcome)
    }

    /// Makes a variant of `source`, linked to the revision that is its head now.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the space has a unit of that name that is no variant of `source`.
    pub fn ensure_clone(
        &self,
        space: SpaceId,
        source: UnitId,
        slug: Option<&Slug>,
        labels: &BTreeMap<String, String>,
    ) -> Result<Made<UnitId>> {
        let (upstream, existing) = self.read(|view| {
            let upstream = view.unit(source)?;
            let existing = view.find_unit(space, slug.unwrap_or(&upstream.slug))?;
            Ok((upstream, existing))
        })?;
        let slug = slug.unwrap_or(&upstream.slug);
        if let Some(existing) = existing {
            let is_variant = existing
                .upstream
                .as_ref()
                .is_some_and(|link| link.unit == source);
            if is_variant {
                return Ok(Made {
                    id: existing.id,
                    status: Status::Unchanged,
                    report: None,
                    op: None,
                });
            }
            return Err(Error::new(
                Kind::Exists,
                format!("expected no unit `{slug}` or a variant of it, found another unit"),
            )
            .hint("give the variant a name of its own: ensure_clone(source, #{ slug: \"…\" })"));
        }
        self.clone_unit(space, &upstream, slug, labels, true)
    }

    /// Makes a variant of `source`.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the space has a unit of that name.
    pub fn create_clone(
        &self,
        space: SpaceId,
        source: UnitId,
        slug: &Slug,
        labels: &BTreeMap<String, String>,
    ) -> Result<Made<UnitId>> {
        let upstream = self.read(|view| Ok(view.unit(source)?))?;
        self.clone_unit(space, &upstream, slug, labels, true)
    }

    /// Whether a space has a unit, by which name whatever.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_unit(&self, space: SpaceId, slug: &Slug) -> Result<bool> {
        self.read(|view| Ok(view.find_unit(space, slug)?.is_some()))
    }

    /// Copies a unit's data without a link to it.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the space has a unit of that name.
    pub fn copy_unit(
        &self,
        space: SpaceId,
        source: UnitId,
        slug: Option<&Slug>,
    ) -> Result<Made<UnitId>> {
        let original = self.read(|view| Ok(view.unit(source)?))?;
        let slug = slug.unwrap_or(&original.slug);
        self.clone_unit(space, &original, slug, &BTreeMap::new(), false)
    }

    fn clone_unit(
        &self,
        space: SpaceId,
        original: &Unit,
        slug: &Slug,
        labels: &BTreeMap<String, String>,
        is_linked: bool,
    ) -> Result<Made<UnitId>> {
        let word = if is_linked { "clone" } else { "copy" };
        let verb = Verb::new(format!("unit {word} {slug}"));
        let (made, op) = self.write(verb, |transaction| {
            refuse_taken(transaction, space, slug)?;
            self.clone_within(transaction, space, original, slug, labels, is_linked)
        })?;
        Ok(Made { op, ..made })
    }

    /// Makes a variant or a copy under a name that is free.
    pub(crate) fn clone_within(
        &self,
        transaction: &mut Transaction,
        space: SpaceId,
        original: &Unit,
        slug: &Slug,
        labels: &BTreeMap<String, String>,
        is_linked: bool,
    ) -> Result<Made<UnitId>> {
        let word = if is_linked { "clone" } else { "copy" };
        let source_space = transaction.space(original.space)?;
        let reference = format!("{}/{}", source_space.slug, original.slug);
        let mut all_labels = original.labels.clone();
        all_labels.extend(labels.clone());
        let (unit, revision) = (original.id, original.head);
        let new = NewUnit {
            space,
            slug: slug.clone(),
            labels: all_labels,
            stream: transaction.stream(&original.data)?,
            prepared: None,
            author: self.actor(),
            source: if is_linked {
                RevisionSource::Clone { unit, revision }
            } else {
                RevisionSource::Copy { unit, revision }
            },
            description: format!("{word} of {reference} r{revision}"),
            bookkeeping: Bookkeeping {
                upstream_revision: is_linked.then_some(revision),
                ..Bookkeeping::default()
            },
            upstream: is_linked.then_some(Upstream { unit, revision }),
        };
        self.new_unit(transaction, new)
    }

    fn insert_unit(
        &self,
        transaction: &mut Transaction,
        space: SpaceId,
        slug: &Slug,
        stream: Stream,
        source: RevisionSource,
        options: &UnitOptions,
    ) -> Result<Made<UnitId>> {
        let prepared = Prepared::of(stream.text());
        let text = (stream, prepared);
        self.insert_prepared(transaction, space, slug, text, source, options)
    }

    /// Makes a unit from a text that was prepared elsewhere.
    pub(crate) fn insert_prepared(
        &self,
        transaction: &mut Transaction,
        space: SpaceId,
        slug: &Slug,
        (stream, prepared): (Stream, Prepared),
        source: RevisionSource,
        options: &UnitOptions,
    ) -> Result<Made<UnitId>> {
        let name = options.source.as_deref().unwrap_or(SCRIPT_SOURCE);
        let mut bookkeeping = Bookkeeping::default();
        remember_digest(&mut bookkeeping, name, prepared.hash(), transaction.at());
        let new = NewUnit {
            space,
            slug: slug.clone(),
            labels: options.labels.clone(),
            stream,
            prepared: Some(prepared),
            author: self.actor(),
            source,
            description: "create".to_owned(),
            bookkeeping,
            upstream: None,
        };
        self.new_unit(transaction, new)
    }

    fn new_unit(&self, transaction: &mut Transaction, new: NewUnit) -> Result<Made<UnitId>> {
        let id = transaction.new_unit_id()?;
        let mut unit = Unit::new(id, new.space, new.slug, transaction.at());
        self.note_touched(&unit);
        unit.labels = new.labels;
        unit.upstream = new.upstream;
        transaction.put_unit(&unit)?;
        let revision = NewRevision {
            stream: &new.stream,
            source: new.source,
            description: new.description,
            edits: Vec::new(),
            bookkeeping: Some(new.bookkeeping),
            author: new.author,
        };
        let written = match new.prepared {
            Some(prepared) => transaction.write_prepared(id, revision, prepared)?,
            None => transaction.write_revision(id, revision)?,
        };
        let unit = written.unit;
        let space = transaction.space(unit.space)?;
        let report = UnitReport {
            unit: id,
            reference: format!("{}/{}", space.slug, unit.slug),
            before: 0,
            after: unit.head,
            status: Status::Created,
            note: String::new(),
            conflicts: Vec::new(),
        };
        Ok(Made {
            id,
            status: Status::Created,
            report: Some(report),
            op: None,
        })
    }
}

/// A unit that is to be made.
struct NewUnit {
    space: SpaceId,
    slug: Slug,
    labels: BTreeMap<String, String>,
    stream: Stream,
    /// None where the text is stored already.
    prepared: Option<Prepared>,
    author: String,
    source: RevisionSource,
    description: String,
    bookkeeping: Bookkeeping,
    upstream: Option<Upstream>,
}

/// Makes a space under a name that is free.
pub(crate) fn new_space(
    transaction: &mut Transaction,
    slug: &Slug,
    options: &SpaceOptions,
) -> Result<SpaceId> {
    let id = transaction.new_space_id()?;
    transaction.put_space(&Space {
        id,
        slug: slug.clone(),
        labels: options.labels.clone(),
        target: options.target.clone(),
        created: transaction.at(),
        gates: std::collections::BTreeSet::new(),
    })?;
    Ok(id)
}

/// Keeps in mind which text was given under a name.
pub(crate) fn remember(bookkeeping: &mut Bookkeeping, source: &str, text: &Stream, at: Timestamp) {
    remember_digest(bookkeeping, source, Hash::of(text.text().as_bytes()), at);
}

fn remember_digest(bookkeeping: &mut Bookkeeping, source: &str, digest: Hash, at: Timestamp) {
    bookkeeping
        .sources
        .insert(source.to_owned(), SourceText { digest, at });
}

fn has_options(space: &Space, options: &SpaceOptions) -> bool {
    let mut labels = options.labels.iter();
    labels.all(|(key, value)| space.labels.get(key) == Some(value))
        && (options.target.is_none() || options.target == space.target)
}

fn refuse_taken(transaction: &Transaction, space: SpaceId, slug: &Slug) -> Result<()> {
    if transaction.find_unit(space, slug)?.is_none() {
        return Ok(());
    }
    let space = transaction.space(space)?;
    Err(Error::new(
        Kind::Exists,
        format!("expected no unit `{}/{slug}`, found one", space.slug),
    )
    .hint("ensure_unit makes it or merges a changed text; update replaces its data"))
}

fn refuse_variant(unit: &Unit) -> Result<()> {
    if unit.upstream.is_none() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Usage,
        format!(
            "expected a unit without an upstream, found the variant `{}`",
            unit.slug
        ),
    )
    .hint("a variant takes its data from upstream: change that and upgrade, or patch the variant"))
}

fn not_remembered(unit: &Unit, source: &str) -> Error {
    Error::new(
        Kind::Exists,
        format!(
            "expected `{}` to remember a text under `{source}`, found none and other data at r{}",
            unit.slug, unit.head
        ),
    )
    .hint("merge_text(base, text) merges what differs between two texts")
    .hint("update(text) replaces the data, customisations with it")
}

/// The one unit of an outcome; its failure is an error.
fn single(outcome: Outcome) -> Result<Made<UnitId>> {
    if let Some(error) = outcome.failure() {
        return Err(error);
    }
    let report = outcome.reports.into_iter().next();
    let report = report.ok_or_else(|| Error::new(Kind::Internal, "a change had no unit"))?;
    Ok(Made {
        id: report.unit,
        status: report.status.clone(),
        report: Some(report),
        op: None,
    })
}
