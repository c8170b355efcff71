//! Units: their data is merged back, the rest goes back field by field.

use crate::app::undo::fields::{Contested, first_difference, merge_bookkeeping, merge_objects};
use crate::app::undo::known::{Known, State, desired_fields, is_same_desired, with_fields};
use crate::app::undo::step::Undoing;
use crate::db::{NewRevision, View, decode};
use crate::error::Result;
use crate::id::{OpId, UnitId};
use crate::model::{Bookkeeping, EditRecord, RevisionSource, Status, Unit};
use crate::yaml::merge::{MergeInput, Prefer, merge};
use crate::yaml::{PathSet, ResourceId, Stream, TreeView, diff};

/// How many contested paths of one unit are told.
const SHOWN_PATHS: usize = 3;

impl Undoing<'_> {
    /// Brings a unit back that the operation deleted.
    pub(super) fn revive(
        &mut self,
        known: &Known,
        state: &State,
        id: UnitId,
        stored: &[u8],
    ) -> Result<()> {
        let unit: Unit = decode(stored, id)?;
        if self.transaction.find_unit_by_id(id)?.is_some() {
            let what = format!("the unit `{}`", unit.slug);
            let by = state.last_changed_by();
            self.refusals.changed(&what, known.operation.id, by);
            return Ok(());
        }
        let Some(space) = self.transaction.find_space_by_id(unit.space)? else {
            self.refusals.other(
                format!(
                    "expected the space of the unit `{}`, which {} deleted, found that deleted \
                     as well",
                    unit.slug, known.operation.id
                ),
                Some("windlass log shows which operation deleted it: undo that first".to_owned()),
            );
            return Ok(());
        };
        let reference = format!("{}/{}", space.slug, unit.slug);
        if let Some(other) = self.transaction.find_unit(unit.space, &unit.slug)? {
            let by = self.transaction.revision(other.id, 1)?.op;
            self.refusals.other(
                format!("expected no unit `{reference}`, found another one, made by {by}"),
                Some(format!("windlass undo {by} takes that back first")),
            );
            return Ok(());
        }
        let empty = Unit::new(id, unit.space, unit.slug.clone(), self.transaction.at());
        self.app.note_touched(&empty);
        if self.transaction.revive_unit(&unit, stored)? {
            let stream = self.transaction.stream(&unit.data)?;
            self.write(known.operation.id, id, &stream, None)?;
        }
        self.references.insert(id, reference);
        self.note(id, "back with its history");
        Ok(())
    }

    /// Takes back what the operation made of a unit that was there before and is there still.
    pub(super) fn change_unit_back(
        &mut self,
        known: &Known,
        state: &State,
        before: &Unit,
        after: &Unit,
    ) -> Result<()> {
        let op = known.operation.id;
        let id = before.id;
        let Some(present) = self.transaction.find_unit_by_id(id)? else {
            let what = format!("the unit `{}`", after.slug);
            self.refusals.gone(&what, op, state.last_changed_by());
            return Ok(());
        };
        let reference = self.reference(id)?;
        self.app.note_touched(&present);
        let fields = self.fields_back(state, op, &reference, [before, after, &present])?;
        let bookkeeping =
            self.bookkeeping_back(state, op, &reference, [before, after, &present])?;
        let stream = self.data_back(op, &reference, [before, after, &present])?;
        let (Some(fields), Some(bookkeeping), Some(stream)) = (fields, bookkeeping, stream) else {
            return Ok(());
        };
        let revision = bookkeeping
            .upstream_revision
            .or(present.upstream.map(|link| link.revision))
            .or(before.upstream.map(|link| link.revision))
            .unwrap_or_default();
        let mut unit = with_fields(&present, fields, revision)?;
        if self.is_taken_away(&reference, &present, &unit)? {
            return Ok(());
        }
        if unit != present {
            unit.updated = self.transaction.at();
            self.transaction.put_unit_counted(&unit)?;
        }
        self.write(op, id, &stream, Some(bookkeeping))?;
        Ok(())
    }

    /// Refuses what would leave a unit without its name or what runs of it without its target.
    fn is_taken_away(&mut self, reference: &str, present: &Unit, unit: &Unit) -> Result<bool> {
        if let (Some(live), true) = (present.live, present.target != unit.target) {
            self.refusals.other(
                format!("expected `{reference}` to run nowhere, found r{live} live on its target"),
                Some(format!("windlass unit destroy {reference}")),
            );
            return Ok(true);
        }
        let is_moved = (present.space, &present.slug) != (unit.space, &unit.slug);
        if is_moved
            && self
                .transaction
                .find_unit(unit.space, &unit.slug)?
                .is_some()
        {
            self.refusals.other(
                format!(
                    "expected no unit `{}` in its place, found another one",
                    unit.slug
                ),
                None,
            );
            return Ok(true);
        }
        Ok(false)
    }

    fn fields_back(
        &mut self,
        state: &State,
        op: OpId,
        reference: &str,
        [before, after, present]: [&Unit; 3],
    ) -> Result<Option<serde_json::Value>> {
        let before = desired_fields(before)?;
        let after = desired_fields(after)?;
        let present = desired_fields(present)?;
        match merge_objects("", Some(&before), Some(&after), Some(&present)) {
            Ok(merged) => Ok(Some(merged.unwrap_or_default())),
            Err(Contested(field)) => {
                let by = state.changed_by(|one, other| {
                    differs(one, other, |one, other| {
                        let one = desired_fields(one)?;
                        let other = desired_fields(other)?;
                        let pointer = format!("/{}", field.replace('.', "/"));
                        // A label may hold a dot: then any other field that moved will do.
                        Ok(match (one.pointer(&pointer), other.pointer(&pointer)) {
                            (None, None) => one != other,
                            (one, other) => one != other,
                        })
                    })
                })?;
                self.refusals
                    .changed(&format!("{field} of `{reference}`"), op, by);
                Ok(None)
            }
        }
    }

    fn bookkeeping_back(
        &mut self,
        state: &State,
        op: OpId,
        reference: &str,
        [before, after, present]: [&Unit; 3],
    ) -> Result<Option<Bookkeeping>> {
        let view: &View = self.transaction;
        let merged = merge_bookkeeping(
            &view.bookkeeping(&before.bookkeeping)?,
            &view.bookkeeping(&after.bookkeeping)?,
            &view.bookkeeping(&present.bookkeeping)?,
        );
        match merged {
            Ok(merged) => Ok(Some(merged)),
            Err(Contested(field)) => {
                let by = state.changed_by(|one, other| {
                    differs(one, other, |one, other| {
                        Ok(one.bookkeeping != other.bookkeeping)
                    })
                })?;
                self.refusals
                    .changed(&format!("{field} of `{reference}`"), op, by);
                Ok(None)
            }
        }
    }

    /// The data with what the operation did taken out; none where a later change overlaps.
    fn data_back(
        &mut self,
        op: OpId,
        reference: &str,
        [before, after, present]: [&Unit; 3],
    ) -> Result<Option<Stream>> {
        let local = self.transaction.stream(&present.data)?;
        if before.data == after.data || before.data == present.data {
            return Ok(Some(local));
        }
        let incoming = self.transaction.stream(&before.data)?;
        if present.data == after.data {
            return Ok(Some(incoming));
        }
        let base = self.transaction.stream(&after.data)?;
        let merged = merge(MergeInput {
            base: &base,
            incoming: &incoming,
            local: &local,
            owned: &PathSet::default(),
            protected: &PathSet::default(),
            prefer: Prefer::Local,
        })?;
        for row in merged.conflicts.iter().take(SHOWN_PATHS) {
            let by = self.data_changed_by(after, present, &row.resource, &row.path)?;
            let what = format!("`{reference}` {} `{}`", row.resource, row.path);
            self.refusals.changed(&what, op, by);
        }
        Ok(merged.conflicts.is_empty().then_some(merged.stream))
    }

    /// The newest later operation whose revision of a unit changed a place.
    fn data_changed_by(
        &self,
        after: &Unit,
        present: &Unit,
        resource: &ResourceId,
        path: &crate::path::Path,
    ) -> Result<Option<OpId>> {
        let at = |tree: TreeView<'_>| {
            let mut documents = tree.documents();
            let document = documents.find(|root| ResourceId::of(*root) == *resource);
            document
                .and_then(|root| root.at(path))
                .map(|node| node.to_value())
        };
        let view: &View = self.transaction;
        let mut newest = None;
        for num in (after.head + 1..=present.head).rev() {
            let revision = view.revision(present.id, num)?;
            if revision.op == self.transaction.op() {
                continue;
            }
            newest.get_or_insert(revision.op);
            let earlier = view.revision(present.id, num - 1)?;
            if view.tree(&revision.data, at)? != view.tree(&earlier.data, at)? {
                return Ok(Some(revision.op));
            }
        }
        Ok(newest)
    }

    /// Gives a unit its data and bookkeeping back.
    fn write(
        &mut self,
        op: OpId,
        id: UnitId,
        stream: &Stream,
        bookkeeping: Option<Bookkeeping>,
    ) -> Result<()> {
        let present = self.transaction.unit(id)?;
        let old = self.transaction.stream(&present.data)?;
        let edits = diff(&old, stream).into_iter().map(|difference| EditRecord {
            resource: difference.resource,
            path: difference.path,
        });
        let new = NewRevision {
            stream,
            source: RevisionSource::Undo { op },
            description: self.description.clone(),
            edits: edits.collect(),
            bookkeeping,
            author: self.app.actor(),
        };
        let mut unit = self.transaction.write_revision(id, new)?.unit;
        let before = unit.clone();
        let revision = self
            .transaction
            .bookkeeping(&unit.bookkeeping)?
            .upstream_revision;
        if let (Some(link), Some(revision)) = (&mut unit.upstream, revision) {
            link.revision = revision;
        }
        if unit != before {
            self.transaction.put_unit_counted(&unit)?;
        }
        Ok(())
    }

    /// Deletes a unit that the operation made, if it is still what the operation made.
    pub(super) fn delete_unit(&mut self, known: &Known, state: &State, after: &Unit) -> Result<()> {
        let op = known.operation.id;
        let Some(present) = self.transaction.find_unit_by_id(after.id)? else {
            let what = format!("the unit `{}`", after.slug);
            self.refusals.gone(&what, op, state.last_changed_by());
            return Ok(());
        };
        let reference = self.reference(after.id)?;
        if let Some(live) = present.live {
            self.refusals.other(
                format!(
                    "expected `{reference}`, which {op} made, to run nowhere, found r{live} live"
                ),
                Some(format!(
                    "windlass unit destroy {reference} removes it from its target; then undo"
                )),
            );
            return Ok(());
        }
        if present.status != Status::NoLive {
            self.refusals.other(
                format!(
                    "expected `{reference}`, which {op} made, to run nowhere, found it {}",
                    present.status
                ),
                Some(format!("windlass unit destroy {reference}")),
            );
            return Ok(());
        }
        if let Some(variant) = self.transaction.by_upstream(after.id)?.into_iter().next() {
            let made = self.transaction.revision(variant, 1)?.op;
            let variant = self.reference(variant)?;
            self.refusals.other(
                format!(
                    "expected no variant of `{reference}`, which {op} made, found `{variant}`, \
                     made by {made}"
                ),
                Some(format!("windlass undo {made} takes the variant back first")),
            );
            return Ok(());
        }
        if !is_same_desired(after, &present)? {
            let (what, by) = self.first_change(state, &reference, after, &present)?;
            self.refusals.changed(&what, op, by);
            return Ok(());
        }
        self.app.note_touched(&present);
        self.transaction.delete_unit(after.id)?;
        self.note(after.id, "deleted");
        Ok(())
    }

    /// The first thing in which a unit is not what the operation made of it, and since when.
    fn first_change(
        &self,
        state: &State,
        reference: &str,
        after: &Unit,
        present: &Unit,
    ) -> Result<(String, Option<OpId>)> {
        if after.data != present.data {
            let old = self.transaction.stream(&after.data)?;
            let new = self.transaction.stream(&present.data)?;
            if let Some(first) = diff(&old, &new).into_iter().next() {
                let by = self.data_changed_by(after, present, &first.resource, &first.path)?;
                let what = format!("`{reference}` {} `{}`", first.resource, first.path);
                return Ok((what, by));
            }
        }
        let by = state.changed_by(|one, other| {
            differs(one, other, |one, other| Ok(!is_same_desired(one, other)?))
        })?;
        let (after, present) = (desired_fields(after)?, desired_fields(present)?);
        let what = match first_difference("", &after, &present) {
            Some(field) => format!("{field} of `{reference}`"),
            None => format!("the bookkeeping of `{reference}`"),
        };
        Ok((what, by))
    }

    pub(super) fn note(&mut self, unit: UnitId, note: &str) {
        self.notes.entry(unit).or_default().push(note.to_owned());
    }
}

/// Whether two stored states of a unit differ in what is asked for; where one is missing, they do.
fn differs(
    one: Option<&[u8]>,
    other: Option<&[u8]>,
    ask: impl Fn(&Unit, &Unit) -> Result<bool>,
) -> Result<bool> {
    match (one, other) {
        (Some(one), Some(other)) => ask(&decode(one, "unit")?, &decode(other, "unit")?),
        (one, other) => Ok(one.is_some() != other.is_some()),
    }
}
