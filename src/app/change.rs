//! The life of an edit: the one way the data of units changes.
//!
//! A planner looks at each unit's head and says what the unit should become. Planners are pure and
//! run on all cores; reading before and writing after them go through one transaction, a batch of
//! units at a time, so memory stays bounded however many units there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::app::difference::Compared;
use crate::app::dry_run::Showing;
use crate::app::merge_report::MergeCounts;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::select::{Pin, Selection};
use crate::app::{App, Verb};
use crate::db::{NewRevision, PackedStream, Prepared, Transaction, View};
use crate::error::{Error, Kind, Result};
use crate::id::{ConflictId, SpaceId, UnitId};
use crate::model::{Bookkeeping, Conflict, EditRecord, Hash, RevisionSource, Side, Space, Unit};
use crate::script::engine::pool;
use crate::yaml::merge::{ConflictRow, RowState};
use crate::yaml::{Edit, Stream};

/// How many units are read, planned and written at a time.
const BATCH: usize = 256;

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
    /// Open conflicts of merges that this takes back.
    pub(crate) withdrawn: Vec<ConflictId>,
    /// Texts that the bookkeeping names by their hash.
    pub(crate) remembered: Vec<Stream>,
    /// For the report.
    pub(crate) note: String,
    /// Of a merge, what it did.
    pub(crate) counts: MergeCounts,
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
            withdrawn: Vec::new(),
            remembered: Vec::new(),
            note: String::new(),
            counts: MergeCounts::default(),
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

/// Why a unit was left alone after another one used up the allowance of a function.
const NOT_TRIED: &str = "not tried: the function ran out of its allowance before";

pub(crate) type Planner<'a> = dyn Fn(&Head) -> Result<Plan> + Sync + 'a;

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
        if let Some(staging) = self.staging() {
            return self.stage(staging, selection, &verb, options, plan);
        }
        let text = verb.text.clone();
        if options.dry_run {
            return self.show_change(selection, &text, options, plan);
        }
        // Asked for now, so that nobody waits for the answer while the store is locked.
        let _actor = self.actor();
        let mut kept = None;
        let result = self.write(verb, |transaction| {
            let outcome = change_all(self, transaction, selection, &text, plan, None)?;
            let failure = outcome.failure();
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
                Kind::Internal,
                "a change was committed without an outcome",
            )),
        }
    }

    /// Tries the first unit on a snapshot: where that uses up a function's allowance, the outcome
    /// says so, and the store has not been opened for writing.
    pub(crate) fn exhausted_by_first(
        &self,
        selection: &Selection,
        verb: &str,
        plan: &Planner<'_>,
    ) -> Result<Option<Outcome>> {
        let Some(first) = selection.pins().first().filter(|_| !self.has_open()) else {
            return Ok(None);
        };
        let first = Selection::of_unit(first.unit, first.head);
        let mut outcome = self.rehearse(
            || Ok(()),
            |transaction, ()| change_all(self, transaction, &first, verb, plan, None),
        )?;
        let is_exhausted = outcome.reports.iter().any(
            |report| matches!(&report.status, Status::Failed(error) if error.kind() == Kind::Limit),
        );
        if !is_exhausted {
            return Ok(None);
        }
        let names = self.references(selection)?;
        for (pin, reference) in selection.pins().iter().zip(names).skip(1) {
            outcome.reports.push(UnitReport {
                unit: pin.unit,
                reference,
                before: pin.head,
                after: pin.head,
                status: Status::Skipped(NOT_TRIED.to_owned()),
                note: String::new(),
                conflicts: Vec::new(),
            });
        }
        Ok(Some(outcome))
    }

    /// What [`Self::change`] would do, with as little written into memory as that takes.
    fn show_change(
        &self,
        selection: &Selection,
        verb: &str,
        options: ChangeOptions,
        plan: &Planner<'_>,
    ) -> Result<Outcome> {
        self.inspect(|transaction| {
            let mut shown = Showing::default();
            let showing = Some(&mut shown);
            let outcome = change_all(self, transaction, selection, verb, plan, showing)?;
            if outcome.failed() == 0
                && !options.allow_empty
                && let Some(error) = outcome.empty()
            {
                return Err(error);
            }
            Ok(outcome.previewed(shown.finish(transaction)?))
        })
    }
}

