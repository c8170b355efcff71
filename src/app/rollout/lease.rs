//! Which apply has which units, and how far it is.

use std::collections::BTreeMap;

use crate::app::dispatch::Destination;
use crate::app::lease::{LEASE, has_ended};
use crate::app::rollout::shipment::Shipment;
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::db::{Transaction, View};
use crate::error::{Error, Kind, Result};
use crate::id::{ApplyId, OpId, UnitId};
use crate::model::{Apply, ApplyMember, ApplyStep, Intent};

/// How long before the end of its lease a process says that it is still there, in microseconds.
const RENEWAL: i64 = LEASE / 3;

impl App {
    /// Refuses units that another apply has in its hands.
    pub(crate) fn refuse_leased(&self, view: &View, units: &[UnitId]) -> Result<()> {
        for apply in view.open_applies()? {
            if self.is_over(view, &apply) {
                continue;
            }
            let taken = apply
                .members
                .iter()
                .find(|member| units.contains(&member.unit));
            if let Some(member) = taken {
                let unit = view.unit(member.unit)?;
                let space = view.space(unit.space)?;
                return Err(Error::new(
                    Kind::Conflict,
                    format!(
                        "expected `{}/{}` to be free, found it in {} ({}) of {} since {}",
                        space.slug,
                        unit.slug,
                        apply.id,
                        apply.verb,
                        apply.by,
                        apply.at.to_minutes()
                    ),
                )
                .hint("wait until it has ended, and try again"));
            }
        }
        Ok(())
    }

    fn is_over(&self, view: &View, apply: &Apply) -> bool {
        let here = &self.0.settings.process;
        // One of this very process that still stands open is left over from an earlier call.
        apply.process == *here || has_ended(&apply.process, apply.until, here, view.now())
    }

    /// Takes units for an apply that has something to send.
    pub(super) fn begin_apply(
        &self,
        transaction: &mut Transaction,
        selection: &Selection,
        verb: &str,
        wait: bool,
        members: Vec<ApplyMember>,
    ) -> Result<Apply> {
        self.refuse_moved(transaction, selection)?;
        let units: Vec<UnitId> = members.iter().map(|member| member.unit).collect();
        self.refuse_leased(transaction, &units)?;
        self.close_abandoned(transaction)?;
        let at = transaction.at();
        let apply = Apply {
            id: transaction.new_apply_id()?,
            verb: verb.to_owned(),
            by: self.actor(),
            at,
            process: self.0.settings.process.clone(),
            until: at.plus_microseconds(LEASE),
            ended: None,
            wait,
            members,
        };
        transaction.put_apply(&apply)?;
        Ok(apply)
    }

    /// Ends the applies whose process is gone; what they sent stays sent.
    fn close_abandoned(&self, transaction: &mut Transaction) -> Result<()> {
        for mut apply in transaction.open_applies()? {
            if self.is_over(transaction, &apply) {
                apply.ended = Some(transaction.at());
                transaction.put_apply(&apply)?;
            }
        }
        Ok(())
    }

    /// The units that an apply has not brought where it was to bring them, as they are now.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such apply; [`Kind::Invalid`] when it has finished all
    /// of its units, or was a destroy.
    pub fn unfinished(&self, id: ApplyId) -> Result<Selection> {
        let apply = self.apply_numbered(id)?;
        if apply.members.iter().any(|member| member.revision.is_none()) {
            return Err(Error::new(
                Kind::Invalid,
                format!("expected `{id}` to be an apply, found a destroy"),
            )
            .hint("the same destroy again removes what is left"));
        }
        let selection = self.selection_of_units(apply.unfinished().map(|member| member.unit))?;
        if selection.pins().is_empty() {
            return Err(Error::new(
                Kind::Invalid,
                format!("expected `{id}` to have left units, found that it finished all of them"),
            ));
        }
        Ok(selection)
    }

