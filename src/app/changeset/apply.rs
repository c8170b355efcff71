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
use crate::app::dispatch::{Destinations, Dispatch};
use crate::app::gate::{GatePolicy, gates_of, refusal};
use crate::app::lease::LEASE;
use crate::app::outcome::{Outcome, Status, UnitReport};
use crate::app::rollout::{Renewal, Shipment, millis, put_inventory, shipment};
use crate::app::{App, Verb};
use crate::db::View;
use crate::deploy::{self, Image, Placement, Sent, Target, WaitOptions};
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
            return self.as_preview(|| self.apply_changeset(slug, options));
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
        let units = changeset.entries.iter().map(|entry| entry.unit);
        let destinations = self.destinations_of_units(units)?;
        let first = Verb::new(format!("{verb}: begin"));
        let begun = self.dispatched(destinations.is_sandbox(), first, |dispatch| {
            self.begin(dispatch, &destinations, slug.as_str(), options)
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
            if let Err(error) = self.send_member(&destinations, &begun.intent, member)? {
                return Err(self.call_off(&destinations, &begun.intent, error));
            }
        }
        if options.wait {
            for member in &begun.intent.members {
                let timeout = options.timeout;
                if let Err(error) =
                    self.await_member(&destinations, &begun.intent, member, timeout)?
                {
                    return Err(self.call_off(&destinations, &begun.intent, error));
                }
            }
        }
        let title = format!("{verb} ({})", begun.way);
        let end = Verb::new(title.clone());
        let (reports, op) = self.dispatched(destinations.is_sandbox(), end, |dispatch| {
            complete(dispatch, &destinations, &begun.intent, &begun.notes)
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
    fn begin(
        &self,
        dispatch: &mut Dispatch<'_>,
        destinations: &Destinations,
        slug: &str,
        options: &ApplyChangeSet,
    ) -> Result<Beginning> {
        let (changeset, plan, shipments) = dispatch.read(|view| {
            let changeset = named(view, slug)?;
            refuse_busy(view, &changeset)?;
            if changeset.state == ChangeSetState::Discarded {
                return Err(not_open(&changeset));
            }
            let plan = plan(view, &changeset)?;
            refuse_gated(view, &plan, &options.gates)?;
            let shipments = shipments_of(view, &plan)?;
            Ok((changeset, plan, shipments))
        })?;
        if plan.is_nothing() && changeset.state == ChangeSetState::Applied {
            return Ok(Beginning::Done(plan.steps.iter().map(unchanged).collect()));
        }
        let mut members = Vec::with_capacity(plan.steps.len());
        for at in order(&plan, &shipments)? {
            let (step, shipment) = (&plan.steps[at], shipments[at].as_ref());
            members.push(member(dispatch, destinations, step, shipment)?);
        }
        let intent = dispatch.write(&format!("changeset apply {slug}: begin"), |transaction| {
            self.refuse_outdated(transaction, &changeset, &plan)?;
            let at = transaction.at();
            let intent = Intent {
                changeset: changeset.slug.clone(),
                by: self.actor(),
                at,
                process: self.0.settings.process.clone(),
                until: at.plus_microseconds(LEASE),
                members,
            };
            transaction.put_intent(&intent)?;
            Ok(intent)
        })?;
        let notes = plan.steps.iter();
        Ok(Beginning::Begun(Begun {
            way: plan.way,
            notes: notes
                .map(|step| (step.unit.id, step.note.clone()))
                .collect(),
            intent,
        }))
    }

    /// Between planning and writing, targets were asked: nothing of what was planned may have
    /// changed meanwhile, and nobody else may have the units.
    fn refuse_outdated(&self, view: &View, changeset: &ChangeSet, plan: &Plan) -> Result<()> {
        let now = named(view, changeset.slug.as_str())?;
        refuse_busy(view, &now)?;
        let units: Vec<UnitId> = plan.steps.iter().map(|step| step.unit.id).collect();
        self.refuse_leased(view, &units)?;
        let mut is_same = now == *changeset;
        for step in &plan.steps {
            is_same &= view.unit(step.unit.id)? == step.unit;
        }
        if is_same {
            return Ok(());
        }
        Err(Error::new(
            Kind::Conflict,
            format!(
                "expected changeset `{}` and its units to stay while it was planned, found a change",
                changeset.slug
            ),
        )
        .hint("the same command again plans anew"))
    }

    /// Step 3 for one unit: what the target says.
    fn send_member(
        &self,
        destinations: &Destinations,
        intent: &Intent,
        member: &IntentMember,
    ) -> Result<Result<()>> {
        if member.live == LiveStep::Keep {
            return Ok(Ok(()));
        }
        let reference = self.reference(member.unit)?;
        let text = format!("changeset apply {}: send {reference}", intent.changeset);
        let shipment = self.read(|view| member_shipment(view, member))?;
        let destination = destinations.get(&shipment.target)?;
        let verb = Verb::new(text.clone());
        let (sent, _) = self.dispatched(destination.is_sandbox(), verb, |dispatch| {
            let planned = match member.live {
                LiveStep::Send { .. } => {
                    let units = [(&shipment.objects, shipment.inventory.as_ref())];
                    let plan = |target: &dyn Target| Ok(target.plan(&units, &plain())?);
                    match dispatch.with(destination, &text, plan)?.pop() {
                        Some(Ok(plan)) => Some(plan),
                        Some(Err(error)) => return Ok(Err(Error::from(error))),
                        None => None,
                    }
                }
                LiveStep::Keep | LiveStep::Withdraw => None,
            };
            dispatch.write(&text, |transaction| {
                let until = transaction.at().plus_microseconds(LEASE);
                transaction.put_intent(&Intent {
                    until,
                    ..intent.clone()
                })?;
                if let Some(plan) = planned.as_ref().filter(|_| !destination.is_sandbox()) {
                    let pending = Some(&plan.pending);
                    put_inventory(transaction, member.unit, &shipment.target, pending)?;
                }
                Ok(())
            })?;
            let sent = dispatch.with(destination, &text, |target| {
                Ok(match &planned {
                    Some(plan) => target.send(&[(&shipment.objects, plan)], &plain()),
                    None => target.destroy(&[shipment.deployed()]),
                })
            })?;
            let (inventory, sent) = match sent.into_iter().next() {
                Some(Sent::Done(applied)) => (Some(applied.inventory), Ok(())),
                Some(Sent::Failed { error, inventory }) => {
                    (inventory.map(Some), Err(Error::from(*error)))
                }
                Some(Sent::NotSent) | None => (None, Ok(())),
            };
            if let Some(inventory) = inventory.filter(|_| !destination.is_sandbox()) {
                dispatch.write(&text, |transaction| {
                    put_inventory(
                        transaction,
                        member.unit,
                        &shipment.target,
                        inventory.as_ref(),
                    )
                })?;
            }
            Ok(sent)
        })?;
        Ok(sent.map_err(|error| error.context(format!("unit         {reference}"))))
    }

    /// Waits for one unit that was sent: whether it became ready.
    fn await_member(
        &self,
        destinations: &Destinations,
        intent: &Intent,
        member: &IntentMember,
        timeout: Option<Duration>,
    ) -> Result<Result<()>> {
        if !matches!(member.live, LiveStep::Send { .. }) {
            return Ok(Ok(()));
        }
        let reference = self.reference(member.unit)?;
        let text = format!("changeset apply {}: wait for {reference}", intent.changeset);
        let shipment = self.read(|view| member_shipment(view, member))?;
        let destination = destinations.get(&shipment.target)?;
        let options = WaitOptions {
            timeout: timeout.map(millis),
            ..WaitOptions::default()
        };
        let mut renewal = Renewal::of_intent(self, destination, intent);
        let verb = Verb::new(text.clone());
        let (ends, _) = self.dispatched(destination.is_sandbox(), verb, |dispatch| {
            dispatch.with(destination, &text, |target| {
                let units = [shipment.deployed()];
                Ok(target.wait(&units, &options, &mut |_, _| {
                    renewal.tick();
                    self.goes_on()
                })?)
            })
        })?;
        let Some(end) = ends
            .into_iter()
            .next()
            .filter(|end| end.status != Fares::Ready)
        else {
            return Ok(Ok(()));
        };
        Ok(Err(Error::new(
            Kind::Unavailable,
            format!(
                "expected `{reference}` to become ready, found it {}: {}",
                end.state.status, end.reason
            ),
        )))
    }

    /// Step 4: the error to report, with what became of what had been sent.
    fn call_off(&self, destinations: &Destinations, intent: &Intent, cause: Error) -> Error {
        let slug = &intent.changeset;
        let verb = Verb::new(format!("changeset apply {slug}: put back"));
        let done = self.dispatched(destinations.is_sandbox(), verb, |dispatch| {
            let failed = put_back(dispatch, destinations, intent)?;
            if failed.is_none() {
                close(dispatch, intent, &cause.to_string())?;
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

fn plain() -> deploy::ApplyOptions {
    deploy::ApplyOptions::default()
}

/// What each step of a plan sends or removes; none where it does neither.
fn shipments_of(view: &View, plan: &Plan) -> Result<Vec<Option<Shipment>>> {
    let shipments = plan.steps.iter().map(|step| {
        let (number, data) = match step.live {
            LiveStep::Keep => return Ok(None),
            LiveStep::Send { revision, data } => (revision, data),
            LiveStep::Withdraw => (step.unit.head, step.unit.data),
        };
        shipment(view, step.unit.clone(), &step.space, number, &data).map(Some)
    });
    shipments.collect()
}

/// The positions of the steps in the order in which they are done: what is sent by order and
/// kind, then what is removed, the last first.
fn order(plan: &Plan, shipments: &[Option<Shipment>]) -> Result<Vec<usize>> {
    let mut placed = Vec::new();
    for (step, shipment) in plan.steps.iter().zip(shipments) {
        let kinds = shipment.iter().flat_map(|unit| &unit.objects.objects);
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
fn member(
    dispatch: &mut Dispatch<'_>,
    destinations: &Destinations,
    step: &Step,
    shipment: Option<&Shipment>,
) -> Result<IntentMember> {
    let image = match shipment {
        None => Image::default(),
        Some(shipment) => {
            let destination = destinations.get(&shipment.target)?;
            dispatch.with(destination, "changeset apply: ask", |target| {
                if matches!(step.live, LiveStep::Send { .. }) {
                    let checked = would_take(target, shipment);
                    checked.map_err(|error| {
                        error.context(format!("unit         {}", step.reference()))
                    })?;
                }
                Ok(target.capture(&shipment.objects, shipment.inventory.as_ref())?)
            })?
        }
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

/// A dry run of one unit.
fn would_take(target: &dyn Target, shipment: &Shipment) -> Result<()> {
    let units = [(&shipment.objects, shipment.inventory.as_ref())];
    for plan in target.plan(&units, &plain())? {
        for preview in target.preview(&[(&shipment.objects, &plan?)], &plain())? {
            preview?;
        }
    }
    Ok(())
}

/// A member on its way: what is sent, or its head.
pub(super) fn member_shipment(view: &View, member: &IntentMember) -> Result<Shipment> {
    let unit = view.unit(member.unit)?;
    let space = view.space(unit.space)?;
    let (number, data) = match member.live {
        LiveStep::Send { revision, data } => (revision, data),
        LiveStep::Keep | LiveStep::Withdraw => (unit.head, unit.data),
    };
    shipment(view, unit, &space, number, &data)
}

/// Puts back what was sent, the last first; the error of the first unit where that fails.
pub(super) fn put_back(
    dispatch: &mut Dispatch<'_>,
    destinations: &Destinations,
    intent: &Intent,
) -> Result<Option<Error>> {
    let text = format!("changeset apply {}: put back", intent.changeset);
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
        let shipment = dispatch.read(|view| member_shipment(view, member))?;
        let destination = destinations.get(&shipment.target)?;
        let owner = &shipment.objects.owner;
        let done = dispatch.with(destination, &text, |target| {
            Ok(target.put_back(owner, &image))
        })?;
        let inventory = match done {
            Ok(inventory) => inventory,
            Err(error) => return Ok(Some(Error::from(error))),
        };
        if !destination.is_sandbox() {
            dispatch.write(&text, |transaction| {
                put_inventory(
                    transaction,
                    member.unit,
                    &shipment.target,
                    inventory.as_ref(),
                )
            })?;
        }
    }
    Ok(None)
}
