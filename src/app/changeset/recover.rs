//! Intents whose process is gone: the next command makes them true, or takes them back.

use std::collections::BTreeMap;

use crate::app::changeset::apply::{member_shipment, put_back};
use crate::app::changeset::busy;
use crate::app::changeset::complete::{close, complete};
use crate::app::cluster::Slot;
use crate::app::dispatch::{Destination, Destinations, Dispatch};
use crate::app::lease::{LEASE, has_ended};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::db::{Transaction, View};
use crate::deploy;
use crate::error::{Error, Kind, Result};
use crate::model::{Intent, LiveStep, Process};

const INTERRUPTED: &str = "the process that applied it ended; what it had sent was put back";

impl App {
    /// Begins a write, after everything that a process left half done was finished.
    pub(crate) fn begin_writing(&self) -> Result<Transaction> {
        loop {
            let transaction = self.0.db.write(&self.0.settings.command)?;
            match self.abandoned(&transaction)? {
                None => return Ok(transaction),
                Some(intent) => {
                    drop(transaction);
                    self.settle(&intent)?;
                }
            }
        }
    }

    /// Finishes what a process left half done, before something is said about it.
    pub(crate) fn settle_abandoned(&self) -> Result<()> {
        if self.has_open() || !self.0.db.exists() {
            return Ok(());
        }
        loop {
            let abandoned = self.read(|view| self.abandoned(view))?;
            match abandoned {
                None => return Ok(()),
                Some(intent) => self.settle(&intent)?,
            }
        }
    }

    /// Refuses units that a changeset is being applied to.
    pub(crate) fn refuse_applying(&self, view: &View, selection: &Selection) -> Result<()> {
        let ours = self.scope().applying.clone();
        for intent in view.intents()? {
            if ours.as_ref() == Some(&intent.changeset) {
                continue;
            }
            let members = || intent.members.iter().map(|member| member.unit);
            let taken = selection
                .pins()
                .iter()
                .find(|pin| members().any(|unit| unit == pin.unit));
            if let Some(pin) = taken {
                let unit = view.unit(pin.unit)?;
                let space = view.space(unit.space)?;
                return Err(busy(&format!("`{}/{}`", space.slug, unit.slug), &intent));
            }
        }
        Ok(())
    }

    fn abandoned(&self, view: &View) -> Result<Option<Intent>> {
        let ours = self.scope().applying.clone();
        let unsettled = self.scope().unsettled.clone();
        let here = &self.0.settings.process;
        let intents = view.intents()?.into_iter();
        let mut abandoned = intents
            .filter(|intent| ours.as_ref() != Some(&intent.changeset))
            .filter(|intent| !unsettled.contains(&intent.changeset))
            .filter(|intent| is_over(intent, here, view.now()));
        Ok(abandoned.next())
    }