    /// The units that an operation changed, as they are now.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such operation, or it changed no unit that is left.
    pub fn units_of_operation(&self, op: OpId) -> Result<Selection> {
        let units = self.read(|view| Ok(view.operation(op)?.units))?;
        let selection = self.selection_of_units(units.into_iter())?;
        if selection.pins().is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                format!("expected `{op}` to have changed a unit, found none"),
            ));
        }
        Ok(selection)
    }

    /// Units as they are now; those that were deleted are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn selection_of_units(&self, units: impl Iterator<Item = UnitId>) -> Result<Selection> {
        self.read(|view| {
            let found = units.filter_map(|unit| view.find_unit_by_id(unit).transpose());
            let found = found.collect::<std::result::Result<Vec<_>, _>>()?;
            Ok(Selection::of_units(&found))
        })
    }

    /// The apply of this number.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none.
    pub fn apply_numbered(&self, id: ApplyId) -> Result<Apply> {
        self.read(|view| {
            view.find_apply(id)?.ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    format!("expected an apply `{id}`, found none"),
                )
                .hint("windlass log shows what was applied")
            })
        })
    }
}

/// Refuses units of which something has changed since they were planned that an apply goes by:
/// somebody may have applied or held one while the target was asked.
pub(super) fn refuse_outdated<'a>(
    view: &View,
    shipments: impl Iterator<Item = &'a Shipment>,
) -> Result<()> {
    for shipment in shipments {
        let (then, now) = (&shipment.unit, view.unit(shipment.unit.id)?);
        let is_same = then.live == now.live
            && then.last_applied == now.last_applied
            && then.held == now.held
            && then.open_conflicts == now.open_conflicts
            && then.target == now.target;
        if !is_same {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "expected `{}` to stay while its target was asked, found it applied or held by \
                     somebody else",
                    shipment.reference()
                ),
            )
            .hint("the same command again goes by what is there now"));
        }
    }
    Ok(())
}

/// A member of an apply that has not begun.
pub(super) fn member(shipment: &Shipment, revision: Option<u32>, is_change: bool) -> ApplyMember {
    ApplyMember {
        unit: shipment.unit.id,
        target: shipment.target.clone(),
        before: shipment.unit.live,
        revision,
        step: if is_change {
            ApplyStep::Waiting
        } else {
            ApplyStep::Same
        },
    }
}

/// Notes how far units are, and that the process still works.
pub(super) fn note(
    transaction: &mut Transaction,
    apply: &mut Apply,
    units: impl IntoIterator<Item = (UnitId, ApplyStep)>,
) -> Result<()> {
    let steps: BTreeMap<UnitId, ApplyStep> = units.into_iter().collect();
    for member in &mut apply.members {
        if let Some(step) = steps.get(&member.unit) {
            member.step = *step;
        }
    }
    apply.until = transaction.at().plus_microseconds(LEASE);
    Ok(transaction.put_apply(apply)?)
}

/// Says now and then that a process which waits for a cluster is still there.
pub(crate) struct Renewal<'a> {
    app: &'a App,
    held: Held<'a>,
    /// When it was said last.
    last: Timestamp,
}

enum Held<'a> {
    /// The sandbox waits inside a transaction, and its time is not ours.
    Nothing,
    Apply(&'a mut Apply),
    Intent(&'a Intent),
}

impl<'a> Renewal<'a> {
    pub(super) fn of_apply(
        app: &'a App,
        destination: &Destination,
        apply: Option<&'a mut Apply>,
    ) -> Self {
        let held = match apply {
            Some(apply) if !destination.is_sandbox() => Held::Apply(apply),
            _ => Held::Nothing,
        };
        let last = app.now();
        Self { app, held, last }
    }

    pub(crate) fn of_intent(app: &'a App, destination: &Destination, intent: &'a Intent) -> Self {
        let held = if destination.is_sandbox() {
            Held::Nothing
        } else {
            Held::Intent(intent)
        };
        let last = app.now();
        Self { app, held, last }
    }

    /// To be called at every look.
    pub(crate) fn tick(&mut self) {
        let now = self.app.now();
        if now.microseconds() - self.last.microseconds() < RENEWAL {
            return;
        }
        self.last = now;
        // If this fails, the next one tries again; at worst somebody else takes the units over.
        let _kept = match &mut self.held {
            Held::Nothing => return,
            Held::Apply(apply) => {
                let verb = Verb::new(format!("{}: still waiting", apply.id));
                self.app
                    .write(verb, |transaction| note(transaction, apply, []))
            }
            Held::Intent(intent) => {
                let verb = Verb::new(format!(
                    "changeset apply {}: still waiting",
                    intent.changeset
                ));
                self.app.write(verb, |transaction| {
                    let until = transaction.at().plus_microseconds(LEASE);
                    Ok(transaction.put_intent(&Intent {
                        until,
                        ..(*intent).clone()
                    })?)
                })
            }
        };
    }
}
