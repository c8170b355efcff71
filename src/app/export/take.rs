//! Importing an exported folder: into an empty store it makes the same state, into another it
//! merges, with the text of the export as the base.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use crate::app::change::{ChangeOptions, Draft, Plan};
use crate::app::create::{SpaceOptions, UnitOptions, new_space, remember};
use crate::app::edit::merged_own;
use crate::app::export::check::not_an_export;
use crate::app::export::files_of;
use crate::app::export::record::{
    FunctionRecord, INDEX, Index, UnitRecord, data_file, earlier_file, record_file, set_of, unit_of,
};
use crate::app::import::{ImportOptions, refusal};
use crate::app::installed::{checked, put_function};
use crate::app::outcome::{Outcome, Status, UnitReport, plural};
use crate::app::project::unreadable;
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::db::{NewRevision, Prepared, Transaction, View};
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::{Filter, Hash, RevisionSource, Unit, Upstream};
use crate::script::FunctionFile;
use crate::yaml::Stream;

/// The name under which the texts of an export are remembered.
const EXPORT_SOURCE: &str = "export";

type Name = (Slug, Slug);

/// A unit as its files have it.
struct Found {
    file: String,
    stream: Stream,
    record: UnitRecord,
    /// Whether somebody wrote its record, or changed it since the export.
    is_record_edited: bool,
    earlier: Vec<Stream>,
}

/// The units of an import, by whether the store has them.
#[derive(Default)]
struct Sorted {
    created: BTreeMap<Name, UnitReport>,
    existing: BTreeMap<UnitId, Name>,
    edited: BTreeMap<UnitId, UnitReport>,
}

impl App {
    /// Whether a folder was written by [`App::export`].
    pub fn is_export(&self, folder: &Path) -> bool {
        folder.join(INDEX).is_file()
    }

    /// Imports an exported folder. What is not there is made: targets, spaces, filters,
    /// functions, units with their labels, links and paths. Units that are there are merged; what they have beside
    /// their data becomes what the record says where the record was edited since the export.
    ///
    /// # Errors
    /// When a file cannot be read or is refused, all refusals at once, and nothing is written.
    pub fn import_export(&self, folder: &Path, options: &ImportOptions) -> Result<Outcome> {
        let mut index = Index::read(folder)?.ok_or_else(|| not_an_export(folder))?;
        let (found, mut refused) = read_units(folder, &index)?;
        refused.extend(take_out_unusable(&mut index.functions));
        if !refused.is_empty() && !options.skip_refused {
            return Err(refusal(&refused));
        }
        let verb = format!(
            "import {} of {}",
            plural(found.len(), "unit"),
            folder.display()
        );
        let body = || self.take_units(&verb, &index, &found);
        let mut outcome = self.as_one_or_dry(&verb, options.dry_run, body)?;
        let notes = refused.iter();
        outcome
            .notes
            .extend(notes.map(|(file, error)| format!("refused: {file}: {error}")));
        outcome.verb = verb;
        Ok(outcome)
    }

    fn take_units(
        &self,
        verb: &str,
        index: &Index,
        found: &BTreeMap<Name, Found>,
    ) -> Result<Outcome> {
        let by = self.actor();
        let ((mut sorted, notes), _) = self.write(Verb::new(verb), |transaction| {
            take_places(transaction, index, found)?;
            let notes = take_functions(transaction, &index.functions, &by)?;
            Ok((self.take_new(transaction, found)?, notes))
        })?;
        let mut outcome = self.merge_found(&sorted, found)?;
        outcome.notes.extend(notes);
        for report in &mut outcome.reports {
            if let Some(edited) = sorted.edited.remove(&report.unit)
                && matches!(report.status, Status::Unchanged)
            {
                *report = edited;
            }
        }
        outcome.reports.extend(sorted.created.into_values());
        outcome
            .reports
            .sort_by(|a, b| a.reference.cmp(&b.reference));
        Ok(outcome)
    }

