//! Previews of commands that are kept in files, so that exactly what was shown can be committed.
//!
//! A file under `.windlass/previews` has the command and a digest of what it would have written:
//! every unit with its head before and after, and the changed lines. To commit it, the command is
//! rehearsed again; where the digest is another one, somebody moved something, and nothing is
//! written. Revisions are immutable, so equal heads and equal changes make equal texts.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::app::files::{replace, unwritable};
use crate::app::outcome::{Outcome, plural};
use crate::app::project::{FOLDER, unreadable};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;

/// The folder of the files, below the project's `.windlass`.
const PREVIEWS: &str = "previews";

/// The letters of an id: without vowels there are no words, and none looks like a digit.
const LETTERS: &[u8] = b"23456789bcdfghjkmnpqrstvwxz";

/// How many of them are in an id.
const NAME_LETTERS: usize = 5;

/// A preview that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SavedPreview {
    /// Its name, such as `p-7k2m`: the same preview has the same.
    pub id: String,
    /// The words of the command, without the program's name.
    pub command: Vec<String>,
    /// Who previewed it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What was shown, in one hash.
    pub digest: String,
    /// How many units would change.
    pub units: usize,
}

impl App {
    /// Keeps a preview of a command; none where it would change nothing. The store is not touched.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the file cannot be written.
    pub fn save_preview(&self, command: &[String], outcome: &Outcome) -> Result<Option<String>> {
        if outcome.changed() == 0 {
            return Ok(None);
        }
        let digest = digest(outcome);
        let whole = blake3::hash(format!("{digest}{}", outcome.verb).as_bytes());
        let letters = whole.as_bytes().iter().take(NAME_LETTERS);
        let letters = letters.map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]));
        let id = format!("p-{}", letters.collect::<String>());
        let preview = SavedPreview {
            id: id.clone(),
            command: command.to_vec(),
            by: self.actor(),
            at: self.now(),
            digest,
            units: outcome.changed(),
        };
        let path = self.preview_path(&id);
        let written = serde_json::to_vec_pretty(&preview).map_err(std::io::Error::from);
        let written = written.and_then(|bytes| replace(&path, &bytes));
        written.map_err(|error| unwritable(&path, &error))?;
        Ok(Some(id))
    }

    /// Whether a word can only mean a preview: it has the form of a name, and there is one or no
    /// unit of this name.
    pub fn names_preview(&self, word: &str) -> bool {
        is_name(word) && (self.preview_path(word).exists() || self.unit_named(word).is_err())
    }

    /// A preview that was kept.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none of this name, [`Kind::Invalid`] when its file is damaged.
    pub fn saved_preview(&self, id: &str) -> Result<SavedPreview> {
        let path = self.preview_path(id);
        if !is_name(id) || !path.exists() {
            return Err(Error::new(
                Kind::NotFound,
                format!("expected a preview `{id}`, found none"),
            )
            .hint("--dry-run makes one, and says its name"));
        }
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let path = path.display();
            Error::new(
                Kind::Invalid,
                format!("expected a preview in {path}, found something else: {error}"),
            )
        })
    }

    /// What a preview showed, found again by rehearsing its command.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when the command would write something else by now.
    pub fn show_saved(
        &self,
        preview: &SavedPreview,
        rehearse: impl FnOnce() -> Result<Outcome>,
    ) -> Result<Outcome> {
        let mut outcome = rehearse()?;
        if digest(&outcome) != preview.digest {
            return Err(moved(preview));
        }
        outcome.preview = Some(preview.id.clone());
        Ok(outcome)
    }

    /// Writes what a preview showed, but for the units that are excepted, as one operation.
    /// `rehearse` does the command as a dry run, `run` does it.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when the command would write something else by now; what a unit fails of.
    /// Nothing is written then.
    pub fn commit_saved(
        &self,
        preview: &SavedPreview,
        except: &BTreeSet<UnitId>,
        rehearse: impl FnOnce() -> Result<Outcome>,
        run: impl FnOnce() -> Result<Outcome>,
    ) -> Result<Outcome> {
        let shown = rehearse()?;
        if digest(&shown) != preview.digest {
            return Err(moved(preview));
        }
        let expected = lines(&shown, except);
        self.scope().excepted.clone_from(except);
        let result = self.as_one(None, None, || {
            let outcome = run()?;
            if let Some(failure) = outcome.failure() {
                return Err(failure.hint(format!(
                    "windlass commit {} --except UNIT leaves it out",
                    preview.id
                )));
            }
            if lines(&outcome, except) != expected {
                return Err(moved(preview));
            }
            Ok(outcome)
        });
        self.scope().excepted.clear();
        let (mut outcome, op) = result?;
        outcome.op = outcome.op.or(op);
        // What was committed can be committed no more.
        std::fs::remove_file(self.preview_path(&preview.id)).unwrap_or_default();
        Ok(outcome)
    }

    fn preview_path(&self, id: &str) -> PathBuf {
        let folder = self.project().root().join(FOLDER).join(PREVIEWS);
        folder.join(format!("{id}.json"))
    }
}

/// Whether a word has the form of a preview's name.
fn is_name(word: &str) -> bool {
    word.strip_prefix("p-").is_some_and(|rest| {
        rest.len() == NAME_LETTERS && rest.bytes().all(|byte| LETTERS.contains(&byte))
    })
}

fn moved(preview: &SavedPreview) -> Error {
    let units = plural(preview.units, "unit");
    Error::new(
        Kind::Conflict,
        format!(
            "expected to write what {} showed for {units}, found that it would be something else \
             by now: nothing was written",
            preview.id
        ),
    )
    .hint(format!(
        "windlass {} shows what it is now",
        preview.command.join(" ")
    ))
}

/// The units of a report that are not excepted, each with what became of it.
fn lines(outcome: &Outcome, except: &BTreeSet<UnitId>) -> Vec<(UnitId, u32, u32, &'static str)> {
    let reports = outcome.reports.iter();
    let reports = reports.filter(|report| !except.contains(&report.unit));
    reports
        .map(|report| {
            (
                report.unit,
                report.before,
                report.after,
                report.status.word(),
            )
        })
        .collect()
}

fn digest(outcome: &Outcome) -> String {
    let units: Vec<_> = lines(outcome, &BTreeSet::new())
        .into_iter()
        .map(|(unit, before, after, word)| json!([unit.to_string(), before, after, word]))
        .collect();
    let whole = json!([units, outcome.changes]);
    blake3::hash(whole.to_string().as_bytes())
        .to_hex()
        .to_string()
}
