//! Back to an earlier revision: in the store alone, or in the store and the cluster at once.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::app::change::{ChangeOptions, Draft, Head, Plan};
use crate::app::gate::{GatePolicy, HOLD};
use crate::app::history::resolve;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::rollout::ApplyOptions;
use crate::app::select::{Pin, Selection};
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::{ConflictId, UnitId};
use crate::model::{Bookkeeping, RevisionRef, RevisionSource, Unit};
use crate::yaml::Stream;

/// Where a rollback goes.
#[derive(Debug, Clone)]
pub enum RollbackTo {
    /// The same for every unit.
    Revision(RevisionRef),
    /// To what was live at some moment, unit by unit; none where a unit was not live then.
    Moment {
        /// The moment, in words: `before a-93`.
        name: String,
        /// The revisions.
        live: BTreeMap<UnitId, Option<u32>>,
    },
}

impl RollbackTo {
    /// The revision that a unit goes to; none where it was not live.
    fn of(&self, unit: UnitId) -> Option<RevisionRef> {
        match self {
            Self::Revision(revision) => Some(*revision),
            Self::Moment { live, .. } => {
                let number = live.get(&unit).copied().flatten()?;
                Some(RevisionRef::Number(number))
            }
        }
    }
}

impl fmt::Display for RollbackTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision(revision) => revision.fmt(f),
            Self::Moment { name, .. } => f.write_str(name),
        }
    }
}

/// What a rollback does.
#[derive(Debug, Clone)]
pub struct RollbackOptions {
    /// Where to: the revision that was live before, unless something else is said.
    pub to: RollbackTo,
    /// Wait until what was sent is ready, for so long at most; the workloads' own deadlines where
    /// it is none.
    pub wait: bool,
    /// How long to wait.
    pub timeout: Option<Duration>,
    /// When the hold ends that the rollback leaves; it stays until it is taken away where this is
    /// none.
    pub until: Option<Timestamp>,
    /// The gates that are passed. The hold that the rollback sets is passed by itself.
    pub overridden: Vec<String>,
    /// Only say what would happen.
    pub dry_run: bool,
}

impl Default for RollbackOptions {
    fn default() -> Self {
        Self {
            to: RollbackTo::Revision(RevisionRef::PreviousLive),
            wait: false,
            timeout: None,
            until: None,
            overridden: Vec::new(),
            dry_run: false,
        }
    }
}

/// An earlier revision, as it is to be again.
pub(crate) struct Earlier {
    number: u32,
    was_live: bool,
    stream: Stream,
    bookkeeping: Bookkeeping,
    /// Open conflicts of merges that came after it.
    withdrawn: Vec<ConflictId>,
}

impl Earlier {
    /// What makes it the head again.
    pub(crate) fn draft(&self, head: &Head) -> Draft {
        let revision = self.number;
        let source = RevisionSource::Restore { revision };
        let mut draft = Draft::of(head, source, format!("restore r{revision}"));
        draft.stream = self.stream.clone();
        draft.bookkeeping = Bookkeeping {
            protected: head.bookkeeping.protected.clone(),
            ..self.bookkeeping.clone()
        };
        draft.withdrawn.clone_from(&self.withdrawn);
        draft.note = self.note();
        draft
    }

    fn note(&self) -> String {
        let live = if self.was_live {
            "was live"
        } else {
            "is not known to have been live"
        };
        format!("data of r{}, which {live}", self.number)
    }
}

impl App {
    /// Makes the data of an earlier revision the new head, with the bookkeeping of that revision;
    /// protected paths stay protected, and open conflicts of merges that came after it go.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when a unit has no such revision; when the selection moved.
    pub fn restore(
        &self,
        selection: &Selection,
        revision: RevisionRef,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        self.restore_each(selection, &RollbackTo::Revision(revision), options)
    }

    fn restore_each(
        &self,
        selection: &Selection,
        to: &RollbackTo,
        options: ChangeOptions,
    ) -> Result<Outcome> {
        let found: BTreeMap<UnitId, Earlier> = self.read(|view| {
            let pins = selection.pins().iter();
            pins.map(|pin| {
                let revision = to.of(pin.unit).unwrap_or(RevisionRef::Head);
                Ok((pin.unit, earlier(view, &view.unit(pin.unit)?, revision)?))
            })
            .collect()
        })?;
        let verb = Verb::with(
            format!("restore {to}"),
            serde_json::json!({ "Revision": to.to_string() }),
        );
        self.change(selection, verb, options, &|head| {
            let draft = found[&head.unit.id].draft(head);
            Ok(Plan::Write(Box::new(draft)))
        })
    }

