//! Importing a folder: one unit a file; importing again merges what changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::app::change::{ChangeOptions, Draft, Plan};
use crate::app::create::{SpaceOptions, UnitOptions, remember};
use crate::app::delete::DeleteOptions;
use crate::app::edit::merged;
use crate::app::export::record::MARK;
use crate::app::outcome::{Outcome, plural};
use crate::app::project::unreadable;
use crate::app::select::{Pin, Selection};
use crate::app::{App, Verb};
use crate::db::Folded;
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::RevisionSource;
use crate::yaml::merge::Prefer;
use crate::yaml::{Change, Content, Edit, Fragment, Scalar, Stream};

/// The name under which imported texts are remembered where none is given.
pub const IMPORT_SOURCE: &str = "import";

/// How many of the refused files are told in full.
const SHOWN_REFUSALS: usize = 20;

/// What an import does.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The name under which the texts are remembered.
    pub source: String,
    /// Import the good files even where others are refused.
    pub skip_refused: bool,
    /// What is done with files that hold a `Secret`.
    pub secrets: Secrets,
    /// Delete the units that were imported under the same name before and are not in the folder.
    pub prune: bool,
    /// Paths that merges are to keep as they are in these units.
    pub protect: Vec<String>,
    /// Only say what would happen.
    pub dry_run: bool,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            source: IMPORT_SOURCE.to_owned(),
            skip_refused: false,
            secrets: Secrets::default(),
            prune: false,
            protect: Vec::new(),
            dry_run: false,
        }
    }
}

/// What an import does with files that hold a `Secret`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Secrets {
    /// Refuses them, as a file that cannot be read.
    Refuse,
    /// Leaves them out and says so.
    #[default]
    KeepOut,
    /// Imports them like every other.
    Allow,
}

impl std::str::FromStr for Secrets {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "keep-out" => Ok(Self::KeepOut),
            "allow" => Ok(Self::Allow),
            _ => Err(Error::new(
                Kind::Usage,
                format!("expected refuse, keep-out or allow for secrets, found `{text}`"),
            )),
        }
    }
}

struct Incoming {
    file: String,
    text: Folded,
}

/// What was read from a file, as far as it must be known before anything is written.
struct Parsed {
    text: Folded,
    is_secret: bool,
    is_empty: bool,
}

impl Parsed {
    fn of(stream: &Stream) -> Self {
        Self {
            text: Folded::of(stream),
            is_secret: holds_secret(stream),
            is_empty: stream.view().document_count() == 0,
        }
    }
}

