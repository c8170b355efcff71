//! Conflicts for people: base, incoming and local, who and when, and the commands that decide.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::app::App;
use crate::app::dry_run::WIDTH;
use crate::app::gate::{OPEN_CONFLICTS, gates_of};
use crate::app::history::message_of;
use crate::app::outcome::{Outcome, Status, plural};
use crate::db::View;
use crate::error::Result;
use crate::id::{ConflictId, UnitId};
use crate::model::{Conflict, Side};
use crate::path::Path;
use crate::yaml::Stream;
use crate::yaml::merge::RowState;

/// How many conflicts a report shows in full.
const MAX_SHOWN: usize = 10;

/// Behind values that are wider than this, who and when is not aligned.
const MAX_VALUE: usize = 48;

impl App {
    /// Conflict rows in full: base, incoming and local, who and when, and why.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn describe_conflicts(&self, rows: &[Conflict]) -> Result<String> {
        let mut seen = BTreeSet::new();
        let rows = rows.iter().filter(|conflict| seen.insert(conflict.id));
        let blocks: Result<Vec<String>> = rows
            .map(|conflict| {
                let reference = self.reference(conflict.unit)?;
                self.read(|view| described(view, conflict, &reference))
            })
            .collect();
        Ok(blocks?.join("\n"))
    }

    /// Open conflicts in full, the first ones of many, and the commands that decide them.
    pub(crate) fn decisions(&self, ids: &[ConflictId]) -> Result<String> {
        let Some(first) = ids.first() else {
            return Ok(String::new());
        };
        let shown = &ids[..ids.len().min(MAX_SHOWN)];
        let mut text = format!(
            "{}   (▸ is what the unit holds now)\n\n",
            plural(ids.len(), "open conflict").to_uppercase()
        );
        text.push_str(&self.describe_conflicts(&self.conflicts_named(shown)?)?);
        if ids.len() > shown.len() {
            let _ = writeln!(text, "\n… and {} more", ids.len() - shown.len());
        }
        if self.is_rehearsing() {
            return Ok(text);
        }
        let _ = write!(
            text,
            "\nDecide                                       each is an operation; take and edit make a \
             revision\n  \
             windlass conflict list                       all that wait\n  \
             windlass conflict take {first:<21} use incoming\n  \
             windlass conflict keep {first:<21} keep local, close the row\n  \
             windlass conflict keep {:<21} keep local, and do not ask again for this path\n  \
             windlass conflict edit {first:<21} open base, incoming and local in $EDITOR\n  \
             windlass conflict take --where \"Path LIKE '%.image'\" --dry-run\n",
            format!("{first} --protect"),
        );
        Ok(text)
    }

    /// Says below the decisions which units wait for them before a gate, and how the others are
    /// applied.
    pub(crate) fn with_waiting(&self, mut outcome: Outcome) -> Result<Outcome> {
        let Some(op) = outcome.op.filter(|_| !outcome.conflicts().is_empty()) else {
            return Ok(outcome);
        };
        let changed: Vec<UnitId> = outcome
            .reports
            .iter()
            .filter(|report| matches!(report.status, Status::Created | Status::Changed))
            .map(|report| report.unit)
            .collect();
        let waiting = self.read(|view| {
            let mut waiting = 0;
            for unit in view.units(&changed)? {
                let gates = gates_of(&unit, &view.space(unit.space)?, view.now());
                waiting += usize::from(gates.iter().any(|gate| gate.name == OPEN_CONFLICTS));
            }
            Ok(waiting)
        })?;
        if waiting == 0 {
            return Ok(outcome);
        }
        let verb = if waiting == 1 { "waits" } else { "wait" };
        let units = plural(waiting, "unit");
        let _ = write!(
            outcome.decisions,
            "\nThe gate {OPEN_CONFLICTS} is on in these spaces: {units} {verb} for it."
        );
        match changed.len() - waiting {
            0 => outcome.decisions.push('\n'),
            others => {
                let _ = writeln!(
                    outcome.decisions,
                    " Apply the other {others} with\n  windlass apply --op {op} --skip-gated"
                );
            }
        }
        Ok(outcome)
    }
}

