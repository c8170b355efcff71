//! Comparing a folder with what an export would write.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use similar::TextDiff;

use crate::app::App;
use crate::app::export::record::{INDEX, Index, UnitRecord, unit_of};
use crate::app::export::{ExportOptions, files_of};
use crate::app::project::unreadable;
use crate::error::{Error, Kind, Result};

/// What differs between a folder and the store.
#[derive(Debug, Clone, Default)]
pub struct ExportCheck {
    /// Files that are there with another text.
    pub changed: Vec<String>,
    /// Files that an export would write and that are not there.
    pub missing: Vec<String>,
    /// Files that no export would write.
    pub extra: Vec<String>,
    /// Targets, spaces, filters or functions that the index has otherwise.
    pub is_index_changed: bool,
    /// How many files are equal.
    pub equal: usize,
    /// The unified diff of the changed files, from the folder to the store.
    pub diff: String,
}

impl ExportCheck {
    /// Whether nothing differs.
    pub fn is_equal(&self) -> bool {
        self.changed.is_empty()
            && self.missing.is_empty()
            && self.extra.is_empty()
            && !self.is_index_changed
    }

    /// 0, or 5 where something differs.
    pub fn exit_code(&self) -> u8 {
        if self.is_equal() { 0 } else { 5 }
    }

    /// Lines for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let lists = [
            ("changed", &self.changed),
            ("missing", &self.missing),
            ("extra", &self.extra),
        ];
        for (word, files) in lists {
            for file in files {
                let _ = writeln!(text, "{word:<8} {file}");
            }
        }
        if self.is_index_changed {
            let _ = writeln!(
                text,
                "changed  {INDEX}: targets, spaces, filters or functions"
            );
        }
        text.push_str(&self.diff);
        let _ = writeln!(
            text,
            "{} changed, {} missing, {} extra, {} equal",
            self.changed.len() + usize::from(self.is_index_changed),
            self.missing.len(),
            self.extra.len(),
            self.equal
        );
        text
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "Changed": self.changed,
            "Missing": self.missing,
            "Extra": self.extra,
            "IndexChanged": self.is_index_changed,
            "Equal": self.equal,
            "Diff": self.diff,
        })
    }
}

impl App {
    /// Compares a folder with what an export would write there. Writes nothing.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the folder is no export; others when it or the store cannot be read.
    pub fn check_export(&self, folder: &Path, options: &ExportOptions) -> Result<ExportCheck> {
        let old = Index::read(folder)?.ok_or_else(|| not_an_export(folder))?;
        let tree = self.export_tree(options.selection.as_ref(), &old)?;
        let mut found = ExportCheck {
            is_index_changed: old.spaces != tree.index.spaces
                || old.targets != tree.index.targets
                || (options.selection.is_none()
                    && (old.filters != tree.index.filters
                        || old.functions != tree.index.functions)),
            ..ExportCheck::default()
        };
        for (name, text) in &tree.files {
            let path = folder.join(name);
            let there = match std::fs::read(&path) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    found.missing.push(name.clone());
                    continue;
                }
                Err(error) => return Err(unreadable(&path, &error)),
            };
            if there == *text || says_as(name, &there, text) {
                found.equal += 1;
                continue;
            }
            let diff = TextDiff::from_lines(there.as_str(), text.as_str());
            let (from, to) = (format!("folder/{name}"), format!("store/{name}"));
            let hunks = diff
                .unified_diff()
                .context_radius(3)
                .header(&from, &to)
                .to_string();
            found.diff.push_str(&hunks);
            found.changed.push(name.clone());
        }
        let mut there: Vec<String> = files_of(folder)?.into_keys().collect();
        there.extend(
            old.files
                .keys()
                .filter(|name| unit_of(name).is_some() && folder.join(name).exists())
                .cloned(),
        );
        there.sort();
        there.dedup();
        there.retain(|name| !tree.files.contains_key(name) && !tree.others.contains_key(name));
        found.extra = there;
        Ok(found)
    }
}

/// Whether two records say the same.
fn says_as(name: &str, there: &str, here: &str) -> bool {
    name.ends_with(".meta.yaml")
        && match (
            UnitRecord::parse(there, name),
            UnitRecord::parse(here, name),
        ) {
            (Ok(there), Ok(here)) => there.says_as(&here),
            _ => false,
        }
}

pub(super) fn not_an_export(folder: &Path) -> Error {
    let place = folder.display();
    Error::new(
        Kind::NotFound,
        format!("expected the index {INDEX} of an export in {place}, found none"),
    )
    .hint(format!("windlass export {place} makes one"))
}
