//! The operation log: listing and checking it.

use serde_json::Value;

use crate::app::App;
use crate::app::outcome::plural;
use crate::app::table::{Cell, Table};
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::OpId;
use crate::model::{Revision, RevisionRef, Unit};

/// A revision of a unit, with an error that names the unit as people do.
pub(crate) fn revision_of(view: &View, unit: &Unit, num: u32) -> Result<Revision> {
    if (1..=unit.head).contains(&num) {
        return Ok(view.revision(unit.id, num)?);
    }
    let space = view.space(unit.space)?;
    Err(Error::new(
        Kind::NotFound,
        format!(
            "expected a revision from r1 to r{} of `{}/{}`, found r{num}",
            unit.head, space.slug, unit.slug
        ),
    ))
}

/// The revision of a unit that is meant by a number or a word.
///
/// # Errors
/// [`Kind::NotFound`] when there is none.
pub(crate) fn resolve(view: &View, unit: &Unit, revision: RevisionRef) -> Result<Revision> {
    if let Some(number) = revision.number(unit) {
        return revision_of(view, unit, number).map_err(|error| match revision {
            RevisionRef::Number(_) => error,
            other => error.hint(format!("{other} is r{number} here")),
        });
    }
    let reference = format!("{}/{}", view.space(unit.space)?.slug, unit.slug);
    let why = match (revision, unit.live) {
        (RevisionRef::PreviousLive, Some(_)) => "no other revision was live before",
        _ => "nothing of it is live",
    };
    Err(Error::new(
        Kind::NotFound,
        format!("expected a revision {revision} of `{reference}`: {why}"),
    )
    .hint(format!(
        "windlass revision list {reference} shows those there are"
    )))
}

/// What was said of an operation; nothing of one that is not finished yet.
pub(crate) fn message_of(view: &View, op: OpId) -> Result<Option<String>> {
    let operation = view.find_operation(op)?;
    Ok(operation.and_then(|operation| operation.message))
}

impl App {
    /// Operations, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn log_table(&self, limit: usize) -> Result<Table> {
        self.read(|view| {
            let mut table = Table::new([
                "Operation",
                "Time",
                "Actor",
                "Units",
                "Verb",
                "Message",
                "Run",
            ]);
            for operation in view.operations(None, limit)? {
                table.push(vec![
                    Cell::text(operation.id.to_string()),
                    Cell::text(operation.at.to_minutes()),
                    Cell::text(operation.actor),
                    Cell::from(Value::from(operation.units.len())),
                    Cell::text(operation.verb),
                    Cell::text(operation.message.unwrap_or_default()),
                    Cell::text(operation.run.map(|run| run.to_string()).unwrap_or_default()),
                ]);
            }
            Ok(table)
        })
    }

    /// Recomputes every hash of the log and compares every record with it.
    ///
    /// # Errors
    /// When the store cannot be read; what is wrong in it is in the result.
    pub fn verify_log(&self) -> Result<LogReport> {
        self.read(|view| {
            let found = view.verify_log()?;
            Ok(LogReport {
                operations: found.operations,
                records: found.records,
                problems: found
                    .problems
                    .iter()
                    .map(|problem| match problem.op {
                        Some(op) => format!("{op}: {}", problem.what),
                        None => problem.what.clone(),
                    })
                    .collect(),
            })
        })
    }
}

/// What a check of the log found.
#[derive(Debug, Clone)]
pub struct LogReport {
    operations: u64,
    records: u64,
    problems: Vec<String>,
}

impl LogReport {
    /// 0 where history is as it was written, else 1.
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.problems.is_empty())
    }

    /// As `--json` shows it.
    pub fn to_json(&self) -> Value {
        serde_json::json!({
            "Operations": self.operations,
            "Records": self.records,
            "Problems": self.problems,
        })
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let checked = format!("{} operations, {} records", self.operations, self.records);
        if self.problems.is_empty() {
            return format!(
                "{checked}: history is as it was written\n\
                 actors are who they said they were: nothing proves it without a server\n"
            );
        }
        let problems = plural(self.problems.len(), "problem");
        format!("{checked}: {problems}\n  {}\n", self.problems.join("\n  "))
    }
}
