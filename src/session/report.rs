//! What a script hands over at its end: tables of its own, and reports with the same as data.

use rhai::{Array, Dynamic, Engine, Map, NativeCallContext};

use crate::app::style;
use crate::app::table::{Cell, Table};
use crate::error::{Error, Kind, Result};
use crate::ops::Output;
use crate::session::convert::{Scripted, scripted, to_json, to_texts};
use crate::session::outcome::ScriptOutcome;
use crate::session::preview::ScriptPreview;
use crate::session::selection::ScriptTable;

/// Lines for people, the same as data, and an exit code.
#[derive(Clone)]
pub(super) struct ScriptReport(pub(super) Output);

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("table", |rows: Array| scripted(table(&rows, None)))
        .register_fn("table", |rows: Array, columns: Array| {
            scripted((|| table(&rows, Some(to_texts(&columns)?)))())
        });
    engine
        .register_type_with_name::<ScriptReport>("Report")
        .register_fn(
            "report",
            |context: NativeCallContext<'_>, shown: Dynamic, value: Dynamic| {
                report(&lines(&context, shown)?, &value, 0)
            },
        )
        .register_fn(
            "report",
            |context: NativeCallContext<'_>, shown: Dynamic, value: Dynamic, exit_code: i64| {
                report(&lines(&context, shown)?, &value, exit_code)
            },
        )
        .register_fn("to_string", |report: &mut ScriptReport| report.plain())
        .register_fn("to_debug", |report: &mut ScriptReport| report.plain())
        // What `print` shows: the text of `to_string`, with styles.
        .register_fn("print", |report: &mut ScriptReport| report.text())
        .register_fn("print", |table: &mut ScriptTable| format!("{:#}", table.0))
        .register_fn("print", |outcome: &mut ScriptOutcome| outcome.styled())
        .register_fn("print", |preview: &mut ScriptPreview| preview.styled());
}

/// How a value is shown where it has a form with styles.
pub(super) fn styled(value: &Dynamic) -> Option<String> {
    if let Some(table) = value.read_lock::<ScriptTable>() {
        return Some(format!("{:#}", table.0));
    }
    if let Some(outcome) = value.read_lock::<ScriptOutcome>() {
        return Some(outcome.styled());
    }
    if let Some(preview) = value.read_lock::<ScriptPreview>() {
        return Some(preview.styled());
    }
    if let Some(report) = value.read_lock::<ScriptReport>() {
        return Some(report.text());
    }
    None
}

impl ScriptReport {
    fn text(&self) -> String {
        match &self.0 {
            Output::Report { text, .. } => text.clone(),
            _ => String::new(),
        }
    }

    fn plain(&self) -> String {
        style::plain(&self.text())
    }
}

/// What is shown, as `print` shows it; a list is one thing after another.
fn lines(context: &NativeCallContext<'_>, shown: Dynamic) -> Scripted<String> {
    let parts = if shown.is_array() {
        shown.into_array().unwrap_or_default()
    } else {
        vec![shown]
    };
    let mut text = String::new();
    for part in parts {
        let part = match styled(&part) {
            Some(text) => text,
            None => context.call_native_fn("to_string", (part.clone(),))?,
        };
        text.push_str(&super::with_newline(&part));
    }
    Ok(text)
}

fn report(text: &str, value: &Dynamic, exit_code: i64) -> Scripted<ScriptReport> {
    scripted((|| {
        let exit_code = u8::try_from(exit_code).map_err(|_| {
            Error::new(
                Kind::Usage,
                format!("expected an exit code from 0 to 255, found {exit_code}"),
            )
        })?;
        Ok(ScriptReport(Output::Report {
            text: super::with_newline(text),
            value: to_json(value)?,
            exit_code,
        }))
    })())
}

/// A table of maps; the columns are the keys of the first, sorted, where none are given.
pub(super) fn table(rows: &[Dynamic], columns: Option<Vec<String>>) -> Result<ScriptTable> {
    let mut maps = Vec::with_capacity(rows.len());
    for row in rows {
        let map = row.read_lock::<Map>().ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("expected a list of maps, found a {} in it", row.type_name()),
            )
        })?;
        maps.push(map.clone());
    }
    let columns = columns.unwrap_or_else(|| {
        let first = maps.first().into_iter().flat_map(Map::keys);
        first.map(ToString::to_string).collect()
    });
    let mut table = Table::new(columns.clone());
    for map in &maps {
        let cell = |column: &String| {
            let value = map.get(column.as_str()).map(to_json).transpose()?;
            Ok(Cell::from(value.unwrap_or_default()))
        };
        table.push(columns.iter().map(cell).collect::<Result<_>>()?);
    }
    Ok(ScriptTable(table))
}
