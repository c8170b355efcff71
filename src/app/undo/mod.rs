//! Undo and redo: an operation on desired state is taken back by a new one.
//!
//! What the operation changed goes back, what others changed meanwhile stays: of a unit's data by
//! a three-way merge (base is what the operation made, incoming what was before, local the head),
//! of records field by field. Where a later change stands in the place of the operation's own,
//! the whole undo is refused. No cluster is touched.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::app::App;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::db::{Key, Transaction, View, decode};
use crate::error::{Error, Kind, Result};
use crate::id::{ConflictId, OpId, RunId, UnitId};
use crate::model::{Conflict, Operation, Unit};

mod fields;
pub(crate) mod known;
pub(crate) mod ledger;
mod refusal;
mod step;
mod unit;

use known::{Backwards, Known, Originals, is_same_desired};
use ledger::{Ledger, Word};
use step::Undoing;

/// What is to be taken back.
enum What {
    Newest,
    Operation(OpId),
    Run(RunId),
}

impl What {
    fn read(text: Option<&str>) -> Result<Self> {
        let Some(text) = text else {
            return Ok(Self::Newest);
        };
        if text.starts_with(RunId::PREFIX) {
            return Ok(Self::Run(text.parse()?));
        }
        text.parse().map(Self::Operation).map_err(|_| {
            Error::new(
                Kind::Usage,
                format!("expected an operation `op-7` or a run `run-3`, found `{text}`"),
            )
            .hint("windlass log lists operations with their runs")
        })
    }
}

/// The operations that one call takes back, newest first.
struct Chosen {
    word: Word,
    /// As the log calls them: `op-7`, `run-3`.
    name: String,
    operations: Vec<OpId>,
    /// What is said of those that are left.
    notes: Vec<String>,
}

impl App {
    /// Takes an operation (`op-7`), the operations of a run (`run-3`), or the newest operation on
    /// desired state that is not undone, back.
    ///
    /// Of a run, what deployed and what is undone already is left, and the outcome names it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such operation or none to undo; [`Kind::Conflict`] when
    /// it deployed, is undone already, or overlaps with a later operation, which is named;
    /// [`Kind::Usage`] inside [`App::atomic`]. Nothing is written then.
    pub fn undo(&self, what: Option<&str>, dry_run: bool) -> Result<Outcome> {
        let what = What::read(what)?;
        self.take_back(dry_run, &|view| choose_undo(view, &what))
    }

    /// Takes an undo back: the one named, the one that took the operation named back, or the
    /// newest that still holds.
    ///
    /// # Errors
    /// As [`App::undo`].
    pub fn redo(&self, what: Option<&str>, dry_run: bool) -> Result<Outcome> {
        let what = What::read(what)?;
        self.take_back(dry_run, &|view| choose_redo(view, &what))
    }

    fn take_back(
        &self,
        dry_run: bool,
        choose: &dyn Fn(&View) -> Result<Chosen>,
    ) -> Result<Outcome> {
        if dry_run && !self.is_rehearsing() {
            return self.rehearse(
                || self.take_back(false, choose),
                |transaction, outcome| {
                    Ok(Outcome {
                        changes: self.preview_of(transaction)?.diff(),
                        is_preview: true,
                        op: None,
                        ..outcome
                    })
                },
            );
        }
        if self.is_rehearsing() {
            self.refuse_inside_atomic("undo")?;
        } else if self.is_transaction() {
            return Err(Error::new(
                Kind::Usage,
                "expected undo and redo after atomic, found one inside",
            )
            .hint("an error inside atomic drops all that was written there already"));
        }
        if self.is_rehearsing() && self.has_rehearsed_writes()? {
            return Err(Error::new(
                Kind::Usage,
                "expected to rehearse an undo before anything is written, found writes before it",
            )
            .hint("what is rehearsed is no operation yet: the log does not have it"));
        }
        // Asked for now, so that nobody waits for the answer while the store is locked.
        let _actor = self.actor();
        let chosen = self.read(choose)?;
        let verb = chosen.word.verb(&chosen.name, &chosen.operations);
        let text = verb.text.clone();
        let (mut outcome, op) = self.write(verb, |transaction| {
            refuse_undone(transaction, &chosen)?;
            self.take_all_back(transaction, &chosen)
        })?;
        let heads = outcome.reports.iter();
        let heads: Vec<(UnitId, u32)> = heads.map(|report| (report.unit, report.after)).collect();
        self.scope().own_heads.extend(heads);
        outcome.verb = text;
        outcome.op = op;
        outcome.is_preview = self.is_rehearsing();
        outcome.decisions = self.decisions(&outcome.conflicts())?;
        Ok(outcome)
    }

