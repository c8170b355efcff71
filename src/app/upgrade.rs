//! Upgrades: what changed upstream is merged into the variants, upstream units before theirs.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::change::{ChangeOptions, Draft, Head, IncomingRange, Plan};
use crate::app::edit::merged;
use crate::app::merge_report::Recorder;
use crate::app::outcome::Outcome;
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::RevisionSource;
use crate::yaml::Stream;
use crate::yaml::merge::{Prefer, RowState};

/// How many of the upstream units that brought something a report names.
const MAX_NOTES: usize = 5;

/// What an upgrade may do.
#[derive(Debug, Clone, Copy, Default)]
pub struct UpgradeOptions {
    /// As for every change.
    pub change: ChangeOptions,
    /// Where both sides changed a path, the incoming value wins instead of the local one.
    pub prefer_incoming: bool,
    /// Refuse, and write nothing, where both sides changed a path.
    pub strict: bool,
    /// Go only this many steps down a chain of variants; all where it is none.
    pub hops: Option<usize>,
}

/// What comes from upstream: its text at the revision last taken, and its head.
struct Incoming {
    base: Stream,
    head: Stream,
    from: u32,
    to: u32,
    reference: String,
}

impl App {
    /// Upgrades the variants among the selection. Units without an upstream are left alone.
    ///
    /// Upstream units go before their variants, so one call brings a whole chain up to date.
    ///
    /// # Errors
    /// When the selection moved, or with `strict` at the first conflict; failures of single units
    /// are in the outcome.
    pub fn upgrade(&self, selection: &Selection, options: UpgradeOptions) -> Result<Outcome> {
        if options.change.dry_run && !self.is_rehearsing() {
            let change = ChangeOptions {
                dry_run: false,
                ..options.change
            };
            let options = UpgradeOptions { change, ..options };
            return self.rehearse(
                || self.upgrade(selection, options),
                |transaction, outcome| Ok(outcome.previewed(self.preview_of(transaction)?.shown())),
            );
        }
        // In a rehearsal nothing is kept anyway, and variants further down must see what came.
        let mut options = options;
        options.change.dry_run = false;
        let levels = self.read(|view| levels(view, selection))?;
        let levels = match options.hops {
            Some(hops) => levels.into_iter().take(hops).collect(),
            None => levels,
        };
        let verb = Verb::new("upgrade");
        if levels.len() <= 1 {
            let level = levels.into_iter().next().unwrap_or_default();
            let outcome = self.upgrade_level(&level, verb, options)?;
            return self.with_waiting(outcome);
        }
        let mut whole = Outcome {
            verb: verb.text,
            ..Outcome::default()
        };
        let (outcomes, op) = self.as_titled("upgrade", || {
            let levels = levels.iter();
            levels
                .map(|level| {
                    let outcome = self.upgrade_level(level, Verb::new("upgrade"), options)?;
                    match outcome.failure() {
                        Some(error) => Err(error),
                        None => Ok(outcome),
                    }
                })
                .collect::<Result<Vec<_>>>()
        })?;
        for outcome in outcomes {
            whole.is_preview |= outcome.is_preview;
            whole.reports.extend(outcome.reports);
            whole.notes.extend(outcome.notes);
            match (&mut whole.merge, outcome.merge) {
                (Some(merge), Some(more)) => merge.extend(*more),
                (none, more) => *none = none.take().or(more),
            }
        }
        let position: BTreeMap<UnitId, usize> = selection
            .pins()
            .iter()
            .enumerate()
            .map(|(at, pin)| (pin.unit, at))
            .collect();
        whole
            .reports
            .sort_by_key(|report| position.get(&report.unit).copied());
        whole.decisions = self.decisions(&whole.conflicts())?;
        whole.op = op;
        self.with_waiting(whole)
    }

    fn upgrade_level(
        &self,
        level: &Selection,
        verb: Verb,
        options: UpgradeOptions,
    ) -> Result<Outcome> {
        let incoming = self.read(|view| incoming(view, level))?;
        let brought: BTreeSet<String> = incoming
            .values()
            .flatten()
            .filter(|incoming| incoming.from != incoming.to)
            .map(|incoming| {
                let Incoming {
                    reference,
                    from,
                    to,
                    ..
                } = incoming;
                format!("from {reference} r{from} → r{to}; nothing is deployed")
            })
            .collect();
        let prefer = if options.prefer_incoming {
            Prefer::Incoming
        } else {
            Prefer::Local
        };
        let recorder = Recorder::default();
        let outcome = self.change(level, verb, options.change, &|head| {
            let plan = upgrade_one(head, &incoming, prefer)?;
            if let Plan::Write(draft) = &plan {
                if options.strict {
                    refuse_open(head, draft)?;
                }
                recorder.note(head.unit.id, draft);
            }
            Ok(plan)
        })?;
        let outcome = Outcome {
            notes: brought.into_iter().take(MAX_NOTES).collect(),
            ..outcome
        };
        self.with_merge_report(outcome, "UPGRADED", recorder)
    }
}

