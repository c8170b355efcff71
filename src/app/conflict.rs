//! Conflicts and intended differences: deciding rows, protecting and releasing paths.

use std::collections::BTreeMap;

use crate::app::change::{ChangeOptions, Draft, Plan};
use crate::app::conflict_edit::{EditedValue, refuse_decided};
use crate::app::conflict_text::side;
use crate::app::outcome::Outcome;
use crate::app::related::Related;
use crate::app::select::{Pin, Request, Selection};
use crate::app::table::{Cell, Table};
use crate::app::{App, Verb};
use crate::error::Result;
use crate::id::{ConflictId, UnitId};
use crate::model::{Conflict, RevisionSource};
use crate::path::Path;
use crate::yaml::ResourceId;
use crate::yaml::merge::{RowState, settle, take};

/// What is decided about a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The incoming value is used.
    Take,
    /// The local value stays.
    Keep {
        /// And the path is protected, so that nobody is asked again.
        protect: bool,
    },
    /// Another value is used.
    Edit(EditedValue),
}

impl App {
    /// The open conflict rows that meet a clause; all where there is none.
    ///
    /// # Errors
    /// When the clause cannot be read.
    pub fn conflicts(&self, clause: Option<&str>) -> Result<Vec<Conflict>> {
        let request = Request {
            clause: Some("Conflicts > 0".to_owned()),
            ..Request::default()
        };
        let mut rows = self.conflicts_of(&self.select(&request)?)?;
        rows.retain(Conflict::is_open);
        match clause {
            None => Ok(rows),
            Some(clause) => self.conflicts_where(rows, clause),
        }
    }

