//! Lateral merges: a range of one unit's revisions is merged into others, whatever the order of
//! promotion.

use std::collections::BTreeMap;

use crate::app::change::{ChangeOptions, Draft, Head, IncomingRange, Plan};
use crate::app::edit::merged;
use crate::app::merge_report::{Range, Recorder};
use crate::app::outcome::Outcome;
use crate::app::select::Selection;
use crate::app::upgrade::refuse_open;
use crate::app::{App, Verb};
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{Bookkeeping, RevisionSource, Unit};
use crate::yaml::Stream;
use crate::yaml::merge::{ConflictRow, Prefer, RowState};

/// How many of a unit's revisions are looked through for an earlier merge or a last upgrade.
const SEARCHED: usize = 10_000;

/// What a lateral merge may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct MergeOptions {
    /// As for every change.
    pub change: ChangeOptions,
    /// The revision of the source that is the base: what comes was made after it. Without one,
    /// it follows from the last merge, or from the upstream that both share.
    pub base: Option<u32>,
    /// The last revision of the source that comes; its head where there is none.
    pub end: Option<u32>,
    /// Where both sides changed a path, the incoming value wins instead of the local one.
    pub prefer_incoming: bool,
    /// Refuse, and write nothing, where both sides changed a path.
    pub strict: bool,
}

/// What is merged: the source, and for each target from where.
struct Lateral {
    source: Unit,
    reference: String,
    end: u32,
    incoming: Stream,
    bases: BTreeMap<u32, Stream>,
    targets: BTreeMap<UnitId, Result<Target>>,
}

/// What a merge must know about one target.
struct Target {
    base: u32,
    /// The revision of the target that merged this range already.
    done: Option<u32>,
    /// The rows there are, decided ones too.
    rows: Vec<ConflictRow>,
}

impl App {
    /// Merges a range of a unit's revisions into every unit of a selection, or into none.
    ///
    /// Owned and protected paths stay as they are. The same range again changes nothing.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the range is empty or goes beyond the source's head, or a unit would
    /// be merged with itself; when the selection moved, or with `strict` at the first conflict.
    /// Failures of single units are in the outcome: without a range, one that is not related to
    /// the source.
    pub fn merge_from(
        &self,
        selection: &Selection,
        source: UnitId,
        options: MergeOptions,
    ) -> Result<Outcome> {
        if options.change.dry_run && !self.is_rehearsing() {
            let change = ChangeOptions {
                dry_run: false,
                ..options.change
            };
            let options = MergeOptions { change, ..options };
            return self.rehearse(
                || self.merge_from(selection, source, options),
                |transaction, mut outcome| {
                    outcome.changes = self.preview_of(transaction)?.diff();
                    outcome.is_preview = true;
                    outcome.op = None;
                    Ok(outcome)
                },
            );
        }
        let lateral = self.read(|view| lateral(view, selection, source, options))?;
        let verb = Verb::with(
            lateral.verb(),
            serde_json::json!({
                "Source": lateral.reference,
                "Base": options.base,
                "End": lateral.end,
            }),
        );
        let recorder = Recorder::default();
        let outcome = self.change(selection, verb, options.change, &|head| {
            let plan = lateral.plan(head, options)?;
            if let Plan::Write(draft) = &plan {
                recorder.note(head.unit.id, draft);
            }
            Ok(plan)
        })?;
        let outcome = self.with_merge_report(outcome, "MERGED", recorder)?;
        self.with_waiting(outcome)
    }
}

impl Lateral {
    /// `merge eu/api r46..r47`; where targets begin at different revisions, the end alone.
    fn verb(&self) -> String {
        let mut bases = self.bases.keys();
        match (bases.next(), bases.next()) {
            (Some(base), None) => self.range(*base),
            _ => format!("merge {} ..r{}", self.reference, self.end),
        }
    }

    fn range(&self, base: u32) -> String {
        format!("merge {} r{base}..r{}", self.reference, self.end)
    }