    fn take_new(
        &self,
        transaction: &mut Transaction,
        found: &BTreeMap<Name, Found>,
    ) -> Result<Sorted> {
        let mut sorted = Sorted::default();
        let mut made = Vec::new();
        for (name, unit) in found {
            let space = space_id(transaction, &name.0)?;
            if let Some(there) = transaction.find_unit(space, &name.1)? {
                sorted.existing.insert(there.id, name.clone());
                continue;
            }
            let report = self.insert_found(transaction, name, unit)?;
            made.push((report.unit, name));
            sorted.created.insert(name.clone(), report);
        }
        for (id, name) in made {
            set_record(transaction, id, &found[name])?;
        }
        for (id, name) in &sorted.existing {
            if !found[name].is_record_edited {
                continue;
            }
            let before = transaction.unit(*id)?;
            self.note_touched(&before);
            set_record(transaction, *id, &found[name])?;
            let after = transaction.unit(*id)?;
            if before != after {
                let report = UnitReport {
                    unit: *id,
                    reference: format!("{}/{}", name.0, name.1),
                    before: before.head,
                    after: after.head,
                    status: Status::Changed,
                    note: "record".to_owned(),
                    conflicts: Vec::new(),
                };
                sorted.edited.insert(*id, report);
            }
        }
        Ok(sorted)
    }

    fn insert_found(
        &self,
        transaction: &mut Transaction,
        (space, slug): &Name,
        found: &Found,
    ) -> Result<UnitReport> {
        let space = space_id(transaction, space)?;
        let first = found.earlier.first().unwrap_or(&found.stream);
        let options = UnitOptions {
            labels: found.record.labels.clone(),
            source: Some(EXPORT_SOURCE.to_owned()),
        };
        let text = (first.clone(), Prepared::of(first.text()));
        let source = || RevisionSource::Import {
            file: found.file.clone(),
        };
        let made = self.insert_prepared(transaction, space, slug, text, source(), &options)?;
        let later = found.earlier.iter().skip(1).chain([&found.stream]);
        for stream in later {
            // Each is a base of variants, so none may be amended by the next.
            transaction.next_step();
            let unit = transaction.unit(made.id)?;
            let mut bookkeeping = transaction.bookkeeping(&unit.bookkeeping)?;
            remember(&mut bookkeeping, EXPORT_SOURCE, stream, transaction.at());
            transaction.write_revision(
                made.id,
                NewRevision {
                    stream,
                    source: source(),
                    description: found.record.description.clone(),
                    edits: Vec::new(),
                    bookkeeping: Some(bookkeeping),
                    author: self.actor(),
                },
            )?;
        }
        let after = transaction.unit(made.id)?.head;
        let report = made
            .report
            .ok_or_else(|| Error::new(Kind::Internal, "a unit without a report"))?;
        Ok(UnitReport { after, ..report })
    }

