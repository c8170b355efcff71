//! Labels of units that exist.

use std::collections::BTreeMap;

use serde_json::json;

use crate::app::change::ChangeOptions;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::db::Transaction;
use crate::error::{Error, Kind, Result};

/// Labels to set; none as a value takes a label away.
pub type LabelChange = BTreeMap<String, Option<String>>;

impl App {
    /// Sets and removes labels. Labels are no data: no revision is made of it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the selection is empty; [`Kind::Conflict`] when it moved;
    /// [`Kind::Usage`] when no label is given or one has no name.
    pub fn set_labels(
        &self,
        selection: &Selection,
        change: &LabelChange,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        if change.is_empty() || change.contains_key("") {
            return Err(Error::new(
                Kind::Usage,
                "expected labels with a name each, found none or one without a name",
            )
            .hint("--label tier=critical sets one, --label tier= removes it"));
        }
        let words = change.iter().map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => format!("{key}="),
        });
        let text = format!("label {}", words.collect::<Vec<_>>().join(" "));
        let (reports, op) = if options.dry_run {
            let reports =
                self.inspect(|transaction| self.label_all(transaction, selection, change, true));
            (reports?, None)
        } else {
            let verb = Verb::with(text.clone(), json!({ "labels": change }));
            self.write(verb, |transaction| {
                self.label_all(transaction, selection, change, false)
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

    fn label_all(
        &self,
        transaction: &mut Transaction,
        selection: &Selection,
        change: &LabelChange,
        is_dry: bool,
    ) -> Result<Vec<UnitReport>> {
        self.refuse_moved(transaction, selection)?;
        let mut reports = Vec::with_capacity(selection.pins().len());
        for pin in selection.pins() {
            let before = transaction.unit(pin.unit)?;
            let space = transaction.space(before.space)?;
            let mut unit = before.clone();
            for (key, value) in change {
                match value {
                    Some(value) => unit.labels.insert(key.clone(), value.clone()),
                    None => unit.labels.remove(key),
                };
            }
            let is_changed = unit.labels != before.labels;
            if is_changed && !is_dry {
                self.note_touched(&before);
                transaction.put_unit(&unit)?;
            }
            reports.push(UnitReport {
                unit: unit.id,
                reference: format!("{}/{}", space.slug, unit.slug),
                before: unit.head,
                after: unit.head,
                status: if is_changed {
                    Status::Changed
                } else {
                    Status::Unchanged
                },
                note: String::new(),
                conflicts: Vec::new(),
            });
        }
        Ok(reports)
    }
}
