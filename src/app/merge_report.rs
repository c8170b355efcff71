//! What upgrades and merges tell: what came, from whom, and what each unit took and kept.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::app::App;
use crate::app::edit::brief_path;
use crate::app::history::message_of;
use crate::app::outcome::{Outcome, Status, UnitReport, plural};
use crate::app::table::{Cell, Table, shortened};
use crate::db::View;
use crate::error::Result;
use crate::id::UnitId;

/// How many revisions of a source a report names, the newest ones.
const MAX_REVISIONS: u32 = 6;

/// How many sources a report tells the revisions of.
const MAX_SOURCES: usize = 20;

/// How much of a revision's description it shows, in columns; paths are whole, to be pasted.
const MAX_TEXT: usize = 40;

/// How many paths it names of a revision, or of what a unit kept.
const MAX_PATHS: usize = 2;

/// What a merge did to one unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergeCounts {
    /// How many places changed.
    pub taken: usize,
    /// How many wait for a decision.
    pub conflicts: usize,
    /// How many incoming changes a protected path kept out.
    pub protected: usize,
    /// What is the unit's own and was not touched by the source: paths, in short.
    pub kept: Vec<String>,
}

/// Revisions of a source: those after `from`, up to and with `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) unit: UnitId,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// Collects what planners bring to units, from all threads.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<BTreeMap<UnitId, (Range, MergeCounts)>>);

impl Recorder {
    pub(crate) fn insert(&self, unit: UnitId, range: Range, counts: MergeCounts) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(unit, (range, counts));
    }
}

/// What an upgrade or a merge brought.
#[derive(Debug, Clone)]
pub struct MergeReport {
    word: &'static str,
    by: String,
    sources: Vec<Brought>,
    counts: BTreeMap<UnitId, MergeCounts>,
}

/// What came from one source.
#[derive(Debug, Clone)]
struct Brought {
    reference: String,
    from: u32,
    to: u32,
    into: usize,
    revisions: Vec<Line>,
}

/// One revision of a source.
#[derive(Debug, Clone)]
struct Line {
    num: u32,
    author: String,
    text: String,
    paths: Vec<String>,
}

impl App {
    /// The outcome with what was brought, where nothing failed and something was.
    pub(crate) fn with_merge_report(
        &self,
        mut outcome: Outcome,
        word: &'static str,
        recorder: Recorder,
    ) -> Result<Outcome> {
        let known = recorder
            .0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() || outcome.failed() > 0 {
            return Ok(outcome);
        }
        let mut sources: BTreeMap<Range, usize> = BTreeMap::new();
        for (range, _) in known.values() {
            *sources.entry(*range).or_default() += 1;
        }
        let sources = self.read(|view| {
            let sources = sources.into_iter();
            sources
                .enumerate()
                .map(|(at, (range, into))| brought(view, range, into, at < MAX_SOURCES))
                .collect::<Result<Vec<_>>>()
        })?;
        outcome.merge = Some(Box::new(MergeReport {
            word,
            by: self.actor(),
            sources,
            counts: known
                .into_iter()
                .map(|(unit, (_, counts))| (unit, counts))
                .collect(),
        }));
        Ok(outcome)
    }
}

/// What came from one source; without its revisions where there are too many sources to tell.
fn brought(view: &View, range: Range, into: usize, is_told: bool) -> Result<Brought> {
    let unit = view.unit(range.unit)?;
    let first = if is_told {
        range.to.saturating_sub(MAX_REVISIONS).max(range.from) + 1
    } else {
        range.to + 1
    };
    let mut old = view.stream(&view.revision(unit.id, first - 1)?.data)?;
    let mut revisions = Vec::new();
    for num in first..=range.to {
        let revision = view.revision(unit.id, num)?;
        let message = message_of(view, revision.op)?;
        let new = view.stream(&revision.data)?;
        let mut paths: Vec<String> = Vec::new();
        for difference in crate::yaml::diff(&old, &new) {
            let path = brief_path(&difference.path);
            if !path.is_empty() && !paths.contains(&path) {
                paths.push(path);
            }
        }
        old = new;
        revisions.push(Line {
            num,
            author: revision.author,
            text: message.unwrap_or(revision.description),
            paths,
        });
    }
    Ok(Brought {
        reference: format!("{}/{}", view.space(unit.space)?.slug, unit.slug),
        from: range.from,
        to: range.to,
        into,
        revisions,
    })
}

impl MergeReport {
    /// Adds what another step of the same call brought.
    pub(crate) fn extend(&mut self, other: Self) {
        self.sources.extend(other.sources);
        self.counts.extend(other.counts);
    }

    /// What a unit took and kept; none where it was not merged into.
    pub(crate) fn counts(&self, unit: UnitId) -> Option<&MergeCounts> {
        self.counts.get(&unit)
    }