fn described(view: &View, conflict: &Conflict, reference: &str) -> Result<String> {
    let row = &conflict.row;
    let mut text = String::new();
    let head = format!("{}  {reference}   {}", conflict.id, row.reason.describe());
    let resource = row.resource.to_string();
    let gap = WIDTH.saturating_sub(head.width() + resource.width()).max(3);
    let _ = writeln!(text, "{head}{:gap$}{resource}", "");
    let _ = writeln!(text, "     {}", row.path);
    let (incoming_mark, local_mark) = match row.state {
        RowState::Taken => ('▸', ' '),
        _ => (' ', '▸'),
    };
    let sides = [
        (
            incoming_mark,
            "incoming",
            &row.incoming,
            conflict.incoming_by.as_ref(),
        ),
        (
            local_mark,
            "local   ",
            &row.local,
            conflict.local_by.as_ref(),
        ),
    ];
    let values = sides.map(|(_, _, value, _)| side(value.as_deref()));
    let widths = values.iter().map(|value| value.width());
    let value_width = widths
        .filter(|width| *width <= MAX_VALUE)
        .max()
        .unwrap_or(0);
    let signed = sides.iter().filter_map(|(.., by)| *by);
    let author_width = signed
        .clone()
        .map(|by| by.author.width())
        .max()
        .unwrap_or(0);
    let number_width = signed
        .map(|by| by.revision.to_string().len())
        .max()
        .unwrap_or(0);
    let _ = writeln!(text, "         base      {}", side(row.base.as_deref()));
    for ((mark, name, _, by), value) in sides.into_iter().zip(values) {
        let mut line = format!("       {mark} {name}  {value}");
        if let Some(by) = by {
            let gap = value_width.saturating_sub(value.width()) + 3;
            let Side {
                author,
                at,
                revision,
                ..
            } = by;
            let number = format!("r{revision}");
            let (day, number_width) = (at.to_day(), number_width + 1);
            let author_gap = author_width - author.width();
            let _ = write!(
                line,
                "{:gap$}{number:<number_width$}  {author}{:author_gap$}  {day}",
                "", ""
            );
            if let Some(message) = message_of_side(view, by)? {
                let _ = write!(line, "  \"{message}\"");
            }
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    Ok(text)
}

/// Why a side was made what it is, where somebody said so.
fn message_of_side(view: &View, side: &Side) -> Result<Option<String>> {
    if view.find_unit_by_id(side.unit)?.is_none() {
        return Ok(None);
    }
    message_of(view, view.revision(side.unit, side.revision)?.op)
}

/// A value in a line: maps and lists in flow style.
pub(crate) fn side(value: Option<&str>) -> String {
    let Some(text) = value else {
        return "(removed)".to_owned();
    };
    if text.lines().nth(1).is_none() {
        return text.trim().to_owned();
    }
    // A text is a map, and the value may be anything: it is read below a key.
    let below = text.replace('\n', "\n  ");
    let parsed = Stream::parse(&format!("value:\n  {below}\n")).ok();
    let value = parsed.as_ref().and_then(|stream| {
        let root = stream.view().document(0)?;
        Some(root.at(&Path::root().key("value"))?.to_value())
    });
    if let Some(value @ (Value::Object(_) | Value::Array(_))) = value {
        let flow = in_flow(&value);
        // Where it is no more than a map, its braces say nothing.
        let inner = flow
            .strip_prefix('{')
            .and_then(|flow| flow.strip_suffix('}'));
        return inner.map_or_else(|| flow.clone(), ToOwned::to_owned);
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ⏎ ")
}

fn in_flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries = map.iter();
            let entries = entries.map(|(key, value)| format!("{key}: {}", in_flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(in_flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a text reads as itself without quotes inside braces.
fn is_plain(text: &str) -> bool {
    let begins_well = text.starts_with(|c: char| c.is_alphabetic() || c == '/');
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    begins_well
        && !is_word
        && !text.ends_with(' ')
        && !text.contains([',', '{', '}', '[', ']', '#', '\n', '"', '\''])
        && !text.contains(": ")
        && !text.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_lines_are_one_in_flow_style() {
        for (text, want) in [
            ("tcpSocket:\n  port: 8080\n", "tcpSocket: {port: 8080}"),
            (
                "exec:\n  command:\n  - /bin/probe\n  - --deep\n",
                "exec: {command: [/bin/probe, \"--deep\"]}",
            ),
            ("- a\n- \"on\"\n", "[a, \"on\"]"),
            ("image:v2 # hot fix", "image:v2 # hot fix"),
            ("|\n  a\n  b\n", "| ⏎ a ⏎ b"),
        ] {
            assert_eq!(side(Some(text)), want);
        }
        assert_eq!(side(None), "(removed)");
    }
}
