//! Changes of what is recorded of a unit beside its data: they make no revision.

use crate::app::change::ChangeOptions;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::db::Transaction;
use crate::error::Result;
use crate::model::Unit;

/// Changes the record of a unit at an instant.
pub(crate) type RecordEdit<'a> = dyn Fn(&mut Unit, Timestamp) + 'a;

impl App {
    /// Changes the records of units; one that stays equal is unchanged, and where all do, there is
    /// no operation.
    pub(crate) fn change_records(
        &self,
        selection: &Selection,
        verb: Verb,
        options: ChangeOptions,
        edit: &RecordEdit<'_>,
    ) -> Result<Outcome> {
        let text = verb.text.clone();
        let (reports, op) = if options.dry_run {
            let reports =
                self.inspect(|transaction| self.edit_records(transaction, selection, edit, true));
            (reports?, None)
        } else {
            self.write(verb, |transaction| {
                self.edit_records(transaction, selection, edit, false)
            })?
        };
        let outcome = Outcome {
            verb: text,
            op,
            reports,
            is_preview: options.dry_run || self.is_rehearsing(),
            ..Outcome::default()
        };
        match outcome.empty().filter(|_| !options.allow_empty) {
            Some(error) => Err(error),
            None => Ok(outcome),
        }
    }

    fn edit_records(
        &self,
        transaction: &mut Transaction,
        selection: &Selection,
        edit: &RecordEdit<'_>,
        is_dry: bool,
    ) -> Result<Vec<UnitReport>> {
        self.refuse_moved(transaction, selection)?;
        let now = transaction.at();
        let mut reports = Vec::with_capacity(selection.pins().len());
        for pin in selection.pins() {
            let before = transaction.unit(pin.unit)?;
            let space = transaction.space(before.space)?;
            let mut unit = before.clone();
            edit(&mut unit, now);
            let is_changed = unit != before;
            if is_changed && !is_dry {
                self.note_touched(&before);
                transaction.put_unit(&unit)?;
            }
            let reference = format!("{}/{}", space.slug, unit.slug);
            let mut report = UnitReport::unchanged(&unit, reference);
            if is_changed {
                report.status = Status::Changed;
            }
            reports.push(report);
        }
        Ok(reports)
    }
}
