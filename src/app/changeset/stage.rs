//! Staged writes: planned like every change, kept in a changeset until it is applied.

use crate::app::change::{ChangeOptions, Draft, Head, Plan, Planner, records};
use crate::app::changeset::open;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::db::{Transaction, View};
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::model::{ChangeSet, ChangeSetEntry, EditRecord, Pinned, Staged, Unit};
use crate::yaml::merge::RowState;

/// A description of several staged writes is not continued beyond this many bytes.
const MAX_DESCRIPTION: usize = 120;

/// Where the changes of an [`App`] are staged.
#[derive(Debug, Clone)]
pub struct Staging {
    /// The changeset.
    pub changeset: Slug,
    /// Who answers for them; the actor where it is none.
    pub owner: Option<String>,
}

impl App {
    /// Changes what a changeset holds for every unit of a selection, or for none.
    pub(crate) fn stage(
        &self,
        staging: &Staging,
        selection: &Selection,
        verb: &Verb,
        options: ChangeOptions,
        plan: &Planner<'_>,
    ) -> Result<Outcome> {
        if options.dry_run && !self.is_rehearsing() {
            let options = ChangeOptions {
                dry_run: false,
                ..options
            };
            let outcome = self.rehearse(
                || self.stage(staging, selection, verb, options, plan),
                |_, outcome| Ok(outcome),
            )?;
            return Ok(Outcome {
                is_preview: true,
                op: None,
                ..outcome
            });
        }
        let text = format!("{} in changeset {}", verb.text, staging.changeset);
        let mut kept = None;
        let writing = Self(self.0.clone(), None);
        let written = writing.write(Verb::with(text.clone(), verb.args.clone()), |transaction| {
            let outcome = self.stage_all(transaction, staging, selection, text, plan)?;
            let failure = outcome.failure();
            let empty = outcome.empty().filter(|_| !options.allow_empty);
            kept = Some(outcome);
            failure.or(empty).map_or(Ok(()), Err)
        });
        match (written, kept) {
            (Ok(((), op)), Some(outcome)) => Ok(Outcome {
                op,
                is_preview: self.is_rehearsing(),
                ..outcome
            }),
            (Err(_), Some(outcome)) if outcome.failed() > 0 => Ok(outcome),
            (Err(error), _) => Err(error),
            (Ok(_), None) => Err(Error::new(
                Kind::Internal,
                "a change was staged without an outcome",
            )),
        }
    }

    fn stage_all(
        &self,
        transaction: &mut Transaction,
        staging: &Staging,
        selection: &Selection,
        verb: String,
        plan: &Planner<'_>,
    ) -> Result<Outcome> {
        self.refuse_moved(transaction, selection)?;
        let mut changeset = open(transaction, staging.changeset.as_str())?;
        let by = self.actor();
        let owner = staging.owner.clone().unwrap_or_else(|| by.clone());
        let mut outcome = Outcome {
            verb,
            ..Outcome::default()
        };
        for pin in selection.pins() {
            let unit = transaction.unit(pin.unit)?;
            let head = laid_over(transaction, unit, &changeset)?;
            let mut report = UnitReport::unchanged(&head.unit, head.reference());
            match plan(&head).and_then(|plan| refuse_conflicts(plan, &head)) {
                Err(error) => report.status = Status::Failed(error),
                Ok(Plan::Skip(reason)) => report.status = Status::Skipped(reason),
                Ok(Plan::Unchanged(note)) => report.note = note,
                Ok(Plan::Write(draft)) => {
                    if keep(transaction, &mut changeset, &head, *draft, &owner, &by)? {
                        report.status = Status::Changed;
                        report.note = format!("staged in {}", changeset.slug);
                    }
                }
            }
            outcome.reports.push(report);
        }
        transaction.put_changeset(&changeset)?;
        Ok(outcome)
    }

    /// Refuses what a changeset cannot hold.
    pub(crate) fn refuse_staged(&self, what: &str) -> Result<()> {
        let Some(staging) = self.staging() else {
            return Ok(());
        };
        Err(Error::new(
            Kind::Usage,
            format!("expected a change of data to be staged, found {what}"),
        )
        .hint(format!(
            "windlass changeset apply {0} (script: changeset(\"{0}\").apply()) makes it true",
            staging.changeset
        )))
    }

    /// The data that the changeset of this application holds for a unit, where it holds any.
    pub(crate) fn staged_data(&self, view: &View, unit: &Unit) -> Result<Option<Staged>> {
        let Some(staging) = self.staging() else {
            return Ok(None);
        };
        let changeset = view.find_changeset(&staging.changeset)?;
        let entry = changeset
            .as_ref()
            .and_then(|changeset| changeset.entry(unit.id));
        Ok(match entry.map(|entry| &entry.pinned) {
            Some(Pinned::Staged(staged)) => Some(staged.clone()),
            _ => None,
        })
    }
}

