//! What a dry run of a bulk change shows: a letter for each distinct change, the change once, what
//! it replaces, why the other units stay as they are, and what to run next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::app::blame::origin;
use crate::app::difference::{Changes, Compared, Group, Grouping, Member};
use crate::app::gate::gates_of;
use crate::app::outcome::{Outcome, Status, UnitReport, plural};
use crate::clock::Timestamp;
use crate::db::View;
use crate::error::Result;
use crate::model::{Space, Unit};

mod matrix;
mod reasons;
mod title;
mod wrapped;

use matrix::Matrix;
use reasons::{MAX_NAMES, some_of, write_reasons};
use title::{letter, title};
pub(crate) use wrapped::push_wrapped;

/// How wide what a dry run shows is where nobody says otherwise, in columns.
pub const WIDTH: usize = 100;

/// How many changes are shown in full.
const MAX_GROUPS: usize = 20;

/// How many paths and lines of one change.
const MAX_PLACES: usize = 12;
const MAX_LINES: usize = 80;

/// From which column on the unit that is shown is named.
const SHOWN_COLUMN: usize = 52;

/// What would change, and what there is to know of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct DryRun {
    changes: Changes,
    /// Who set the value that each group replaces, for the unit that is shown.
    replaced: Vec<Option<String>>,
    /// The units that would wait before a gate, by the gate's name.
    gated: BTreeMap<String, Gated>,
}

/// The units that wait before a gate.
#[derive(Debug, Clone, Default)]
struct Gated {
    units: usize,
    spaces: BTreeSet<String>,
    /// Why, for the first unit.
    reason: String,
}

/// Collects what a dry run shows, unit by unit.
#[derive(Default)]
pub(crate) struct Showing {
    grouping: Grouping,
    gated: BTreeMap<String, Gated>,
}

impl Showing {
    /// Adds what would change in a unit.
    pub(crate) fn add(&mut self, reference: &str, revisions: (u32, u32), compared: Compared) {
        self.grouping.add(reference.to_owned(), revisions, compared);
    }

    /// Notes the gates before which a unit would wait.
    pub(crate) fn note_gates(&mut self, unit: &Unit, space: &Space, now: Timestamp) {
        for gate in gates_of(unit, space, now) {
            let gated = self.gated.entry(gate.name.to_owned()).or_default();
            if gated.units == 0 {
                gated.reason = gate.reason;
            }
            gated.units += 1;
            gated.spaces.insert(space.slug.to_string());
        }
    }

    /// Asks who set what would be replaced; `view` has the units as they were, or with the change.
    pub(crate) fn finish(self, view: &View) -> Result<DryRun> {
        let changes = self.grouping.finish();
        let shown = changes.groups().iter().take(MAX_GROUPS);
        let replaced = shown.map(|group| match group.shown() {
            Some(member) => replaced_by(view, member),
            None => Ok(None),
        });
        Ok(DryRun {
            replaced: replaced.collect::<Result<_>>()?,
            gated: self.gated,
            changes,
        })
    }
}

/// Who set the first value that a change replaces.
fn replaced_by(view: &View, member: &Member) -> Result<Option<String>> {
    let mut places = member.compared.places().iter();
    let Some(place) = places.find(|place| place.is_replaced) else {
        return Ok(None);
    };
    origin(
        view,
        &member.reference,
        member.before,
        &place.resource,
        &place.path,
    )
}

impl DryRun {
    /// What would change, identical changes once, every unit by name.
    pub(crate) fn diff(&self) -> String {
        self.changes.to_string()
    }

    /// The sign of each unit that is shown under a letter.
    fn letters(&self) -> BTreeMap<&str, String> {
        let mut letters = BTreeMap::new();
        for (at, group) in self.changes.groups().iter().enumerate() {
            for member in group.members() {
                letters.insert(member.reference.as_str(), letter(at));
            }
        }
        letters
    }

    /// The whole report.
    pub(crate) fn report(&self, outcome: &Outcome, width: usize) -> String {
        let mut text = heading(outcome, width);
        let letters = self.letters();
        if outcome.reports.len() > 1 {
            self.write_matrix(&mut text, outcome, &letters, width);
        }
        self.write_groups(&mut text, outcome, width);
        write_reasons(&mut text, outcome, &letters, width);
        self.write_end(&mut text, outcome, width);
        text
    }

    /// The changes and what follows from them, below a report that named the units already.
    pub(crate) fn below(&self, outcome: &Outcome, width: usize) -> String {
        let mut text = String::new();
        self.write_groups(&mut text, outcome, width);
        self.write_end(&mut text, outcome, width);
        text
    }

    /// Every unit that would change, one after the other.
    pub(crate) fn each(&self, outcome: &Outcome) -> String {
        let members = self.in_order(outcome).into_iter();
        let members: Vec<String> = members.map(ToString::to_string).collect();
        members.join("\n")
    }

    /// The same, as `--json` shows it.
    pub(crate) fn each_to_json(&self, outcome: &Outcome) -> Value {
        let members = self.in_order(outcome).into_iter();
        let member = |member: &Member| {
            json!({
                "Unit": member.reference,
                "Before": member.before,
                "After": member.after,
                "Places": member.compared.place_lines(),
                "Lines": member.compared.hunks(),
            })
        };
        members.map(member).collect()
    }

