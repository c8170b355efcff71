//! Intents whose process is gone: the next command makes them true, or takes them back.

use std::collections::BTreeMap;

use crate::app::changeset::apply::{member_objects, put_back};
use crate::app::changeset::busy;
use crate::app::changeset::complete::{close, complete};
use crate::app::cluster::Slot;
use crate::app::lease::has_ended;
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::db::{Transaction, View};
use crate::deploy::{self, Action, Target as _};
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
        let here = &self.0.settings.process;
        let intents = view.intents()?.into_iter();
        let mut abandoned = intents
            .filter(|intent| ours.as_ref() != Some(&intent.changeset))
            .filter(|intent| is_over(intent, here, view.now()));
        Ok(abandoned.next())
    }

    fn settle(&self, intent: &Intent) -> Result<()> {
        let slug = &intent.changeset;
        let mut slot = Slot::new(self.0.db.write(&self.0.settings.command)?);
        // Another process may have been faster.
        let there = slot.transaction()?.intents()?;
        if !there.contains(intent) {
            return Ok(());
        }
        let (verb, failed) = if is_all_sent(&mut slot, intent)? {
            complete(&mut slot, intent, &BTreeMap::new())?;
            (
                format!("changeset apply {slug}: finished after its process ended"),
                None,
            )
        } else {
            let failed = put_back(&mut slot, intent)?;
            if failed.is_none() {
                close(&mut slot, intent, INTERRUPTED)?;
            }
            (
                format!("changeset apply {slug}: put back after its process ended"),
                failed,
            )
        };
        // What could be put back stays so, also where the rest failed.
        self.finish(slot.into_transaction()?, Verb::new(verb.clone()))?;
        match failed {
            None => {
                self.notify(&verb);
                Ok(())
            }
            Some(error) => Err(Error::new(
                Kind::Unavailable,
                format!("expected to finish changeset `{slug}`, which a process left half applied: {error}"),
            )
            .hint("the next command tries again")),
        }
    }
}

/// Whether nobody works on an intent any more. One of this very process is left over from an
/// earlier call of it.
fn is_over(intent: &Intent, here: &Process, now: Timestamp) -> bool {
    intent.process == *here || has_ended(&intent.process, intent.until, here, now)
}

fn is_all_sent(slot: &mut Slot, intent: &Intent) -> Result<bool> {
    let options = deploy::ApplyOptions {
        dry_run: true,
        ..deploy::ApplyOptions::default()
    };
    for member in &intent.members {
        let objects = member_objects(slot.transaction()?, member)?;
        let is_there = slot.with_sandbox(|sandbox| {
            Ok(match member.live {
                LiveStep::Keep => true,
                LiveStep::Withdraw => sandbox.live(&objects.owner)?.revision.is_none(),
                LiveStep::Send { .. } => sandbox
                    .apply(&objects, &options)
                    .is_ok_and(|plan| plan.objects.iter().all(|step| step.action == Action::Keep)),
            })
        })?;
        if !is_there {
            return Ok(false);
        }
    }
    Ok(true)
}
