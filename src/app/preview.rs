//! Previews: what a write would do, and committing exactly that.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::app::change::new_conflicts;
use crate::app::difference::{UnitChange, compare};
use crate::app::dry_run::{DryRun, Showing};
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::related::Related;
use crate::app::{App, Touched};
use crate::clock::Timestamp;
use crate::db::{Transaction, View};
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{Hash, Space, Unit};

/// What would be written, unit by unit, and the heads it was computed from.
#[derive(Debug, Clone)]
pub struct Preview {
    outcome: Outcome,
    after: BTreeMap<UnitId, (u32, Hash)>,
}

impl Preview {
    /// The report of what would happen.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// What would change, for the report of another call.
    pub(crate) fn shown(self) -> DryRun {
        self.outcome.shown.map(|shown| *shown).unwrap_or_default()
    }

    /// What would change, identical changes once.
    pub fn diff(&self) -> String {
        self.outcome.changes.clone()
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.outcome, f)
    }
}

impl App {
    /// Computes what `body` would write. The store is not touched.
    ///
    /// # Errors
    /// Those of `body`.
    pub fn preview(&self, body: impl FnOnce() -> Result<()>) -> Result<Preview> {
        self.rehearse(body, |transaction, ()| self.preview_of(transaction))
    }

    /// Computes `body` again and commits it, if it writes exactly what the preview showed.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when a unit has moved, or anything would be written that was not shown;
    /// nothing is written then.
    pub fn commit(&self, preview: &Preview, body: impl FnOnce() -> Result<()>) -> Result<Outcome> {
        self.commit_because(None, preview, body)
    }

    /// As [`Self::commit`], and says why.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn commit_because(
        &self,
        why: Option<&str>,
        preview: &Preview,
        body: impl FnOnce() -> Result<()>,
    ) -> Result<Outcome> {
        let ((), op) = self.atomic(why, || {
            body()?;
            let touched = self.touched();
            self.read(|view| {
                let now = written(view, &touched)?;
                if now == preview.after {
                    return Ok(());
                }
                Err(Error::new(
                    Kind::Conflict,
                    "expected to write what the preview showed, found another result",
                )
                .hint("somebody changed a unit meanwhile: preview again, then commit"))
            })
        })?;
        let mut outcome = preview.outcome.clone();
        outcome.is_preview = false;
        outcome.shown = None;
        outcome.changes.clear();
        outcome.op = op;
        Ok(outcome)
    }
}

impl App {
    /// Does what `body` does as one operation of this title, or with `is_dry` in a rehearsal that
    /// says so.
    pub(crate) fn as_one_or_dry(
        &self,
        title: &str,
        is_dry: bool,
        body: impl FnOnce() -> Result<Outcome>,
    ) -> Result<Outcome> {
        if is_dry {
            return self.as_preview(body);
        }
        let (outcome, op) = self.as_titled(title, body)?;
        Ok(Outcome { op, ..outcome })
    }

    /// What `body` would do.
    pub(crate) fn as_preview(&self, body: impl FnOnce() -> Result<Outcome>) -> Result<Outcome> {
        self.rehearse(body, |_, outcome| {
            Ok(Outcome {
                is_preview: true,
                op: None,
                ..outcome
            })
        })
    }

    /// What a transaction in memory has written so far, as a preview.
    pub(crate) fn preview_of(&self, transaction: &Transaction) -> Result<Preview> {
        preview_of(transaction, &self.touched(), self.now())
    }
}

/// A unit that was touched, as it was and as it is now.
struct Seen {
    before: Touched,
    unit: Unit,
    space: Arc<Space>,
    reference: String,
}

impl Seen {
    fn change(&self) -> Option<UnitChange> {
        (self.before.data != self.unit.data).then(|| UnitChange {
            reference: self.reference.clone(),
            before: self.before.head,
            after: self.unit.head,
            old: (self.before.head > 0).then_some(self.before.data),
            new: self.unit.data,
        })
    }
}

/// The units that were touched and are there still.
fn look(view: &View, touched: &BTreeMap<UnitId, Touched>) -> Result<Vec<Seen>> {
    let ids: Vec<UnitId> = touched.keys().copied().collect();
    let mut related = Related::new(view);
    let mut seen = Vec::with_capacity(ids.len());
    for (before, unit) in touched.values().zip(view.find_units(&ids)?) {
        let Some(unit) = unit else {
            continue;
        };
        let space = related.space(unit.space)?;
        seen.push(Seen {
            before: *before,
            reference: format!("{}/{}", space.slug, unit.slug),
            unit,
            space,
        });
    }
    Ok(seen)
}

fn preview_of(
    transaction: &Transaction,
    touched: &BTreeMap<UnitId, Touched>,
    now: Timestamp,
) -> Result<Preview> {
    let mut outcome = Outcome {
        is_preview: true,
        ..Outcome::default()
    };
    let seen = look(transaction, touched)?;
    let changes: Vec<UnitChange> = seen.iter().filter_map(Seen::change).collect();
    let mut shown = Showing::default();
    for (change, compared) in changes.iter().zip(compare(transaction, &changes)?) {
        let revisions = (change.before, change.after);
        shown.add(&change.reference, revisions, compared);
    }
    let mut after = BTreeMap::new();
    for Seen {
        before,
        unit,
        space,
        reference,
    } in seen
    {
        if before.data != unit.data {
            shown.note_gates(&unit, &space, now);
        }
        after.insert(unit.id, (unit.head, unit.data));
        outcome.reports.push(UnitReport {
            unit: unit.id,
            reference,
            before: before.head,
            after: unit.head,
            status: match (before.head, before.data != unit.data) {
                (0, _) => Status::Created,
                (_, true) => Status::Changed,
                (_, false) => Status::Unchanged,
            },
            conflicts: if unit.open_conflicts > 0 {
                new_conflicts(transaction, &unit)?
            } else {
                Vec::new()
            },
            note: unit.last_change,
        });
    }
    let outcome = outcome.previewed(shown.finish(transaction)?);
    Ok(Preview { outcome, after })
}

/// The heads of the units that were touched, as they are now.
fn written(
    view: &View,
    touched: &BTreeMap<UnitId, Touched>,
) -> Result<BTreeMap<UnitId, (u32, Hash)>> {
    let ids: Vec<UnitId> = touched.keys().copied().collect();
    let units = view.find_units(&ids)?.into_iter().flatten();
    Ok(units
        .map(|unit| (unit.id, (unit.head, unit.data)))
        .collect())
}