impl App {
    /// Imports the YAML files below a folder, one unit a file, named like it. A unit that was
    /// imported before is merged: base is the text of the last time.
    ///
    /// Files with secrets (`kind: Secret`) are kept out and told.
    ///
    /// # Errors
    /// When the folder cannot be read, two files make the same name, or a file is refused; all
    /// refusals are told at once and nothing is written.
    pub fn import_folder(
        &self,
        space: &Slug,
        folder: &str,
        options: &ImportOptions,
    ) -> Result<Outcome> {
        let files = yaml_files(folder)?;
        let parsed: Vec<_> = files
            .into_par_iter()
            .map(|path| {
                let parsed = read(&path).map(|stream| Parsed::of(&stream));
                (path, parsed)
            })
            .collect();
        let mut units: BTreeMap<Slug, Incoming> = BTreeMap::new();
        let mut refused = Vec::new();
        let mut notes = Vec::new();
        for (path, result) in parsed {
            let file = path.display().to_string();
            if is_record(&path) {
                notes.push(format!("left out: {file} is a record of an export"));
                continue;
            }
            match result {
                Err(errors) => {
                    refused.extend(errors.into_iter().map(|error| (file.clone(), error)));
                }
                Ok(parsed) if parsed.is_secret && options.secrets == Secrets::Refuse => {
                    refused.push((file, secret()));
                }
                Ok(parsed) if parsed.is_secret && options.secrets == Secrets::KeepOut => {
                    notes.push(format!("kept out: {file} holds a Secret"));
                }
                Ok(parsed) if parsed.is_empty => {
                    notes.push(format!("left out: {file} holds no resource"));
                }
                Ok(Parsed { text, .. }) => {
                    let slug = slug_of(&path)?;
                    if let Some(other) = units.get(&slug) {
                        return Err(Error::new(
                            Kind::Invalid,
                            format!(
                                "expected one file for the unit `{slug}`, found {} and {file}",
                                other.file
                            ),
                        )
                        .hint(
                            "rename one of them, or import the folders into spaces of their own",
                        ));
                    }
                    let incoming = Incoming { file, text };
                    units.insert(slug, incoming);
                }
            }
        }
        if !refused.is_empty() && !options.skip_refused {
            return Err(refusal(&refused));
        }
        notes.extend(
            refused
                .iter()
                .map(|(file, error)| format!("refused: {file}: {error}")),
        );
        if units.is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                format!("expected YAML files with resources in {folder}, found none"),
            ));
        }
        let mut outcome = self.import_units(space, &units, options)?;
        outcome.notes.extend(notes);
        Ok(outcome)
    }

    fn import_units(
        &self,
        space: &Slug,
        units: &BTreeMap<Slug, Incoming>,
        options: &ImportOptions,
    ) -> Result<Outcome> {
        let verb = format!("import {} units into {space}", units.len());
        let body = || {
            let made = self.ensure_space(space, &SpaceOptions::default())?;
            let mut created = Vec::new();
            let mut existing = Selection::default();
            let mut texts: BTreeMap<UnitId, &Incoming> = BTreeMap::new();
            self.write(Verb::new(verb.clone()), |transaction| {
                let mut counting = self.counting(&verb, units.len());
                for (slug, incoming) in units {
                    counting.step(1);
                    if let Some(unit) = transaction.find_unit(made.id, slug)? {
                        existing.push(Pin {
                            unit: unit.id,
                            head: unit.head,
                        });
                        texts.insert(unit.id, incoming);
                        continue;
                    }
                    let options = UnitOptions {
                        source: Some(options.source.clone()),
                        ..UnitOptions::default()
                    };
                    let source = RevisionSource::Import {
                        file: incoming.file.clone(),
                    };
                    let text = incoming.text.unfold()?;
                    let made =
                        self.insert_prepared(transaction, made.id, slug, text, source, &options)?;
                    created.extend(made.report);
                }
                Ok(())
            })?;
            let mut outcome = self.merge_imported(&existing, &texts, options)?;
            outcome.reports.extend(created);
            self.protect_imported(&mut outcome, &options.protect)?;
            self.prune_imported(made.id, units, options, &mut outcome)?;
            Ok(outcome)
        };
        let mut outcome = self.as_one_or_dry(options.dry_run, body)?;
        outcome.verb = verb;
        Ok(outcome)
    }

    fn protect_imported(&self, outcome: &mut Outcome, paths: &[String]) -> Result<()> {
        for path in paths {
            let selection = Selection::of_reports(&outcome.reports);
            let done = self.set_protected(&selection, path, None, true)?;
            if let Some(error) = done.failure() {
                return Err(error);
            }
            let count = done.changed();
            outcome
                .notes
                .push(format!("protected {path} in {}", plural(count, "unit")));
        }
        Ok(())
    }

    /// Units that were imported under the same name before and are no longer in the source.
    fn prune_imported(
        &self,
        space: SpaceId,
        units: &BTreeMap<Slug, Incoming>,
        options: &ImportOptions,
        outcome: &mut Outcome,
    ) -> Result<()> {
        let gone = self.read(|view| {
            let mut gone = view.units_in(space)?;
            gone.retain(|unit| !units.contains_key(&unit.slug));
            let hashes: Vec<_> = gone.iter().map(|unit| unit.bookkeeping).collect();
            let mut known = view.bookkeepings(&hashes)?.into_iter();
            gone.retain(|_| {
                let known = known.next();
                known.is_some_and(|known| known.sources.contains_key(&options.source))
            });
            Ok(gone)
        })?;
        if options.prune && !gone.is_empty() {
            let selection = Selection::of_units(&gone);
            let deleted = self.delete_units(&selection, DeleteOptions::default())?;
            if let Some(error) = deleted.failure() {
                return Err(error);
            }
            outcome.notes.extend(deleted.notes);
        }
        let word = if options.prune {
            "pruned"
        } else {
            "gone from the source, kept without --prune"
        };
        outcome
            .notes
            .extend(gone.iter().map(|unit| format!("{word}: {}", unit.slug)));
        Ok(())
    }

    fn merge_imported(
        &self,
        existing: &Selection,
        texts: &BTreeMap<UnitId, &Incoming>,
        options: &ImportOptions,
    ) -> Result<Outcome> {
        if existing.pins().is_empty() {
            return Ok(Outcome::default());
        }
        let source = options.source.as_str();
        let bases = self.read(|view| {
            let mut bases = BTreeMap::new();
            for pin in existing.pins() {
                let unit = view.unit(pin.unit)?;
                let bookkeeping = view.bookkeeping(&unit.bookkeeping)?;
                let Some(remembered) = bookkeeping.sources.get(source) else {
                    continue;
                };
                let base = if remembered.digest == texts[&pin.unit].text.hash() {
                    Base::Same
                } else {
                    Base::Text(view.text(&remembered.digest)?)
                };
                bases.insert(pin.unit, base);
            }
            Ok(bases)
        })?;
        let now = self.now();
        let outcome = self.change(
            existing,
            Verb::new("import"),
            ChangeOptions {
                allow_empty: true,
                ..ChangeOptions::default()
            },
            &|head| {
                let incoming = texts[&head.unit.id];
                let base = match bases.get(&head.unit.id) {
                    Some(Base::Same) => return Ok(Plan::Unchanged(String::new())),
                    Some(Base::Text(text)) => Some(Stream::parse(text)?),
                    None => None,
                };
                let (stream, _) = incoming.text.unfold()?;
                let kind = RevisionSource::Import {
                    file: incoming.file.clone(),
                };
                let description = format!("import {}", incoming.file);
                let mut draft = Draft::of(head, kind, description);
                remember(&mut draft.bookkeeping, source, &stream, now);
                draft.remembered.push(stream.clone());
                match base {
                    Some(base) => merged(head, draft, &base, &stream, Prefer::Local),
                    None if head.stream == stream => Ok(Plan::Write(Box::new(draft))),
                    None => Err(Error::new(
                        Kind::Exists,
                        format!(
                            "expected `{}` to remember a text under `{source}`, found none and \
                             other data",
                            head.reference()
                        ),
                    )
                    .hint("windlass unit update SPACE/UNIT FILE replaces the data")),
                }
            },
        )?;
        match outcome.failure() {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }
}