    fn plan(&self, head: &Head, options: MergeOptions) -> Result<Plan> {
        let target = match self.targets.get(&head.unit.id) {
            Some(Ok(target)) => target,
            Some(Err(error)) => return Err(error.clone()),
            None => return Ok(Plan::Skip("it is the source of the merge".to_owned())),
        };
        if let Some(revision) = target.done {
            return Ok(Plan::Unchanged(format!("merged already by r{revision}")));
        }
        let Some(base) = self.bases.get(&target.base) else {
            return Ok(Plan::Unchanged(format!(
                "merged already up to r{}",
                target.base
            )));
        };
        let source = RevisionSource::Merge {
            unit: self.source.id,
            base: target.base,
            end: self.end,
        };
        let mut draft = Draft::of(head, source, self.range(target.base));
        self.advance(head, target.base, &mut draft.bookkeeping);
        draft.incoming = Some(IncomingRange {
            unit: self.source.id,
            after: target.base,
            to: self.end,
        });
        let prefer = if options.prefer_incoming {
            Prefer::Incoming
        } else {
            Prefer::Local
        };
        let mut plan = merged(head, draft, base, &self.incoming, prefer)?;
        if let Plan::Write(draft) = &mut plan {
            draft
                .conflicts
                .retain(|row| !target.rows.iter().any(|known| is_same(known, row)));
            let count = |state: RowState| {
                let rows = draft.conflicts.iter();
                rows.filter(|row| row.state == state).count()
            };
            draft.counts.conflicts = count(RowState::Open);
            draft.counts.protected = count(RowState::Kept);
            if options.strict {
                refuse_open(head, draft)?;
            }
            if draft.stream == head.stream
                && draft.bookkeeping == head.bookkeeping
                && draft.conflicts.is_empty()
            {
                return Ok(Plan::Unchanged("nothing left to take".to_owned()));
            }
        }
        Ok(plan)
    }

    /// Moves the pointers to what was merged, never backwards.
    fn advance(&self, head: &Head, base: u32, bookkeeping: &mut Bookkeeping) {
        let pointer = bookkeeping.merges.entry(self.source.id).or_insert(self.end);
        *pointer = self.end.max(*pointer);
        let Some(upstream) = &head.unit.upstream else {
            return;
        };
        let taken = bookkeeping.upstream_revision.unwrap_or(upstream.revision);
        // The whole of what an upgrade would bring up to there, so it counts as one.
        if upstream.unit == self.source.id && (base..self.end).contains(&taken) {
            bookkeeping.upstream_revision = Some(self.end);
        }
    }
}

/// Whether two rows ask the same question.
fn is_same(known: &ConflictRow, row: &ConflictRow) -> bool {
    (&known.resource, &known.path, &known.incoming, &known.local)
        == (&row.resource, &row.path, &row.incoming, &row.local)
}

fn lateral(
    view: &View,
    selection: &Selection,
    source: UnitId,
    options: MergeOptions,
) -> Result<Lateral> {
    let source = view.unit(source)?;
    let reference = reference(view, &source)?;
    if let [pin] = selection.pins()
        && pin.unit == source.id
    {
        return Err(Error::new(
            Kind::Usage,
            format!("expected another unit to merge into `{reference}`, found the unit itself"),
        )
        .hint("restore brings back an earlier revision of a unit"));
    }
    let end = options.end.unwrap_or(source.head);
    refuse_range(&source, &reference, options.base, end)?;
    let mut lateral = Lateral {
        incoming: view.stream(&view.revision(source.id, end)?.data)?,
        reference,
        end,
        bases: BTreeMap::new(),
        targets: BTreeMap::new(),
        source,
    };
    for pin in selection.pins() {
        if pin.unit == lateral.source.id {
            continue;
        }
        let target = target(view, &lateral, &view.unit(pin.unit)?, options.base);
        if let Ok(Target {
            base, done: None, ..
        }) = &target
            && *base < end
            && !lateral.bases.contains_key(base)
        {
            let revision = view.revision(lateral.source.id, *base)?;
            lateral.bases.insert(*base, view.stream(&revision.data)?);
        }
        lateral.targets.insert(pin.unit, target);
    }
    Ok(lateral)
}

fn refuse_range(source: &Unit, reference: &str, base: Option<u32>, end: u32) -> Result<()> {
    let head = source.head;
    for number in base.into_iter().chain([end]) {
        if !(1..=head).contains(&number) {
            return Err(Error::new(
                Kind::Usage,
                format!("expected revisions from r1 to r{head} of `{reference}`, found r{number}"),
            )
            .hint(format!(
                "windlass revision list {reference} shows those there are"
            )));
        }
    }
    match base {
        Some(base) if base >= end => Err(Error::new(
            Kind::Usage,
            format!(
                "expected a base before the end, found r{base}..r{end} of `{reference}`, \
                 which has r1 to r{head}"
            ),
        )
        .hint("what was made after the base comes, up to and with the end")),
        _ => Ok(()),
    }
}