    fn merge_found(&self, sorted: &Sorted, found: &BTreeMap<Name, Found>) -> Result<Outcome> {
        if sorted.existing.is_empty() {
            return Ok(Outcome::default());
        }
        let (selection, bases) = self.read(|view| {
            let mut bases = BTreeMap::new();
            let mut units = Vec::new();
            for (id, name) in &sorted.existing {
                let unit = view.unit(*id)?;
                bases.insert(*id, base_of(view, &unit, &found[name])?);
                units.push(unit);
            }
            Ok((Selection::of_units(&units), bases))
        })?;
        let options = ChangeOptions {
            allow_empty: true,
            ..ChangeOptions::default()
        };
        let outcome = self.change(&selection, Verb::new("import"), options, &|head| {
            let found = &found[&sorted.existing[&head.unit.id]];
            let base = match &bases[&head.unit.id] {
                Base::Same => return Ok(Plan::Unchanged(String::new())),
                Base::Text(text) => Stream::parse(text)?,
                Base::Unknown => return Err(no_base(&head.reference(), found)),
            };
            let kind = RevisionSource::Import {
                file: found.file.clone(),
            };
            let draft = Draft::of(head, kind, format!("import {}", found.file));
            merged_own(head, draft, &base, &found.stream)
        })?;
        match outcome.failure() {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }
}

/// Targets, spaces and filters that are not there yet.
fn take_places(
    transaction: &mut Transaction,
    index: &Index,
    found: &BTreeMap<Name, Found>,
) -> Result<()> {
    for target in &index.targets {
        if transaction.find_target(&target.slug)?.is_none() {
            transaction.put_target(target)?;
        }
    }
    for record in &index.spaces {
        if transaction.find_space(&record.slug)?.is_some() {
            continue;
        }
        let options = SpaceOptions {
            labels: record.labels.clone(),
            target: record.target.clone(),
        };
        let id = new_space(transaction, &record.slug, &options)?;
        let mut space = transaction.space(id)?;
        space.gates.clone_from(&record.gates);
        transaction.put_space(&space)?;
    }
    for (space, _) in found.keys() {
        if transaction.find_space(space)?.is_none() {
            new_space(transaction, space, &SpaceOptions::default())?;
        }
    }
    let now = transaction.at();
    for record in &index.filters {
        let space = match &record.space {
            None => None,
            Some(slug) => transaction.find_space(slug)?.map(|space| space.id),
        };
        if transaction.find_filter(space, &record.slug)?.is_none() {
            transaction.put_filter(&Filter {
                slug: record.slug.clone(),
                space,
                clause: record.clause.clone(),
                from_space: record.from_space.clone(),
                created: now,
            })?;
        }
    }
    Ok(())
}

/// Takes the functions out that cannot be used, and says what is wrong with each.
fn take_out_unusable(records: &mut Vec<FunctionRecord>) -> Refused {
    let files = records.iter().map(|record| FunctionFile {
        name: record.name.to_string(),
        path: format!("{INDEX}, function {}", record.name),
        text: Cow::Owned(record.text.clone()),
    });
    let (usable, problems) = checked(files.collect());
    records.retain(|record| usable.iter().any(|one| one.name == record.name.as_str()));
    let refused = problems.into_iter().map(|problem| {
        let place = format!("{INDEX}, function {}", problem.name);
        (place, Error::from(problem.error))
    });
    refused.collect()
}

/// Functions that are not there yet; what is to be said of the others.
fn take_functions(
    transaction: &mut Transaction,
    records: &[FunctionRecord],
    by: &str,
) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for record in records {
        let name = &record.name;
        match transaction.find_function(name)? {
            None => drop(put_function(transaction, name, &record.text, by)?),
            Some(found) if found.text == record.text => {}
            Some(_) => notes.push(format!(
                "function {name} stays as it is installed; the export has another text"
            )),
        }
    }
    Ok(notes)
}

/// The text that was exported, as the store knows it.
enum Base {
    /// Nobody edited the file, or the unit has its text.
    Same,
    Text(String),
    Unknown,
}

fn base_of(view: &View, unit: &Unit, found: &Found) -> Result<Base> {
    let incoming = Hash::of(found.stream.text().as_bytes());
    if incoming == unit.data || found.record.digest == incoming.to_string() {
        return Ok(Base::Same);
    }
    let known = view.revisions(unit.id, usize::MAX)?;
    let known = known
        .iter()
        .find(|revision| revision.data.to_string() == found.record.digest);
    Ok(match known {
        Some(revision) => Base::Text(view.text(&revision.data)?),
        None => Base::Unknown,
    })
}

fn no_base(reference: &str, found: &Found) -> Error {
    Error::new(
        Kind::Exists,
        format!(
            "expected `{reference}` to have a revision with the text that {} was exported with, found none",
            found.file
        ),
    )
    .hint("it is an export of another store; export this one into another folder and compare")
    .hint("windlass unit update SPACE/UNIT FILE replaces the data")
}

/// Gives a unit what its record says.
fn set_record(transaction: &mut Transaction, id: UnitId, found: &Found) -> Result<()> {
    let record = &found.record;
    let mut unit = transaction.unit(id)?;
    unit.labels.clone_from(&record.labels);
    unit.target.clone_from(&record.target);
    unit.held.clone_from(&record.held);
    unit.tolerated.clone_from(&record.tolerated);
    let mut bookkeeping = transaction.bookkeeping(&unit.bookkeeping)?;
    bookkeeping.protected = set_of(&record.protected)?;
    bookkeeping.owned = set_of(&record.owned)?;
    if unit.upstream.is_none()
        && let Some(link) = link_of(transaction, found)?
    {
        bookkeeping.upstream_revision = Some(link.revision);
        unit.upstream = Some(link);
    }
    if unit != transaction.unit(id)? {
        transaction.put_unit(&unit)?;
    }
    let stream = transaction.stream(&unit.data)?;
    transaction.write_revision(
        id,
        NewRevision {
            stream: &stream,
            source: RevisionSource::Import {
                file: found.file.clone(),
            },
            description: String::new(),
            edits: Vec::new(),
            bookkeeping: Some(bookkeeping),
            author: String::new(),
        },
    )?;
    Ok(())
}