    fn take_all_back(&self, transaction: &mut Transaction, chosen: &Chosen) -> Result<Outcome> {
        let mut undoing = Undoing::new(self, transaction);
        let mut notes = Vec::new();
        for op in &chosen.operations {
            let operation = undoing.transaction.operation(*op)?;
            let original = original_of(undoing.transaction, &operation)?;
            let word = chosen.word.as_str();
            let told = match &original.message {
                Some(message) => format!("{}: {message}", original.verb),
                None => original.verb.clone(),
            };
            notes.push(format!("{}: {told}", original.id));
            undoing.step(*op, format!("{word} {}: {told}", original.id))?;
        }
        let mut outcome = report(&mut undoing)?;
        outcome.notes.splice(0..0, notes);
        outcome.notes.extend(chosen.notes.iter().cloned());
        Ok(outcome)
    }
}

/// What an undo of an undo brings back.
fn original_of(view: &View, operation: &Operation) -> Result<Operation> {
    let mut operation = operation.clone();
    while let Some((_, undoes)) = Word::of(&operation) {
        match undoes.as_slice() {
            [one] => operation = view.operation(*one)?,
            _ => break,
        }
    }
    Ok(operation)
}

/// Somebody else may have undone it between choosing and locking.
fn refuse_undone(view: &View, chosen: &Chosen) -> Result<()> {
    let Some(oldest) = chosen.operations.last() else {
        return Ok(());
    };
    let ledger = Ledger::read(view, *oldest)?;
    for op in &chosen.operations {
        if let Some(by) = ledger.undone_by(*op) {
            return Err(undone_already(*op, by));
        }
    }
    Ok(())
}

fn undone_already(op: OpId, by: OpId) -> Error {
    Error::new(
        Kind::Conflict,
        format!("expected {op} to hold still, found it undone already by {by}"),
    )
    .hint(format!("windlass redo {by} takes that back"))
}

fn nothing_to_undo() -> Error {
    Error::new(
        Kind::NotFound,
        "expected an operation on desired state that is not undone, found none",
    )
    .hint("windlass log lists the operations there are")
}

fn operation_of(view: &View, op: OpId) -> Result<Operation> {
    let last = view.last_operation()?;
    if op.0 > 0 && last.is_some_and(|last| op <= last) {
        return Ok(view.operation(op)?);
    }
    let range = match last {
        None => "no operation yet".to_owned(),
        Some(last) => format!("op-1 to {last}"),
    };
    Err(Error::new(
        Kind::NotFound,
        format!("expected an operation of the log ({range}), found {op}"),
    )
    .hint("windlass log lists them"))
}

fn choose_undo(view: &View, what: &What) -> Result<Chosen> {
    let (name, operations, notes) = match what {
        What::Newest => {
            let (op, notes) = newest_to_undo(view)?;
            (op.to_string(), vec![op], notes)
        }
        What::Operation(op) => {
            let op = operation_of(view, *op)?.id;
            (op.to_string(), vec![op], Vec::new())
        }
        What::Run(run) => {
            let (operations, notes) = run_to_undo(view, *run)?;
            (run.to_string(), operations, notes)
        }
    };
    Ok(Chosen {
        word: Word::Undo,
        name,
        operations,
        notes,
    })
}

/// The newest operation on desired state that is neither undone nor an undo itself; what is newer
/// and only deployed is told.
fn newest_to_undo(view: &View) -> Result<(OpId, Vec<String>)> {
    let mut ledger = Ledger::default();
    let mut backwards = Backwards::default();
    let mut notes = Vec::new();
    let mut found = None;
    view.scan_operations(|operation| {
        let op = operation.id;
        ledger.enter(&operation);
        let only_deploys = backwards.only_deploys(view, op)?;
        if ledger.undone_by(op).is_some() || Word::of(&operation).is_some() {
            return Ok::<_, Error>(ControlFlow::Continue(()));
        }
        if only_deploys {
            notes.push(left(&operation));
            return Ok(ControlFlow::Continue(()));
        }
        found = Some(op);
        Ok(ControlFlow::Break(()))
    })?;
    found.map(|op| (op, notes)).ok_or_else(nothing_to_undo)
}

fn left(operation: &Operation) -> String {
    format!(
        "{} ({}) is left as it is: no cluster is touched",
        operation.id, operation.verb
    )
}

/// What of a run is to be taken back, newest first.
fn run_to_undo(view: &View, run: RunId) -> Result<(Vec<OpId>, Vec<String>)> {
    let ids = view.operations_of(run)?;
    let Some(oldest) = ids.first() else {
        return Err(Error::new(
            Kind::NotFound,
            format!("expected a run of the log, found {run}"),
        )
        .hint("windlass log lists operations with their runs"));
    };
    let members: BTreeSet<OpId> = ids.iter().copied().collect();
    let ledger = Ledger::read(view, *oldest)?;
    let mut chosen = Vec::new();
    let mut notes = Vec::new();
    for op in ids.iter().rev().copied() {
        let operation = view.operation(op)?;
        if let Some(by) = ledger.undone_by(op) {
            if !members.contains(&by) {
                notes.push(format!("{op} is undone already by {by}"));
            }
            continue;
        }
        if let Some((_, undoes)) = Word::of(&operation)
            && undoes.iter().all(|undone| members.contains(undone))
        {
            // Both it and what it took back are of this run: they come to nothing.
            continue;
        }
        let known = Known::read(view, op, &Originals::new())?;
        if known.deploys && !known.is_desired()? {
            notes.push(left(&operation));
            continue;
        }
        chosen.push(op);
    }
    if chosen.is_empty() {
        let mut error = Error::new(
            Kind::NotFound,
            format!("expected something to undo in {run}, found nothing left"),
        );
        for note in notes {
            error = error.context(note);
        }
        return Err(error);
    }
    Ok((chosen, notes))
}