    /// Finishes an intent. One that a cluster cannot be asked about stays open, and keeps its
    /// units; everything else goes on.
    fn settle(&self, intent: &Intent) -> Result<()> {
        let slug = &intent.changeset;
        let was_applying = self.scope().applying.replace(slug.clone());
        let units = intent.members.iter().map(|member| member.unit);
        let settled = match self.destinations_of_units(units) {
            Ok(destinations) if destinations.is_sandbox() => self.settle_at_once(intent),
            Ok(destinations) => self.settle_stepwise(intent, &destinations),
            Err(error) => Ok(Some(error)),
        };
        self.scope().applying = was_applying;
        match settled {
            Ok(None) => Ok(()),
            Ok(Some(error)) => {
                self.notify(&format!("changeset {slug} stays half applied: {error}"));
                self.scope().unsettled.insert(slug.clone());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Finishes an intent of the sandbox, in one transaction.
    fn settle_at_once(&self, intent: &Intent) -> Result<Option<Error>> {
        let mut slot = Slot::new(self.0.db.write(&self.0.settings.command)?);
        // Another process may have been faster.
        if !slot.transaction()?.intents()?.contains(intent) {
            return Ok(None);
        }
        let sandbox = |target| (target, Destination::Sandbox);
        let targets = slot.transaction()?.targets()?.into_iter();
        let destinations = Destinations(targets.map(|target| sandbox(target.slug)).collect());
        let mut dispatch = Dispatch::Joined(&mut slot);
        let (verb, failed) = finish(&mut dispatch, &destinations, intent)?;
        // What could be put back stays so, also where the rest failed.
        self.finish(slot.into_transaction()?, Verb::new(verb.clone()))?;
        match failed {
            None => {
                self.notify(&verb);
                Ok(None)
            }
            Some(error) => Err(unfinished(intent, &error)),
        }
    }

    /// Finishes an intent of a cluster, which is asked while no transaction is open.
    fn settle_stepwise(
        &self,
        intent: &Intent,
        destinations: &Destinations,
    ) -> Result<Option<Error>> {
        let claim = Verb::new(format!("changeset apply {}: take over", intent.changeset));
        let (claimed, _) = self.write(claim, |transaction| {
            if !transaction.intents()?.contains(intent) {
                return Ok(None);
            }
            let claimed = Intent {
                process: self.0.settings.process.clone(),
                until: transaction.at().plus_microseconds(LEASE),
                ..intent.clone()
            };
            transaction.put_intent(&claimed)?;
            Ok(Some(claimed))
        })?;
        let Some(claimed) = claimed else {
            return Ok(None);
        };
        let mut dispatch = Dispatch::Stepwise(self);
        match finish(&mut dispatch, destinations, &claimed) {
            Ok((verb, None)) => {
                self.notify(&verb);
                Ok(None)
            }
            Ok((_, Some(error))) | Err(error) => Ok(Some(unfinished(intent, &error))),
        }
    }
}

fn unfinished(intent: &Intent, error: &Error) -> Error {
    Error::new(
        Kind::Unavailable,
        format!(
            "expected to finish changeset `{}`, which a process left half applied: {error}",
            intent.changeset
        ),
    )
    .hint("the next command tries again")
}

/// Makes an intent true where all of it was sent already, else puts it back: what was done, and
/// why not all of it could be.
fn finish(
    dispatch: &mut Dispatch<'_>,
    destinations: &Destinations,
    intent: &Intent,
) -> Result<(String, Option<Error>)> {
    let slug = &intent.changeset;
    if is_all_sent(dispatch, destinations, intent)? {
        complete(dispatch, destinations, intent, &BTreeMap::new())?;
        let verb = format!("changeset apply {slug}: finished after its process ended");
        return Ok((verb, None));
    }
    let failed = put_back(dispatch, destinations, intent)?;
    if failed.is_none() {
        close(dispatch, intent, INTERRUPTED)?;
    }
    let verb = format!("changeset apply {slug}: put back after its process ended");
    Ok((verb, failed))
}

/// Whether nobody works on an intent any more. One of this very process is left over from an
/// earlier call of it.
fn is_over(intent: &Intent, here: &Process, now: Timestamp) -> bool {
    intent.process == *here || has_ended(&intent.process, intent.until, here, now)
}

fn is_all_sent(
    dispatch: &mut Dispatch<'_>,
    destinations: &Destinations,
    intent: &Intent,
) -> Result<bool> {
    for member in &intent.members {
        let shipment = dispatch.read(|view| member_shipment(view, member))?;
        if member.live == LiveStep::Keep {
            continue;
        }
        let destination = destinations.get(&shipment.target)?;
        let is_there = dispatch.with(destination, "changeset apply: look", |target| {
            if member.live == LiveStep::Withdraw {
                let live = target.live(&[shipment.deployed()])?;
                return Ok(live.iter().all(|live| live.revision.is_none()));
            }
            let units = [(&shipment.objects, shipment.inventory.as_ref())];
            let plans = target.plan(&units, &deploy::ApplyOptions::default())?;
            let mut plans = plans.iter();
            Ok(plans.all(|plan| plan.as_ref().is_ok_and(|plan| !plan.is_change())))
        })?;
        if !is_there {
            return Ok(false);
        }
    }
    Ok(true)
}