fn target(view: &View, lateral: &Lateral, unit: &Unit, base: Option<u32>) -> Result<Target> {
    let bookkeeping = view.bookkeeping(&unit.bookkeeping)?;
    let pointer = bookkeeping.merges.get(&lateral.source.id).copied();
    let base = match base {
        Some(base) => base,
        None => match last_taken(view, &lateral.source, unit, &bookkeeping)? {
            Some(base) => base,
            None => return Err(unrelated(view, lateral, unit)?),
        },
    };
    let done = if pointer.is_some_and(|pointer| pointer >= lateral.end) {
        merged_by(view, unit, lateral, base)?
    } else {
        None
    };
    let rows = view.conflicts_of(unit.id)?.into_iter();
    Ok(Target {
        base,
        done,
        rows: rows.map(|conflict| conflict.row).collect(),
    })
}

/// The revision of the source up to which the target has what the source has: the last one that
/// was merged, the one taken along a chain of upstreams, or the one at which the source last took
/// what they share.
fn last_taken(
    view: &View,
    source: &Unit,
    target: &Unit,
    bookkeeping: &Bookkeeping,
) -> Result<Option<u32>> {
    let merged = bookkeeping.merges.get(&source.id).copied();
    let along = taken_from_ancestor(view, source, target, bookkeeping)?;
    if let Some(last) = merged.max(along) {
        return Ok(Some(last));
    }
    if root(view, source)? != root(view, target)? {
        return Ok(None);
    }
    let revisions = view.revisions(source.id, SEARCHED)?;
    let last = revisions.iter().find(|revision| {
        matches!(
            revision.source,
            RevisionSource::Clone { .. } | RevisionSource::Upgrade { .. }
        )
    });
    Ok(last.map(|revision| revision.num))
}

/// Where the source is an upstream of the target, at any distance: its revision that came down
/// the chain.
fn taken_from_ancestor(
    view: &View,
    source: &Unit,
    target: &Unit,
    bookkeeping: &Bookkeeping,
) -> Result<Option<u32>> {
    let mut unit = target.clone();
    let mut bookkeeping = bookkeeping.clone();
    while let Some(link) = &unit.upstream {
        let taken = bookkeeping.upstream_revision.unwrap_or(link.revision);
        if link.unit == source.id {
            return Ok(Some(taken));
        }
        let Some(upstream) = view.find_unit_by_id(link.unit)? else {
            return Ok(None);
        };
        let revision = view.revision(upstream.id, taken)?;
        bookkeeping = view.bookkeeping(&revision.bookkeeping_after)?;
        unit = upstream;
    }
    Ok(None)
}

/// The unit that a chain of upstreams begins with; a deleted one still counts.
fn root(view: &View, unit: &Unit) -> Result<UnitId> {
    let mut id = unit.id;
    let mut upstream = unit.upstream;
    while let Some(link) = upstream {
        id = link.unit;
        upstream = view.find_unit_by_id(id)?.and_then(|unit| unit.upstream);
    }
    Ok(id)
}

/// The revision of the target that merged the range, unless an earlier state came back since.
fn merged_by(view: &View, unit: &Unit, lateral: &Lateral, from: u32) -> Result<Option<u32>> {
    for revision in view.revisions(unit.id, SEARCHED)? {
        match revision.source {
            RevisionSource::Restore { .. } | RevisionSource::Undo { .. } => return Ok(None),
            RevisionSource::Merge { unit, base, end }
                if unit == lateral.source.id && base <= from && end >= lateral.end =>
            {
                return Ok(Some(revision.num));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn reference(view: &View, unit: &Unit) -> Result<String> {
    Ok(format!("{}/{}", view.space(unit.space)?.slug, unit.slug))
}

fn unrelated(view: &View, lateral: &Lateral, unit: &Unit) -> Result<Error> {
    let (from, into) = (&lateral.reference, reference(view, unit)?);
    Ok(Error::new(
        Kind::Usage,
        format!(
            "expected `{from}` and `{into}` to share an upstream, or a range to merge, found \
             neither"
        ),
    )
    .hint(format!(
        "name the range: --merge-base N --merge-end M (script: #{{ base: N, end: M }}); \
         `{from}` has r1 to r{}",
        lateral.source.head
    )))
}

impl Recorder {
    /// Remembers what a draft brings to a unit.
    pub(crate) fn note(&self, unit: UnitId, draft: &Draft) {
        if let Some(range) = draft.incoming {
            let range = Range {
                unit: range.unit,
                from: range.after,
                to: range.to,
            };
            self.insert(unit, range, draft.counts.clone());
        }
    }
}
