//! What a bulk call did: every unit it addressed, in the five words of every report.

use std::fmt;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use crate::app::dry_run::{DryRun, WIDTH};
use crate::app::merge_report::MergeReport;
use crate::app::rollout::RolloutReport;
use crate::app::style::{self, HEADING};
use crate::app::table::{Cell, Table};
use crate::error::{Error, Kind};
use crate::id::{ApplyId, ConflictId, OpId, UnitId};
use crate::model::Unit;

/// What became of one unit.
#[derive(Debug, Clone)]
pub enum Status {
    /// It was made.
    Created,
    /// Its data, or what is kept beside it, changed.
    Changed,
    /// It was as asked already.
    Unchanged,
    /// There was nothing to act on, for this reason.
    Skipped(String),
    /// It could not be done.
    Failed(Error),
}

impl Status {
    /// The word that reports use.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
        }
    }
}

/// One unit's line in a report.
#[derive(Debug, Clone)]
pub struct UnitReport {
    /// The unit.
    pub unit: UnitId,
    /// As people name it: `space/unit`.
    pub reference: String,
    /// Its head before; 0 where it did not exist.
    pub before: u32,
    /// Its head after.
    pub after: u32,
    /// What became of it.
    pub status: Status,
    /// More about it, where there is more to say.
    pub note: String,
    /// The open conflicts that this left on it.
    pub conflicts: Vec<ConflictId>,
}

impl UnitReport {
    /// The heads before and after: `r3 → r4`, or `r4` where it stayed.
    pub(crate) fn revisions(&self) -> String {
        match (self.before, self.after) {
            (0, 0) => "-".to_owned(),
            (before, after) if before == after => format!("r{after}"),
            (0, known) | (known, 0) => format!("r{known}"),
            (before, after) => format!("r{before} → r{after}"),
        }
    }
}

impl UnitReport {
    /// The report of a unit that nothing has been done to yet.
    pub(crate) fn unchanged(unit: &Unit, reference: String) -> Self {
        Self {
            unit: unit.id,
            reference,
            before: unit.head,
            after: unit.head,
            status: Status::Unchanged,
            note: String::new(),
            conflicts: Vec::new(),
        }
    }
}

/// What a call did to the units it addressed.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was done: `set-replicas 3`.
    pub verb: String,
    /// The operation that was written; none where nothing changed or nothing was to be written.
    pub op: Option<OpId>,
    /// The apply, where something was sent.
    pub apply: Option<ApplyId>,
    /// Every unit that was matched, in the selection's order.
    pub reports: Vec<UnitReport>,
    /// Whether this only says what would happen.
    pub is_preview: bool,
    /// Whether what was done before a failure stays: so it is with what was sent to a target.
    pub is_partial: bool,
    /// The name under which a preview is kept, to be committed.
    pub preview: Option<String>,
    /// What would change, in a preview.
    pub changes: String,
    /// The same, and what there is to know of it, in a dry run of a bulk change.
    pub(crate) shown: Option<Box<DryRun>>,
    /// The conflicts that this left open, in full, and how to decide them.
    pub decisions: String,
    /// Notes that concern no single unit.
    pub notes: Vec<String>,
    /// Of an apply: what was sent, and what came of it.
    pub rollout: Option<Box<RolloutReport>>,
    /// Of an apply that failed: why, what runs now, and what to run next.
    pub aftermath: String,
    /// Of an upgrade or a merge that brought something: what, and who took it.
    pub merge: Option<Box<MergeReport>>,
}

impl Outcome {
    /// How many units were made or changed.
    pub fn changed(&self) -> usize {
        self.count(|status| matches!(status, Status::Created | Status::Changed))
    }

    /// How many units were as asked already.
    pub fn unchanged(&self) -> usize {
        self.count(|status| matches!(status, Status::Unchanged))
    }

    /// How many units had nothing to act on.
    pub fn skipped(&self) -> usize {
        self.count(|status| matches!(status, Status::Skipped(_)))
    }

    /// How many units failed.
    pub fn failed(&self) -> usize {
        self.count(|status| matches!(status, Status::Failed(_)))
    }

    /// The open conflicts that this left.
    pub fn conflicts(&self) -> Vec<ConflictId> {
        let all = self.reports.iter().flat_map(|report| &report.conflicts);
        all.copied().collect()
    }

