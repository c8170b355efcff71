//! New values as text, in the layout of the text around them.

use serde_json::{Map, Value};

use super::quote;
use super::tree::Style;

/// The habits of a text that new values follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// How far a map stands right of the key that holds it, in columns.
    pub(super) step: usize,
    /// How far the dashes of a list stand right of the key that holds it, in columns.
    pub(super) dash: usize,
    /// The line break.
    pub(super) newline: &'static str,
}

impl Layout {
    fn start_line(&self, out: &mut String, column: usize) {
        out.push_str(self.newline);
        out.extend(std::iter::repeat_n(' ', column));
    }

    /// A map or list in block style whose first line already stands at `column`.
    pub(super) fn collection(&self, out: &mut String, value: &Value, column: usize) {
        match value {
            Value::Object(map) => self.map(out, map, column),
            Value::Array(items) => self.list(out, items, column),
            _ => out.push_str(&quote::inline(value, Style::Plain, false)),
        }
    }

    fn map(&self, out: &mut String, map: &Map<String, Value>, column: usize) {
        for (at, (key, value)) in map.iter().enumerate() {
            if at > 0 {
                self.start_line(out, column);
            }
            self.entry(out, key, value, column);
        }
    }

    fn list(&self, out: &mut String, items: &[Value], column: usize) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.start_line(out, column);
            }
            out.push('-');
            self.after_dash(out, item, column, 2);
        }
    }

    /// `key: value`, the key at `column`.
    pub(super) fn entry(&self, out: &mut String, key: &str, value: &Value, column: usize) {
        out.push_str(&quote::key(key, false));
        out.push(':');
        self.after_colon(out, value, column, Style::Plain);
    }

    /// The value behind `key:`, the key at `column`.
    pub(super) fn after_colon(&self, out: &mut String, value: &Value, column: usize, style: Style) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.start_line(out, column + self.step);
                self.map(out, map, column + self.step);
            }
            Value::Array(items) if !items.is_empty() => {
                self.start_line(out, column + self.dash);
                self.list(out, items, column + self.dash);
            }
            _ => self.scalar(out, value, column, self.step, style),
        }
    }

    /// The value behind a dash at `column`; `offset` is how far its content stands from the dash.
    pub(super) fn after_dash(&self, out: &mut String, value: &Value, column: usize, offset: usize) {
        let gap = |out: &mut String| out.extend(std::iter::repeat_n(' ', offset.max(2) - 1));
        match value {
            Value::Object(map) if !map.is_empty() => {
                gap(out);
                self.map(out, map, column + offset.max(2));
            }
            Value::Array(items) if !items.is_empty() => {
                gap(out);
                self.list(out, items, column + offset.max(2));
            }
            _ => self.scalar(out, value, column, 2, Style::Plain),
        }
    }

    fn scalar(&self, out: &mut String, value: &Value, column: usize, step: usize, style: Style) {
        out.push(' ');
        match value {
            Value::String(text) if quote::is_block(text) && step < 10 => {
                out.push_str(&quote::block(text, column + step, step, self.newline));
            }
            _ => out.push_str(&quote::inline(value, style, false)),
        }
    }
}

/// A value in flow style, on one line.
pub(super) fn flow(value: &Value, style: Style) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", quote::key(key, true), flow(value, style)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Array(items) if !items.is_empty() => {
            let items: Vec<String> = items.iter().map(|item| flow(item, style)).collect();
            format!("[{}]", items.join(", "))
        }
        _ => quote::inline(value, style, true),
    }
}
