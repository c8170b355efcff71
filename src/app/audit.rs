//! Who changed what, and when: the revisions of a unit, and single operations in full.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::blame::reference_of;
use crate::app::history::message_of;
use crate::app::outcome::plural;
use crate::app::show::source_word;
use crate::app::table::{Cell, Table};
use crate::app::undo::known::name_of;
use crate::app::undo::ledger::{Ledger, Word};
use crate::db::{Before, Key, Role, View};
use crate::error::{Error, Kind, Result};
use crate::id::{OpId, UnitId};
use crate::model::{Operation, Revision, Unit};
use crate::yaml::diff;

/// How many units, and how many paths of each, are told of an operation.
const SHOWN_UNITS: usize = 50;
const SHOWN_PATHS: usize = 8;

/// What is said of a change: the message of its operation where there is one, else what it was.
fn change_of(view: &View, revision: &Revision) -> Result<String> {
    let message = message_of(view, revision.op)?;
    Ok(message.unwrap_or_else(|| revision.description.clone()))
}

impl App {
    /// A unit's revisions, the newest first: number, author, time and change.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn revision_table(&self, unit: UnitId, limit: Option<usize>) -> Result<Table> {
        self.read(|view| {
            let columns = ["Num", "User", "Time", "Change", "Source", "Description"];
            let mut table = Table::new(columns).headed(["Rev", "Author", "Timestamp", "Change"]);
            for revision in view.revisions(unit, limit.unwrap_or(usize::MAX))? {
                let change = change_of(view, &revision)?;
                table.push(vec![
                    Cell::from(Value::from(revision.num)),
                    Cell::text(revision.author),
                    Cell::text(revision.at.to_minutes()),
                    Cell::from(Value::from(change)),
                    Cell::text(source_word(&revision.source)),
                    Cell::text(revision.description),
                ]);
            }
            Ok(table)
        })
    }

    /// The same as lines: `Rev 47: 2024-01-16 09:15 UTC | alice@trading.com | set A=true`. Of a
    /// message of several lines the first is shown.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn history(&self, unit: UnitId, limit: Option<usize>) -> Result<String> {
        self.read(|view| {
            let mut lines = Vec::new();
            for revision in view.revisions(unit, limit.unwrap_or(usize::MAX))? {
                let change = change_of(view, &revision)?;
                let (num, at) = (revision.num, revision.at.to_minutes());
                let (author, change) = (revision.author, change.lines().next().unwrap_or_default());
                lines.push(format!("Rev {num}: {at} | {author} | {change}"));
            }
            Ok(lines.join("\n"))
        })
    }

    /// One operation with all that it changed, as text and as data.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none of this number.
    pub fn operation_shown(&self, op: OpId) -> Result<(String, Value)> {
        self.read(|view| {
            let Some(last) = view
                .last_operation()?
                .filter(|last| op.0 > 0 && op <= *last)
            else {
                return Err(Error::new(
                    Kind::NotFound,
                    format!("expected an operation of the log, found {op}"),
                )
                .hint("windlass log lists them"));
            };
            let operation = view.operation(op)?;
            let undone_by = if op == last {
                None
            } else {
                Ledger::read(view, op)?.undone_by(op)
            };
            let units = units_of(view, &operation)?;
            let others = others_of(view, op)?;
            let text = as_text(&operation, undone_by, &units, &others);
            Ok((text, as_json(&operation, undone_by, &units, &others)))
        })
    }
}

/// What an operation made of a unit.
struct Touched {
    reference: String,
    before: u32,
    after: u32,
    paths: Vec<String>,
}

impl Touched {
    fn revisions(&self) -> String {
        match (self.before, self.after) {
            (0, after) => format!("made, r{after}"),
            (before, 0) => format!("r{before}, deleted"),
            (before, after) if before == after => format!("r{after}, data as before"),
            (before, after) => format!("r{before} → r{after}"),
        }
    }
}

/// The units whose records an operation changed.
fn units_of(view: &View, operation: &Operation) -> Result<Vec<Touched>> {
    let mut touched = Vec::new();
    for change in view.net_changes(operation.id)? {
        let Key::Unit(id) = change.key else {
            continue;
        };
        let old: Option<Unit> = change.before.record()?;
        let before = old.as_ref().map_or(0, |old| old.head);
        let made = newest_of(view, id, operation.id, before)?;
        let after = match (&made, change.after) {
            (_, None) => 0,
            (Some(made), _) => made.num,
            (None, _) => before,
        };
        let mut paths = Vec::new();
        if let (Some(old), Some(made)) = (&old, &made) {
            let (old, new) = (view.stream(&old.data)?, view.stream(&made.data)?);
            let places = diff(&old, &new).into_iter();
            paths.extend(places.map(|place| format!("{} {}", place.resource, place.path)));
        }
        let reference = match (view.find_unit_by_id(id)?, &old) {
            (None, Some(old)) => {
                let space = view.find_space_by_id(old.space)?;
                let space = space.map_or_else(|| old.space.to_string(), |space| space.slug.into());
                format!("{space}/{}", old.slug)
            }
            _ => reference_of(view, id)?,
        };
        touched.push(Touched {
            reference,
            before,
            after,
            paths,
        });
    }
    Ok(touched)
}

