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
use crate::db::{NewRevision, Transaction, View};
use crate::error::{Error, Result};
use crate::id::{ConflictId, SpaceId, UnitId};
use crate::model::{Bookkeeping, Conflict, EditRecord, RevisionSource, Side, Space, Unit};
use crate::script::engine::pool;
use crate::yaml::merge::{ConflictRow, RowState};
use crate::yaml::{Edit, Stream};

/// How many units are read, planned and written at a time.
const BATCH: usize = 512;

/// How many revisions are looked through for who changed a path.
const BLAMED_REVISIONS: usize = 100;

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
    /// The conflicts of a merge, and whose revisions were merged.
    pub(crate) conflicts: Vec<ConflictRow>,
    pub(crate) incoming: Option<IncomingRange>,
    /// Conflicts of before that this decides.
    pub(crate) decided: Vec<(ConflictId, RowState)>,
    /// Texts that the bookkeeping names by their hash.
    pub(crate) remembered: Vec<Stream>,
    /// For the report.
    pub(crate) note: String,
}

/// The revisions of another unit that a merge brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncomingRange {
    pub(crate) unit: UnitId,
    /// The revision that is the base: what comes was made after it.
    pub(crate) after: u32,
    pub(crate) to: u32,
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
            incoming: None,
            decided: Vec::new(),
            remembered: Vec::new(),
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
        if options.dry_run && !self.is_rehearsing() {
            return self.rehearse(
                || self.write_all(selection, verb, options, plan),
                |transaction, mut outcome| {
                    outcome.changes = self.preview_of(transaction)?.diff();
                    outcome.is_preview = true;
                    outcome.op = None;
                    Ok(outcome)
                },
            );
        }
        let options = ChangeOptions {
            dry_run: false,
            ..options
        };
        self.write_all(selection, verb, options, plan)
    }

    /// Changes the units in a transaction; in a dry run the failure of some is only reported.
    fn write_all(
        &self,
        selection: &Selection,
        verb: Verb,
        options: ChangeOptions,
        plan: &Planner<'_>,
    ) -> Result<Outcome> {
        let text = verb.text.clone();
        let mut kept = None;
        let result = self.write(verb, |transaction| {
            let outcome = change_all(self, transaction, selection, &text, plan)?;
            let failure = outcome.failure().filter(|_| !options.dry_run);
            let empty = if options.allow_empty {
                None
            } else {
                outcome.empty()
            };
            let reports = outcome
                .reports
                .iter()
                .map(|report| (report.unit, report.after));
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
                outcome.decisions = self.decisions(&outcome.conflicts())?;
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
    let mut outcome = Outcome {
        verb: verb.to_owned(),
        ..Outcome::default()
    };
    app.refuse_moved(transaction, selection)?;
    let actor = app.actor();
    let mut spaces = BTreeMap::new();
    for pins in selection.pins().chunks(BATCH) {
        let ids: Vec<UnitId> = pins.iter().map(|pin| pin.unit).collect();
        let heads = read_heads(transaction, &ids, &mut spaces)?;
        let planned: Vec<(Head, Result<Plan>)> = pool().install(|| {
            heads
                .into_par_iter()
                .map(|head| {
                    let plan = plan(&head);
                    (head, plan)
                })
                .collect()
        });
        for (head, plan) in planned {
            app.note_touched(&head.unit);
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
        heads.push(Head {
            unit,
            space,
            stream,
            bookkeeping,
        });
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
            report.note.clone_from(&draft.note);
            let is_contested = !draft.conflicts.is_empty();
            let (unit, is_changed) = write_draft(transaction, actor, head, *draft)?;
            report.after = unit.head;
            if is_contested {
                report.conflicts = new_conflicts(transaction, &unit)?;
            }
            if is_changed {
                report.status = Status::Changed;
            }
        }
    }
    Ok(report)
}

/// Writes what was planned for a unit; true where its data or bookkeeping is another now.
fn write_draft(
    transaction: &mut Transaction,
    actor: &str,
    head: &Head,
    draft: Draft,
) -> Result<(Unit, bool)> {
    for text in &draft.remembered {
        let _hash = transaction.put_text(text.text())?;
    }
    let resources = head.stream.resources();
    let edits = draft.edits.iter().filter_map(|edit| {
        let resource = resources.get(edit.document)?.clone();
        Some(EditRecord {
            resource,
            path: edit.path.clone(),
        })
    });
    let upstream_revision = draft.bookkeeping.upstream_revision;
    let written = transaction.write_revision(
        head.unit.id,
        NewRevision {
            stream: &draft.stream,
            source: draft.source,
            description: draft.description,
            author: actor.to_owned(),
            edits: edits.collect(),
            bookkeeping: Some(draft.bookkeeping),
        },
    )?;
    let had_conflicts = !draft.conflicts.is_empty() || !draft.decided.is_empty();
    let is_changed = written.is_changed() || !draft.decided.is_empty();
    let mut unit = written.unit;
    let before = unit.clone();
    if let (Some(upstream), Some(revision)) = (&mut unit.upstream, upstream_revision) {
        upstream.revision = revision;
    }
    for (id, state) in draft.decided {
        let mut conflict = transaction.conflict(id)?;
        conflict.row.state = state;
        transaction.put_conflict(&conflict)?;
    }
    if !draft.conflicts.is_empty() {
        store_rows(
            transaction,
            actor,
            &head.unit,
            draft.conflicts,
            draft.incoming,
        )?;
    }
    if unit.open_conflicts > 0 || had_conflicts {
        let open = open_conflicts(transaction, &unit)?.len();
        unit.open_conflicts = u32::try_from(open).unwrap_or(u32::MAX);
    }
    if unit != before {
        transaction.put_unit(&unit)?;
    }
    Ok((unit, is_changed))
}

/// Stores the rows of a merge in the place of older rows about the same paths; `unit` is as it
/// was before the merge.
fn store_rows(
    transaction: &mut Transaction,
    actor: &str,
    unit: &Unit,
    rows: Vec<ConflictRow>,
    incoming: Option<IncomingRange>,
) -> Result<()> {
    for old in transaction.conflicts_of(unit.id)? {
        let is_same =
            |row: &ConflictRow| row.path == old.row.path && row.resource == old.row.resource;
        if rows.iter().any(is_same) {
            transaction.delete_conflict(old.id)?;
        }
    }
    for row in rows {
        let incoming_by = match incoming {
            None => None,
            Some(range) => last_change(transaction, range.unit, range.after, range.to, &row)?,
        };
        let local_by = last_change(transaction, unit.id, 0, unit.head, &row)?;
        let conflict = Conflict {
            id: transaction.new_conflict_id()?,
            unit: unit.id,
            op: transaction.op(),
            row,
            at: transaction.at(),
            actor: actor.to_owned(),
            incoming_by,
            local_by,
        };
        transaction.put_conflict(&conflict)?;
    }
    Ok(())
}

/// The newest revision in a range that names the path of a row; where none does, the newest one.
fn last_change(
    view: &View,
    unit: UnitId,
    after: u32,
    to: u32,
    row: &ConflictRow,
) -> Result<Option<Side>> {
    let mut newest = None;
    for num in ((after + 1)..=to).rev().take(BLAMED_REVISIONS) {
        let revision = view.revision(unit, num)?;
        let names = revision
            .edits
            .iter()
            .any(|edit| edit.path.starts_with(&row.path) || row.path.starts_with(&edit.path));
        let side = Side {
            author: revision.author,
            at: revision.at,
            unit,
            revision: num,
        };
        if names {
            return Ok(Some(side));
        }
        newest.get_or_insert(side);
    }
    Ok(newest)
}

/// The open conflicts that the transaction left on a unit, oldest first.
pub(crate) fn new_conflicts(transaction: &Transaction, unit: &Unit) -> Result<Vec<ConflictId>> {
    let conflicts = transaction.conflicts_of(unit.id)?.into_iter();
    Ok(conflicts
        .filter(|conflict| conflict.is_open() && conflict.op == transaction.op())
        .map(|conflict| conflict.id)
        .collect())
}

/// The open conflicts of a unit, oldest first.
fn open_conflicts(view: &View, unit: &Unit) -> Result<Vec<ConflictId>> {
    let conflicts = view.conflicts_of(unit.id)?.into_iter();
    Ok(conflicts
        .filter(Conflict::is_open)
        .map(|conflict| conflict.id)
        .collect())
}
