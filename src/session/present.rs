//! What a value looks like to a person who asked for it at a prompt: tables rather than names, YAML
//! rather than dumps.

use std::fmt::Write as _;

use rhai::{Array, Dynamic, Map};
use serde_json::Value;

use crate::app::select::Selection;
use crate::app::style;
use crate::app::table::Table;
use crate::error::Result;
use crate::ops::Output;
use crate::session::Session;
use crate::session::convert::to_json;
use crate::session::report;
use crate::session::selection::ScriptSelection;
use crate::session::space::ScriptSpace;
use crate::session::unit::ScriptUnit;
use crate::session::verbs::Addressed as _;

/// How many lines of a unit's YAML are shown with it.
const HEAD_LINES: usize = 16;

/// How many units somebody at a terminal is shown at once.
const MAX_ROWS: usize = 200;

/// A list of maps with more keys than this is no table.
const MAX_COLUMNS: usize = 10;

impl Session {
    /// What a person is shown for a value: selections, units, spaces and lists of maps as tables,
    /// maps and other lists as YAML, everything else as `print` has it.
    ///
    /// # Errors
    /// When the store cannot be read, such as for a unit that was deleted meanwhile.
    pub(super) fn present(&self, value: &Dynamic, width: Option<usize>) -> Result<Output> {
        let output = self.presented(value, width)?;
        Ok(match output {
            Output::Table(table) => Output::Table(fitted(table, width)),
            output => output,
        })
    }

    fn presented(&self, value: &Dynamic, width: Option<usize>) -> Result<Output> {
        if let Some(selection) = value.read_lock::<ScriptSelection>() {
            return self.units_table(&selection, width);
        }
        if let Some(unit) = value.read_lock::<ScriptUnit>() {
            return self.unit_card(&unit, width);
        }
        if let Some(space) = value.read_lock::<ScriptSpace>() {
            return Ok(Output::Table(self.app.space_table(space.slug()?.as_str())?));
        }
        if let Some(items) = value.read_lock::<Array>() {
            return self.list(&items);
        }
        if value.is::<Map>() {
            return Ok(yaml(value));
        }
        Ok(self.shown(value.clone()))
    }

    fn units_table(&self, selection: &ScriptSelection, width: Option<usize>) -> Result<Output> {
        let selection = selection.selection()?;
        let rest = selection.pins().len().saturating_sub(MAX_ROWS);
        if width.is_some() && rest > 0 {
            let mut first = Selection::default();
            let pins = selection.pins().iter().take(MAX_ROWS);
            pins.for_each(|pin| first.push(*pin));
            let table = fitted(self.app.table(&first, &[])?, width);
            let note = style::faint(&format!("… {rest} more units: it.table() shows all"));
            return Ok(Output::Report {
                text: format!("{table:#}{note}\n"),
                value: table.to_json(),
                exit_code: 0,
            });
        }
        if selection.pins().is_empty() {
            return Ok(Output::Report {
                text: "no units\n".to_owned(),
                value: Value::Array(Vec::new()),
                exit_code: 0,
            });
        }
        Ok(Output::Table(self.app.table(&selection, &[])?))
    }

    /// A unit's row, and the head of its YAML.
    fn unit_card(&self, unit: &ScriptUnit, width: Option<usize>) -> Result<Output> {
        let table = fitted(self.app.table(&unit.selection()?, &[])?, width);
        let data = self.app.data(unit.id(), None)?;
        let mut text = format!("{table:#}");
        if !data.is_empty() {
            text.push('\n');
        }
        for line in data.lines().take(HEAD_LINES) {
            text.push_str("  ");
            text.push_str(line);
            text.push('\n');
        }
        let rest = data.lines().count().saturating_sub(HEAD_LINES);
        if rest > 0 {
            text.push_str(&style::faint(&format!(
                "  … {rest} more lines: it.data shows all"
            )));
            text.push('\n');
        }
        let value = table.to_json();
        let value = value.get(0).cloned().unwrap_or_default();
        Ok(Output::Report {
            text,
            value,
            exit_code: 0,
        })
    }

