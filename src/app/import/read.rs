//! Reading manifests: files into texts, with all that is refused told at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::{By, ImportOptions, Manifests, Secrets, shape};
use crate::app::export::record::MARK;
use crate::app::project::unreadable;
use crate::db::Folded;
use crate::error::{Error, Kind, Location, Result};
use crate::id::Slug;
use crate::yaml::{self, Change, Content, Edit, Fragment, ResourceId, Scalar, Stream};

/// How many of the refused files are told in full.
const SHOWN_REFUSALS: usize = 20;

/// A unit that is to be imported.
pub(super) struct Incoming {
    /// The file that it is of, or that its workload is of.
    pub(super) file: String,
    pub(super) text: Folded,
}

/// Why something cannot be imported.
pub(super) struct Refusal {
    error: Error,
    /// In a word or two, to count refusals by.
    reason: &'static str,
}

impl Refusal {
    pub(super) fn new(error: Error, reason: &'static str) -> Self {
        Self { error, reason }
    }
}

impl From<yaml::Error> for Refusal {
    fn from(error: yaml::Error) -> Self {
        let reason = reason(&error);
        Self::new(error.into(), reason)
    }
}

/// A text as it was read.
pub(super) type Read = std::result::Result<Stream, Vec<Refusal>>;

/// What was found in a source.
#[derive(Default)]
pub(super) struct Found {
    pub(super) units: BTreeMap<Slug, Incoming>,
    refused: Vec<(String, Refusal)>,
    pub(super) notes: Vec<String>,
    /// How many secrets, or files with one, were kept out.
    secrets: usize,
}

impl Found {
    pub(super) fn refuse(&mut self, file: &str, refusals: Vec<Refusal>) {
        let named = refusals
            .into_iter()
            .map(|refusal| (file.to_owned(), refusal));
        self.refused.extend(named);
    }

    /// Whether a secret is taken; where not, says so.
    pub(super) fn takes_secret(&mut self, file: &str, what: &str, how: Secrets) -> bool {
        match how {
            Secrets::Allow => return true,
            Secrets::Refuse => self.refuse(file, vec![Refusal::new(secret(), "secret")]),
            Secrets::KeepOut => {
                self.secrets += 1;
                self.notes.push(format!("kept out: {what}"));
            }
        }
        false
    }

    pub(super) fn add(&mut self, slug: Slug, incoming: Incoming) -> Result<()> {
        if let Some(other) = self.units.get(&slug) {
            return Err(Error::new(
                Kind::Invalid,
                format!(
                    "expected one file for the unit `{slug}`, found {} and {}",
                    other.file, incoming.file
                ),
            )
            .hint("rename one of them, or import the folders into spaces of their own"));
        }
        self.units.insert(slug, incoming);
        Ok(())
    }

    /// The one error of all refusals; none where nothing was refused.
    pub(super) fn refusal(&self) -> Option<Error> {
        let refused: Vec<_> = self
            .refused
            .iter()
            .map(|(file, refusal)| (file.clone(), refusal.error.clone()))
            .collect();
        (!refused.is_empty()).then(|| refusal(&refused).context(self.summary(0)))
    }

    /// What was not taken, a line each, behind how much was: `imported 212, refused 3 (duplicate
    /// key 2, tab 1), secrets 4 kept out`.
    pub(super) fn told(&self, imported: usize) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.refused.is_empty() || self.secrets > 0 {
            lines.push(self.summary(imported));
        }
        lines.extend(self.notes.iter().cloned());
        let refused = self.refused.iter();
        lines.extend(refused.map(|(file, refusal)| format!("refused: {file}: {}", refusal.error)));
        lines
    }

    fn summary(&self, imported: usize) -> String {
        let mut line = format!("imported {imported}");
        if !self.refused.is_empty() {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for (_, refusal) in &self.refused {
                *counts.entry(refusal.reason).or_default() += 1;
            }
            let counts = counts.into_iter();
            let counts: Vec<_> = counts
                .map(|(why, count)| format!("{why} {count}"))
                .collect();
            let _ = write!(
                line,
                ", refused {} ({})",
                self.refused.len(),
                counts.join(", ")
            );
        }
        if self.secrets > 0 {
            let _ = write!(line, ", secrets {} kept out", self.secrets);
        }
        line
    }
}

