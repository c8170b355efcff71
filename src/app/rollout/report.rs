//! What a rollout that failed leaves behind: why, what runs now, and what to run next.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::app::App;
use crate::app::drift::shown;
use crate::app::outcome::Status as Done;
use crate::app::table::{Cell, Table};
use crate::clock::Timestamp;
use crate::deploy::{LiveState, ObjectState, Phase, PodState};
use crate::error::Result;
use crate::id::{ApplyId, UnitId};
use crate::model::Status;
use crate::yaml::{Difference, diff};

/// How many pods, and how many changed fields, are shown.
const MAX_ROWS: usize = 5;

/// Values that are longer than this many characters are cut short.
const MAX_VALUE: usize = 40;

/// One unit of a rollout.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) unit: UnitId,
    pub(crate) reference: String,
    pub(crate) order: Option<String>,
    /// The revision that was live before; 0 for none.
    pub(crate) before: u32,
    pub(crate) revision: u32,
    /// `1 changed, 1 same`.
    pub(crate) objects: String,
    pub(crate) is_change: bool,
    pub(crate) status: Done,
    pub(crate) live: Option<LiveState>,
}

impl Told {
    fn has_failed(&self) -> bool {
        matches!(self.status, Done::Failed(_))
    }

    fn is_sent(&self) -> bool {
        !matches!(self.status, Done::Skipped(_))
    }

    fn is_ready(&self) -> bool {
        self.live
            .as_ref()
            .is_some_and(|live| live.status == Status::Ready)
    }

    fn name(&self) -> String {
        format!("{} r{}", self.reference, self.revision)
    }
}

/// What a rollout did, unit by unit in the order of sending.
#[derive(Debug, Clone)]
pub struct RolloutReport {
    pub(crate) apply: Option<ApplyId>,
    is_waiting: bool,
    units: Vec<Told>,
}

impl RolloutReport {
    pub(crate) fn new(is_waiting: bool) -> Self {
        Self {
            apply: None,
            is_waiting,
            units: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, unit: Told) {
        self.units.push(unit);
    }

    fn failed(&self) -> Option<&Told> {
        self.units.iter().find(|unit| unit.has_failed())
    }

    /// Whether it stopped before its end.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed().is_some()
    }

    /// The units with their order, what was sent, and what came of it.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(["Order", "Unit", "Revision", "Objects", "Result"]);
        for unit in &self.units {
            let revision = match unit.before {
                0 => format!("r{}", unit.revision),
                before if before == unit.revision => format!("r{before} ="),
                before => format!("r{before} → r{}", unit.revision),
            };
            table.push(vec![
                Cell::text(unit.order.clone().unwrap_or_default()),
                Cell::text(unit.reference.clone()),
                Cell::text(revision),
                Cell::text(if unit.is_sent() {
                    unit.objects.clone()
                } else {
                    "-".to_owned()
                }),
                Cell::text(result(unit)),
            ]);
        }
        table
    }
}

fn result(unit: &Told) -> String {
    match (&unit.status, &unit.live) {
        (Done::Failed(_), Some(live)) => format!("FAILED, {}", shortly(live)),
        (Done::Failed(_), None) => "FAILED".to_owned(),
        (Done::Skipped(reason), _) => reason.split(':').next().unwrap_or_default().to_owned(),
        (_, Some(live)) => {
            let word = live.status.as_str().to_lowercase();
            match counts(live) {
                Some((ready, wanted)) => format!("{word} {ready}/{wanted}"),
                None => word,
            }
        }
        (status, None) => status.word().to_owned(),
    }
}

fn counts(live: &LiveState) -> Option<(u32, u32)> {
    let workloads = || {
        live.objects
            .iter()
            .filter(|object| object.replicas.is_some())
    };
    workloads().next()?;
    let sum = |count: fn(&ObjectState) -> Option<u32>| workloads().filter_map(count).sum();
    Some((
        sum(|object| object.ready_replicas),
        sum(|object| object.replicas),
    ))
}

/// The first thing there is to say of what fails.
fn shortly(live: &LiveState) -> String {
    let is_failing = |object: &&ObjectState| object.status != Phase::Running;
    let failing = live.objects.iter().find(is_failing);
    let reason = failing.map_or(live.reason.as_str(), |object| object.reason.as_str());
    let first = reason.split(';').next().unwrap_or_default();
    first.replace(" replicas", "")
}

