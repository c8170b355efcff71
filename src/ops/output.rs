//! What operations return: data with a name for how it is best shown.

use serde_json::{Map, Value};

use crate::app::outcome::Outcome;
use crate::app::table::Table;

/// The result of an operation. Faces decide how it looks; its content is the same for all.
#[derive(Debug, Clone)]
pub enum Output {
    /// Rows under columns.
    Table(Table),
    /// What a write did to the units it addressed.
    Outcome(Outcome),
    /// One record.
    Record(Value),
    /// Text that is meant byte for byte, such as a unit's YAML.
    Text(String),
    /// Something to read, with the same as data.
    Report {
        /// Lines for people.
        text: String,
        /// The same for programs.
        value: Value,
        /// The exit code of a command that ends with it.
        exit_code: u8,
    },
}

impl Output {
    /// One record for people: a line a field, without those that have no value.
    pub fn fields(record: Value) -> Self {
        let fields = || {
            let all = record.as_object().into_iter().flatten();
            all.filter(|(_, value)| !is_empty(value))
        };
        let width = fields().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
        let mut text = String::new();
        for (name, value) in fields() {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Object(map) => pairs(map),
                Value::Array(list) => list.iter().map(word).collect::<Vec<_>>().join(", "),
                other => other.to_string(),
            };
            let line = format!("{name:<width$}{value}");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        Self::Report {
            text,
            value: record,
            exit_code: 0,
        }
    }

    /// The content as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Table(table) => table.to_json(),
            Self::Outcome(outcome) => outcome.to_json(),
            Self::Record(value) | Self::Report { value, .. } => value.clone(),
            Self::Text(text) => Value::String(text.clone()),
        }
    }

    /// The exit code of a command that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Outcome(outcome) => outcome.exit_code(),
            Self::Report { exit_code, .. } => *exit_code,
            Self::Table(_) | Self::Record(_) | Self::Text(_) => 0,
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn pairs(map: &Map<String, Value>) -> String {
    let pairs = map
        .iter()
        .map(|(key, value)| format!("{key}={}", word(value)));
    pairs.collect::<Vec<_>>().join(" ")
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
