//! Conflict rows as clauses see them: what is in the row, and the attributes of its unit.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::app::App;
use crate::app::conflict::state_word;
use crate::app::record::UnitRecord;
use crate::app::related::Related;
use crate::error::Result;
use crate::model::Conflict;
use crate::path::{Path, Segment};
use crate::query::{self, FieldRef, Query, Record, Value};

/// What a clause may ask of a row.
const WORDS: [&str; 8] = [
    "ID", "Path", "Resource", "Reason", "State", "Base", "Local", "Incoming",
];

impl App {
    /// The rows that meet a clause over `Path`, `Resource`, `Reason`, `State`, `Base`, `Local`,
    /// `Incoming`, `ID` and the attributes of their units.
    ///
    /// # Errors
    /// When the clause cannot be read.
    pub fn conflicts_where(&self, rows: Vec<Conflict>, clause: &str) -> Result<Vec<Conflict>> {
        let query = query::parse(&lowered(clause))?;
        self.read(|view| {
            let mut related = Related::new(view);
            let mut found = Vec::new();
            for row in rows {
                let unit = view.unit(row.unit)?;
                let facts = related.facts(&unit)?;
                let is_meant = UnitRecord::with(view, &unit, &facts, true, &mut |unit| {
                    meets(&query, unit, &row)
                })?;
                if is_meant {
                    found.push(row);
                }
            }
            Ok(found)
        })
    }
}

fn meets(query: &Query, unit: &UnitRecord<'_>, row: &Conflict) -> bool {
    let values = BTreeMap::from([
        ("id", row.id.to_string()),
        ("path", row.row.path.to_string()),
        ("resource", row.row.resource.to_string()),
        ("reason", row.row.reason.describe().to_owned()),
        ("state", state_word(row.row.state).to_owned()),
        ("base", row.row.base.clone().unwrap_or_default()),
        ("local", row.row.local.clone().unwrap_or_default()),
        ("incoming", row.row.incoming.clone().unwrap_or_default()),
    ]);
    query.matches(&RowRecord { unit, values })
}

/// The words for what is in a row, written as data paths, which begin with a small letter. Every
/// other character stays where it is, so that errors point at the right column.
fn lowered(clause: &str) -> String {
    let mut text = String::with_capacity(clause.len());
    let mut quote = None;
    let mut word = String::new();
    for c in clause.chars().chain(['\n']) {
        if quote.is_none() && (c.is_alphanumeric() || matches!(c, '_' | '.')) {
            word.push(c);
            continue;
        }
        if WORDS.contains(&word.as_str()) {
            text.push_str(&word.to_lowercase());
        } else {
            text.push_str(&word);
        }
        word.clear();
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        text.push(c);
    }
    text.pop();
    text
}

struct RowRecord<'a> {
    unit: &'a UnitRecord<'a>,
    values: BTreeMap<&'static str, String>,
}

impl Record for RowRecord<'_> {
    fn field(&self, field: &FieldRef) -> Value<'_> {
        self.unit.field(field)
    }

    fn resource_count(&self) -> usize {
        self.unit.resource_count().max(1)
    }

    fn visit(&self, resource: usize, path: &Path, f: &mut dyn FnMut(Value<'_>)) {
        let own = match path.segments() {
            [Segment::Key(key)] => self.values.get(key.as_str()),
            _ => None,
        };
        match own {
            Some(value) => f(value.as_str().into()),
            None => self.unit.visit(resource, path, f),
        }
    }

    fn text(&self) -> Cow<'_, str> {
        self.unit.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_outside_quotes_are_lowered() {
        assert_eq!(
            lowered("Path LIKE '%Path' AND Space.Path = \"State\" AND State='x'"),
            "path LIKE '%Path' AND Space.Path = \"State\" AND state='x'"
        );
    }
}
