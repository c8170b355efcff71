//! Variants of many units at once, in another space.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::app::change::ChangeOptions;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::db::Transaction;
use crate::error::{Error, Kind, Result};
use crate::id::SpaceId;
use crate::model::{Space, Unit};

impl App {
    /// Makes a variant of every unit of a selection in a space, under the same name and with
    /// these labels beside its own. One that is there already stays as it is, labels included.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the selection is empty; [`Kind::Conflict`] when it moved. Where
    /// the space has another unit of a name, the outcome says so and nothing was written.
    pub fn clone_all(
        &self,
        selection: &Selection,
        space: SpaceId,
        labels: &BTreeMap<String, String>,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let space = self.space_by_id(space)?;
        let text = format!("clone to {}", space.slug);
        let mut kept = None;
        let result = if options.dry_run {
            let reports =
                self.inspect(|transaction| self.clone_each(transaction, selection, &space, None))?;
            kept = Some(reports);
            Ok(None)
        } else {
            let verb = Verb::with(text.clone(), json!({ "labels": labels }));
            let written = self.write(verb, |transaction| {
                let reports = self.clone_each(transaction, selection, &space, Some(labels))?;
                let failed = reports.iter().find_map(|report| match &report.status {
                    Status::Failed(error) => Some(error.clone()),
                    _ => None,
                });
                kept = Some(reports);
                failed.map_or(Ok(()), Err)
            });
            written.map(|((), op)| op)
        };
        let outcome = Outcome {
            verb: text,
            reports: kept.unwrap_or_default(),
            is_preview: options.dry_run || self.is_rehearsing(),
            ..Outcome::default()
        };
        match result {
            Err(_) if outcome.failed() > 0 => Ok(outcome),
            Err(error) => Err(error),
            Ok(op) => match outcome.empty().filter(|_| !options.allow_empty) {
                Some(error) => Err(error),
                None => Ok(Outcome { op, ..outcome }),
            },
        }
    }

    /// Makes the variants; without labels it only says what would be made.
    fn clone_each(
        &self,
        transaction: &mut Transaction,
        selection: &Selection,
        space: &Space,
        labels: Option<&BTreeMap<String, String>>,
    ) -> Result<Vec<UnitReport>> {
        self.refuse_moved(transaction, selection)?;
        let mut names = BTreeSet::new();
        let mut reports = Vec::with_capacity(selection.pins().len());
        for pin in selection.pins() {
            let source = transaction.unit(pin.unit)?;
            let found = transaction.find_unit(space.id, &source.slug)?;
            let report = match (found, labels) {
                (Some(found), _) => Some(report_found(space, &source, &found)),
                (None, None) if !names.insert(source.slug.clone()) => {
                    Some(report_found(space, &source, &source))
                }
                (None, None) => Some(UnitReport {
                    unit: source.id,
                    reference: format!("{}/{}", space.slug, source.slug),
                    before: 0,
                    after: 1,
                    status: Status::Created,
                    note: String::new(),
                    conflicts: Vec::new(),
                }),
                (None, Some(labels)) => {
                    let (id, slug) = (space.id, &source.slug);
                    self.clone_within(transaction, id, &source, slug, labels, true)?
                        .report
                }
            };
            reports.extend(report);
        }
        Ok(reports)
    }
}

/// What becomes of a unit whose name is taken in the space it is cloned to.
fn report_found(space: &Space, source: &Unit, found: &Unit) -> UnitReport {
    let reference = format!("{}/{}", space.slug, found.slug);
    let is_variant = found.upstream.is_some_and(|link| link.unit == source.id);
    let status = if is_variant {
        Status::Unchanged
    } else {
        Status::Failed(
            Error::new(
                Kind::Exists,
                format!("expected no unit `{reference}` or a variant of it, found another unit"),
            )
            .hint("leave it out of the selection, or clone it by itself under another name"),
        )
    };
    UnitReport {
        unit: found.id,
        reference,
        before: found.head,
        after: found.head,
        status,
        note: String::new(),
        conflicts: Vec::new(),
    }
}
