//! The life of an edit: the one way the data of units changes.
//!
//! A planner looks at each unit's head and says what the unit should become. Planners are pure and
//! run on all cores; reading before and writing after them go through one transaction, a batch of
//! units at a time, so memory stays bounded however many units there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::db::{NewRevision, Transaction, View as _};
use crate::error::{Error, Result};
use crate::id::{SpaceId, UnitId};
use crate::model::{Bookkeeping, RevisionSource, Space, Unit};
use crate::yaml::merge::ConflictRow;
use crate::yaml::{Edit, Stream};

/// How many units are read, planned and written at a time.
const BATCH: usize = 512;

/// A unit as planners see it.
pub(crate) struct Head {
    pub(crate) unit: Unit,
    pub(crate) space: Arc<Space>,
    pub(crate) stream: Stream,
    pub(crate) bookkeeping: Bookkeeping,
}

impl Head {
    /// As people name it: `space/unit`.
    pub(crate) fn reference(&self) -> String {
        format!("{}/{}", self.space.slug, self.unit.slug)
    }
}

/// What a unit should become.
pub(crate) enum Plan {
    Write(Box<Draft>),
    Unchanged(String),
    Skip(String),
}

/// What is to be written for one unit.
pub(crate) struct Draft {
    /// The new data; equal data makes no revision.
    pub(crate) stream: Stream,
    pub(crate) edits: Vec<Edit>,
    pub(crate) bookkeeping: Bookkeeping,
    pub(crate) source: RevisionSource,
    pub(crate) description: String,
    pub(crate) conflicts: Vec<ConflictRow>,
    /// For the report.
    pub(crate) note: String,
}

impl Draft {
    /// The head as it is, to be changed by the planner.
    pub(crate) fn of(head: &Head, source: RevisionSource, description: impl Into<String>) -> Self {
        Self {
            stream: head.stream.clone(),
            edits: Vec::new(),
            bookkeeping: head.bookkeeping.clone(),
            source,
            description: description.into(),
            conflicts: Vec::new(),
            note: String::new(),
        }
    }
}

/// What a bulk change allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeOptions {
    /// Matching nothing, or having nothing to act on in any unit, is no error.
    pub allow_empty: bool,
    /// Only say what would happen.
    pub dry_run: bool,
}

type Planner<'a> = dyn Fn(&Head) -> Result<Plan> + Sync + 'a;

impl App {
    /// Changes every unit of a selection, or none.
    ///
    /// Where units fail, the outcome says so and nothing was written.
    pub(crate) fn change(
        &self,
        selection: &Selection,
        verb: Verb,
        options: ChangeOptions,
        plan: &Planner<'_>,
    ) -> Result<Outcome> {
        let text = verb.text.clone();
        if options.dry_run && !self.is_rehearsing() {
            return self.rehearse(
                || self.change(selection, verb, ChangeOptions { dry_run: false, ..options }, plan),
                |_, mut outcome| {
                    outcome.is_preview = true;
                    outcome.op = None;
                    Ok(outcome)
                },
            );
        }
        let mut kept = None;
        let result = self.write(verb, |transaction| {
            let outcome = change_all(self, transaction, selection, &text, plan)?;
            let failure = outcome.failure();
            let empty = if options.allow_empty { None } else { outcome.empty() };
            let reports = outcome.reports.iter().map(|report| (report.unit, report.after));
            let heads: Vec<(UnitId, u32)> = reports.collect();
            kept = Some(outcome);
            match failure.or(empty) {
                Some(error) => Err(error),
                None => Ok(heads),
            }
        });
        match (result, kept) {
            (Ok((heads, op)), Some(mut outcome)) => {
                self.scope().own_heads.extend(heads);
                outcome.op = op;
                outcome.is_preview = self.is_rehearsing();
                Ok(outcome)
            }
            (Err(_), Some(outcome)) if outcome.failed() > 0 => Ok(outcome),
            (Err(error), _) => Err(error),
            (Ok(_), None) => Err(Error::new(
                crate::error::Kind::Internal,
                "a change was committed without an outcome",
            )),
        }
    }
}

fn change_all(
    app: &App,
    transaction: &mut Transaction,
    selection: &Selection,
    verb: &str,
    plan: &Planner<'_>,
) -> Result<Outcome> {
    let mut outcome = Outcome { verb: verb.to_owned(), ..Outcome::default() };
    app.refuse_moved(transaction, selection)?;
    let actor = app.actor();
    let mut spaces = BTreeMap::new();
    for pins in selection.pins().chunks(BATCH) {
        let ids: Vec<UnitId> = pins.iter().map(|pin| pin.unit).collect();
        let heads = read_heads(transaction, &ids, &mut spaces)?;
        let planned: Vec<(Head, Result<Plan>)> = heads
            .into_par_iter()
            .map(|head| {
                let plan = plan(&head);
                (head, plan)
            })
            .collect();
        for (head, plan) in planned {
            let report = write_one(transaction, &actor, &head, plan)?;
            outcome.reports.push(report);
        }
    }
    Ok(outcome)
}

fn read_heads(
    transaction: &Transaction,
    ids: &[UnitId],
    spaces: &mut BTreeMap<SpaceId, Arc<Space>>,
) -> Result<Vec<Head>> {
    let units = transaction.units(ids)?;
    let mut heads = Vec::with_capacity(units.len());
    for unit in units {
        let space = match spaces.get(&unit.space) {
            Some(space) => Arc::clone(space),
            None => {
                let space = Arc::new(transaction.space(unit.space)?);
                spaces.insert(unit.space, Arc::clone(&space));
                space
            }
        };
        let stream = transaction.stream(&unit.data)?;
        let bookkeeping = transaction.bookkeeping(&unit.bookkeeping)?;
        heads.push(Head { unit, space, stream, bookkeeping });
    }
    Ok(heads)
}

fn write_one(
    transaction: &mut Transaction,
    actor: &str,
    head: &Head,
    plan: Result<Plan>,
) -> Result<UnitReport> {
    let mut report = UnitReport {
        unit: head.unit.id,
        reference: head.reference(),
        before: head.unit.head,
        after: head.unit.head,
        status: Status::Unchanged,
        note: String::new(),
        conflicts: Vec::new(),
    };
    match plan {
        Err(error) => report.status = Status::Failed(error),
        Ok(Plan::Skip(reason)) => report.status = Status::Skipped(reason),
        Ok(Plan::Unchanged(note)) => report.note = note,
        Ok(Plan::Write(draft)) => {
            let written = transaction.write_revision(
                head.unit.id,
                NewRevision {
                    stream: draft.stream,
                    source: draft.source,
                    description: draft.description,
                    author: actor.to_owned(),
                    edits: draft.edits,
                    bookkeeping: draft.bookkeeping,
                    conflicts: draft.conflicts,
                },
            )?;
            report.after = written.head;
            report.conflicts = written.open_conflicts;
            report.note = draft.note;
            if written.changed {
                report.status = Status::Changed;
            }
        }
    }
    Ok(report)
}
