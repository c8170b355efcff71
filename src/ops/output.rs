//! What operations return: data with a name for how it is best shown.

use serde_json::Value;

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
