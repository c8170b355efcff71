//! How a deployment reaches the store and the targets.
//!
//! The sandbox's cluster is in the store: what is sent to it and what the store says of it become
//! true in one transaction. A cluster that is a network away is asked while no transaction is
//! open, and each step is written by itself. The use cases are the same for both.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::cluster::Slot;
use crate::app::connect::no_such_target;
use crate::app::rollout::Shipment;
use crate::app::{App, Verb};
use crate::db::{Transaction, View};
use crate::deploy::Target;
use crate::error::Result;
use crate::id::{OpId, Slug};

/// Where a target is.
#[derive(Clone)]
pub(crate) enum Destination {
    /// In the store.
    Sandbox,
    /// Behind a connection.
    Cluster(Arc<dyn Target>),
}

impl Destination {
    pub(crate) fn is_sandbox(&self) -> bool {
        matches!(self, Self::Sandbox)
    }
}

/// The targets of a deployment, by name.
#[derive(Clone, Default)]
pub(crate) struct Destinations(pub(crate) BTreeMap<Slug, Destination>);

impl Destinations {
    /// The target of this name.
    pub(crate) fn get(&self, slug: &Slug) -> Result<&Destination> {
        self.0.get(slug).ok_or_else(|| no_such_target(slug))
    }

    /// Whether all of it is in the store.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.0.values().all(Destination::is_sandbox)
    }
}

impl App {
    /// Does one step of a deployment: in one transaction where the sandbox is all that it reaches.
    pub(crate) fn dispatched<T>(
        &self,
        is_sandbox: bool,
        verb: Verb,
        work: impl FnOnce(&mut Dispatch<'_>) -> Result<T>,
    ) -> Result<(T, Option<OpId>)> {
        if is_sandbox {
            return self.write_slot(verb, |slot| work(&mut Dispatch::Joined(slot)));
        }
        self.refuse_staged(&verb.text)?;
        Ok((work(&mut Dispatch::Stepwise(self))?, None))
    }

    /// Whether a rehearsal may only ask a target: what is sent to a cluster cannot be dropped.
    pub(crate) fn may_only_ask(&self, destination: &Destination) -> bool {
        self.is_rehearsing() && !destination.is_sandbox()
    }

    /// Looks at targets, and changes nothing: what is written is dropped.
    pub(crate) fn looking<T>(
        &self,
        look: impl FnOnce(&mut Dispatch<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.is_rehearsing() {
            return look(&mut Dispatch::Stepwise(self));
        }
        let mut slot = Slot::new(self.overlay()?);
        look(&mut Dispatch::Joined(&mut slot))
    }
}

/// How a deployment reads, writes and sends.
pub(crate) enum Dispatch<'a> {
    /// All of it in one transaction.
    Joined(&'a mut Slot),
    /// Each step in a transaction of its own, or in the one of the rehearsal that goes on.
    Stepwise(&'a App),
}

impl Dispatch<'_> {
    /// Reads: what was written so far is seen.
    pub(crate) fn read<T>(&mut self, read: impl FnOnce(&View) -> Result<T>) -> Result<T> {
        match self {
            Self::Joined(slot) => read(slot.transaction()?),
            Self::Stepwise(app) => app.read(read),
        }
    }

    /// Writes a step.
    pub(crate) fn write<T>(
        &mut self,
        verb: &str,
        write: impl FnOnce(&mut Transaction) -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::Joined(slot) => write(slot.transaction()?),
            Self::Stepwise(app) => Ok(app.write(Verb::new(verb), write)?.0),
        }
    }

    /// Asks every target about its own units; the answers come in the order of the units.
    pub(crate) fn ask<A>(
        &mut self,
        destinations: &Destinations,
        shipments: &[Shipment],
        verb: &str,
        mut ask: impl FnMut(&dyn Target, &[&Shipment]) -> Result<Vec<A>>,
    ) -> Result<Vec<A>> {
        let mut answers = BTreeMap::new();
        for (slug, destination) in &destinations.0 {
            let all = shipments.iter().enumerate();
            let (places, mine): (Vec<usize>, Vec<&Shipment>) =
                all.filter(|(_, unit)| unit.target == *slug).unzip();
            if mine.is_empty() {
                continue;
            }
            let told = self.with(destination, verb, |target| ask(target, &mine))?;
            answers.extend(places.into_iter().zip(told));
        }
        Ok(answers.into_values().collect())
    }

    /// Uses a target. `verb` names the operation where that writes into the store.
    pub(crate) fn with<T>(
        &mut self,
        destination: &Destination,
        verb: &str,
        work: impl FnOnce(&dyn Target) -> Result<T>,
    ) -> Result<T> {
        match (destination, self) {
            (Destination::Cluster(target), _) => work(&**target),
            (Destination::Sandbox, Self::Joined(slot)) => {
                slot.with_sandbox(|sandbox| work(sandbox))
            }
            (Destination::Sandbox, Self::Stepwise(app)) => {
                let work = |slot: &mut Slot| slot.with_sandbox(|sandbox| work(sandbox));
                Ok(app.write_slot(Verb::new(verb), work)?.0)
            }
        }
    }
}
