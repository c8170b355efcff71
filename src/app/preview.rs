//! Previews: what a write would do, and committing exactly that.

use std::collections::BTreeMap;
use std::fmt;

use crate::app::App;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::show::{UnitChange, grouped_diff};
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
        self.rehearse(body, |transaction, ()| preview_of(transaction))
    }

    /// Computes `body` again and commits it, if it writes exactly what the preview showed.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when a unit has moved, or anything would be written that was not shown;
    /// nothing is written then.
    pub fn commit(&self, preview: &Preview, body: impl FnOnce() -> Result<()>) -> Result<Outcome> {
        let ((), op) = self.atomic(None, || {
            body()?;
            self.with_transaction(|transaction| {
                let now = written(transaction)?;
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

/// What the transaction has written so far, as a preview.
pub(crate) fn preview_of(transaction: &Transaction) -> Result<Preview> {
    let mut outcome =
        Outcome { verb: transaction.verb().to_owned(), is_preview: true, ..Outcome::default() };
    let mut changes = Vec::new();
    for written in transaction.written_units()? {
        let unit = transaction.unit(written.unit)?;
        let space = transaction.space(unit.space)?;
        let reference = format!("{}/{}", space.slug, unit.slug);
        let data_changed = written.data_before != Some(unit.data);
        outcome.reports.push(UnitReport {
            unit: unit.id,
            reference: reference.clone(),
            before: written.head_before,
            after: unit.head,
            status: match (written.head_before, data_changed) {
                (0, _) => Status::Created,
                (_, true) => Status::Changed,
                (_, false) => Status::Unchanged,
            },
            note: unit.last_change.clone(),
            conflicts: transaction.open_conflicts(unit.id)?,
        });
        if !data_changed {
            continue;
        }
        let before = match written.data_before {
            Some(hash) => Some(transaction.stream(&hash)?),
            None => None,
        };
        changes.push(UnitChange {
            reference,
            before: written.head_before,
            after: unit.head,
            old: before,
            new: transaction.stream(&unit.data)?,
        });
    }
    Ok(Preview { outcome, changes, after: written(transaction)? })
}

fn written(transaction: &Transaction) -> Result<BTreeMap<UnitId, (u32, Hash)>> {
    let mut after = BTreeMap::new();
    for written in transaction.written_units()? {
        let unit = transaction.unit(written.unit)?;
        after.insert(unit.id, (unit.head, unit.data));
    }
    Ok(after)
}
