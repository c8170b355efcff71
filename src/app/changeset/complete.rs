//! How an apply ends: everything is written, or nothing but the reason why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::change::{Draft, Head, write_draft};
use crate::app::changeset::apply::member_shipment;
use crate::app::changeset::named;
use crate::app::dispatch::{Destinations, Dispatch};
use crate::app::outcome::{Status, UnitReport};
use crate::app::rollback::earlier;
use crate::db::{Transaction, View};
use crate::deploy::LiveState;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{
    Apply, ApplyMember, ApplyStep, ChangeSet, ChangeSetState, HeadStep, Intent, IntentMember,
    LiveStep, Pinned, RevisionRef, Status as Fares,
};

/// Ends an intent whose changeset was not applied.
pub(super) fn close(dispatch: &mut Dispatch<'_>, intent: &Intent, reason: &str) -> Result<()> {
    let text = format!("changeset apply {}: put back", intent.changeset);
    dispatch.write(&text, |transaction| {
        transaction.delete_intent(&intent.changeset)?;
        if let Some(mut changeset) = transaction.find_changeset(&intent.changeset)? {
            changeset.reason = Some(reason.to_owned());
            transaction.put_changeset(&changeset)?;
        }
        Ok(())
    })
}

/// Step 5: everything that was sent becomes what the store says, and the intent is closed. Each
/// unit's report comes with its head.
pub(super) fn complete(
    dispatch: &mut Dispatch<'_>,
    destinations: &Destinations,
    intent: &Intent,
    notes: &BTreeMap<UnitId, String>,
) -> Result<Vec<(UnitReport, u32)>> {
    let mut looks = Vec::with_capacity(intent.members.len());
    for member in &intent.members {
        looks.push(look(dispatch, destinations, member)?);
    }
    let text = format!("changeset apply {}", intent.changeset);
    dispatch.write(&text, |transaction| {
        write(transaction, intent, looks, notes)
    })
}

/// How a member that was sent fares.
fn look(
    dispatch: &mut Dispatch<'_>,
    destinations: &Destinations,
    member: &IntentMember,
) -> Result<Option<LiveState>> {
    if !matches!(member.live, LiveStep::Send { .. }) {
        return Ok(None);
    }
    let shipment = dispatch.read(|view| member_shipment(view, member))?;
    let destination = destinations.get(&shipment.target)?;
    let live = dispatch.with(destination, "changeset apply: look", |target| {
        Ok(target.live(&[shipment.deployed()])?)
    })?;
    Ok(live.into_iter().next())
}

fn write(
    transaction: &mut Transaction,
    intent: &Intent,
    looks: Vec<Option<LiveState>>,
    notes: &BTreeMap<UnitId, String>,
) -> Result<Vec<(UnitReport, u32)>> {
    let mut changeset = named(transaction, intent.changeset.as_str())?;
    record(transaction, intent)?;
    let mut reports = Vec::with_capacity(intent.members.len());
    for (member, fares) in intent.members.iter().zip(looks) {
        let mut report = complete_member(transaction, &changeset, member, fares)?;
        if let Some(note) = notes.get(&member.unit) {
            report.0.note.clone_from(note);
        }
        reports.push(report);
    }
    let released: Vec<UnitId> = intent
        .members
        .iter()
        .filter(|member| member.head == HeadStep::Keep)
        .map(|member| member.unit)
        .collect();
    for entry in &mut changeset.entries {
        let unit = transaction.unit(entry.unit)?;
        if let Pinned::Present { head, live } = &mut entry.pinned
            && released.contains(&unit.id)
            && unit.live == Some(*head)
        {
            *live = unit.live;
        }
    }
    changeset.state = ChangeSetState::Applied;
    changeset.reason = None;
    changeset.applied = Some(transaction.at());
    transaction.put_changeset(&changeset)?;
    transaction.delete_intent(&intent.changeset)?;
    Ok(reports)
}

