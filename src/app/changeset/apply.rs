//! Applying a changeset: an intent, the sending, and one transaction that makes all of it true.
//!
//! 1. Plan, gates, and a dry run of every unit; nothing is changed where anything refuses.
//! 2. One transaction writes the intent: what is to be, and what the target has of every object.
//! 3. Units are sent one by one, each in a transaction of its own.
//! 4. Where the target refuses or is lost, what was sent is put back, the last first.
//! 5. One transaction writes heads, live revisions and the changeset, and closes the intent.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::app::changeset::complete::{close, complete};
use crate::app::changeset::plan::{Plan, Step, Way, plan};
use crate::app::changeset::{named, not_open, refuse_busy};
use crate::app::cluster::Slot;
use crate::app::gate::{GatePolicy, gates_of, refusal};
use crate::app::lease::LEASE;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::rollout::unit_objects;
use crate::app::{App, Verb};
use crate::db::View;
use crate::deploy::{self, Image, Placement, Target as _, UnitObjects, WaitOptions};
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{ChangeSet, ChangeSetState, Intent, IntentMember, LiveStep, Status as Fares};

/// What applying a changeset does.
#[derive(Debug, Clone, Default)]
pub struct ApplyChangeSet {
    /// Not becoming ready is a refusal as well.
    pub wait: bool,
    /// How long to wait for each unit; the workloads' own deadlines where it is none.
    pub timeout: Option<Duration>,
    /// What to do about gates; gated units cannot be left out.
    pub gates: GatePolicy,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// How an apply begins.
enum Beginning {
    /// Everything is as it is to be already.
    Done(Vec<UnitReport>),
    /// There is something to send.
    Begun(Begun),
}

/// An apply that has begun.
struct Begun {
    way: Way,
    notes: BTreeMap<UnitId, String>,
    intent: Intent,
}

impl App {
    /// Makes all of a changeset true, desired and live, or nothing.
    ///
    /// What is true already changes nothing. Where it is refused, the changeset stays open and
    /// keeps the reason.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an unknown changeset, [`Kind::Invalid`] for an empty one,
    /// [`Kind::Conflict`] for a discarded one and where a head moved, [`Kind::Gated`] where a gate
    /// is closed; what a target refuses, after what was sent has been put back.
    pub fn apply_changeset(&self, slug: &str, options: &ApplyChangeSet) -> Result<Outcome> {
        self.refuse_inside_atomic("changeset apply")?;
        options.gates.check()?;
        if options.dry_run && !self.is_rehearsing() {
            return self.rehearse(
                || self.apply_changeset(slug, options),
                |_, outcome| {
                    Ok(Outcome {
                        is_preview: true,
                        op: None,
                        ..outcome
                    })
                },
            );
        }
        let changeset = self.changeset(slug)?;
        let was_applying = self.scope().applying.replace(changeset.slug.clone());
        let result = self.apply_all(&changeset, options);
        self.scope().applying = was_applying;
        result
    }

    fn apply_all(&self, changeset: &ChangeSet, options: &ApplyChangeSet) -> Result<Outcome> {
        let slug = &changeset.slug;
        let verb = format!("changeset apply {slug}");
        let begun = self.write_slot(Verb::new(format!("{verb}: begin")), |slot| {
            self.begin(slot, slug.as_str(), options)
        });
        let begun = match begun {
            Ok((Beginning::Begun(begun), _)) => begun,
            Ok((Beginning::Done(reports), _)) => {
                return Ok(Outcome {
                    verb,
                    reports,
                    notes: vec!["applied already: all of it is desired and live".to_owned()],
                    is_preview: self.is_rehearsing(),
                    ..Outcome::default()
                });
            }
            Err(error) => {
                self.note_reason(changeset, &error)?;
                return Err(error.context(format!("changeset `{slug}`: nothing was sent")));
            }
        };
        for member in &begun.intent.members {
            if let Err(error) = self.send_member(&begun.intent, member)? {
                return Err(self.call_off(&begun.intent, error));
            }
        }
        if options.wait {
            for member in &begun.intent.members {
                if let Err(error) = self.await_member(&begun.intent, member, options.timeout)? {
                    return Err(self.call_off(&begun.intent, error));
                }
            }
        }
        let title = format!("{verb} ({})", begun.way);
        let (reports, op) = self.write_slot(Verb::new(title.clone()), |slot| {
            complete(slot, &begun.intent, &begun.notes)
        })?;
        let heads = reports.iter().filter_map(|(report, head)| {
            matches!(report.status, Status::Changed).then_some((report.unit, *head))
        });
        self.scope().own_heads.extend(heads);
        Ok(Outcome {
            verb: title,
            op,
            is_preview: self.is_rehearsing(),
            reports: reports.into_iter().map(|(report, _)| report).collect(),
            notes: vec![self.said_of_all().to_owned()],
            ..Outcome::default()
        })
    }

    fn said_of_all(&self) -> &'static str {
        if self.is_rehearsing() {
            "all of it would be desired and live, or none"
        } else {
            "all of it is desired and live"
        }
    }

