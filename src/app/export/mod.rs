//! Exporting to a folder of files that can be reviewed, compared and imported again.
//!
//! A file holds the YAML of a unit, one beside it what the unit has besides. The index says which
//! files an export wrote: only those are replaced or removed, and only while nobody edited them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::app::App;
use crate::app::files::{replace, unwritable};
use crate::app::outcome::plural;
use crate::app::project::unreadable;
use crate::app::select::Selection;
use crate::error::{Error, Kind, Result};
use crate::model::Hash;

mod check;
pub(crate) mod record;
mod take;
mod tree;

use record::{INDEX, Index, unit_of};
use tree::Tree;

/// How many files are named in an error.
const SHOWN_FILES: usize = 20;

/// What an export writes.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// The units; every unit, space, target, filter and installed function where it is
    /// none.
    pub selection: Option<Selection>,
    /// Replace files that somebody edited, or that no export wrote.
    pub force: bool,
}

/// What an export did.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    /// How many units the folder holds now of those that were asked for.
    pub units: usize,
    /// The files that are others than before, relative to the folder.
    pub written: Vec<String>,
    /// The files of units that are gone.
    pub removed: Vec<String>,
    /// The files of units that are gone which somebody edited, and which stay.
    pub kept: Vec<String>,
    /// How many files were as they should be.
    pub unchanged: usize,
}

impl Exported {
    /// Lines for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "exported {}: {} written, {} removed, {} unchanged\n",
            plural(self.units, "unit"),
            plural(self.written.len(), "file"),
            self.removed.len(),
            self.unchanged
        );
        for kept in &self.kept {
            let _ = writeln!(text, "kept: {kept} was edited, its unit is gone");
        }
        text
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "Units": self.units,
            "Written": self.written,
            "Removed": self.removed,
            "Kept": self.kept,
            "Unchanged": self.unchanged,
        })
    }
}

impl App {
    /// Writes units as files: `<space>/<unit>.yaml`, `<space>/<unit>.meta.yaml` and an index. The
    /// same state makes the same bytes. Files of units that are gone are removed; in a dry run and
    /// in a preview nothing is written, and a notice says so.
    ///
    /// # Errors
    /// [`Kind::Exists`] when a file in the way was edited or was not written by an export, with
    /// every such file; nothing is written then. [`Kind::Usage`] inside [`App::atomic`].
    pub fn export(&self, folder: &Path, options: &ExportOptions) -> Result<Exported> {
        self.refuse_inside_atomic("export")?;
        let old = Index::read(folder)?.unwrap_or_default();
        let tree = self.export_tree(options.selection.as_ref(), &old)?;
        let work = Work::plan(folder, &tree, &old, options.force)?;
        let done = Exported {
            units: tree.units.len(),
            written: work.write.iter().map(|name| (*name).clone()).collect(),
            unchanged: tree.files.len() - work.write.len(),
            removed: work.remove.clone(),
            kept: work.kept.clone(),
        };
        if self.is_rehearsing() {
            let count = plural(done.written.len(), "file");
            self.notify(&format!("dry run: {count} are not exported"));
            return Ok(done);
        }
        work.run(folder, &tree)?;
        Ok(done)
    }

    fn export_tree(&self, selection: Option<&Selection>, old: &Index) -> Result<Tree> {
        self.read(|view| match selection {
            None => Tree::of_all(view),
            Some(selection) => Tree::of_units(view, selection, old),
        })
    }
}

/// What has to be done to a folder.
struct Work<'a> {
    write: Vec<&'a String>,
    remove: Vec<String>,
    kept: Vec<String>,
}

impl<'a> Work<'a> {
    fn plan(folder: &Path, tree: &'a Tree, old: &Index, force: bool) -> Result<Self> {
        let mut work = Self {
            write: Vec::new(),
            remove: Vec::new(),
            kept: Vec::new(),
        };
        let mut in_the_way = Vec::new();
        let mut folders = BTreeSet::new();
        for (name, text) in &tree.files {
            folders.extend(name.split_once('/').map(|(space, _)| space));
            let Some(found) = digest_of(&folder.join(name))? else {
                work.write.push(name);
                continue;
            };
            if found == Hash::of(text.as_bytes()) {
                continue;
            }
            if !force && old.files.get(name) != Some(&found) {
                in_the_way.push(name.as_str());
            }
            work.write.push(name);
        }
        for space in folders {
            refuse_link(&folder.join(space))?;
        }
        refuse_in_the_way(folder, &in_the_way)?;
        for (name, written) in &old.files {
            // A name that no export gives came from elsewhere, and may lead anywhere.
            if tree.files.contains_key(name)
                || tree.others.contains_key(name)
                || unit_of(name).is_none()
            {
                continue;
            }
            match digest_of(&folder.join(name))? {
                None => {}
                Some(found) if found == *written => work.remove.push(name.clone()),
                Some(_) => work.kept.push(name.clone()),
            }
        }
        Ok(work)
    }

    fn run(&self, folder: &Path, tree: &Tree) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        for name in &self.write {
            write(&folder.join(name.as_str()), &tree.files[*name])?;
        }
        for name in &self.remove {
            let path = folder.join(name);
            if let Some(space) = path.parent() {
                refuse_link(space)?;
            }
            std::fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
            remove_empty(&path, folder);
        }
        let index = tree.index_text()?;
        let path = folder.join(INDEX);
        if std::fs::read(&path).is_ok_and(|found| found == index.as_bytes()) {
            return Ok(());
        }
        write(&path, &index)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    replace(path, text.as_bytes()).map_err(|error| unwritable(path, &error))
}

/// Removes the folders above a file that have become empty, below the exported one.
fn remove_empty(path: &Path, top: &Path) {
    let above = path.ancestors().skip(1).take_while(|folder| *folder != top);
    for folder in above {
        // One that holds anything stays.
        if std::fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// The hash of a file; none where there is none.
fn digest_of(path: &Path) -> Result<Option<Hash>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(Hash::of(&bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// A space's folder that is a link would send its files elsewhere.
fn refuse_link(folder: &Path) -> Result<()> {
    if !folder.is_symlink() {
        return Ok(());
    }
    let found = folder.display();
    Err(Error::new(
        Kind::Denied,
        format!("expected a folder at {found}, found a symbolic link"),
    )
    .hint("remove the link; export makes the folder"))
}

fn refuse_in_the_way(folder: &Path, files: &[&str]) -> Result<()> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let place = folder.display();
    let mut error = Error::new(
        Kind::Exists,
        format!(
            "expected files in {place} as the last export wrote them, found {} that {} not, such as {first}",
            files.len(),
            if files.len() == 1 { "is" } else { "are" }
        ),
    );
    for name in files.iter().skip(1).take(SHOWN_FILES) {
        error = error.context((*name).to_owned());
    }
    Err(error
        .context("nothing was written")
        .hint(format!("windlass import {place} takes edits in"))
        .hint("--force replaces them"))
}

/// The YAML files of the spaces in an exported folder, by their names in it.
fn files_of(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    for space in folders_of(folder)? {
        let entries = std::fs::read_dir(&space).map_err(|error| unreadable(&space, &error))?;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&space, &error))?.path();
            let (Some(space), Some(file)) = (space.file_name(), path.file_name()) else {
                continue;
            };
            let name = format!("{}/{}", space.to_string_lossy(), file.to_string_lossy());
            if path.is_file() && unit_of(&name).is_some() {
                files.insert(name, path);
            }
        }
    }
    Ok(files)
}

fn folders_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return Err(unreadable(folder, &error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.is_dir() && !path.is_symlink() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}