    /// The units that would change, in the order of the report.
    fn in_order(&self, outcome: &Outcome) -> Vec<&Member> {
        let groups = self.changes.groups().iter();
        let members = groups.flat_map(Group::members);
        let members: BTreeMap<&str, &Member> = members
            .map(|member| (member.reference.as_str(), member))
            .collect();
        let reports = outcome.reports.iter();
        reports
            .filter_map(|report| members.get(report.reference.as_str()).copied())
            .collect()
    }

    fn write_matrix(
        &self,
        text: &mut String,
        outcome: &Outcome,
        letters: &BTreeMap<&str, String>,
        width: usize,
    ) {
        let signs = outcome.reports.iter().filter_map(|report| {
            let (space, unit) = report.reference.split_once('/')?;
            Some((space, unit, sign(report, letters)))
        });
        text.push('\n');
        if let Some(lines) = Matrix::of(signs).lines(width) {
            for line in lines {
                let _ = writeln!(text, "{line}");
            }
            return;
        }
        let mut counts: Vec<(String, usize)> = Vec::new();
        for (at, group) in self.changes.groups().iter().enumerate() {
            counts.push((letter(at), group.members().len()));
        }
        counts.truncate(MAX_GROUPS);
        for (sign, count) in [
            ("=", outcome.unchanged()),
            ("-", outcome.skipped()),
            ("!", outcome.failed()),
        ] {
            if count > 0 {
                counts.push((sign.to_owned(), count));
            }
        }
        let counts = counts.iter().map(|(sign, count)| format!("{sign} {count}"));
        let counts = counts.collect::<Vec<_>>().join("   ");
        push_wrapped(text, "  ", &counts, width);
        if let Some(preview) = &outcome.preview {
            let _ = writeln!(text, "  windlass diff {preview} --each    shows each unit");
        }
    }

    fn write_groups(&self, text: &mut String, outcome: &Outcome, width: usize) {
        let groups = self.changes.groups();
        let counts = groups.iter().map(|group| group.members().len());
        let digits = counts.max().unwrap_or(0).to_string().len();
        for (at, group) in groups.iter().take(MAX_GROUPS).enumerate() {
            let Some(shown) = group.shown() else {
                continue;
            };
            let title = title(groups, at, digits);
            let gap = SHOWN_COLUMN.saturating_sub(title.width()).max(2);
            let word = if group.members().len() > 1 {
                "shown: "
            } else {
                ""
            };
            let (reference, before, after) = (&shown.reference, shown.before, shown.after);
            let _ = writeln!(
                text,
                "\n{title}{:gap$}{word}{reference}  r{before} → r{after}",
                ""
            );
            write_change(text, &shown.compared, outcome);
            if let Some(Some(by)) = self.replaced.get(at) {
                push_wrapped(text, "   ", by, width);
            }
        }
        if groups.len() > MAX_GROUPS {
            let more = plural(groups.len() - MAX_GROUPS, "other change");
            let _ = write!(text, "\n… and {more}");
            write_where_all_is(text, outcome);
        }
    }

    /// What would be written, what would wait, and what to run next.
    fn write_end(&self, text: &mut String, outcome: &Outcome, width: usize) {
        let reports = outcome.reports.iter();
        let revisions = reports
            .filter(|report| report.after > report.before)
            .count();
        let (added, removed) = self.line_counts();
        if outcome.changed() == 0 {
            text.push_str("\nWould write   nothing.\n");
        } else {
            let revisions = plural(revisions, "revision");
            let _ = writeln!(
                text,
                "\nWould write   {revisions} in 1 operation, +{added} -{removed} lines.   Would \
                 deploy   nothing."
            );
        }
        for (name, gated) in &self.gated {
            let units = plural(gated.units, "unit");
            let spaces: Vec<&str> = gated.spaces.iter().map(String::as_str).collect();
            let mut line = format!("{units} ({}): {name}", some_of(&spaces, MAX_NAMES));
            if gated.units == 1 {
                let _ = write!(line, ", {}", gated.reason);
            }
            push_wrapped(text, "Then gated    ", &line, width);
        }
        if let Some(preview) = &outcome.preview {
            write_next(text, outcome, preview);
        }
    }

    fn line_counts(&self) -> (usize, usize) {
        let mut counts = (0, 0);
        let groups = self.changes.groups().iter();
        for member in groups.flat_map(Group::members) {
            let (added, removed) = member.compared.line_counts();
            counts.0 += added;
            counts.1 += removed;
        }
        counts
    }

