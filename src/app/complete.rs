//! The words of the live store, for whoever completes what a person types.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::app::App;
use crate::db::View;
use crate::error::{Error, Result};
use crate::id::Slug;
use crate::model::{Apply, Labels, Operation, Unit};
use crate::path::Path;
use crate::yaml::{Kind, NodeRef, Scalar};

/// How many units are looked at for the paths of their data.
const SAMPLED_UNITS: usize = 200;

/// How many values are offered.
const MAX_VALUES: usize = 500;

/// Keys of lists of maps by which Kubernetes tells their elements apart.
const NAME_KEYS: [&str; 3] = ["name", "mountPath", "containerPort"];

impl App {
    /// The names of all spaces, sorted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn space_names(&self) -> Result<Vec<String>> {
        self.read(|view| {
            let spaces = view.spaces()?.into_iter();
            let mut names: Vec<String> = spaces.map(|space| space.slug.to_string()).collect();
            names.sort();
            Ok(names)
        })
    }

    /// The names of the units of a space, sorted; none where there is no such space.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn unit_names(&self, space: &str) -> Result<Vec<String>> {
        self.read(|view| {
            let space = match space.parse() {
                Ok(slug) => view.find_space(&slug)?,
                Err(_) => None,
            };
            let Some(space) = space else {
                return Ok(Vec::new());
            };
            let units = view.units_in(space.id)?.into_iter();
            let mut names: Vec<String> = units.map(|unit| unit.slug.to_string()).collect();
            names.sort();
            Ok(names)
        })
    }

    /// The names of things of a kind, each with what is to be said of it; at most 500.
    ///
    /// # Errors
    /// When the store, or the folder of functions, cannot be read.
    pub fn names(&self, of: Things) -> Result<Vec<(String, String)>> {
        if of == Things::Functions {
            let functions = self.catalogue()?.list().into_iter();
            let named = functions.map(|function| (function.name.clone(), function.summary.clone()));
            return Ok(named.collect());
        }
        self.read(|view| {
            let plain = |name: String| (name, String::new());
            let mut names: Vec<(String, String)> = match of {
                Things::Spaces => {
                    let spaces = view.spaces()?.into_iter();
                    spaces.map(|space| plain(space.slug.to_string())).collect()
                }
                Things::Targets => {
                    let targets = view.targets()?.into_iter();
                    targets
                        .map(|target| (target.slug.to_string(), target.kind))
                        .collect()
                }
                Things::Workers => {
                    let workers = view.workers()?.into_iter();
                    workers
                        .map(|worker| plain(worker.slug.to_string()))
                        .collect()
                }
                Things::Filters => {
                    let filters = view.filters()?.into_iter();
                    filters
                        .map(|filter| (filter.slug.to_string(), filter.clause))
                        .collect()
                }
                Things::ChangeSets => {
                    let changesets = view.changesets()?.into_iter();
                    changesets
                        .map(|changeset| plain(changeset.slug.to_string()))
                        .collect()
                }
                Things::Applies => {
                    let applies = view.applies(MAX_VALUES)?.into_iter();
                    let about = |apply: Apply| (apply.id.to_string(), apply.verb);
                    applies.map(about).collect()
                }
                Things::Operations => {
                    let operations = view.operations(None, MAX_VALUES)?.into_iter();
                    let about = |operation: Operation| (operation.id.to_string(), operation.verb);
                    operations.map(about).collect()
                }
                Things::Functions => Vec::new(),
            };
            names.dedup();
            names.truncate(MAX_VALUES);
            Ok(names)
        })
    }

    /// The keys of the labels of units, or of spaces, each with its values; at most 500 of them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn label_words(&self, of_spaces: bool) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut words = Words::default();
        self.read(|view| {
            if of_spaces {
                for space in view.spaces()? {
                    words.take(&space.labels);
                }
                return Ok(());
            }
            view.scan_units(|unit| {
                words.take(&unit.labels);
                Ok(if words.count < MAX_VALUES {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            })
        })?;
        Ok(words.found)
    }

    /// What may stand next in a data path behind `above`, as a path has it (`?name=api`, `*`, a key
    /// with its dots escaped); from at most 200 units, those of the current space where there is
    /// one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn path_segments(&self, above: &Path) -> Result<BTreeSet<String>> {
        let current = self.current_space();
        self.read(|view| {
            let mut found = BTreeSet::new();
            for unit in sample(view, current.as_ref())? {
                view.tree(&unit.data, |tree| {
                    for document in tree.documents() {
                        document.select(above, &mut |node| offer(node, &mut found));
                    }
                })?;
            }
            Ok(found)
        })
    }
}

/// Kinds of things that people name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Things {
    /// Spaces.
    Spaces,
    /// Targets.
    Targets,
    /// Workers, of whatever space.
    Workers,
    /// Stored filters.
    Filters,
    /// Changesets.
    ChangeSets,
    /// Functions: the project's and the standard library's.
    Functions,
    /// Applies, the newest first.
    Applies,
    /// Operations, the newest first.
    Operations,
}

#[derive(Default)]
struct Words {
    found: BTreeMap<String, BTreeSet<String>>,
    count: usize,
}

impl Words {
    fn take(&mut self, labels: &Labels) {
        for (key, value) in labels {
            let is_new = self
                .found
                .entry(key.clone())
                .or_default()
                .insert(value.clone());
            self.count += usize::from(is_new);
        }
    }
}

fn sample(view: &View, space: Option<&Slug>) -> Result<Vec<Unit>> {
    let space = space
        .map(|slug| view.find_space(slug))
        .transpose()?
        .flatten();
    if let Some(space) = space {
        let ids = view.unit_ids_in(space.id)?;
        return Ok(view.units(&ids[..ids.len().min(SAMPLED_UNITS)])?);
    }
    let mut units = Vec::new();
    view.scan_units(|unit| {
        units.push(unit);
        Ok::<_, Error>(if units.len() < SAMPLED_UNITS {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    Ok(units)
}

fn offer(node: NodeRef<'_>, found: &mut BTreeSet<String>) {
    match node.kind() {
        Kind::Map => {
            for (key, _) in node.entries() {
                found.insert(key.replace('.', "\\."));
            }
        }
        Kind::List => {
            found.insert("*".to_owned());
            for item in node.items() {
                found.extend(name_of(item));
            }
        }
        Kind::Scalar => {}
    }
}

/// `?name=api` for an element with a name of its own.
fn name_of(item: NodeRef<'_>) -> Option<String> {
    NAME_KEYS.iter().find_map(|key| {
        let text = scalar_text(item.get(key)?)?;
        Some(format!("?{key}={}", text.replace('.', "\\.")))
    })
}

fn scalar_text(node: NodeRef<'_>) -> Option<String> {
    match node.scalar()? {
        Scalar::Str(text) => Some(text.to_owned()),
        Scalar::Int(number) => Some(number.to_string()),
        _ => None,
    }
}