    /// Steps 1 and 2; none where everything is as it is to be.
    fn begin(&self, slot: &mut Slot, slug: &str, options: &ApplyChangeSet) -> Result<Beginning> {
        let view: &View = slot.transaction()?;
        let changeset = named(view, slug)?;
        refuse_busy(view, &changeset)?;
        if changeset.state == ChangeSetState::Discarded {
            return Err(not_open(&changeset));
        }
        let plan = plan(view, &changeset)?;
        if plan.is_nothing() && changeset.state == ChangeSetState::Applied {
            return Ok(Beginning::Done(plan.steps.iter().map(unchanged).collect()));
        }
        refuse_gated(view, &plan, &options.gates)?;
        let transaction = slot.transaction()?;
        let at = transaction.at();
        let mut objects = objects_of(transaction, &plan)?;
        let mut members = Vec::with_capacity(plan.steps.len());
        for at in order(&plan, &objects)? {
            let (step, objects) = (&plan.steps[at], objects[at].take());
            members.push(member(slot, step, objects)?);
        }
        let intent = Intent {
            changeset: changeset.slug,
            by: self.actor(),
            at,
            process: self.0.settings.process.clone(),
            until: at.plus_microseconds(LEASE),
            members,
        };
        slot.transaction()?.put_intent(&intent)?;
        let notes = plan.steps.iter();
        Ok(Beginning::Begun(Begun {
            way: plan.way,
            notes: notes
                .map(|step| (step.unit.id, step.note.clone()))
                .collect(),
            intent,
        }))
    }

    /// Step 3 for one unit: what the target says.
    fn send_member(&self, intent: &Intent, member: &IntentMember) -> Result<Result<()>> {
        if member.live == LiveStep::Keep {
            return Ok(Ok(()));
        }
        let reference = self.reference(member.unit)?;
        let verb = format!("changeset apply {}: send {reference}", intent.changeset);
        let (sent, _) = self.write_slot(Verb::new(verb), |slot| {
            let transaction = slot.transaction()?;
            let until = transaction.at().plus_microseconds(LEASE);
            transaction.put_intent(&Intent {
                until,
                ..intent.clone()
            })?;
            let objects = member_objects(transaction, member)?;
            slot.with_sandbox(|sandbox| {
                let options = deploy::ApplyOptions::default();
                let sent = match member.live {
                    LiveStep::Keep => Ok(()),
                    LiveStep::Send { .. } => sandbox.apply(&objects, &options).map(drop),
                    LiveStep::Withdraw => sandbox.destroy(&objects.owner).map(drop),
                };
                Ok(sent.map_err(|error| {
                    Error::from(error).context(format!("unit         {reference}"))
                }))
            })
        })?;
        Ok(sent)
    }

    /// Waits for one unit that was sent: whether it became ready.
    fn await_member(
        &self,
        intent: &Intent,
        member: &IntentMember,
        timeout: Option<Duration>,
    ) -> Result<Result<()>> {
        if !matches!(member.live, LiveStep::Send { .. }) {
            return Ok(Ok(()));
        }
        let reference = self.reference(member.unit)?;
        let verb = format!("changeset apply {}: wait for {reference}", intent.changeset);
        let (end, _) = self.write_slot(Verb::new(verb), |slot| {
            let objects = member_objects(slot.transaction()?, member)?;
            let millis = timeout.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
            let options = WaitOptions {
                timeout: millis,
                ..WaitOptions::default()
            };
            slot.with_sandbox(|sandbox| Ok(sandbox.wait(&objects.owner, &options, &mut |_| {})?))
        })?;
        if end.status == Fares::Ready {
            return Ok(Ok(()));
        }
        Ok(Err(Error::new(
            Kind::Unavailable,
            format!(
                "expected `{reference}` to become ready, found it {}: {}",
                end.state.status, end.reason
            ),
        )))
    }

    /// Step 4: the error to report, with what became of what had been sent.
    fn call_off(&self, intent: &Intent, cause: Error) -> Error {
        let slug = &intent.changeset;
        let verb = Verb::new(format!("changeset apply {slug}: put back"));
        let done = self.write_slot(verb, |slot| {
            let failed = put_back(slot, intent)?;
            if failed.is_none() {
                close(slot, intent, &cause.to_string())?;
            }
            Ok(failed)
        });
        match done {
            Ok((None, _)) => cause
                .context("what had been sent was put back: desired and live are as they were")
                .context(format!("changeset `{slug}` stays open")),
            Ok((Some(error), _)) | Err(error) => cause
                .context(format!("what had been sent could not be put back: {error}"))
                .hint("the next command that writes tries again"),
        }
    }

    /// Keeps in a changeset why it could not be applied, where it waits to be.
    fn note_reason(&self, changeset: &ChangeSet, error: &Error) -> Result<()> {
        if changeset.state != ChangeSetState::Open || changeset.entries.is_empty() {
            return Ok(());
        }
        let verb = Verb::new(format!("changeset apply {}: refused", changeset.slug));
        let ((), _) = self.write(verb, |transaction| {
            let Some(mut changeset) = transaction.find_changeset(&changeset.slug)? else {
                return Ok(());
            };
            changeset.reason = Some(error.to_string());
            Ok(transaction.put_changeset(&changeset)?)
        })?;
        Ok(())
    }
}

