//! Changesets as people read them.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::outcome::plural;
use crate::app::table::{Cell, Table};
use crate::db::View;
use crate::error::Result;
use crate::model::{ChangeSet, ChangeSetState, Hash, Pinned};
use crate::yaml::{Difference, diff};

/// A changeset as a text and as data.
#[derive(Debug, Clone)]
pub struct Described {
    /// The tree of its entries and its state.
    pub text: String,
    /// The same for programs.
    pub value: Value,
}

impl App {
    /// A changeset with what it changes, and who answers for it.
    ///
    /// # Errors
    /// [`NotFound`](crate::error::Kind::NotFound) when there is none of that name.
    pub fn describe_changeset(&self, slug: &str) -> Result<Described> {
        let changeset = self.changeset(slug)?;
        let rows = self.read(|view| entries(view, &changeset))?;
        let mut text = format!("Changeset: {}\n", changeset.slug);
        for (at, row) in rows.iter().enumerate() {
            let branch = if at + 1 == rows.len() {
                "└──"
            } else {
                "├──"
            };
            let _ = writeln!(
                text,
                "{branch} {} ({}: owned by {})",
                row.reference, row.change, row.owner
            );
        }
        let _ = writeln!(text, "Status: {}", status(&changeset));
        let entries: Vec<Value> = rows.iter().map(Row::to_json).collect();
        let value = json!({
            "Name": changeset.slug,
            "Description": changeset.description,
            "State": changeset.state,
            "Reason": changeset.reason,
            "Filter": changeset.clause,
            "Created": changeset.created.to_string(),
            "CreatedBy": changeset.created_by,
            "Applied": changeset.applied.map(|at| at.to_string()),
            "Entries": entries,
        });
        Ok(Described { text, value })
    }

    /// The entries of a changeset: unit, from, to, owner and what changes.
    ///
    /// # Errors
    /// As [`Self::describe_changeset`].
    pub fn changeset_entries(&self, slug: &str) -> Result<Table> {
        let changeset = self.changeset(slug)?;
        let mut table = Table::new(["Unit", "From", "To", "Owner", "Change"]);
        for row in self.read(|view| entries(view, &changeset))? {
            table.push(vec![
                Cell::text(row.reference),
                Cell::text(row.from),
                Cell::text(row.to),
                Cell::text(row.owner),
                Cell::text(row.change),
            ]);
        }
        Ok(table)
    }

    /// All changesets.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn changeset_table(&self) -> Result<Table> {
        self.read(|view| {
            let columns = [
                "Name",
                "State",
                "Units",
                "Filter",
                "Created",
                "CreatedBy",
                "Description",
            ];
            let mut table = Table::new(columns);
            for changeset in view.changesets()? {
                table.push(vec![
                    Cell::text(changeset.slug.as_str()),
                    Cell::text(changeset.state.to_string()),
                    Cell::from(Value::from(changeset.entries.len())),
                    Cell::text(changeset.clause.unwrap_or_default()),
                    Cell::text(changeset.created.to_minutes()),
                    Cell::text(changeset.created_by),
                    Cell::text(changeset.description),
                ]);
            }
            Ok(table)
        })
    }
}

/// What has become of a changeset, in words.
fn status(changeset: &ChangeSet) -> String {
    match (changeset.state, &changeset.reason) {
        (ChangeSetState::Applied, _) => "Applied atomically".to_owned(),
        (ChangeSetState::Discarded, _) => "Discarded".to_owned(),
        (ChangeSetState::Open, None) => "Open".to_owned(),
        (ChangeSetState::Open, Some(reason)) => format!("Open; it was refused: {reason}"),
    }
}

struct Row {
    reference: String,
    from: String,
    to: String,
    owner: String,
    change: String,
}

impl Row {
    fn to_json(&self) -> Value {
        json!({
            "Unit": self.reference,
            "From": self.from,
            "To": self.to,
            "Owner": self.owner,
            "Change": self.change,
        })
    }
}

fn entries(view: &View, changeset: &ChangeSet) -> Result<Vec<Row>> {
    let rows = changeset.entries.iter().map(|entry| {
        let (reference, head) = match view.find_unit_by_id(entry.unit)? {
            None => (format!("{} (deleted)", entry.unit), None),
            Some(unit) => {
                let space = view.space(unit.space)?;
                (format!("{}/{}", space.slug, unit.slug), Some(unit.head))
            }
        };
        let (from, to, change) = match &entry.pinned {
            Pinned::Staged(staged) => {
                let before = match head {
                    None => None,
                    Some(_) => Some(view.revision(entry.unit, staged.base)?.data),
                };
                let to = match changeset.state {
                    ChangeSetState::Applied => format!("r{}", staged.base + 1),
                    ChangeSetState::Open | ChangeSetState::Discarded => "staged".to_owned(),
                };
                let change = match before {
                    None => staged.description.clone(),
                    Some(before) => brief(view, &before, &staged.data)?,
                };
                (format!("r{}", staged.base), to, change)
            }
            Pinned::Present { head: pinned, live } => {
                let live = live.map_or_else(|| "none".to_owned(), |live| format!("r{live}"));
                let from = head.map_or_else(String::new, |head| format!("r{head}"));
                (
                    from,
                    format!("r{pinned}"),
                    format!("head r{pinned}, live {live}"),
                )
            }
        };
        Ok(Row {
            reference,
            from,
            to,
            owner: entry.owner.clone(),
            change,
        })
    });
    rows.collect()
}

/// A change in few words: `v1 → v2` for one image, `spec.replicas 3 → 5` for one value, else the
/// number of places.
fn brief(view: &View, before: &Hash, after: &Hash) -> Result<String> {
    let changes = diff(&view.stream(before)?, &view.stream(after)?);
    Ok(match changes.as_slice() {
        [] => "bookkeeping".to_owned(),
        [one] => one_change(one),
        [first, rest @ ..] => format!("{} and {}", first.path, plural(rest.len(), "other place")),
    })
}

fn one_change(change: &Difference) -> String {
    let path = change.path.to_string();
    let side = |value: &Option<Value>| match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) if other.is_object() || other.is_array() => "…".to_owned(),
        Some(other) => other.to_string(),
    };
    let (before, after) = (side(&change.before), side(&change.after));
    if path.rsplit('.').next() == Some("image")
        && let (Some((was, from)), Some((is, to))) =
            (before.rsplit_once(':'), after.rsplit_once(':'))
    {
        if was == is || was.rsplit('/').next() == is.rsplit('/').next() {
            return format!("{from} → {to}");
        }
        return format!("{before} → {after}");
    }
    format!("{path} {before} → {after}")
}