/// Reads a source and makes units of it.
///
/// # Errors
/// When the source cannot be read, or two parts of it make the same name.
pub(super) fn read(manifests: &Manifests, options: &ImportOptions) -> Result<Found> {
    let mut found = Found::default();
    let path = match manifests {
        Manifests::Path(path) => path,
        Manifests::Text { name, .. } if options.by == Some(By::File) => return Err(no_file(name)),
        Manifests::Text { name, text } => {
            let file = (name.clone(), parse(text.as_bytes()));
            let by = options.by.unwrap_or(By::Workload);
            shape::documents_into_units(vec![file], by, options.secrets, &mut found)?;
            return Ok(found);
        }
    };
    if let Err(error) = std::fs::metadata(path) {
        return Err(unreadable(path, &error));
    }
    let (paths, usual) = if path.is_dir() {
        (yaml_files(path)?, By::File)
    } else {
        (vec![path.clone()], By::Workload)
    };
    let (records, paths): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| is_record(path));
    let records = records.iter().map(|path| path.display());
    let left_out = records.map(|file| format!("left out: {file} is a record of an export"));
    found.notes.extend(left_out);
    match options.by.unwrap_or(usual) {
        By::File => files_into_units(paths, options.secrets, &mut found)?,
        by => {
            let files = paths.into_par_iter();
            let files = files.map(|path| (path.display().to_string(), read_file(&path)));
            shape::documents_into_units(files.collect(), by, options.secrets, &mut found)?;
        }
    }
    Ok(found)
}

/// What was read from a file, as far as it must be known before anything is written.
struct Parsed {
    text: Folded,
    is_secret: bool,
    is_empty: bool,
}

fn files_into_units(paths: Vec<PathBuf>, secrets: Secrets, found: &mut Found) -> Result<()> {
    let parsed: Vec<_> = paths
        .into_par_iter()
        .map(|path| {
            let parsed = read_file(&path).map(|stream| Parsed {
                text: Folded::of(&stream),
                is_secret: stream.resources().iter().any(is_secret),
                is_empty: stream.view().document_count() == 0,
            });
            (path, parsed)
        })
        .collect();
    for (path, result) in parsed {
        let file = path.display().to_string();
        match result {
            Err(refusals) => found.refuse(&file, refusals),
            Ok(parsed) if parsed.is_empty => {
                let note = format!("left out: {file} holds no resource");
                found.notes.push(note);
            }
            Ok(Parsed {
                text, is_secret, ..
            }) => {
                if is_secret
                    && !found.takes_secret(&file, &format!("{file} holds a Secret"), secrets)
                {
                    continue;
                }
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                found.add(shape::slug_of(&stem)?, Incoming { file, text })?;
            }
        }
    }
    Ok(())
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    Ok(files)
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

fn read_file(path: &Path) -> Read {
    let unread = |error| vec![Refusal::new(unreadable(path, &error), "unreadable")];
    parse(&std::fs::read(path).map_err(unread)?)
}

/// Parses a text, and tells all that is wrong in it.
fn parse(bytes: &[u8]) -> Read {
    let stream = Stream::parse_bytes(bytes).map_err(|first| {
        let all = std::str::from_utf8(bytes)
            .map(Stream::check)
            .unwrap_or_default();
        let all = if all.is_empty() { vec![first] } else { all };
        all.into_iter().map(Refusal::from).collect::<Vec<_>>()
    })?;
    split_lists(stream).map_err(|error| vec![error.into()])
}

fn reason(error: &yaml::Error) -> &'static str {
    match error {
        yaml::Error::DuplicateKey { .. } => "duplicate key",
        yaml::Error::Key { .. } => "key",
        yaml::Error::NotMap { .. } => "no map",
        yaml::Error::Encoding { .. } => "encoding",
        yaml::Error::Template { .. } => "template",
        yaml::Error::Limit { .. } => "limit",
        yaml::Error::Syntax { message, .. } if message.contains("tab") => "tab",
        _ => "syntax",
    }
}

/// Each item of a `List` as a document of its own, behind the other documents.
fn split_lists(stream: Stream) -> std::result::Result<Stream, yaml::Error> {
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
    stream.apply(&edits)
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

/// Whether a resource is one of Kubernetes' own secrets.
pub(super) fn is_secret(resource: &ResourceId) -> bool {
    resource.kind == "Secret" && resource.group.is_empty()
}

fn secret() -> Error {
    Error::new(Kind::Denied, "expected no Secret, found one")
        .hint("--secrets keep-out leaves it out, --secrets allow imports it")
}

fn no_file(name: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("expected a file or a folder for --by file, found {name}"),
    )
    .hint("--by workload and --by resource make units of one text")
}

/// The one error of everything that was refused; there is at least one.
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
        error = error.at(Location {
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