/// The unit as its changeset has it: the staged data in the place of the head's.
fn laid_over(view: &View, unit: Unit, changeset: &ChangeSet) -> Result<Head> {
    let space = std::sync::Arc::new(view.space(unit.space)?);
    let (data, bookkeeping) = match changeset.entry(unit.id).map(|entry| &entry.pinned) {
        None => (unit.data, unit.bookkeeping),
        Some(Pinned::Staged(staged)) => {
            refuse_other_head(view, &unit, staged.base, changeset)?;
            (staged.data, staged.bookkeeping)
        }
        Some(Pinned::Present { .. }) => {
            return Err(Error::new(
                Kind::Usage,
                format!(
                    "expected a changeset of staged writes, found `{}`, which pins what was there",
                    changeset.slug
                ),
            )
            .hint("windlass changeset create NAME makes one for staged writes"));
        }
    };
    Ok(Head {
        stream: view.stream(&data)?,
        bookkeeping: view.bookkeeping(&bookkeeping)?,
        unit,
        space,
    })
}

/// Refuses staged data that was made from another head than the present one.
pub(super) fn refuse_other_head(
    view: &View,
    unit: &Unit,
    base: u32,
    changeset: &ChangeSet,
) -> Result<()> {
    if unit.head == base {
        return Ok(());
    }
    let reference = format!("{}/{}", view.space(unit.space)?.slug, unit.slug);
    let newest = view.revision(unit.id, unit.head)?;
    Err(Error::new(
        Kind::Conflict,
        format!(
            "expected `{reference}` at r{base}, as it was when its change was staged in `{}`, \
             found it at r{} by {}: {}",
            changeset.slug, unit.head, newest.author, newest.description
        ),
    )
    .hint(format!(
        "windlass changeset remove {} {reference}, then stage the change again",
        changeset.slug
    )))
}

/// A merge that leaves something to decide cannot wait in a changeset, where nobody sees the rows.
fn refuse_conflicts(plan: Plan, head: &Head) -> Result<Plan> {
    let Plan::Write(draft) = &plan else {
        return Ok(plan);
    };
    let open = draft
        .conflicts
        .iter()
        .filter(|row| row.state == RowState::Open)
        .count();
    if open > 0 {
        return Err(Error::new(
            Kind::Conflict,
            format!(
                "expected a merge without conflicts for a changeset, found {open} in `{}`",
                head.reference()
            ),
        )
        .hint("merge and decide outside the changeset, or pass prefer"));
    }
    if !draft.decided.is_empty() || !draft.withdrawn.is_empty() {
        return Err(Error::new(
            Kind::Usage,
            "expected a change of data for a changeset, found a decision about conflicts",
        ));
    }
    Ok(plan)
}

/// Keeps a draft in the changeset; says whether that changed anything.
fn keep(
    transaction: &mut Transaction,
    changeset: &mut ChangeSet,
    head: &Head,
    draft: Draft,
    owner: &str,
    by: &str,
) -> Result<bool> {
    if draft.stream == head.stream && draft.bookkeeping == head.bookkeeping {
        return Ok(false);
    }
    for text in &draft.remembered {
        let _hash = transaction.put_text(text.text())?;
    }
    let mut edits = records(&head.stream, &draft.edits);
    let (data, bookkeeping) = transaction.put_staged(&draft.stream, &draft.bookkeeping)?;
    let unit = head.unit.id;
    let earlier = changeset
        .entries
        .iter()
        .position(|entry| entry.unit == unit);
    if (data, bookkeeping) == (head.unit.data, head.unit.bookkeeping) {
        changeset.entries.retain(|entry| entry.unit != unit);
        return Ok(true);
    }
    let mut description = draft.description;
    if let Some(Pinned::Staged(before)) = earlier.map(|at| &changeset.entries[at].pinned) {
        description = continued(&before.description, &description);
        edits = joined(&before.edits, edits);
    }
    let entry = ChangeSetEntry {
        unit,
        owner: owner.to_owned(),
        by: by.to_owned(),
        pinned: Pinned::Staged(Staged {
            base: head.unit.head,
            data,
            bookkeeping,
            source: draft.source,
            description,
            edits,
        }),
    };
    match earlier {
        Some(at) => changeset.entries[at] = entry,
        None => changeset.entries.push(entry),
    }
    Ok(true)
}

fn continued(before: &str, after: &str) -> String {
    if before == after || before.len() > MAX_DESCRIPTION {
        return before.to_owned();
    }
    format!("{before}; {after}")
}

fn joined(before: &[EditRecord], after: Vec<EditRecord>) -> Vec<EditRecord> {
    let mut all = before.to_vec();
    for edit in after {
        if !all.contains(&edit) {
            all.push(edit);
        }
    }
    all
}