fn upgrade_one(
    head: &Head,
    incoming: &BTreeMap<(UnitId, u32), Option<Incoming>>,
    prefer: Prefer,
) -> Result<Plan> {
    let Some(upstream) = &head.unit.upstream else {
        return Ok(Plan::Unchanged("no upstream".to_owned()));
    };
    let taken = head
        .bookkeeping
        .upstream_revision
        .unwrap_or(upstream.revision);
    let Some(Some(incoming)) = incoming.get(&(upstream.unit, taken)) else {
        return Ok(Plan::Skip("its upstream unit was deleted".to_owned()));
    };
    if incoming.from == incoming.to {
        return Ok(Plan::Unchanged(String::new()));
    }
    let source = RevisionSource::Upgrade {
        from: incoming.from,
        to: incoming.to,
    };
    let description = format!(
        "upgrade {} r{} → r{}",
        incoming.reference, incoming.from, incoming.to
    );
    let mut draft = Draft::of(head, source, description);
    draft.bookkeeping.upstream_revision = Some(incoming.to);
    draft.incoming = Some(IncomingRange {
        unit: upstream.unit,
        after: incoming.from,
        to: incoming.to,
    });
    merged(head, draft, &incoming.base, &incoming.head, prefer)
}

/// Refuses a draft that leaves a conflict open.
pub(crate) fn refuse_open(head: &Head, draft: &Draft) -> Result<()> {
    let Some(row) = draft
        .conflicts
        .iter()
        .find(|row| row.state == RowState::Open)
    else {
        return Ok(());
    };
    Err(Error::new(
        Kind::Conflict,
        format!(
            "{}: expected no conflict, found {} changed on both sides at `{}`",
            head.reference(),
            row.resource,
            row.path
        ),
    )
    .hint("without strict, the local value stays and a conflict row says so"))
}

/// The selection cut into levels: no unit comes before one that it is a variant of.
fn levels(view: &View, selection: &Selection) -> Result<Vec<Selection>> {
    let chosen: BTreeSet<UnitId> = selection.pins().iter().map(|pin| pin.unit).collect();
    let mut levels: Vec<Selection> = Vec::new();
    let mut depths: BTreeMap<UnitId, usize> = BTreeMap::new();
    for pin in selection.pins() {
        let mut chain = Vec::new();
        let mut roots = BTreeSet::new();
        let mut unit = Some(pin.unit);
        // A chain cannot be a ring: an upstream is older than its variants.
        while let Some(id) = unit.filter(|id| !depths.contains_key(id)) {
            chain.push(id);
            unit = view
                .find_unit_by_id(id)?
                .and_then(|unit| unit.upstream)
                .map(|link| link.unit);
            if unit.is_none() {
                roots.insert(id);
            }
        }
        let mut depth = unit.map_or(0, |id| depths[&id]);
        for id in chain.into_iter().rev() {
            // What has no upstream stays as it is, and nobody waits for it.
            if chosen.contains(&id) && !roots.contains(&id) {
                depth += 1;
            }
            depths.insert(id, depth);
        }
        let level = depths[&pin.unit].saturating_sub(1);
        while levels.len() <= level {
            levels.push(Selection::default());
        }
        levels[level].push(*pin);
    }
    Ok(levels)
}

fn incoming(view: &View, level: &Selection) -> Result<BTreeMap<(UnitId, u32), Option<Incoming>>> {
    let mut found = BTreeMap::new();
    let ids: Vec<UnitId> = level.pins().iter().map(|pin| pin.unit).collect();
    for unit in view.units(&ids)? {
        let Some(upstream) = &unit.upstream else {
            continue;
        };
        let bookkeeping = view.bookkeeping(&unit.bookkeeping)?;
        let from = bookkeeping.upstream_revision.unwrap_or(upstream.revision);
        let key = (upstream.unit, from);
        if found.contains_key(&key) {
            continue;
        }
        let source = match view.find_unit_by_id(upstream.unit)? {
            None => None,
            Some(source) => {
                let head = view.stream(&source.data)?;
                let base = if from == source.head {
                    head.clone()
                } else {
                    view.stream(&view.revision(source.id, from)?.data)?
                };
                let space = view.space(source.space)?;
                Some(Incoming {
                    base,
                    head,
                    from,
                    to: source.head,
                    reference: format!("{}/{}", space.slug, source.slug),
                })
            }
        };
        found.insert(key, source);
    }
    Ok(found)
}