/// The newest revision of a unit that an operation made.
fn newest_of(view: &View, unit: UnitId, op: OpId, before: u32) -> Result<Option<Revision>> {
    let mut newest = None;
    for num in before + 1.. {
        match view.revision(unit, num) {
            Ok(revision) if revision.op == op => newest = Some(revision),
            Ok(_) | Err(crate::db::Error::NotFound { .. }) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(newest)
}

/// The records beside units that an operation changed, in words.
fn others_of(view: &View, op: OpId) -> Result<Vec<String>> {
    let mut others = Vec::new();
    let mut cluster = 0;
    for change in view.net_changes(op)? {
        match change.key.role() {
            Role::Cluster => cluster += 1,
            Role::Record if !matches!(change.key, Key::Unit(_)) => {
                // What was made and is gone again has only its number left.
                let stored = match change.before.bytes(&change.key)? {
                    Some(before) => Some(before.to_vec()),
                    None => view.stored(&change.key)?,
                };
                let name = match stored {
                    Some(stored) => name_of(&change.key, &stored)?,
                    None => format!("{:?}", change.key),
                };
                let word = match (&change.before, change.after) {
                    (Before::Nothing, _) => "made",
                    (_, None) => "deleted",
                    _ => "changed",
                };
                others.push(format!("{name}: {word}"));
            }
            Role::Record | Role::Kept => {}
        }
    }
    if cluster > 0 {
        others.push(format!("{} of the cluster", plural(cluster, "record")));
    }
    Ok(others)
}

fn as_text(
    operation: &Operation,
    undone_by: Option<OpId>,
    units: &[Touched],
    others: &[String],
) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("operation", operation.id.to_string());
    let fixed = if operation.clock_fixed {
        "  (WINDLASS_CLOCK)"
    } else {
        ""
    };
    line("time", format!("{}{fixed}", operation.at.to_minutes()));
    line("actor", operation.actor.clone());
    line("verb", operation.verb.clone());
    if !matches!(operation.args.as_str(), "null" | "{}") {
        line("arguments", operation.args.clone());
    }
    if let Some(message) = &operation.message {
        line("message", message.clone());
    }
    if let Some(run) = operation.run {
        line("run", run.to_string());
    }
    line("previous", operation.previous.short());
    line("hash", operation.hash.short());
    if let Some((_, undoes)) = Word::of(operation) {
        let undoes: Vec<String> = undoes.iter().map(ToString::to_string).collect();
        line("undoes", undoes.join(", "));
    }
    if let Some(by) = undone_by {
        line("undone by", by.to_string());
    }
    for unit in units.iter().take(SHOWN_UNITS) {
        let _ = writeln!(text, "\n{}  {}", unit.reference, unit.revisions());
        for path in unit.paths.iter().take(SHOWN_PATHS) {
            let _ = writeln!(text, "  {path}");
        }
        if unit.paths.len() > SHOWN_PATHS {
            let _ = writeln!(text, "  and {} more", unit.paths.len() - SHOWN_PATHS);
        }
    }
    if units.len() > SHOWN_UNITS {
        let more = plural(units.len() - SHOWN_UNITS, "unit");
        let _ = writeln!(text, "\nand {more} more; --json shows all");
    }
    if !others.is_empty() {
        text.push('\n');
    }
    for other in others {
        let _ = writeln!(text, "{other}");
    }
    text
}

fn as_json(
    operation: &Operation,
    undone_by: Option<OpId>,
    units: &[Touched],
    others: &[String],
) -> Value {
    let undoes = Word::of(operation)
        .map(|(_, undoes)| undoes)
        .unwrap_or_default();
    let units = units.iter().map(|unit| {
        json!({
            "Unit": unit.reference,
            "Before": unit.before,
            "After": unit.after,
            "Paths": unit.paths,
        })
    });
    json!({
        "Operation": operation.id.to_string(),
        "Time": operation.at.to_minutes(),
        "ClockFixed": operation.clock_fixed,
        "Actor": operation.actor,
        "Verb": operation.verb,
        "Arguments": serde_json::from_str::<Value>(&operation.args).unwrap_or(Value::Null),
        "Message": operation.message,
        "Run": operation.run.map(|run| run.to_string()),
        "Previous": operation.previous,
        "Hash": operation.hash,
        "Undoes": undoes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "UndoneBy": undone_by.map(|by| by.to_string()),
        "Units": units.collect::<Vec<_>>(),
        "Others": others,
    })
}