    /// The sources, as `--json` shows them.
    pub(crate) fn to_json(&self) -> Value {
        let line = |line: &Line| {
            json!({
                "Num": line.num,
                "Author": line.author,
                "Change": line.text,
                "Paths": line.paths,
            })
        };
        let source = |source: &Brought| {
            json!({
                "Unit": source.reference,
                "From": source.from,
                "To": source.to,
                "Into": source.into,
                "Revisions": source.revisions.iter().map(line).collect::<Vec<_>>(),
            })
        };
        self.sources.iter().map(source).collect()
    }

    /// The report for people: a line for each source with its revisions, then the units.
    ///
    /// # Errors
    /// When `f` cannot be written to.
    pub(crate) fn write(&self, outcome: &Outcome, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.word == "UPGRADED" {
            "variant"
        } else {
            "unit"
        };
        for source in self.sources.iter().take(MAX_SOURCES) {
            let would = if outcome.is_preview { "PREVIEW   " } else { "" };
            let Brought {
                reference,
                from,
                to,
                into,
                ..
            } = source;
            let into = plural(*into, noun);
            write!(
                f,
                "{would}{}   {reference} r{from} → r{to} into {into}",
                self.word
            )?;
            match outcome.op {
                Some(op) => writeln!(f, "   {op}   by {}   nothing deployed", self.by)?,
                None if outcome.is_preview => writeln!(f, "   nothing was written")?,
                None => writeln!(f, "   by {}   nothing deployed", self.by)?,
            }
            source.write_revisions(f)?;
        }
        if self.sources.len() > MAX_SOURCES {
            let more = self.sources.len() - MAX_SOURCES;
            writeln!(f, "… and {} more", plural(more, "source"))?;
        }
        writeln!(f)?;
        let table = self.table(outcome).to_string();
        for line in table.lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "  {}", outcome.summary())
    }

    fn table(&self, outcome: &Outcome) -> Table {
        let kept_heading = if self.word == "UPGRADED" {
            "Kept, not touched upstream"
        } else {
            "Kept, not touched there"
        };
        let columns = ["Unit", "Revision", "Took", "Conflict", kept_heading];
        let mut table = Table::new(columns).right_aligned(["Took", "Conflict"]);
        for report in &outcome.reports {
            let counts = self.counts(report.unit);
            let number = |of: fn(&MergeCounts) -> usize| match counts.map(of) {
                None | Some(0) => Cell::text("-"),
                Some(count) => Cell::text(count.to_string()),
            };
            table.push(vec![
                Cell::text(report.reference.clone()),
                Cell::text(report.revisions()),
                number(|counts| counts.taken),
                number(|counts| counts.conflicts),
                Cell::text(kept(report, counts)),
            ]);
        }
        let total = |rule: [&str; 2], rest: String| {
            let [took, conflicts] = rule.map(Cell::text);
            vec![
                Cell::text(""),
                Cell::text(""),
                took,
                conflicts,
                Cell::text(rest),
            ]
        };
        let sum = |of: fn(&MergeCounts) -> usize| self.counts.values().map(of).sum::<usize>();
        let (taken, open) = (sum(|counts| counts.taken), sum(|counts| counts.conflicts));
        let all = plural(
            taken + open + sum(|counts| counts.protected),
            "incoming change",
        );
        table.push(total(["----", "--------"], String::new()));
        let sums = [taken.to_string(), open.to_string()];
        table.push(total([&sums[0], &sums[1]], format!("of {all}")));
        table
    }
}

impl Brought {
    fn write_revisions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["Num", "Author", "Change", "Paths"]).without_header();
        for line in &self.revisions {
            table.push(vec![
                Cell::text(format!("r{}", line.num)),
                Cell::text(line.author.clone()),
                Cell::text(shortened(&line.text, MAX_TEXT)),
                Cell::text(some_of(&line.paths)),
            ]);
        }
        let shown = u32::try_from(self.revisions.len()).unwrap_or(u32::MAX);
        let more = (self.to - self.from).saturating_sub(shown);
        if more > 0 {
            writeln!(f, "  … and {more} more before these")?;
        }
        for line in table.to_string().lines() {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}

/// What a unit kept, or why it was left alone.
fn kept(report: &UnitReport, counts: Option<&MergeCounts>) -> String {
    if let Status::Skipped(reason) = &report.status {
        return format!("skipped: {reason}");
    }
    let Some(counts) = counts else {
        return report.note.clone();
    };
    let mut parts = Vec::new();
    if counts.protected > 0 {
        parts.push(format!("{} protected", counts.protected));
    }
    if !counts.kept.is_empty() {
        parts.push(some_of(&counts.kept));
    }
    parts.join(", ")
}

/// The first of many, and how many more there are.
fn some_of(texts: &[String]) -> String {
    let shown = &texts[..texts.len().min(MAX_PATHS)];
    let mut text = shown.join(", ");
    if texts.len() > shown.len() {
        let _ = write!(text, " and {} more", texts.len() - shown.len());
    }
    text
}