/// Writes down what was sent, as of every apply: what a rollback to a time goes by.
fn record(transaction: &mut Transaction, intent: &Intent) -> Result<()> {
    let mut members = Vec::new();
    for member in &intent.members {
        let revision = match member.live {
            LiveStep::Keep => continue,
            LiveStep::Send { revision, .. } => Some(revision),
            LiveStep::Withdraw => None,
        };
        let shipment = member_shipment(transaction, member)?;
        members.push(ApplyMember {
            unit: member.unit,
            target: shipment.target,
            before: shipment.unit.live,
            revision,
            step: ApplyStep::Done,
        });
    }
    if members.is_empty() {
        return Ok(());
    }
    let apply = Apply {
        id: transaction.new_apply_id()?,
        verb: format!("changeset apply {}", intent.changeset),
        by: intent.by.clone(),
        at: intent.at,
        process: intent.process.clone(),
        until: intent.until,
        ended: Some(transaction.at()),
        wait: false,
        members,
    };
    Ok(transaction.put_apply(&apply)?)
}

fn complete_member(
    transaction: &mut Transaction,
    changeset: &ChangeSet,
    member: &IntentMember,
    fares: Option<LiveState>,
) -> Result<(UnitReport, u32)> {
    let reference = member_shipment(transaction, member)?.objects.owner.name;
    let before = transaction.unit(member.unit)?;
    if let Some((draft, author, head)) = draft_of(transaction, changeset, member)? {
        let edits = changeset
            .entry(member.unit)
            .map(|entry| match &entry.pinned {
                Pinned::Staged(staged) => staged.edits.clone(),
                Pinned::Present { .. } => Vec::new(),
            });
        write_draft(
            transaction,
            &author,
            &head,
            draft,
            edits.unwrap_or_default(),
            None,
        )?;
    }
    let mut unit = transaction.unit(member.unit)?;
    match (member.live, fares) {
        (LiveStep::Send { revision, .. }, Some(live)) => {
            unit.set_live(Some(revision));
            unit.last_applied = Some(revision);
            unit.set_status(live.status, &live.reason);
        }
        (LiveStep::Withdraw, _) => {
            unit.set_live(None);
            unit.set_status(Fares::NoLive, "");
        }
        _ => {}
    }
    transaction.put_unit(&unit)?;
    let mut report = UnitReport {
        before: before.head,
        ..UnitReport::unchanged(&unit, reference)
    };
    if unit != before {
        report.status = Status::Changed;
    }
    Ok((report, unit.head))
}

/// What becomes of a member's head, if anything, and who wrote it.
fn draft_of(
    view: &View,
    changeset: &ChangeSet,
    member: &IntentMember,
) -> Result<Option<(Draft, String, Head)>> {
    if member.head == HeadStep::Keep {
        return Ok(None);
    }
    let Some(entry) = changeset.entry(member.unit) else {
        return Err(Error::new(
            Kind::Internal,
            format!("changeset `{}` lost unit {}", changeset.slug, member.unit),
        ));
    };
    let unit = view.unit(member.unit)?;
    let head = Head {
        stream: view.stream(&unit.data)?,
        bookkeeping: view.bookkeeping(&unit.bookkeeping)?,
        space: Arc::new(view.space(unit.space)?),
        unit,
    };
    let draft = match (member.head, &entry.pinned) {
        (HeadStep::Restore { revision }, _) => {
            let found = earlier(view, &head.unit, RevisionRef::Number(revision))?;
            found.draft(&head)
        }
        (_, Pinned::Staged(staged)) => {
            let text = format!("{} (changeset {})", staged.description, changeset.slug);
            let mut draft = Draft::of(&head, staged.source.clone(), text);
            draft.stream = view.stream(&staged.data)?;
            draft.bookkeeping = view.bookkeeping(&staged.bookkeeping)?;
            draft
        }
        (_, Pinned::Present { .. }) => return Ok(None),
    };
    Ok(Some((draft, entry.by.clone(), head)))
}