    /// This as a preview that shows what would change.
    pub(crate) fn previewed(self, shown: DryRun) -> Self {
        Self {
            changes: shown.diff(),
            shown: Some(Box::new(shown)),
            is_preview: true,
            op: None,
            ..self
        }
    }

    /// What a preview would change, every unit by itself.
    pub fn each_change(&self) -> String {
        match &self.shown {
            Some(shown) => shown.each(self),
            None => self.changes.clone(),
        }
    }

    /// The same as `--json` shows it.
    pub fn each_to_json(&self) -> Value {
        match &self.shown {
            Some(shown) => shown.each_to_json(self),
            None => self.changes.as_str().into(),
        }
    }

    fn count(&self, is: impl Fn(&Status) -> bool) -> usize {
        self.reports
            .iter()
            .filter(|report| is(&report.status))
            .count()
    }

    /// The error of a write that had nothing to act on (promise P6).
    pub fn empty(&self) -> Option<Error> {
        if self.reports.is_empty() {
            return Some(
                Error::new(Kind::NotFound, "expected at least one unit, found no match")
                    .hint("to allow this, pass --allow-empty (script: allow_empty: true)"),
            );
        }
        let Some(Status::Skipped(reason)) = self.reports.first().map(|report| &report.status)
        else {
            return None;
        };
        (self.skipped() == self.reports.len()).then(|| {
            Error::new(
                Kind::Invalid,
                format!(
                    "{}: expected something to act on, found none in {} matched: {reason}",
                    self.verb,
                    plural(self.reports.len(), "unit"),
                ),
            )
            .hint("to allow this, pass --allow-empty (script: allow_empty: true)")
        })
    }

    /// The exit code of a command that ends with this: 5 where it left decisions open.
    pub fn exit_code(&self) -> u8 {
        if self.failed() > 0 {
            1
        } else if self.is_preview || self.conflicts().is_empty() {
            0
        } else {
            5
        }
    }

    /// A table of the units: reference, revisions, result.
    pub fn table(&self) -> Table {
        self.table_of(|_| true)
    }

    fn table_of(&self, is_shown: impl Fn(&Status) -> bool) -> Table {
        let mut table = Table::new(["Unit", "Revision", "Result", "Note"]);
        for report in self
            .reports
            .iter()
            .filter(|report| is_shown(&report.status))
        {
            let note = match &report.status {
                Status::Skipped(reason) => reason.clone(),
                Status::Failed(error) => error.to_string(),
                _ => report.note.clone(),
            };
            table.push(vec![
                Cell::text(report.reference.clone()),
                Cell::text(report.revisions()),
                Cell::text(report.status.word()),
                Cell::text(note),
            ]);
        }
        table
    }

