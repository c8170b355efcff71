//! Backups: the whole store in one file, and back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::app::App;
use crate::app::files::{replace, unwritable};
use crate::app::outcome::plural;
use crate::app::project::unreadable;
use crate::db::{Backup, BackupError};
use crate::error::{Error, Kind, Result};

/// What is known of a backup.
#[derive(Debug, Clone)]
pub struct BackupReport {
    /// What was done: `wrote`, `verified` or `restored`.
    pub done: &'static str,
    /// The file.
    pub file: PathBuf,
    /// How many bytes it has.
    pub bytes: usize,
    /// How many keys are in it.
    pub entries: usize,
    /// How many operations its log has; none where it was not read.
    pub operations: Option<u64>,
    /// What is wrong in it.
    pub problems: Vec<String>,
    /// The backup of what was there before a restore.
    pub before: Option<PathBuf>,
}

impl BackupReport {
    /// 0, or 1 where something is wrong in it.
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.problems.is_empty())
    }

    /// Lines for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} {}: {} in {}",
            self.done,
            self.file.display(),
            plural(self.entries, "record"),
            plural(self.bytes, "byte"),
        );
        if let Some(operations) = self.operations {
            let _ = write!(
                text,
                ", {}",
                plural(
                    usize::try_from(operations).unwrap_or(usize::MAX),
                    "operation"
                )
            );
        }
        text.push('\n');
        for problem in &self.problems {
            let _ = writeln!(text, "{problem}");
        }
        if let Some(before) = &self.before {
            let _ = writeln!(text, "what was there before is in {}", before.display());
        }
        text
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "Done": self.done,
            "File": self.file,
            "Bytes": self.bytes,
            "Records": self.entries,
            "Operations": self.operations,
            "Problems": self.problems,
            "Before": self.before,
        })
    }
}

impl App {
    /// Writes everything the store holds now into one file. Others may write meanwhile.
    ///
    /// # Errors
    /// [`Kind::Exists`] when there is a file and `force` does not say otherwise;
    /// [`Kind::NotFound`] when there is no store; [`Kind::Usage`] inside [`App::atomic`] and in
    /// previews.
    pub fn create_backup(&self, file: &Path, force: bool) -> Result<BackupReport> {
        self.refuse_open("backup create")?;
        if !self.db().exists() {
            return Err(Error::new(
                Kind::NotFound,
                format!(
                    "expected a store at {}, found none",
                    self.store_path().display()
                ),
            )
            .hint("--store PATH names another"));
        }
        if file.exists() && !force {
            return Err(Error::new(
                Kind::Exists,
                format!("expected no file at {}, found one", file.display()),
            )
            .hint("--force replaces it, once the new backup is whole"));
        }
        self.write_backup(file)
    }

    /// Checks all that a backup holds: its hash, every record, text and index, and the log.
    ///
    /// # Errors
    /// When the file cannot be read or is no whole backup; what is wrong in its records is in the
    /// report.
    pub fn verify_backup(&self, file: &Path) -> Result<BackupReport> {
        let (backup, bytes) = read_backup(file)?;
        self.verified(file, &backup, bytes)
    }

    /// Makes the store what a backup holds, all at once. What was there before goes into a backup
    /// beside the store.
    ///
    /// # Errors
    /// [`Kind::Exists`] when there is a store and `force` does not say otherwise;
    /// [`Kind::Invalid`] when something is wrong in the backup. The store is as before then.
    pub fn restore_backup(&self, file: &Path, force: bool) -> Result<BackupReport> {
        self.refuse_open("backup restore")?;
        let (backup, bytes) = read_backup(file)?;
        let report = self.verified(file, &backup, bytes)?;
        if let Some(problem) = report.problems.first() {
            return Err(Error::new(
                Kind::Invalid,
                format!(
                    "expected a sound backup, found in {}: {problem}",
                    file.display()
                ),
            )
            .context("nothing was written")
            .hint(format!(
                "windlass backup verify {} lists all",
                file.display()
            )));
        }
        let store = self.store_path();
        let has_store = self.db().exists();
        if has_store && !force {
            return Err(Error::new(
                Kind::Exists,
                format!("expected no store at {}, found one", store.display()),
            )
            .context("nothing was written")
            .hint("--force replaces it, and keeps a backup of it beside it")
            .hint("--store PATH restores to another place"));
        }
        let before = has_store.then(|| self.free_name()).transpose()?;
        if let Some(before) = &before {
            self.write_backup(before).map_err(|error| {
                error.hint(format!(
                    "a store that cannot be read: move {} away first",
                    store.display()
                ))
            })?;
        }
        self.db().replace_with(&backup)?;
        Ok(BackupReport {
            done: "restored",
            before,
            ..report
        })
    }

    fn write_backup(&self, file: &Path) -> Result<BackupReport> {
        let bytes = self.db().back_up()?;
        let backup = Backup::read(&bytes).map_err(|error| refused(file, &error))?;
        replace(file, &bytes).map_err(|error| unwritable(file, &error))?;
        Ok(BackupReport {
            done: "wrote",
            file: file.to_path_buf(),
            bytes: bytes.len(),
            entries: backup.entries().count(),
            operations: None,
            problems: Vec::new(),
            before: None,
        })
    }

    fn verified(&self, file: &Path, backup: &Backup, bytes: usize) -> Result<BackupReport> {
        let found = backup.verify(self.db().clock())?;
        Ok(BackupReport {
            done: "verified",
            file: file.to_path_buf(),
            bytes,
            entries: backup.entries().count(),
            operations: Some(found.operations),
            problems: found.problems.iter().map(ToString::to_string).collect(),
            before: None,
        })
    }

    /// A name beside the store that no file has.
    fn free_name(&self) -> Result<PathBuf> {
        let folder = self.store_path().parent().unwrap_or(Path::new("."));
        (1..10_000)
            .map(|number| folder.join(format!("before-restore-{number}.backup")))
            .find(|path| !path.exists())
            .ok_or_else(|| {
                Error::new(
                    Kind::Exists,
                    format!(
                        "expected room for a backup in {}, found 9999 of them",
                        folder.display()
                    ),
                )
                .hint("remove the old before-restore-*.backup files")
            })
    }

    fn refuse_open(&self, what: &str) -> Result<()> {
        self.refuse_inside_atomic(what)?;
        if self.is_rehearsing() {
            return Err(Error::new(
                Kind::Usage,
                format!("expected {what} outside of previews and dry runs, found it in one"),
            ));
        }
        Ok(())
    }
}

fn read_backup(file: &Path) -> Result<(Backup, usize)> {
    let bytes = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    let backup = Backup::read(&bytes).map_err(|error| refused(file, &error))?;
    Ok((backup, bytes.len()))
}

fn refused(file: &Path, error: &BackupError) -> Error {
    let refusal = Error::new(Kind::Invalid, format!("{}: {error}", file.display()));
    match error {
        BackupError::NotABackup => refusal.hint("windlass backup create FILE writes one"),
        BackupError::Newer(_) => refusal.hint("use the version of windlass that wrote it"),
        BackupError::Damaged(_) => refusal.hint("use an older backup, or an export"),
    }
}
