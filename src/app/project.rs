//! Where a project is: the folder with `.windlass/` or `windlass.toml`, and the files under it.
//!
//! Scripts reach files only below the root; a path that leads out of it, by `..`, an absolute path
//! or a symbolic link, is refused.

use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// The folder of the store and the previews, below the root.
pub const FOLDER: &str = ".windlass";

/// A project's root folder.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The project that `from` is in: the nearest folder upwards that has `.windlass/` or
    /// `windlass.toml`, else `from` itself.
    pub fn find(from: &Path) -> Self {
        let root = from
            .ancestors()
            .find(|folder| folder.join(FOLDER).is_dir() || folder.join("windlass.toml").is_file())
            .unwrap_or(from);
        Self {
            root: root.to_path_buf(),
        }
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The store's file where nothing else is said.
    pub fn default_store(&self) -> PathBuf {
        self.root.join(FOLDER).join("store.redb")
    }

    /// The file or folder that a script names, checked to lie below the root.
    ///
    /// # Errors
    /// [`Kind::Denied`] when it lies outside, [`Kind::NotFound`] when there is none.
    pub fn resolve(&self, name: &str) -> Result<PathBuf> {
        let root = self
            .root
            .canonicalize()
            .map_err(|error| unreadable(&self.root, &error))?;
        let path = root.join(name);
        if climbs_out(&root, &path) {
            return Err(outside(&root, name));
        }
        let path = path
            .canonicalize()
            .map_err(|error| unreadable(&path, &error))?;
        if path.starts_with(&root) {
            Ok(path)
        } else {
            Err(outside(&root, name))
        }
    }

    /// The text of a file below the root.
    ///
    /// # Errors
    /// As [`Self::resolve`]; [`Kind::Invalid`] when it is not UTF-8 text.
    pub fn read_file(&self, name: &str) -> Result<String> {
        let path = self.resolve(name)?;
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        String::from_utf8(bytes).map_err(|error| {
            Error::new(
                Kind::Invalid,
                format!(
                    "expected UTF-8 text in `{name}`, found another byte at offset {}",
                    error.utf8_error().valid_up_to()
                ),
            )
        })
    }
}

/// Whether a path leaves the root by its own words, links aside.
fn climbs_out(root: &Path, path: &Path) -> bool {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    !plain.starts_with(root)
}

fn outside(root: &Path, name: &str) -> Error {
    Error::new(
        Kind::Denied,
        format!(
            "expected a path below the project's root {}, found `{name}`",
            root.display()
        ),
    )
    .hint("scripts reach files only below the root; copy the file into the project")
}

/// The error of a file that cannot be read.
pub fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => Kind::NotFound,
        std::io::ErrorKind::PermissionDenied => Kind::Denied,
        _ => Kind::Unavailable,
    };
    Error::new(kind, format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_out_of_the_root_is_refused() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        let root = outside.path().join("project");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("inside"), "y").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path().join("secret"), root.join("link")).unwrap();
        let project = Project::find(&root);
        assert_eq!(project.read_file("inside").unwrap(), "y");
        let absolute = outside.path().join("secret");
        for name in ["../secret", "link", absolute.to_str().unwrap()] {
            assert_eq!(
                project.read_file(name).unwrap_err().kind(),
                Kind::Denied,
                "{name}"
            );
        }
        assert_eq!(
            project.read_file("nothing").unwrap_err().kind(),
            Kind::NotFound
        );
    }

    #[test]
    fn the_root_is_found_upwards() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(Project::find(&deep).root(), deep);
        std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
        assert_eq!(Project::find(&deep).root(), folder.path());
    }
}