fn unchanged(step: &Step) -> UnitReport {
    UnitReport {
        note: step.note.clone(),
        ..UnitReport::unchanged(&step.unit, step.reference())
    }
}

fn refuse_gated(view: &View, plan: &Plan, policy: &GatePolicy) -> Result<()> {
    let mut gated = Vec::new();
    for step in plan.steps.iter().filter(|step| !step.is_nothing()) {
        let closed = policy.closed(gates_of(&step.unit, &step.space, view.now()));
        if !closed.is_empty() {
            gated.push((step.reference(), closed));
        }
    }
    if gated.is_empty() {
        Ok(())
    } else {
        Err(refusal(&gated))
    }
}

/// The objects of each step of a plan; none where nothing is sent or removed.
fn objects_of(view: &View, plan: &Plan) -> Result<Vec<Option<UnitObjects>>> {
    let objects = plan.steps.iter().map(|step| {
        let (number, data) = match step.live {
            LiveStep::Keep => return Ok(None),
            LiveStep::Send { revision, data } => (revision, data),
            LiveStep::Withdraw => (step.unit.head, step.unit.data),
        };
        unit_objects(view, &step.unit, &step.space, number, &data).map(Some)
    });
    objects.collect()
}

/// The positions of the steps in the order in which they are done: what is sent by order and
/// kind, then what is removed, the last first.
fn order(plan: &Plan, objects: &[Option<UnitObjects>]) -> Result<Vec<usize>> {
    let mut placed = Vec::new();
    for (step, objects) in plan.steps.iter().zip(objects) {
        let kinds = objects.iter().flat_map(|unit| &unit.objects);
        placed.push(Placement {
            unit: step.unit.id,
            name: step.reference(),
            order: step.unit.labels.get("order").cloned(),
            kinds: kinds.map(|object| object.id.kind.clone()).collect(),
        });
    }
    let position: BTreeMap<UnitId, usize> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| (step.unit.id, at))
        .collect();
    let positions = deploy::order(&placed)?.into_iter().flatten();
    let all: Vec<usize> = positions
        .filter_map(|unit| position.get(&unit).copied())
        .collect();
    let is_removed = |at: &usize| plan.steps[*at].live == LiveStep::Withdraw;
    let (removed, mut ordered): (Vec<usize>, Vec<usize>) = all.into_iter().partition(is_removed);
    ordered.extend(removed.into_iter().rev());
    Ok(ordered)
}

/// What is kept of a step, after the target was asked whether it would take it.
fn member(slot: &mut Slot, step: &Step, objects: Option<UnitObjects>) -> Result<IntentMember> {
    let image = match objects {
        None => Image::default(),
        Some(objects) => slot.with_sandbox(|sandbox| {
            if matches!(step.live, LiveStep::Send { .. }) {
                let options = deploy::ApplyOptions {
                    dry_run: true,
                    ..deploy::ApplyOptions::default()
                };
                let checked = sandbox.apply(&objects, &options).map_err(Error::from);
                checked
                    .map_err(|error| error.context(format!("unit         {}", step.reference())))?;
            }
            Ok(sandbox.capture(&objects)?)
        })?,
    };
    let image = serde_json::to_string(&image).map_err(|error| {
        Error::new(
            Kind::Internal,
            format!("cannot keep what was there: {error}"),
        )
    })?;
    Ok(IntentMember {
        unit: step.unit.id,
        head: step.head,
        live: step.live,
        image,
    })
}

/// The objects of a member: those that are sent, or those of its head.
pub(super) fn member_objects(view: &View, member: &IntentMember) -> Result<UnitObjects> {
    let unit = view.unit(member.unit)?;
    let space = view.space(unit.space)?;
    let (number, data) = match member.live {
        LiveStep::Send { revision, data } => (revision, data),
        LiveStep::Keep | LiveStep::Withdraw => (unit.head, unit.data),
    };
    unit_objects(view, &unit, &space, number, &data)
}

/// Puts back what was sent, the last first; the error of the first unit where that fails.
pub(super) fn put_back(slot: &mut Slot, intent: &Intent) -> Result<Option<Error>> {
    for member in intent.members.iter().rev() {
        if member.live == LiveStep::Keep {
            continue;
        }
        let image: Image = serde_json::from_str(&member.image).map_err(|error| {
            Error::new(
                Kind::Internal,
                format!("cannot read what was there: {error}"),
            )
        })?;
        let owner = member_objects(slot.transaction()?, member)?.owner;
        let done = slot.with_sandbox(|sandbox| Ok(sandbox.put_back(&owner, &image)))?;
        if let Err(error) = done {
            return Ok(Some(Error::from(error)));
        }
    }
    Ok(None)
}