    /// What would change, what there is to decide, and how to write it.
    fn write_blocks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_texts(f)?;
        if let Some(shown) = &self.shown {
            return write_painted(f, &shown.below(self, width_of(f)));
        }
        let Some(preview) = &self.preview else {
            return Ok(());
        };
        let failed = self
            .reports
            .iter()
            .find(|report| matches!(report.status, Status::Failed(_)));
        match failed {
            None => writeln!(
                f,
                "\nwindlass commit {preview}   writes exactly this, as long as none of it moves"
            ),
            Some(failed) => {
                let count = plural(self.failed(), "unit");
                writeln!(
                    f,
                    "\nA bulk change is all or none, and {count} would fail:\n  windlass commit \
                     {preview} --except {}   writes the others",
                    failed.reference
                )
            }
        }
    }

    fn write_texts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = Some(&self.changes).filter(|_| self.shown.is_none());
        let blocks = changes.into_iter();
        for block in blocks.chain([&self.decisions, &self.aftermath]) {
            if block.is_empty() {
                continue;
            }
            f.write_str("\n")?;
            write_painted(f, block)?;
        }
        Ok(())
    }

    /// The one line of counts: `3 matched: 2 changed, 1 unchanged`.
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        let created = self.count(|status| matches!(status, Status::Created));
        for (count, word) in [
            (created, "created"),
            (self.changed() - created, "changed"),
            (self.unchanged(), "unchanged"),
            (self.skipped(), "skipped"),
            (self.failed(), "failed"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {word}"));
            }
        }
        let mut line = format!("{} matched", plural(self.reports.len(), "unit"));
        if !parts.is_empty() {
            line.push_str(": ");
            line.push_str(&parts.join(", "));
        }
        match self.conflicts().len() {
            0 => {}
            count => {
                let _ = write!(line, ", {} open", plural(count, "conflict"));
            }
        }
        line
    }

    /// As `--json` shows it.
    pub fn to_json(&self) -> Value {
        let units: Vec<Value> = self
            .reports
            .iter()
            .map(|report| {
                let mut unit = json!({
                    "Unit": report.reference,
                    "UnitID": report.unit.to_string(),
                    "Before": report.before,
                    "After": report.after,
                    "Result": report.status.word(),
                    "Note": report.note,
                    "Error": match &report.status {
                        Status::Failed(error) => error.to_json(),
                        Status::Skipped(reason) => Value::String(reason.clone()),
                        _ => Value::Null,
                    },
                    "Conflicts": report.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>(),
                });
                let counts = self.merge.as_ref().and_then(|merge| merge.counts(report.unit));
                if let Some(counts) = counts {
                    unit["Taken"] = counts.taken.into();
                    unit["Kept"] = counts.kept.len().into();
                    unit["KeptPaths"] = counts.kept.as_slice().into();
                    unit["Protected"] = counts.protected.into();
                }
                unit
            })
            .collect();
        let mut value = json!({
            "Verb": self.verb,
            "Operation": self.op.map(|op| op.to_string()),
            "Apply": self.apply.map(|apply| apply.to_string()),
            "Preview": self.is_preview,
            "Matched": self.reports.len(),
            "Changed": self.changed(),
            "Unchanged": self.unchanged(),
            "Skipped": self.skipped(),
            "Failed": self.failed(),
            "Units": units,
            "Notes": self.notes,
            "Changes": self.changes,
        });
        if let Some(preview) = &self.preview {
            value["PreviewID"] = preview.as_str().into();
        }
        if let Some(shown) = &self.shown {
            shown.add_to_json(&mut value);
        }
        if let Some(merge) = &self.merge {
            value["Incoming"] = merge.to_json();
        }
        value
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl fmt::Display for Outcome {
    /// The counts, and below them the units that are worth a line each. `{:#}` has styles; a width
    /// (`{:80}`) is how many columns there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(merge) = &self.merge {
            merge.write(self, f)?;
            return self.write_blocks(f);
        }
        if let Some(shown) = &self.shown {
            write_painted(f, &shown.report(self, width_of(f)))?;
            return self.write_texts(f);
        }
        let is_styled = f.alternate();
        let would = if self.is_preview { "PREVIEW" } else { "" };
        for word in [would, &self.verb].iter().filter(|word| !word.is_empty()) {
            if is_styled {
                write!(f, "{}   ", style::styled(HEADING, word))?;
            } else {
                write!(f, "{word}   ")?;
            }
        }
        let summary = self.summary();
        if is_styled {
            f.write_str(&style::summary(&summary))?;
        } else {
            f.write_str(&summary)?;
        }
        match (self.op, self.is_preview) {
            (Some(op), _) => writeln!(f, "   {op}")?,
            (None, false) if self.apply.is_some() => {
                writeln!(f, "   {}", self.apply.unwrap_or_default())?;
            }
            (None, true) => writeln!(f, "   nothing was written")?,
            (None, false) => writeln!(f)?,
        }
        let failed = self.rollout.as_ref();
        let failed = failed.filter(|rollout| rollout.has_failed() && !self.is_preview);
        let alike = self.failed_alike();
        let table = match failed {
            Some(rollout) => rollout.table(),
            None if alike.is_some() => self
                .table_of(|status| !matches!(status, Status::Failed(_)))
                .without_header(),
            None => self.table().without_header(),
        };
        let table = if is_styled {
            format!("{table:#}")
        } else {
            table.to_string()
        };
        for line in table.lines() {
            writeln!(f, "  {line}")?;
        }
        for note in alike.iter().chain(&self.notes) {
            writeln!(f, "  {note}")?;
        }
        self.write_blocks(f)
    }
}

/// How many columns are asked for.
fn width_of(f: &fmt::Formatter<'_>) -> usize {
    f.width().map_or(WIDTH, |width| width.min(WIDTH))
}

fn write_painted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if f.alternate() {
        f.write_str(&style::lines(text))
    } else {
        f.write_str(text)
    }
}

/// `1 unit`, `2 units`.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