    /// The conflict rows of the units of a selection, decided ones too.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn conflicts_of(&self, selection: &Selection) -> Result<Vec<Conflict>> {
        self.read(|view| {
            let mut rows = Vec::new();
            for pin in selection.pins() {
                rows.extend(view.conflicts_of(pin.unit)?);
            }
            Ok(rows)
        })
    }

    /// The conflict rows with these numbers.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotFound`] when there is no row of a number.
    pub fn conflicts_named(&self, ids: &[ConflictId]) -> Result<Vec<Conflict>> {
        self.read(|view| {
            let conflicts = ids.iter().map(|id| Ok(view.conflict(*id)?));
            conflicts.collect()
        })
    }

    /// Decides conflicts; taking makes a revision.
    ///
    /// # Errors
    /// When a row does not exist or was decided already, or a unit moved meanwhile.
    pub fn decide(
        &self,
        ids: &[ConflictId],
        decision: &Decision,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let rows = self.conflicts_named(ids)?;
        refuse_decided(&rows)?;
        let mut by_unit: BTreeMap<UnitId, Vec<Conflict>> = BTreeMap::new();
        for row in rows {
            by_unit.entry(row.unit).or_default().push(row);
        }
        let selection = self.read(|view| {
            let mut selection = Selection::default();
            for unit in by_unit.keys() {
                selection.push(Pin {
                    unit: *unit,
                    head: view.unit(*unit)?.head,
                });
            }
            Ok(selection)
        })?;
        let word = match decision {
            Decision::Edit(_) => "edit",
            Decision::Take => "take",
            Decision::Keep { .. } => "keep",
        };
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let verb = Verb::new(format!("conflict {word} {}", names.join(" ")));
        let text = verb.text.clone();
        self.change(&selection, verb, options, &|head| {
            let mut draft = Draft::of(head, RevisionSource::Resolve, text.clone());
            for conflict in &by_unit[&head.unit.id] {
                let (resource, path) = (&conflict.row.resource, &conflict.row.path);
                match decision {
                    Decision::Take => {
                        let edits = take(&draft.stream, &conflict.row)?;
                        draft.stream = draft.stream.apply(&edits)?;
                        draft.edits.extend(edits);
                        draft.bookkeeping.owned.remove(Some(resource), path);
                        draft.decided.push((conflict.id, RowState::Taken));
                    }
                    Decision::Edit(value) => {
                        let edits = settle(&draft.stream, &conflict.row, Some(value.text()))?;
                        draft.stream = draft.stream.apply(&edits)?;
                        draft.edits.extend(edits);
                        draft.decided.push((conflict.id, RowState::Edited));
                    }
                    Decision::Keep { protect } => {
                        if *protect {
                            draft
                                .bookkeeping
                                .protected
                                .insert(Some(resource.clone()), path.clone());
                        }
                        draft.decided.push((conflict.id, RowState::Kept));
                    }
                }
            }
            let rows = by_unit[&head.unit.id].iter();
            let done: Vec<String> = rows.map(|row| row.id.to_string()).collect();
            draft.note = match decision {
                Decision::Edit(_) => format!("edited {}", done.join(", ")),
                Decision::Take => format!("took {}", done.join(", ")),
                Decision::Keep { protect: false } => format!("kept {}", done.join(", ")),
                Decision::Keep { protect: true } => {
                    format!("kept and protected {}", done.join(", "))
                }
            };
            Ok(Plan::Write(Box::new(draft)))
        })
    }

    /// Declares a path the units' own, or gives it back.
    ///
    /// A path alone means every resource that has it, now or later; `resource` narrows it to one
    /// `Kind/name`.
    ///
    /// # Errors
    /// When the path cannot be read, or no unit has it.
    pub fn set_protected(
        &self,
        selection: &Selection,
        path: &str,
        resource: Option<&str>,
        is_protected: bool,
    ) -> Result<Outcome> {
        let path: Path = path.parse()?;
        let word = if is_protected { "protect" } else { "release" };
        let on = resource
            .map(|resource| format!(" on {resource}"))
            .unwrap_or_default();
        let verb = Verb::new(format!("{word} {path}{on}"));
        let text = verb.text.clone();
        self.change(selection, verb, ChangeOptions::default(), &|head| {
            let found: Vec<ResourceId> = head
                .stream
                .view()
                .documents()
                .filter(|document| document.at(&path).is_some() || has(*document, &path))
                .map(ResourceId::of)
                .collect();
            let found: Vec<ResourceId> = match resource {
                Some(wanted) => found
                    .into_iter()
                    .filter(|id| id.to_string() == wanted)
                    .collect(),
                None => found,
            };
            let mut draft = Draft::of(head, RevisionSource::Patch, text.clone());
            let bookkeeping = &mut draft.bookkeeping;
            if is_protected {
                if found.is_empty() {
                    return Ok(Plan::Skip(format!("no resource has `{path}`")));
                }
                match resource {
                    None => bookkeeping.protected.insert(None, path.clone()),
                    Some(_) => bookkeeping
                        .protected
                        .insert(found.into_iter().next(), path.clone()),
                };
            } else {
                for set in [&mut bookkeeping.protected, &mut bookkeeping.owned] {
                    set.retain(|on, named| {
                        let is_meant = resource
                            .is_none_or(|wanted| on.is_some_and(|on| on.to_string() == wanted));
                        *named != path || !is_meant
                    });
                }
            }
            if *bookkeeping == head.bookkeeping {
                return Ok(Plan::Unchanged(format!("{word}ed already")));
            }
            draft.note = format!("{word}ed");
            Ok(Plan::Write(Box::new(draft)))
        })
    }

    /// Conflict rows as a table.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn conflict_table(&self, rows: &[Conflict]) -> Result<Table> {
        self.read(|view| {
            let mut related = Related::new(view);
            let columns = [
                "ID", "Unit", "Resource", "Path", "Reason", "State", "Local", "Incoming",
            ];
            let mut table = Table::new(columns);
            for conflict in rows {
                let unit = view.unit(conflict.unit)?;
                let reference = format!("{}/{}", related.space(unit.space)?.slug, unit.slug);
                table.push(vec![
                    Cell::text(conflict.id.to_string()),
                    Cell::text(reference),
                    Cell::text(conflict.row.resource.to_string()),
                    Cell::text(conflict.row.path.to_string()),
                    Cell::text(conflict.row.reason.describe()),
                    Cell::text(state_word(conflict.row.state)),
                    Cell::text(side(conflict.row.local.as_deref())),
                    Cell::text(side(conflict.row.incoming.as_deref())),
                ]);
            }
            Ok(table)
        })
    }
}

/// What was decided about a row, in a word.
pub fn state_word(state: RowState) -> &'static str {
    match state {
        RowState::Open => "open",
        RowState::Kept => "kept",
        RowState::Taken => "taken",
        RowState::Edited => "edited",
    }
}

fn has(document: crate::yaml::NodeRef<'_>, path: &Path) -> bool {
    let mut found = false;
    document.select(path, &mut |_| found = true);
    found
}