/// The revision of the upstream that has the text which the variant took.
fn link_of(transaction: &Transaction, found: &Found) -> Result<Option<Upstream>> {
    let Some(record) = &found.record.upstream else {
        return Ok(None);
    };
    let missing = |what: &str| {
        Error::new(
            Kind::NotFound,
            format!(
                "expected the upstream `{}` of {}, found {what}",
                record.unit, found.file
            ),
        )
        .hint("export the upstream into the same folder, or take Upstream out of the .meta.yaml")
    };
    let name = record.unit.split_once('/');
    let (space, slug) = name.ok_or_else(|| missing("no name of the form space/unit"))?;
    let space = transaction.find_space(&space.parse()?)?;
    let unit = match space {
        Some(space) => transaction.find_unit(space.id, &slug.parse()?)?,
        None => None,
    };
    let unit = unit.ok_or_else(|| missing("no such unit"))?;
    let revisions = transaction.revisions(unit.id, usize::MAX)?;
    let taken = revisions
        .iter()
        .find(|revision| revision.data == record.digest);
    let taken = taken.ok_or_else(|| missing("no revision of it with the text that was taken"))?;
    Ok(Some(Upstream {
        unit: unit.id,
        revision: taken.num,
    }))
}

fn space_id(transaction: &Transaction, slug: &Slug) -> Result<SpaceId> {
    let space = transaction.find_space(slug)?;
    let space = space.ok_or_else(|| Error::new(Kind::Internal, format!("no space `{slug}`")))?;
    Ok(space.id)
}

type Refused = Vec<(String, Error)>;

/// Reads every unit of the folder, and tells all files that cannot be read.
fn read_units(folder: &Path, index: &Index) -> Result<(BTreeMap<Name, Found>, Refused)> {
    let files = files_of(folder)?;
    let mut found = BTreeMap::new();
    let mut refused = Vec::new();
    for file in files.keys() {
        let Some(name) = unit_of(file) else {
            continue;
        };
        if *file != data_file(&name.0, &name.1) {
            continue;
        }
        match read_unit(folder, index, &name) {
            Ok(unit) => drop(found.insert(name, unit)),
            Err(error) => refused.push((file.clone(), error)),
        }
    }
    if found.is_empty()
        && refused.is_empty()
        && index.spaces.is_empty()
        && index.functions.is_empty()
    {
        return Err(Error::new(
            Kind::NotFound,
            format!(
                "expected exported units in {}, found none",
                folder.display()
            ),
        ));
    }
    Ok((found, refused))
}

fn read_unit(folder: &Path, index: &Index, name: &Name) -> Result<Found> {
    let (space, slug) = name;
    let file = data_file(space, slug);
    let stream = Stream::parse_bytes(&bytes_of(folder, &file)?)?;
    let record_name = record_file(space, slug);
    let (record, is_record_edited) = match bytes_of(folder, &record_name) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let is_edited = index.files.get(&record_name) != Some(&Hash::of(&bytes));
            (UnitRecord::parse(&text, &record_name)?, is_edited)
        }
        Err(error) if error.kind() == Kind::NotFound => (UnitRecord::default(), false),
        Err(error) => return Err(error),
    };
    let mut earlier = Vec::new();
    for text in &record.earlier {
        let file = earlier_file(space, slug, text);
        let stream = Stream::parse_bytes(&bytes_of(folder, &file)?)?;
        if Hash::of(stream.text().as_bytes()) != *text {
            return Err(Error::new(
                Kind::Invalid,
                format!("expected {file} as it was exported, found another text"),
            )
            .hint("it is the base of variants: bring the exported text back"));
        }
        earlier.push(stream);
    }
    Ok(Found {
        file,
        stream,
        record,
        is_record_edited,
        earlier,
    })
}

fn bytes_of(folder: &Path, file: &str) -> Result<Vec<u8>> {
    let path = folder.join(file);
    std::fs::read(&path).map_err(|error| unreadable(&path, &error))
}