    /// The groups, the lines that come and go, and the gates, as `--json` shows them.
    pub(crate) fn add_to_json(&self, value: &mut Value) {
        let groups = self.changes.groups().iter().enumerate();
        value["Groups"] = groups
            .map(|(at, group)| {
                let units = group.members().iter().map(|member| &member.reference);
                json!({
                    "Letter": letter(at),
                    "Units": units.collect::<Vec<_>>(),
                    "Places": group.shown().map(|shown| shown.compared.place_lines()),
                    "Lines": group.shown().map(|shown| shown.compared.hunks()),
                    "Replaces": self.replaced.get(at),
                })
            })
            .collect();
        let (added, removed) = self.line_counts();
        value["LinesAdded"] = added.into();
        value["LinesRemoved"] = removed.into();
        let gated = self.gated.iter();
        value["Gated"] = gated
            .map(|(name, gated)| {
                json!({ "Gate": name, "Units": gated.units, "Spaces": gated.spaces })
            })
            .collect();
    }
}

/// The name of the preview and the command, then the counts.
fn heading(outcome: &Outcome, width: usize) -> String {
    let mut text = String::new();
    let counts = counts(outcome);
    let named: Vec<&str> = ["PREVIEW"]
        .into_iter()
        .chain(outcome.preview.as_deref())
        .collect();
    let named = named.join(" ");
    if outcome.verb.is_empty() {
        let _ = writeln!(text, "{named}   {counts}");
    } else {
        push_wrapped(&mut text, &format!("{named}   "), &outcome.verb, width);
        let _ = writeln!(text, "{counts}");
    }
    text
}

/// `40 units matched in 5 spaces:   34 would change   1 FAILS`.
fn counts(outcome: &Outcome) -> String {
    let spaces: BTreeSet<&str> = outcome.reports.iter().map(space_of).collect();
    let units = plural(outcome.reports.len(), "unit");
    let mut text = format!("{units} matched in {}", plural(spaces.len(), "space"));
    let reports = outcome.reports.iter();
    let created = reports
        .filter(|report| matches!(report.status, Status::Created))
        .count();
    let failed = if outcome.failed() == 1 {
        "FAILS"
    } else {
        "FAIL"
    };
    let mut gap = ":   ";
    for (count, word) in [
        (created, "would be created"),
        (outcome.changed() - created, "would change"),
        (outcome.unchanged(), "unchanged"),
        (outcome.skipped(), "skipped"),
        (outcome.failed(), failed),
    ] {
        if count > 0 {
            let _ = write!(text, "{gap}{count} {word}");
            gap = "   ";
        }
    }
    text
}

fn space_of(report: &UnitReport) -> &str {
    report
        .reference
        .split_once('/')
        .map_or("", |(space, _)| space)
}

/// A letter for a change of the data, `~` for one beside it, and what is not changed.
fn sign(report: &UnitReport, letters: &BTreeMap<&str, String>) -> String {
    let letter = letters.get(report.reference.as_str()).cloned();
    let sign = match &report.status {
        Status::Created | Status::Changed => return letter.unwrap_or_else(|| "~".to_owned()),
        Status::Unchanged => "=",
        Status::Skipped(_) => "-",
        Status::Failed(_) => "!",
    };
    sign.to_owned()
}

fn write_change(text: &mut String, compared: &Compared, outcome: &Outcome) {
    let places = compared.place_lines();
    for line in places.iter().take(MAX_PLACES) {
        let _ = writeln!(text, "   {line}");
    }
    if places.len() > MAX_PLACES {
        let more = plural(places.len() - MAX_PLACES, "other place");
        let _ = writeln!(text, "   … and {more}");
    }
    for line in compared.hunks().lines().take(MAX_LINES) {
        let _ = writeln!(text, "{line}");
    }
    let rest = compared.hunks().lines().skip(MAX_LINES).count();
    if rest > 0 {
        let _ = write!(text, "   … and {}", plural(rest, "more line"));
        write_where_all_is(text, outcome);
    }
}

fn write_where_all_is(text: &mut String, outcome: &Outcome) {
    match &outcome.preview {
        Some(preview) => {
            let _ = writeln!(text, ": windlass diff {preview} --each");
        }
        None => text.push('\n'),
    }
}

fn write_next(text: &mut String, outcome: &Outcome, preview: &str) {
    let failed = outcome.reports.iter();
    let failed: Vec<&str> = failed
        .filter(|report| matches!(report.status, Status::Failed(_)))
        .map(|report| report.reference.as_str())
        .collect();
    text.push('\n');
    let (commit, what) = match failed.as_slice() {
        [] => (
            format!("windlass commit {preview}"),
            "write exactly this".to_owned(),
        ),
        failed => {
            let count = failed.len();
            let _ = writeln!(
                text,
                "Cannot be committed as it stands: a bulk change is all or none and {} {}.",
                plural(count, "unit"),
                if count == 1 { "fails" } else { "fail" }
            );
            (
                format!("windlass commit {preview} --except {}", failed.join(",")),
                format!("write the other {}", outcome.changed()),
            )
        }
    };
    let diff = format!("windlass diff {preview} --each");
    let width = commit.width().max(diff.width());
    let _ = writeln!(text, "  {commit:width$}    {what}");
    let _ = writeln!(text, "  {diff:width$}    every unit, not grouped");
    let units = match outcome.reports.len() {
        1 => "the unit".to_owned(),
        count => format!("one of the {count} units"),
    };
    let _ = writeln!(text, "{preview} is valid until {units} moves.");
}
