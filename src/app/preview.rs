//! Previews: what a write would do, and committing exactly that.

use std::collections::BTreeMap;
use std::fmt;

use crate::app::change::new_conflicts;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::show::{UnitChange, grouped_diff};
use crate::app::{App, Touched};
use crate::db::{Transaction, View};
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::Hash;

/// What would be written, unit by unit, and the heads it was computed from.
#[derive(Debug, Clone)]
pub struct Preview {
    outcome: Outcome,
    changes: Vec<UnitChange>,
    after: BTreeMap<UnitId, (u32, Hash)>,
}

impl Preview {
    /// The report of what would happen.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// What would change, identical changes once.
    pub fn diff(&self) -> String {
        grouped_diff(&self.changes)
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.outcome, self.diff())
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
        let ((), op) = self.atomic(None, || {
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
        outcome.op = op;
        Ok(outcome)
    }
}

impl App {
    /// What a transaction in memory has written so far, as a preview.
    pub(crate) fn preview_of(&self, transaction: &Transaction) -> Result<Preview> {
        preview_of(transaction, &self.touched())
    }
}

fn preview_of(transaction: &Transaction, touched: &BTreeMap<UnitId, Touched>) -> Result<Preview> {
    let mut outcome = Outcome {
        is_preview: true,
        ..Outcome::default()
    };
    let mut changes = Vec::new();
    for (id, before) in touched {
        let Some(unit) = transaction.find_unit_by_id(*id)? else {
            continue;
        };
        let space = transaction.space(unit.space)?;
        let reference = format!("{}/{}", space.slug, unit.slug);
        let data_changed = before.data != unit.data;
        outcome.reports.push(UnitReport {
            unit: unit.id,
            reference: reference.clone(),
            before: before.head,
            after: unit.head,
            status: match (before.head, data_changed) {
                (0, _) => Status::Created,
                (_, true) => Status::Changed,
                (_, false) => Status::Unchanged,
            },
            note: unit.last_change.clone(),
            conflicts: new_conflicts(transaction, &unit)?,
        });
        if !data_changed {
            continue;
        }
        let old = match before.head {
            0 => None,
            _ => Some(transaction.stream(&before.data)?),
        };
        changes.push(UnitChange {
            reference,
            before: before.head,
            after: unit.head,
            old,
            new: transaction.stream(&unit.data)?,
        });
    }
    Ok(Preview {
        outcome,
        changes,
        after: written(transaction, touched)?,
    })
}

/// The heads of the units that were touched, as they are now.
fn written(
    view: &View,
    touched: &BTreeMap<UnitId, Touched>,
) -> Result<BTreeMap<UnitId, (u32, Hash)>> {
    let mut after = BTreeMap::new();
    for id in touched.keys() {
        if let Some(unit) = view.find_unit_by_id(*id)? {
            after.insert(*id, (unit.head, unit.data));
        }
    }
    Ok(after)
}