fn yaml_files(folder: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(Path::new(folder), &mut files)?;
    files.sort();
    Ok(files)
}

/// The text that a unit was last imported from.
enum Base {
    /// It is the one that is imported now.
    Same,
    Text(String),
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden {
            continue;
        }
        // A link to a folder may lead back here.
        let is_link = path.is_symlink();
        if path.is_dir() && is_link {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"))
        {
            files.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> std::result::Result<Stream, Vec<Error>> {
    let bytes = std::fs::read(path).map_err(|error| vec![unreadable(path, &error)])?;
    let stream = Stream::parse_bytes(&bytes).map_err(|first| {
        let all = std::str::from_utf8(&bytes)
            .map(Stream::check)
            .unwrap_or_default();
        let all = if all.is_empty() { vec![first] } else { all };
        all.into_iter().map(Error::from).collect::<Vec<_>>()
    })?;
    split_lists(stream).map_err(|error| vec![error])
}

/// Each item of a `List` as a document of its own, behind the other documents.
fn split_lists(stream: Stream) -> Result<Stream> {
    let mut edits = Vec::new();
    let mut lists = Vec::new();
    for (number, document) in stream.view().documents().enumerate() {
        let kind = document.get("kind").and_then(|kind| kind.scalar());
        let items = document.get("items");
        let (Some(Scalar::Str("List")), Some(items)) = (kind, items) else {
            continue;
        };
        lists.push(number);
        for item in items.items() {
            let content = Content::Source(Fragment::of(&stream, item));
            edits.push(edit(number, Change::AddDocument(content)));
        }
    }
    if lists.is_empty() {
        return Ok(stream);
    }
    let removed = lists.into_iter().rev();
    edits.extend(removed.map(|number| edit(number, Change::RemoveDocument)));
    Ok(stream.apply(&edits)?)
}

fn edit(document: usize, change: Change) -> Edit {
    Edit {
        document,
        path: crate::path::Path::root(),
        change,
    }
}

/// Whether an export wrote a file beside a unit's manifest.
fn is_record(path: &Path) -> bool {
    path.to_string_lossy().ends_with(".meta.yaml")
        && std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(MARK.as_bytes()))
}

fn secret() -> Error {
    Error::new(Kind::Denied, "expected no Secret, found one")
        .hint("--secrets keep-out leaves such files out, --secrets allow imports them")
}

fn holds_secret(stream: &Stream) -> bool {
    stream
        .resources()
        .iter()
        .any(|resource| resource.kind == "Secret" && resource.group.is_empty())
}

/// The file's name without its extension, in lower case, with what a slug cannot hold as `-`.
fn slug_of(path: &Path) -> Result<Slug> {
    let stem = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().to_lowercase());
    let stem = stem.unwrap_or_default();
    let keep =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let slug: String = stem
        .chars()
        .map(|c| if keep(c) { c } else { '-' })
        .collect();
    Ok(slug.trim_start_matches(['-', '_', '.']).parse()?)
}

pub(crate) fn refusal(refused: &[(String, Error)]) -> Error {
    let (file, first) = &refused[0];
    let message = match refused.len() {
        1 => format!("{file}: {}", first.message()),
        count => format!(
            "{count} files were refused; the first, {file}: {}",
            first.message()
        ),
    };
    let mut error = Error::new(Kind::Invalid, message);
    if let Some(at) = first.location() {
        error = error.at(crate::error::Location {
            file: file.clone(),
            ..at.clone()
        });
    }
    for hint in first.hints() {
        error = error.hint(hint.clone());
    }
    for (file, other) in refused.iter().skip(1).take(SHOWN_REFUSALS) {
        error = error.context(format!("{file}: {other}"));
    }
    error
        .context("nothing was written")
        .hint("--skip-refused imports the others")
}