/// Changes all, or shows it: with `shown`, what is written is only what the outcome needs to know.
///
/// While one batch is written, the next one is planned.
fn change_all(
    app: &App,
    transaction: &mut Transaction,
    selection: &Selection,
    verb: &str,
    plan: &Planner<'_>,
    mut shown: Option<&mut Showing>,
) -> Result<Outcome> {
    let mut outcome = Outcome {
        verb: verb.to_owned(),
        ..Outcome::default()
    };
    app.refuse_moved(transaction, selection)?;
    let actor = app.actor();
    let exhausted = AtomicBool::new(false);
    let plan = &stopping(plan, &exhausted);
    if let [pin] = selection.pins() {
        // Not worth other threads.
        let heads = read_heads(transaction, &[*pin], &mut BTreeMap::new())?;
        let planned = heads
            .into_iter()
            .map(|head| plan_one(head, plan, shown.is_some()))
            .collect::<Result<_>>()?;
        outcome.reports = write_all(app, transaction, &actor, planned, shown)?;
        return Ok(outcome);
    }
    let is_shown = shown.is_some();
    let mut spaces = BTreeMap::new();
    let mut batches = selection.pins().chunks(BATCH);
    let mut planned: Result<Vec<Planned>> = Ok(Vec::new());
    let mut counting = app.counting(verb, selection.pins().len());
    loop {
        let next = match batches.next() {
            Some(pins) => Some(read_heads(transaction, pins, &mut spaces)?),
            None => None,
        };
        let is_last = next.is_none();
        let mut planning = Ok(Vec::new());
        let written = pool().in_place_scope(|scope| {
            if let Some(heads) = next {
                scope.spawn(|_| planning = plan_all(heads, plan, is_shown));
            }
            write_all(app, transaction, &actor, planned?, shown.as_deref_mut())
        });
        let written = written?;
        counting.step(written.len());
        outcome.reports.extend(written);
        planned = planning;
        if is_last {
            return Ok(outcome);
        }
    }
}

/// A planner that does not try further units once one of them used up a function's allowance:
/// each of thousands would take as long.
fn stopping<'a>(
    plan: &'a Planner<'_>,
    exhausted: &'a AtomicBool,
) -> impl Fn(&Head) -> Result<Plan> + Sync + 'a {
    move |head| {
        if exhausted.load(Ordering::Relaxed) {
            return Ok(Plan::Skip(NOT_TRIED.to_owned()));
        }
        let result = plan(head);
        if result
            .as_ref()
            .is_err_and(|error| error.kind() == Kind::Limit)
        {
            exhausted.store(true, Ordering::Relaxed);
        }
        result
    }
}

fn write_all(
    app: &App,
    transaction: &mut Transaction,
    actor: &str,
    planned: Vec<Planned>,
    mut shown: Option<&mut Showing>,
) -> Result<Vec<UnitReport>> {
    if shown.is_none() {
        let written: Vec<_> = planned.iter().filter_map(Planned::written).collect();
        transaction.read_ahead(&written)?;
    }
    let mut reports = Vec::with_capacity(planned.len());
    for mut planned in planned {
        app.note_touched(&planned.head.unit);
        let compared = planned.compared.take();
        let decides_conflicts = planned.decides_conflicts();
        if let (Some(showing), true) = (shown.as_deref_mut(), compared.is_some()) {
            showing.note_gates(&planned.head.unit, &planned.head.space, app.now());
        }
        let report = if shown.is_some() && !decides_conflicts {
            show_one(transaction, planned)?
        } else {
            write_one(transaction, actor, planned)?
        };
        if let (Some(showing), Some(compared)) = (shown.as_deref_mut(), compared) {
            let revisions = (report.before, report.after);
            showing.add(&report.reference, revisions, compared);
        }
        reports.push(report);
    }
    Ok(reports)
}

fn plan_all(heads: Vec<PackedHead>, plan: &Planner<'_>, is_shown: bool) -> Result<Vec<Planned>> {
    heads
        .into_par_iter()
        .map(|head| plan_one(head, plan, is_shown))
        .collect()
}

/// A head whose text is still as it is stored: unpacking is work for all cores.
struct PackedHead {
    unit: Unit,
    space: Arc<Space>,
    stream: PackedStream,
    bookkeeping: Bookkeeping,
}

/// What is to become of a unit, with all that can be made ready without the transaction.
struct Planned {
    head: Head,
    plan: Result<Plan>,
    /// Which places the edits change.
    edits: Vec<EditRecord>,
    /// The new text, where it is another and is to be stored.
    prepared: Option<Prepared>,
    /// How it differs, where that is to be shown.
    compared: Option<Compared>,
}

impl Planned {
    /// The unit with its head and the hash of its new data, if it is to be written.
    fn written(&self) -> Option<(UnitId, u32, Option<Hash>)> {
        let unit = &self.head.unit;
        matches!(self.plan, Ok(Plan::Write(_))).then(|| {
            (
                unit.id,
                unit.head,
                self.prepared.as_ref().map(Prepared::hash),
            )
        })
    }

    /// Whether writing it makes or settles conflicts, which only the transaction can number.
    fn decides_conflicts(&self) -> bool {
        matches!(&self.plan, Ok(Plan::Write(draft))
            if !(draft.conflicts.is_empty() && draft.decided.is_empty() && draft.withdrawn.is_empty()))
    }

    /// The report of a unit that nothing has been done to yet.
    fn report(&self) -> UnitReport {
        UnitReport::unchanged(&self.head.unit, self.head.reference())
    }
}

