//! Files and folders that operations are given by name.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::app::App;
use crate::app::project::unreadable;
use crate::error::{Error, Kind, Result};

/// A file or folder, by who named it.
///
/// A person at the command line may name any, from the folder they are in, and `-` for standard
/// input where a text is read; a script only what is below the project's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedFile {
    /// Named on the command line.
    CommandLine(String),
    /// Named by a script.
    Script(String),
}

impl Default for NamedFile {
    fn default() -> Self {
        Self::Script(String::new())
    }
}

impl FromStr for NamedFile {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Self::CommandLine(name.to_owned()))
    }
}

// Not through `From<String>`: clap would prefer that to `FromStr`, and take the command line for a
// script.
impl<'de> Deserialize<'de> for NamedFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Script)
    }
}

impl NamedFile {
    /// Its name, as it was given.
    pub fn name(&self) -> &str {
        match self {
            Self::CommandLine(name) | Self::Script(name) => name,
        }
    }

    /// Whether it is standard input.
    pub fn is_standard_input(&self) -> bool {
        matches!(self, Self::CommandLine(name) if name == "-")
    }

    /// Where it is read.
    ///
    /// # Errors
    /// For a script, as [`Project::resolve`](crate::app::project::Project::resolve).
    pub fn readable(&self, app: &App) -> Result<PathBuf> {
        match self {
            Self::CommandLine(name) => Ok(PathBuf::from(name)),
            Self::Script(name) => app.project().resolve(name),
        }
    }

    /// Where it is written, as a file.
    ///
    /// # Errors
    /// For a script, as [`App::write_file`].
    pub fn writable(&self, app: &App) -> Result<PathBuf> {
        match self {
            Self::CommandLine(name) => Ok(PathBuf::from(name)),
            Self::Script(name) => app.project().writable(name),
        }
    }

    /// Where files are written below it, as a folder.
    ///
    /// # Errors
    /// For a script, as [`App::write_file`].
    pub fn writable_folder(&self, app: &App) -> Result<PathBuf> {
        match self {
            Self::CommandLine(name) => Ok(PathBuf::from(name)),
            Self::Script(name) => app.project().writable_folder(name),
        }
    }

    /// Its text.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such file, [`Kind::Denied`] when it may not be read,
    /// [`Kind::Invalid`] when it is not UTF-8.
    pub fn read(&self, app: &App) -> Result<String> {
        match self {
            Self::Script(name) => app.project().read_file(name),
            Self::CommandLine(_) if self.is_standard_input() => {
                let mut text = String::new();
                let read = std::io::stdin().read_to_string(&mut text);
                read.map_err(|error| {
                    Error::new(
                        Kind::Invalid,
                        format!("cannot read standard input: {error}"),
                    )
                })?;
                Ok(text)
            }
            Self::CommandLine(name) => {
                let path = Path::new(name);
                std::fs::read_to_string(path).map_err(|error| match error.kind() {
                    std::io::ErrorKind::InvalidData => Error::new(
                        Kind::Invalid,
                        format!("expected UTF-8 text in `{name}`, found other bytes"),
                    ),
                    _ => unreadable(path, &error),
                })
            }
        }
    }
}
