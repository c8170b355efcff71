//! Files that scripts write: below the project's root, whole or not at all.

use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use crate::app::App;
use crate::app::project::{FOLDER, Project, unreadable};
use crate::error::{Error, Kind, Result};

/// Folders below the root whose files say what other programs do, the store's own among them.
const KEPT_OUT: [&str; 2] = [FOLDER, ".git"];

impl App {
    /// Writes a file of the project, making the folders above it. A reader sees the old text or
    /// the new one, never a part. In a dry run and in a preview nothing is written, and a notice
    /// says so. Says whether the text is another one than before.
    ///
    /// # Errors
    /// [`Kind::Denied`] when the name leads out of the project, into `.windlass` or `.git`, or to
    /// a symbolic link; [`Kind::Usage`] inside [`App::atomic`], which could not take it back.
    pub fn write_file(&self, name: &str, text: &str) -> Result<bool> {
        self.refuse_inside_atomic("write_file")?;
        let path = self.project().writable(name)?;
        if self.project().read_file(name).is_ok_and(|old| old == text) {
            return Ok(false);
        }
        if self.is_rehearsing() {
            self.notify(&format!(
                "dry run: {name} ({} bytes) is not written",
                text.len()
            ));
            return Ok(true);
        }
        replace(&path, text.as_bytes()).map_err(|error| unwritable(&path, &error))?;
        Ok(true)
    }

    /// Writes a script that a person asked for by name: also while a rehearsal or a group is open.
    /// A file that is there stays, unless it begins as `text` does.
    ///
    /// # Errors
    /// [`Kind::Exists`] when there is another file of this name; else as [`Self::write_file`].
    pub fn save_script(&self, name: &str, text: &str) -> Result<()> {
        let path = self.project().writable(name)?;
        let first = text.lines().next();
        let is_ours = |old: String| old.is_empty() || old.lines().next() == first;
        if path.exists() && !self.project().read_file(name).is_ok_and(is_ours) {
            return Err(Error::new(
                Kind::Exists,
                format!("expected a new file, found `{name}` with other lines in it"),
            )
            .hint("nothing was written: give another name, or remove the file"));
        }
        replace(&path, text.as_bytes()).map_err(|error| unwritable(&path, &error))
    }

    /// Removes a file of the project; says whether there was one. In a dry run and in a preview it
    /// stays, and a notice says so.
    ///
    /// # Errors
    /// As [`Self::write_file`]; [`Kind::Invalid`] when it is a folder.
    pub fn remove_file(&self, name: &str) -> Result<bool> {
        self.refuse_inside_atomic("remove_file")?;
        let path = self.project().writable(name)?;
        if !path.exists() {
            return Ok(false);
        }
        if self.is_rehearsing() {
            self.notify(&format!("dry run: {name} is not removed"));
            return Ok(true);
        }
        std::fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(true)
    }

    /// Whether there is a file of this name below the project's root.
    ///
    /// # Errors
    /// [`Kind::Denied`] when the name leads out of the project.
    pub fn file_exists(&self, name: &str) -> Result<bool> {
        match self.project().resolve(name) {
            Ok(path) => Ok(path.is_file()),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Project {
    /// The path of a folder that a script may write files into, as [`App::write_file`] has it.
    ///
    /// # Errors
    /// Those of [`App::write_file`].
    pub fn writable_folder(&self, name: &str) -> Result<PathBuf> {
        let inside = format!("{}/file", name.trim_end_matches('/'));
        let file = self.writable(&inside)?;
        Ok(file.parent().unwrap_or(self.root()).to_path_buf())
    }

    /// The path of a file that a script may write, with nothing on the way that leads elsewhere.
    ///
    /// # Errors
    /// Those of [`App::write_file`].
    pub fn writable(&self, name: &str) -> Result<PathBuf> {
        let denied = |found: &str| {
            Error::new(
                Kind::Denied,
                format!(
                    "expected a file below the project's root and outside of {}, found `{name}`{found}",
                    KEPT_OUT.join(" and ")
                ),
            )
        };
        let mut words = Vec::new();
        for part in Path::new(name).components() {
            match part {
                Component::CurDir => {}
                Component::Normal(word) => words.push(word),
                _ => return Err(denied("")),
            }
        }
        let is_kept_out = words
            .first()
            .is_some_and(|first| KEPT_OUT.iter().any(|kept| first.eq_ignore_ascii_case(kept)));
        if words.is_empty() || is_kept_out || name.ends_with(['/', '\\']) {
            return Err(denied(""));
        }
        let mut path = self
            .root()
            .canonicalize()
            .map_err(|error| unreadable(self.root(), &error))?;
        for (at, word) in words.iter().enumerate() {
            path.push(word);
            let Ok(found) = path.symlink_metadata() else {
                continue;
            };
            let is_last = at + 1 == words.len();
            if found.is_symlink() {
                return Err(denied(", with a symbolic link on the way"));
            }
            if found.is_dir() == is_last {
                let expected = if is_last { "a file" } else { "a folder" };
                return Err(Error::new(
                    Kind::Invalid,
                    format!(
                        "expected {expected} at {}, found another thing",
                        path.display()
                    ),
                ));
            }
        }
        Ok(path)
    }
}

/// Writes beside the file, then puts the new one in its place.
pub(crate) fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let write = || {
        let mut file = std::fs::File::create_new(&beside)?;
        file.write_all(text)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    let written = write();
    if written.is_err() {
        // What went wrong before is what counts.
        drop(std::fs::remove_file(&beside));
    }
    written
}

/// The error of a file that cannot be written.
pub(crate) fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => Kind::Denied,
        _ => Kind::Unavailable,
    };
    Error::new(kind, format!("cannot write {}: {error}", path.display()))
}