fn read_heads(
    transaction: &Transaction,
    pins: &[Pin],
    spaces: &mut BTreeMap<SpaceId, Arc<Space>>,
) -> Result<Vec<PackedHead>> {
    let ids: Vec<UnitId> = pins.iter().map(|pin| pin.unit).collect();
    let units = transaction.units(&ids)?;
    let data: Vec<Hash> = units.iter().map(|unit| unit.data).collect();
    let streams = transaction.packed(&data)?;
    let bookkeeping: Vec<Hash> = units.iter().map(|unit| unit.bookkeeping).collect();
    let bookkeeping = transaction.bookkeepings(&bookkeeping)?;
    let mut heads = Vec::with_capacity(units.len());
    for ((unit, stream), bookkeeping) in units.into_iter().zip(streams).zip(bookkeeping) {
        let space = if let Some(space) = spaces.get(&unit.space) {
            Arc::clone(space)
        } else {
            let space = Arc::new(transaction.space(unit.space)?);
            spaces.insert(unit.space, Arc::clone(&space));
            space
        };
        heads.push(PackedHead {
            unit,
            space,
            stream,
            bookkeeping,
        });
    }
    Ok(heads)
}

fn plan_one(packed: PackedHead, plan: &Planner<'_>, is_shown: bool) -> Result<Planned> {
    let head = Head {
        unit: packed.unit,
        space: packed.space,
        stream: packed.stream.unpack()?,
        bookkeeping: packed.bookkeeping,
    };
    let plan = plan(&head);
    let (mut edits, mut prepared, mut compared) = (Vec::new(), None, None);
    if let Ok(Plan::Write(draft)) = &plan {
        if !draft.edits.is_empty() {
            edits = records(&head.stream, &draft.edits);
        }
        let is_same = draft.stream == head.stream;
        if is_shown && !is_same {
            let old = (head.unit.head > 0).then_some(&head.stream);
            compared = Some(Compared::of(old, &draft.stream));
        } else if !is_same {
            prepared = Some(Prepared::of(draft.stream.text()));
        }
    }
    Ok(Planned {
        head,
        plan,
        edits,
        prepared,
        compared,
    })
}

pub(crate) fn records(stream: &Stream, edits: &[Edit]) -> Vec<EditRecord> {
    let resources = stream.resources();
    let records = edits.iter().filter_map(|edit| {
        let resource = resources.get(edit.document)?.clone();
        Some(EditRecord {
            resource,
            path: edit.path.clone(),
        })
    });
    records.collect()
}

/// What [`write_one`] would report of a unit that has no conflict to decide.
fn show_one(transaction: &Transaction, planned: Planned) -> Result<UnitReport> {
    let mut report = planned.report();
    let Planned { head, plan, .. } = planned;
    match plan {
        Err(error) => report.status = Status::Failed(error),
        Ok(Plan::Skip(reason)) => report.status = Status::Skipped(reason),
        Ok(Plan::Unchanged(note)) => report.note = note,
        Ok(Plan::Write(draft)) => {
            let is_same = draft.stream == head.stream;
            report.after += u32::from(!is_same);
            if !is_same || draft.bookkeeping != head.bookkeeping {
                report.status = Status::Changed;
            }
            if head.unit.open_conflicts > 0 {
                report.conflicts = open_conflicts(transaction, &head.unit)?;
            }
            report.note = draft.note;
        }
    }
    Ok(report)
}

fn write_one(transaction: &mut Transaction, actor: &str, planned: Planned) -> Result<UnitReport> {
    let mut report = planned.report();
    let Planned {
        head,
        plan,
        edits,
        prepared,
        ..
    } = planned;
    match plan {
        Err(error) => report.status = Status::Failed(error),
        Ok(Plan::Skip(reason)) => report.status = Status::Skipped(reason),
        Ok(Plan::Unchanged(note)) => report.note = note,
        Ok(Plan::Write(draft)) => {
            report.note.clone_from(&draft.note);
            let is_contested = !draft.conflicts.is_empty();
            let (unit, is_changed) =
                write_draft(transaction, actor, &head, *draft, edits, prepared)?;
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
pub(crate) fn write_draft(
    transaction: &mut Transaction,
    actor: &str,
    head: &Head,
    draft: Draft,
    edits: Vec<EditRecord>,
    prepared: Option<Prepared>,
) -> Result<(Unit, bool)> {
    for text in &draft.remembered {
        let _hash = transaction.put_text(text.text())?;
    }
    let upstream_revision = draft.bookkeeping.upstream_revision;
    let new = NewRevision {
        stream: &draft.stream,
        source: draft.source,
        description: draft.description,
        author: actor.to_owned(),
        edits,
        bookkeeping: (draft.bookkeeping != head.bookkeeping).then_some(draft.bookkeeping),
    };
    let written = match prepared {
        Some(prepared) => transaction.write_prepared(head.unit.id, new, prepared)?,
        None => transaction.write_revision(head.unit.id, new)?,
    };
    let settles = !draft.decided.is_empty() || !draft.withdrawn.is_empty();
    let had_conflicts = !draft.conflicts.is_empty() || settles;
    let is_changed = written.is_changed() || settles;
    let mut unit = written.unit;
    let before = unit.clone();
    if let (Some(upstream), Some(revision)) = (&mut unit.upstream, upstream_revision) {
        upstream.revision = revision;
    }
    for id in draft.withdrawn {
        transaction.delete_conflict(id)?;
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
