//! Deciding a conflict with a value that is neither side's.

use std::fmt::Write as _;

use crate::app::App;
use crate::app::conflict::state_word;
use crate::error::{Error, Kind, Result};
use crate::id::ConflictId;
use crate::model::Conflict;
use crate::yaml::{Scalar, Stream};

/// The longest value that is taken, in bytes.
const MAX_VALUE: usize = 1 << 20;

/// A YAML value for the place of a conflict, known to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedValue(String);

impl EditedValue {
    /// Reads a value; lines of comments before it do not belong to it.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when there is no value, more than one document, or it is not YAML.
    pub fn parse(text: &str) -> Result<Self> {
        let body = without_leading_comments(text);
        if body.trim().is_empty() {
            return Err(
                Error::new(Kind::Invalid, "expected a YAML value, found none").hint(
                    "conflict take uses the incoming value, function do delete-path removes the \
                     place",
                ),
            );
        }
        if body.len() > MAX_VALUE {
            return Err(Error::new(
                Kind::Invalid,
                format!(
                    "expected a value of at most {MAX_VALUE} bytes, found {}",
                    body.len()
                ),
            ));
        }
        let is_marker = |line: &str| line == "---" || line.starts_with("--- ") || line == "...";
        if body.lines().any(is_marker) {
            return Err(Error::new(
                Kind::Invalid,
                "expected one YAML value, found a document marker in it",
            ));
        }
        let mut entry = String::from("value:");
        for line in body.lines() {
            let _ = write!(entry, "\n  {line}");
        }
        entry.push('\n');
        let _checked = Stream::parse(&entry)
            .map_err(|error| Error::from(error).context("value        of the conflict"))?;
        Ok(Self(body.trim_end().to_owned()))
    }

    /// The value that reads as this text, quoted where it must be.
    ///
    /// # Errors
    /// When it is too long.
    pub fn of_text(text: &str) -> Result<Self> {
        let is_plain = !text.is_empty()
            && !text.contains('\n')
            && Stream::parse(&format!("value: {text}\n")).is_ok_and(|stream| {
                let root = stream.view().document(0);
                let value = root.and_then(|root| root.get("value"));
                value.and_then(|value| value.scalar()) == Some(Scalar::Str(text))
            });
        if is_plain {
            return Self::parse(text);
        }
        Self::parse(&serde_json::Value::from(text).to_string())
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

fn without_leading_comments(text: &str) -> &str {
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        if !(line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return rest;
        }
        rest = after;
    }
    if rest.trim_start().starts_with('#') {
        return "";
    }
    rest
}

impl App {
    /// What an editor is opened on: the sides of a conflict as comments, then the local value.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such row; [`Kind::Conflict`] when it was decided.
    pub fn conflict_draft(&self, id: ConflictId) -> Result<String> {
        let rows = self.conflicts_named(&[id])?;
        refuse_decided(&rows)?;
        let mut text = String::new();
        for line in self.describe_conflicts(&rows)?.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(
            text,
            "#\n# The value below takes this place. Leave it as it is to decide nothing."
        );
        for row in &rows {
            for (name, side) in [("base", &row.row.base), ("incoming", &row.row.incoming)] {
                let side = side.as_deref().unwrap_or("(removed)");
                let _ = writeln!(text, "#\n# {name}:");
                for line in side.lines() {
                    let _ = writeln!(text, "#   {line}");
                }
            }
            let _ = writeln!(text, "#\n# local:");
            text.push_str(row.row.local.as_deref().unwrap_or_default().trim_end());
            text.push('\n');
        }
        Ok(text)
    }
}

/// # Errors
/// [`Kind::Conflict`] when a row is not open.
pub(crate) fn refuse_decided(rows: &[Conflict]) -> Result<()> {
    match rows.iter().find(|row| !row.is_open()) {
        None => Ok(()),
        Some(row) => Err(Error::new(
            Kind::Conflict,
            format!(
                "expected conflict `{}` to be open, found it {}",
                row.id,
                state_word(row.row.state)
            ),
        )),
    }
}
