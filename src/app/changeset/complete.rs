//! How an apply ends: everything is written, or nothing but the reason why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::change::{Draft, Head, write_draft};
use crate::app::changeset::apply::member_objects;
use crate::app::changeset::named;
use crate::app::cluster::Slot;
use crate::app::outcome::{Status, UnitReport};
use crate::app::rollback::earlier;
use crate::db::View;
use crate::deploy::Target as _;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{
    ChangeSet, ChangeSetState, HeadStep, Intent, IntentMember, LiveStep, Pinned, RevisionRef,
    Status as Fares,
};

/// Ends an intent whose changeset was not applied.
pub(super) fn close(slot: &mut Slot, intent: &Intent, reason: &str) -> Result<()> {
    let transaction = slot.transaction()?;
    transaction.delete_intent(&intent.changeset)?;
    if let Some(mut changeset) = transaction.find_changeset(&intent.changeset)? {
        changeset.reason = Some(reason.to_owned());
        transaction.put_changeset(&changeset)?;
    }
    Ok(())
}

/// Step 5: everything that was sent becomes what the store says, and the intent is closed. Each
/// unit's report comes with its head.
pub(super) fn complete(
    slot: &mut Slot,
    intent: &Intent,
    notes: &BTreeMap<UnitId, String>,
) -> Result<Vec<(UnitReport, u32)>> {
    let mut changeset = named(slot.transaction()?, intent.changeset.as_str())?;
    let mut reports = Vec::with_capacity(intent.members.len());
    for member in &intent.members {
        let mut report = complete_member(slot, &changeset, member)?;
        if let Some(note) = notes.get(&member.unit) {
            report.0.note.clone_from(note);
        }
        reports.push(report);
    }
    let transaction = slot.transaction()?;
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

fn complete_member(
    slot: &mut Slot,
    changeset: &ChangeSet,
    member: &IntentMember,
) -> Result<(UnitReport, u32)> {
    let objects = member_objects(slot.transaction()?, member)?;
    let transaction = slot.transaction()?;
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
    let fares = match member.live {
        LiveStep::Send { .. } => {
            Some(slot.with_sandbox(|sandbox| Ok(sandbox.live(&objects.owner)?))?)
        }
        LiveStep::Keep | LiveStep::Withdraw => None,
    };
    let transaction = slot.transaction()?;
    let mut unit = transaction.unit(member.unit)?;
    match (member.live, fares) {
        (LiveStep::Send { revision, .. }, Some(live)) => {
            unit.set_live(Some(revision));
            unit.last_applied = Some(revision);
            unit.status = live.status;
            unit.status_reason = (!live.reason.is_empty()).then_some(live.reason);
        }
        (LiveStep::Withdraw, _) => {
            unit.set_live(None);
            unit.status = Fares::NoLive;
            unit.status_reason = None;
        }
        _ => {}
    }
    transaction.put_unit(&unit)?;
    let mut report = UnitReport {
        before: before.head,
        ..UnitReport::unchanged(&unit, objects.owner.name)
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