    /// Puts units back to an earlier revision, in the store and on their targets, and holds them
    /// there.
    ///
    /// Units that are not deployed are skipped. What was restored and held stays so where sending
    /// fails.
    ///
    /// # Errors
    /// Before anything is written: [`Kind::NotFound`] when a unit has no such revision; a gate
    /// that is closed; when the selection moved; a call inside [`App::atomic`].
    pub fn rollback(&self, selection: &Selection, options: &RollbackOptions) -> Result<Outcome> {
        self.refuse_inside_atomic("rollback")?;
        let mut overridden = options.overridden.clone();
        overridden.push(HOLD.to_owned());
        let gates = GatePolicy {
            skip: false,
            overridden,
        };
        let (all, mut skipped) = self.deployed(selection)?;
        if all.pins().is_empty() {
            return Err(nothing_deployed(selection));
        }
        let (mut deployed, mut withdrawn) = (Selection::default(), Selection::default());
        for pin in all.pins() {
            match options.to.of(pin.unit) {
                Some(_) => deployed.push(*pin),
                None => withdrawn.push(*pin),
            }
        }
        self.refuse_gated(&deployed, &gates)?;
        let apply = ApplyOptions {
            wait: options.wait,
            timeout: options.timeout,
            gates,
            dry_run: options.dry_run,
            ..ApplyOptions::default()
        };
        let work = || {
            let verb = format!("rollback to {}", options.to);
            if deployed.pins().is_empty() {
                let gone = self.destroy(&withdrawn)?;
                return Ok((Outcome::default(), gone, None));
            }
            let (restored, op) = self.as_one(None, None, || {
                self.title_open(&verb);
                let change = ChangeOptions::default();
                let restored = self.restore_each(&deployed, &options.to, change)?;
                if let Some(failure) = restored.failure() {
                    return Err(failure);
                }
                let heads = Selection::of_reports(&restored.reports);
                self.hold(&heads, options.until, None)?;
                Ok(restored)
            })?;
            let heads = Selection::of_reports(&restored.reports);
            let sent = self.apply(
                &heads,
                &ApplyOptions {
                    dry_run: false,
                    ..apply.clone()
                },
            )?;
            let mut sent = sent;
            // What was not there at that moment goes last: what replaces it may be needed first.
            if !withdrawn.pins().is_empty() && sent.failed() == 0 {
                sent.reports.extend(self.destroy(&withdrawn)?.reports);
            }
            Ok((restored, sent, op))
        };
        let (restored, sent, op) = if options.dry_run {
            self.rehearse(work, |_, done| Ok(done))?
        } else {
            work()?
        };
        let mut outcome = told(&restored, sent);
        outcome.verb = format!("rollback to {}", options.to);
        outcome.op = op.or(outcome.op);
        outcome.is_preview = options.dry_run || self.is_rehearsing();
        outcome.reports.append(&mut skipped);
        outcome
            .notes
            .push("held: workers leave these units alone until windlass unhold".to_owned());
        Ok(outcome)
    }

    /// The units of a selection that are live, and a report of each that is not.
    fn deployed(&self, selection: &Selection) -> Result<(Selection, Vec<UnitReport>)> {
        let names = self.references(selection)?;
        self.read(|view| {
            let mut deployed = Selection::default();
            let mut skipped = Vec::new();
            for (pin, reference) in selection.pins().iter().zip(names) {
                let unit = view.unit(pin.unit)?;
                if unit.live.is_some() {
                    deployed.push(Pin { ..*pin });
                    continue;
                }
                skipped.push(UnitReport {
                    before: 0,
                    after: 0,
                    status: Status::Skipped("not deployed".to_owned()),
                    ..UnitReport::unchanged(&unit, reference)
                });
            }
            Ok((deployed, skipped))
        })
    }
}

/// The report of what was sent, each unit with what was restored for it.
fn told(restored: &Outcome, mut sent: Outcome) -> Outcome {
    for report in &mut sent.reports {
        let before = restored
            .reports
            .iter()
            .find(|before| before.unit == report.unit);
        let Some(before) = before else {
            continue;
        };
        if report.note.is_empty() {
            report.note.clone_from(&before.note);
        } else {
            report.note = format!("{}; {}", before.note, report.note);
        }
        if matches!(report.status, Status::Unchanged) {
            report.status = before.status.clone();
        }
    }
    sent
}

fn nothing_deployed(selection: &Selection) -> Error {
    if selection.pins().is_empty() {
        return Error::new(Kind::NotFound, "expected at least one unit, found none");
    }
    Error::new(
        Kind::Invalid,
        "expected a unit that is deployed, found none among those selected",
    )
    .hint("windlass unit update --restore REVISION changes the store alone")
}

pub(crate) fn earlier(view: &View, unit: &Unit, revision: RevisionRef) -> Result<Earlier> {
    let old = resolve(view, unit, revision)?;
    let hash = if old.num < unit.head {
        view.revision(unit.id, old.num + 1)?.bookkeeping_before
    } else {
        unit.bookkeeping
    };
    let conflicts = if unit.open_conflicts > 0 {
        view.conflicts_of(unit.id)?
    } else {
        Vec::new()
    };
    let later = conflicts
        .into_iter()
        .filter(|row| row.is_open() && row.op > old.op && old.num < unit.head);
    Ok(Earlier {
        number: old.num,
        was_live: unit.was_live(old.num),
        stream: view.stream(&old.data)?,
        bookkeeping: view.bookkeeping(&hash)?,
        withdrawn: later.map(|row| row.id).collect(),
    })
}
