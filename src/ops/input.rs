//! Files that operations read.

use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use crate::app::App;
use crate::app::project::unreadable;
use crate::error::{Error, Kind, Result};

/// A file that an operation reads, by who named it.
///
/// A person at the command line may name any file, from the folder they are in, and `-` for
/// standard input; a script reads below the project's root alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum InputFile {
    /// Named on the command line.
    CommandLine(String),
    /// Named by a script.
    Script(String),
}

impl FromStr for InputFile {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Self::CommandLine(name.to_owned()))
    }
}

impl From<String> for InputFile {
    fn from(name: String) -> Self {
        Self::Script(name)
    }
}

impl InputFile {
    /// Its name, as it was given.
    pub fn name(&self) -> &str {
        match self {
            Self::CommandLine(name) | Self::Script(name) => name,
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
            Self::CommandLine(name) if name == "-" => {
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
