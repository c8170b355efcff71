//! Importing manifests: units are made of them, and importing again merges what changed.

mod belong;
mod read;
mod shape;
mod upstream;
mod write;

use std::path::PathBuf;
use std::str::FromStr;

use crate::app::App;
use crate::app::outcome::Outcome;
use crate::error::{Error, Kind, Result};
use crate::id::Slug;

pub(crate) use read::refusal;

/// The name under which imported texts are remembered where none is given.
pub const IMPORT_SOURCE: &str = "import";

/// Where manifests come from.
#[derive(Debug, Clone)]
pub enum Manifests {
    /// The YAML files below a folder, or one file.
    Path(PathBuf),
    /// A text, such as the output of another program.
    Text {
        /// What it is called in messages and in the history.
        name: String,
        /// The text: any number of documents.
        text: String,
    },
}

/// What an import does.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The name under which the texts are remembered.
    pub source: String,
    /// What becomes a unit; by file for a folder and by workload for one text where none is given.
    pub by: Option<By>,
    /// The space whose units of the same names are the upstreams.
    pub upstream: Option<Slug>,
    /// Import the good files even where others are refused.
    pub skip_refused: bool,
    /// What is done with a `Secret`.
    pub secrets: Secrets,
    /// Delete the units that were imported under the same name before and are not in the source.
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
            by: None,
            upstream: None,
            skip_refused: false,
            secrets: Secrets::default(),
            prune: false,
            protect: Vec::new(),
            dry_run: false,
        }
    }
}

impl ImportOptions {
    /// Whether something is asked for that only manifests can be given; an exported folder has
    /// records that say it.
    pub fn is_for_manifests(&self) -> bool {
        self.prune || self.by.is_some() || self.upstream.is_some() || !self.protect.is_empty()
    }
}

/// What becomes a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Each file, under its name.
    File,
    /// Each workload with what belongs to it, under its name; what belongs to none or to several
    /// is a unit of its own.
    Workload,
    /// Each resource, as `name-kind`.
    Resource,
}

impl FromStr for By {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "file" => Ok(Self::File),
            "workload" => Ok(Self::Workload),
            "resource" => Ok(Self::Resource),
            _ => Err(Error::new(
                Kind::Usage,
                format!("expected file, workload or resource for by, found `{text}`"),
            )),
        }
    }
}

/// What an import does with a `Secret`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Secrets {
    /// Refuses it, as a file that cannot be read.
    Refuse,
    /// Leaves it out and says so; where files become units, the whole file.
    #[default]
    KeepOut,
    /// Imports it like every other resource.
    Allow,
}

impl FromStr for Secrets {
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

impl App {
    /// Imports manifests into a space, which is made where there is none. A unit that was
    /// imported under the same source before is merged: base is the text of the last time.
    ///
    /// # Errors
    /// When the source cannot be read, two parts of it make the same name, or something in it is
    /// refused; all refusals are told at once and nothing is written.
    pub fn import_manifests(
        &self,
        space: &Slug,
        manifests: &Manifests,
        options: &ImportOptions,
    ) -> Result<Outcome> {
        let mut found = read::read(manifests, options)?;
        if let Some(refusal) = found.refusal().filter(|_| !options.skip_refused) {
            return Err(refusal);
        }
        let units = std::mem::take(&mut found.units);
        if units.is_empty() {
            let told = found.told(0).into_iter();
            let error = Error::new(
                Kind::NotFound,
                format!(
                    "expected YAML with resources in {}, found none",
                    manifests.name()
                ),
            );
            return Err(told.fold(error, Error::context));
        }
        let mut outcome = self.import_units(space, &units, options)?;
        outcome.notes.extend(found.told(units.len()));
        Ok(outcome)
    }
}

impl Manifests {
    fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Text { name, .. } => name.clone(),
        }
    }
}