    fn list(&self, items: &Array) -> Result<Output> {
        if let Some(units) = all::<ScriptUnit>(items) {
            let mut selection = Selection::default();
            for unit in &units {
                for pin in unit.selection()?.pins() {
                    selection.push(*pin);
                }
            }
            return Ok(Output::Table(self.app.table(&selection, &[])?));
        }
        if let Some(spaces) = all::<ScriptSpace>(items) {
            let mut whole: Option<Table> = None;
            for space in &spaces {
                let table = self.app.space_table(space.slug()?.as_str())?;
                match &mut whole {
                    None => whole = Some(table),
                    Some(whole) => table.rows().iter().for_each(|row| whole.push(row.clone())),
                }
            }
            return Ok(Output::Table(whole.unwrap_or_default()));
        }
        if is_tabular(items) {
            return Ok(Output::Table(report::table(items, None)?.0));
        }
        if items.iter().any(is_opaque) {
            let text = self.each_line(items);
            let value = text.lines().collect::<Value>();
            return Ok(Output::Report {
                text,
                value,
                exit_code: 0,
            });
        }
        Ok(yaml(&Dynamic::from(items.clone())))
    }

    /// Values that are no data, a line or more for each.
    fn each_line(&self, items: &Array) -> String {
        let mut text = String::new();
        for item in items {
            match self.shown(item.clone()) {
                Output::Text(part) | Output::Report { text: part, .. } => text.push_str(&part),
                Output::Table(table) => {
                    let _ = write!(text, "{table:#}");
                }
                Output::Outcome(outcome) => {
                    let _ = write!(text, "{outcome:#}");
                }
                Output::Record(value) => {
                    let _ = writeln!(text, "{value}");
                }
            }
        }
        text
    }
}

fn fitted(table: Table, width: Option<usize>) -> Table {
    match width {
        Some(width) => table.fitted(width),
        None => table,
    }
}

/// All items, where every one is a `T` and there is one.
fn all<T: Clone + 'static + Send + Sync>(items: &Array) -> Option<Vec<T>> {
    if items.is_empty() {
        return None;
    }
    let items = items.iter();
    items.map(|item| item.clone().try_cast::<T>()).collect()
}

/// Whether a list is rows of a table: maps with the same few keys, and only single values or short
/// lists of texts in them.
fn is_tabular(items: &Array) -> bool {
    let Some(first) = items.first().and_then(Dynamic::read_lock::<Map>) else {
        return false;
    };
    first.len() <= MAX_COLUMNS
        && !first.is_empty()
        && items.iter().all(|item| {
            item.read_lock::<Map>()
                .is_some_and(|map| map.keys().eq(first.keys()) && !map.values().any(is_nested))
        })
}

fn is_nested(value: &Dynamic) -> bool {
    let is_text = |item: &Dynamic| item.is_string();
    match value.read_lock::<Array>() {
        Some(items) => !items.iter().all(is_text),
        None => value.is_map() || is_opaque(value),
    }
}

/// Whether a value is one of ours rather than data.
fn is_opaque(value: &Dynamic) -> bool {
    to_json(value).is_err()
}

/// A map or list as YAML.
fn yaml(value: &Dynamic) -> Output {
    let Ok(json) = to_json(value) else {
        // A map with handles in it is no data: Rhai's own words have to do.
        return Output::Report {
            text: format!("{value}\n"),
            value: Value::String(value.to_string()),
            exit_code: 0,
        };
    };
    let text = match &json {
        Value::Array(items) if items.is_empty() => "[]\n".to_owned(),
        Value::Object(entries) if entries.is_empty() => "{}\n".to_owned(),
        json => serde_saphyr::to_string(json).unwrap_or_else(|_| format!("{json}\n")),
    };
    Output::Report {
        text,
        value: json,
        exit_code: 0,
    }
}