impl App {
    /// Why a rollout failed, where things stand and what to run next; nothing where it went well.
    pub(crate) fn aftermath(&self, report: &RolloutReport) -> Result<String> {
        let Some(failed) = report.failed() else {
            return Ok(String::new());
        };
        let mut text = String::new();
        let reason = match (&failed.status, &failed.live) {
            (_, Some(live)) if !live.reason.is_empty() => live.reason.clone(),
            (Done::Failed(error), _) => error.to_string(),
            _ => String::new(),
        };
        let _ = writeln!(text, "FAILED   {}: {reason}\n", failed.name());
        let pods = failed.live.iter().flat_map(|live| &live.objects);
        let pods: Vec<&PodState> = pods.flat_map(|object| &object.pods).collect();
        if !pods.is_empty() {
            text.push_str(&indented(&pod_table(&pods, self.now()).to_string()));
        }
        text.push_str(&self.causes(failed)?);
        text.push_str(&stands(report));
        let _ = writeln!(text, "\nNext");
        for (command, what) in next(report, failed) {
            let _ = writeln!(text, "  {command:<44} {what}");
        }
        Ok(text)
    }

    /// What this apply changed in the unit that failed.
    fn causes(&self, failed: &Told) -> Result<String> {
        if failed.before == 0 || failed.before == failed.revision {
            return Ok(String::new());
        }
        let (before, after, made) = self.read(|view| {
            let old = view.revision(failed.unit, failed.before)?;
            let new = view.revision(failed.unit, failed.revision)?;
            Ok((view.stream(&old.data)?, view.stream(&new.data)?, new))
        })?;
        let changes: Vec<Difference> = diff(&before, &after);
        let mut text = String::new();
        for (number, change) in changes.iter().take(MAX_ROWS).enumerate() {
            let head = if number == 0 {
                "cause in this apply:"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "  {head:<20} {}   {} → {}",
                change.path,
                briefly(change.before.as_ref()),
                briefly(change.after.as_ref())
            );
        }
        if changes.len() > MAX_ROWS {
            let _ = writeln!(text, "  {:<20} and {} more", "", changes.len() - MAX_ROWS);
        }
        let _ = writeln!(
            text,
            "  {:<20} r{}, {}, {}, {}, {}",
            "",
            made.num,
            made.author,
            made.at.to_minutes(),
            made.description,
            made.op
        );
        Ok(text)
    }
}

/// A value, cut short where it is long.
fn briefly(value: Option<&Value>) -> String {
    let text = shown(value);
    match text.char_indices().nth(MAX_VALUE) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn pod_table(pods: &[&PodState], now: Timestamp) -> Table {
    let mut table = Table::new(["Pod", "Node", "Since", "State", "Reason"]);
    for pod in pods.iter().take(MAX_ROWS) {
        let since = pod.since.map(|since| age(since, now)).unwrap_or_default();
        table.push(vec![
            Cell::text(pod.pod.clone()),
            Cell::text(pod.node.clone()),
            Cell::text(since),
            Cell::text(pod.state.clone()),
            Cell::text(pod.reason.clone()),
        ]);
    }
    table
}

/// `45s`, `1m01s`, `2h05m`.
fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = (now.microseconds() - since.microseconds()).max(0) / 1_000_000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| format!("  {line}\n"));
    lines.collect()
}

/// What runs now.
fn stands(report: &RolloutReport) -> String {
    let mut groups: BTreeMap<u8, (&str, Vec<String>)> = BTreeMap::new();
    for unit in &report.units {
        let (place, word, name) = match unit {
            unit if !unit.is_sent() => (3, "not sent", unit.reference.clone()),
            unit if unit.has_failed() && unit.live.is_none() => {
                (2, "not all of it sent", unit.name())
            }
            unit if unit.is_ready() || !report.is_waiting => (0, "live", unit.name()),
            unit => (1, "live, not ready", unit.name()),
        };
        groups
            .entry(place)
            .or_insert((word, Vec::new()))
            .1
            .push(name);
    }
    let mut text = "\nWhere things stand\n".to_owned();
    for (word, names) in groups.values() {
        let _ = writeln!(text, "  {word:<18} {}", names.join(", "));
    }
    let _ = writeln!(text, "  {:<18} unchanged; heads are as before", "the store");
    text
}

/// Commands, and what each does.
fn next(report: &RolloutReport, failed: &Told) -> Vec<(String, String)> {
    let mut commands = Vec::new();
    let reference = &failed.reference;
    if let Some(apply) = report.apply {
        let changed = report
            .units
            .iter()
            .filter(|unit| unit.is_change && unit.is_sent())
            .count();
        if changed > 0 {
            commands.push((
                format!("windlass rollback {apply}"),
                format!("put the {changed} sent back, hold them"),
            ));
        }
        commands.push((
            format!("windlass unit apply --resume {apply}"),
            "after the fix: what failed, and what was not sent".to_owned(),
        ));
    }
    commands.push((
        format!("windlass why {reference}"),
        "everything that is known of it".to_owned(),
    ));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (seconds, expected) in [(0, "0s"), (61, "1m01s"), (7_500, "2h05m"), (-5, "0s")] {
            let now = Timestamp::from_microseconds(seconds * 1_000_000);
            assert_eq!(age(Timestamp::default(), now), expected);
        }
    }
}