fn choose_redo(view: &View, what: &What) -> Result<Chosen> {
    let op = match what {
        What::Newest => newest_undo(view)?,
        What::Operation(op) => undo_of(view, *op)?,
        What::Run(run) => {
            return Err(Error::new(
                Kind::Usage,
                format!("expected an undo such as op-9, found {run}"),
            )
            .hint("windlass log lists the operations; undo of a run is one of them"));
        }
    };
    Ok(Chosen {
        word: Word::Redo,
        name: op.to_string(),
        operations: vec![op],
        notes: Vec::new(),
    })
}

fn newest_undo(view: &View) -> Result<OpId> {
    let mut ledger = Ledger::default();
    let mut found = None;
    view.scan_operations(|operation| {
        ledger.enter(&operation);
        let is_undo = matches!(Word::of(&operation), Some((Word::Undo, _)));
        if is_undo && ledger.undone_by(operation.id).is_none() {
            found = Some(operation.id);
            return Ok::<_, Error>(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    found.ok_or_else(|| {
        Error::new(Kind::NotFound, "expected an undo that holds, found none")
            .hint("windlass undo takes an operation back; redo takes that back")
    })
}

/// The undo that is meant: the operation itself, or the one that took it back.
fn undo_of(view: &View, op: OpId) -> Result<OpId> {
    let operation = operation_of(view, op)?;
    let ledger = Ledger::read(view, op)?;
    let undone = ledger.undone_by(op);
    match (Word::of(&operation), undone) {
        (Some((Word::Undo, _)), None) => Ok(op),
        (Some(_), Some(by)) => Err(undone_already(op, by)),
        (None, Some(by)) => Ok(by),
        (_, None) => Err(Error::new(
            Kind::Usage,
            format!(
                "expected an undo, or an operation that is undone, found {op} ({})",
                operation.verb
            ),
        )
        .hint("windlass log shows which operations are undos")),
    }
}

/// What became of every unit that was touched.
fn report(undoing: &mut Undoing<'_>) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut running = Vec::new();
    for id in undoing.touched()? {
        undoing.remember(&Key::Unit(id))?;
        let reference = undoing.reference(id)?;
        let old = undoing.originals.get(&Key::Unit(id)).cloned().flatten();
        let old: Option<Unit> = old.map(|stored| decode(&stored, id)).transpose()?;
        let new = undoing.transaction.find_unit_by_id(id)?;
        let conflicts = reopened(undoing, id)?;
        let mut notes = undoing.notes.get(&id).cloned().unwrap_or_default();
        let is_same = match (&old, &new) {
            (Some(old), Some(new)) => {
                is_same_desired(old, new)? && old.open_conflicts == new.open_conflicts
            }
            (None, None) => continue,
            _ => false,
        };
        if let (Some(live), Some(new)) = (new.as_ref().and_then(|new| new.live), &new)
            && !is_same
            && undoing.transaction.revision(id, live)?.data != new.data
        {
            notes.push(format!("live r{live} still runs"));
            running.push(reference.clone());
        }
        outcome.reports.push(UnitReport {
            unit: id,
            reference,
            before: old.map_or(0, |old| old.head),
            after: new.map_or(0, |new| new.head),
            status: if is_same {
                Status::Unchanged
            } else {
                Status::Changed
            },
            note: notes.join(", "),
            conflicts,
        });
    }
    outcome.notes = std::mem::take(&mut undoing.other_notes);
    match running.as_slice() {
        [] => {}
        [one] => outcome
            .notes
            .push(format!("windlass unit apply {one}    sends what is desired now")),
        [one, ..] => outcome.notes.push(format!(
            "windlass unit apply {one}    sends what is desired now, and so for each that still runs"
        )),
    }
    Ok(outcome)
}

/// The rows of a unit that are open now and were not.
fn reopened(undoing: &Undoing<'_>, unit: UnitId) -> Result<Vec<ConflictId>> {
    let mut found = Vec::new();
    for conflict in undoing.transaction.conflicts_of(unit)? {
        let key = Key::Conflict(conflict.id);
        let Some(original) = undoing.originals.get(&key) else {
            continue;
        };
        let was_open = match original {
            Some(stored) => decode::<Conflict>(stored, conflict.id)?.is_open(),
            None => false,
        };
        if conflict.is_open() && !was_open {
            found.push(conflict.id);
        }
    }
    Ok(found)
}
