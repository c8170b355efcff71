//! Labels of units that exist.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::app::change::ChangeOptions;
use crate::app::outcome::{Outcome, Status};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;

/// Labels to set; none as a value takes a label away.
pub type LabelChange = BTreeMap<String, Option<String>>;

impl App {
    /// Changes the data of units by `change_data`, and their labels, as one operation: both or
    /// neither.
    ///
    /// # Errors
    /// Those of `change_data` and [`Self::set_labels`]; [`Kind::Usage`] where changes are staged.
    /// Where units fail, the outcome says so and nothing was written.
    pub fn set_labels_with(
        &self,
        selection: &Selection,
        labels: &LabelChange,
        options: ChangeOptions,
        change_data: impl FnOnce() -> Result<Outcome>,
    ) -> Result<Outcome> {
        self.refuse_staged("labels")?;
        // A unit without a place for the change has labels nevertheless.
        let for_labels = ChangeOptions {
            allow_empty: true,
            ..options
        };
        if options.dry_run {
            let outcome = change_data()?;
            let labelled = self.set_labels(selection, labels, for_labels)?;
            return Ok(joined(outcome, labelled));
        }
        let mut failed = None;
        let result = self.as_one(None, None, || {
            let outcome = change_data()?;
            if let Some(error) = outcome.failure() {
                failed = Some(outcome);
                return Err(error);
            }
            let labelled = self.set_labels(selection, labels, for_labels)?;
            Ok(joined(outcome, labelled))
        });
        match (result, failed) {
            (Err(_), Some(outcome)) => Ok(outcome),
            (Err(error), None) => Err(error),
            (Ok((outcome, op)), _) => Ok(Outcome { op, ..outcome }),
        }
    }

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
        let verb = Verb::with(text, json!({ "labels": change }));
        self.change_records(selection, verb, options, &|unit, _| {
            for (key, value) in change {
                match value {
                    Some(value) => unit.labels.insert(key.clone(), value.clone()),
                    None => unit.labels.remove(key),
                };
            }
        })
    }
}

/// A change of data and one of labels as one report: what either changed is changed.
fn joined(mut outcome: Outcome, labelled: Outcome) -> Outcome {
    outcome.verb = format!("{}; {}", outcome.verb, labelled.verb);
    let changed: BTreeSet<UnitId> = labelled
        .reports
        .iter()
        .filter(|report| matches!(report.status, Status::Changed))
        .map(|report| report.unit)
        .collect();
    let reports = outcome.reports.iter_mut();
    for report in reports.filter(|report| changed.contains(&report.unit)) {
        match &report.status {
            Status::Unchanged => "its labels".clone_into(&mut report.note),
            Status::Skipped(reason) => report.note = format!("its labels; {reason}"),
            Status::Created | Status::Changed | Status::Failed(_) => continue,
        }
        report.status = Status::Changed;
    }
    outcome
}
