//! Why units would not get another text, in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::app::dry_run::wrapped::push_wrapped;
use crate::app::outcome::{Outcome, Status, UnitReport, plural};

/// How many different reasons for one sign.
const MAX_REASONS: usize = 8;

/// How many units are named for one reason, and how many spaces for one unit.
pub(super) const MAX_NAMES: usize = 6;

/// Why units would not get another text: a line for each reason.
pub(super) fn write_reasons(
    text: &mut String,
    outcome: &Outcome,
    letters: &BTreeMap<&str, String>,
    width: usize,
) {
    let of = |reason: &dyn Fn(&UnitReport) -> Option<String>| {
        let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
        for report in &outcome.reports {
            let Some(reason) = reason(report) else {
                continue;
            };
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, units)) => units.push(&report.reference),
                None => reasons.push((reason, vec![&report.reference])),
            }
        }
        reasons
    };
    let or =
        |note: &str, reason: &str| Some(if note.is_empty() { reason } else { note }.to_owned());
    let beside = of(&|report| match &report.status {
        Status::Created | Status::Changed if !letters.contains_key(report.reference.as_str()) => {
            or("", "not its text, but what is kept beside it")
        }
        _ => None,
    });
    let unchanged = of(&|report| match &report.status {
        Status::Unchanged => or(&report.note, "as asked already"),
        _ => None,
    });
    let skipped = of(&|report| match &report.status {
        Status::Skipped(reason) => Some(reason.clone()),
        _ => None,
    });
    let failed = of(&|report| match &report.status {
        Status::Failed(error) => {
            let hints = error.hints().iter().map(|hint| format!("\n→ {hint}"));
            let hints: String = hints.collect();
            Some(format!("{error}{hints}"))
        }
        _ => None,
    });
    let digits = outcome.reports.len().to_string().len();
    let all = [
        ("~", "changed", beside),
        ("=", "unchanged", unchanged),
        ("-", "skipped", skipped),
        ("!", "failed", failed),
    ];
    if all.iter().any(|(_, _, reasons)| !reasons.is_empty()) {
        text.push('\n');
    }
    for (sign, word, reasons) in all {
        for (reason, units) in reasons.iter().take(MAX_REASONS) {
            let head = format!("{sign} {:>digits$} {word:<9}  ", units.len());
            let (reason, hints) = reason.split_once('\n').unwrap_or((reason, ""));
            let line = format!("{}: {reason}", named(units));
            push_wrapped(text, &head, &line, width);
            for hint in hints.lines() {
                push_wrapped(text, &" ".repeat(head.width()), hint, width);
            }
        }
        if reasons.len() > MAX_REASONS {
            let rest = reasons.iter().skip(MAX_REASONS);
            let units: usize = rest.map(|(_, units)| units.len()).sum();
            let _ = writeln!(text, "{sign} … and {} {word}", plural(units, "unit"));
        }
    }
}

/// Units by name, those of one name together: `pricing in prod-eu, prod-us; web in dev`.
fn named(references: &[&str]) -> String {
    if let [one] = references {
        return (*one).to_owned();
    }
    let mut spaces_of: Vec<(&str, Vec<&str>)> = Vec::new();
    for reference in references {
        let (space, unit) = reference.split_once('/').unwrap_or(("", reference));
        match spaces_of.iter_mut().find(|(name, _)| *name == unit) {
            Some((_, spaces)) => spaces.push(space),
            None => spaces_of.push((unit, vec![space])),
        }
    }
    let mut together: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (unit, spaces) in spaces_of {
        match together.iter_mut().find(|(_, known)| *known == spaces) {
            Some((units, _)) => units.push(unit),
            None => together.push((vec![unit], spaces)),
        }
    }
    let names: Vec<String> = together
        .iter()
        .map(|(units, spaces)| {
            let (units, spaces) = (some_of(units, MAX_NAMES), some_of(spaces, MAX_NAMES));
            format!("{units} in {spaces}")
        })
        .collect();
    let shown = &names[..names.len().min(MAX_NAMES)];
    let mut text = shown.join("; ");
    if names.len() > shown.len() {
        let _ = write!(text, "; and {} more", names.len() - shown.len());
    }
    text
}

/// The first of some names, and how many more there are.
pub(super) fn some_of(names: &[&str], most: usize) -> String {
    let shown = &names[..names.len().min(most)];
    let mut text = shown.join(", ");
    if names.len() > shown.len() {
        let _ = write!(text, " and {} more", names.len() - shown.len());
    }
    text
}
