//! Tables as data, with one plain rendering: aligned columns, two spaces between them.

use std::fmt;

use anstyle::Style;
use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::app::style::{self, HEADING};

/// One value of a table: what JSON shows, and what people read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Cell {
    /// The value as JSON has it; a missing one is null.
    pub value: Value,
    /// The text in the column.
    #[serde(skip)]
    pub text: String,
}

impl Cell {
    /// A cell that reads as its text.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            value: Value::String(text.clone()),
            text,
        }
    }
}

impl From<Value> for Cell {
    /// Shows strings without quotes, lists of them with commas, nothing for null, Yes and No for
    /// booleans.
    fn from(value: Value) -> Self {
        let text = match &value {
            Value::Null => String::new(),
            Value::Bool(true) => "Yes".to_owned(),
            Value::Bool(false) => "No".to_owned(),
            Value::String(text) => text.lines().next().unwrap_or_default().to_owned(),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                words.join(", ")
            }
            other => other.to_string(),
        };
        Self { value, text }
    }
}

/// Rows under named columns. `{}` shows them plain, `{:#}` with styles.
///
/// ```
/// use windlass::app::table::{Cell, Table};
///
/// let mut table = Table::new(["Name", "Space.Slug", "HeadRevisionNum"]);
/// table.push(vec![Cell::text("trade-service"), Cell::text("prod-us"), Cell::from(serde_json::json!(5))]);
/// assert_eq!(
///     table.to_string(),
///     "NAME           SPACE    HEAD-REVISION\ntrade-service  prod-us              5\n"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<String>,
    /// Other names for the first columns in the plain rendering, which then shows no more.
    headed: Vec<String>,
    rows: Vec<Vec<Cell>>,
    has_header: bool,
    /// The columns that stand to the right.
    right: Vec<String>,
    /// Whether columns without a text may be left out where the table is too wide.
    is_droppable: bool,
}

impl Table {
    /// A table without rows. Columns have the names of attributes (`Space.Slug`).
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            headed: Vec::new(),
            rows: Vec::new(),
            has_header: true,
            right: Vec::new(),
            is_droppable: false,
        }
    }

    /// Heads the first columns by other names in the plain rendering, and shows only those there;
    /// JSON has all columns under their own names.
    #[must_use]
    pub fn headed(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.headed = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a row; cells beyond the columns are shown under an empty heading.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// Lets columns stand to the right, as those do that have only numbers.
    #[must_use]
    pub fn right_aligned(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.right = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Lets [`Self::fitted`] leave out columns that have no text: nobody asked for just these.
    #[must_use]
    pub fn droppable(mut self) -> Self {
        self.is_droppable = true;
        self
    }

    /// Leaves the header line out of the plain rendering.
    #[must_use]
    pub fn without_header(mut self) -> Self {
        self.has_header = false;
        self
    }

    /// Leaves out columns without a text, the last first, where the table is [`Self::droppable`], and
    /// shortens the texts of the widest columns until a line has at most `width` columns on a
    /// screen, with `…` where something was left out; no column becomes narrower than its heading
    /// or six columns. The values stay whole.
    #[must_use]
    pub fn fitted(mut self, width: usize) -> Self {
        if self.is_droppable {
            self.drop_blank(width);
        }
        let names = if self.headed.is_empty() {
            &self.columns
        } else {
            &self.headed
        };
        let least: Vec<usize> = names
            .iter()
            .map(|name| heading(name).width().max(6))
            .collect();
        let mut widths = least.clone();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        let gaps = 2 * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > width {
            let can_shrink = widths.iter().zip(&least).enumerate();
            let widest = can_shrink
                .filter(|(_, (width, least))| width > least)
                .max_by_key(|(_, (width, _))| **width);
            let Some((at, _)) = widest else {
                break;
            };
            widths[at] -= 1;
        }
        for row in &mut self.rows {
            for (cell, width) in row.iter_mut().zip(&widths) {
                cell.text = shortened(&cell.text, *width);
            }
        }
        self
    }

    /// Leaves blank columns out of the plain rendering, the last first, while a line is too wide.
    fn drop_blank(&mut self, width: usize) {
        if self.headed.is_empty() {
            self.headed.clone_from(&self.columns);
        }
        for at in (0..self.headed.len()).rev() {
            let is_blank = self.rows.iter().all(|row| row[at].text.is_empty());
            if !is_blank || self.width() <= width {
                continue;
            }
            self.headed.remove(at);
            let name = self.columns.remove(at);
            self.columns.push(name);
            for row in &mut self.rows {
                let cell = row.remove(at);
                row.push(cell);
            }
        }
    }

    /// Whether a column stands to the right: it was told to, or all it has is numbers.
    fn is_right(&self, at: usize) -> bool {
        let is_told = self
            .columns
            .get(at)
            .is_some_and(|name| self.right.contains(name));
        let mut values = self
            .rows
            .iter()
            .filter_map(|row| row.get(at))
            .map(|cell| &cell.value);
        is_told
            || (values.clone().any(Value::is_number)
                && values.all(|value| value.is_number() || value.is_null()))
    }

    /// How wide a line is in the plain rendering.
    fn width(&self) -> usize {
        let mut widths: Vec<usize> = self
            .headed
            .iter()
            .map(|name| heading(name).width())
            .collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows, in order.
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// A list of objects with the column names as keys.
    pub fn to_json(&self) -> Value {
        let object = |row: &Vec<Cell>| {
            let cells = self.columns.iter().zip(row);
            let cells = cells.map(|(column, cell)| (column.clone(), cell.value.clone()));
            Value::Object(cells.collect())
        };
        self.rows.iter().map(object).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = if self.headed.is_empty() {
            &self.columns
        } else {
            &self.headed
        };
        let header: Vec<String> = names.iter().map(|name| heading(name)).collect();
        let mut widths: Vec<usize> = if self.has_header {
            header.iter().map(|text| text.width()).collect()
        } else {
            vec![0; header.len()]
        };
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        let is_styled = f.alternate();
        let widths: Vec<(usize, bool)> = widths
            .into_iter()
            .enumerate()
            .map(|(at, width)| (width, self.is_right(at)))
            .collect();
        if self.has_header {
            let heading = |text: &String| (text.clone(), is_styled.then_some(HEADING));
            write_line(f, header.iter().map(heading), &widths)?;
        }
        for row in &self.rows {
            let cells = row.iter().enumerate().map(|(at, cell)| {
                let column = self.columns.get(at).filter(|_| is_styled);
                let style = column.and_then(|column| style::of_cell(column, &cell.text));
                (cell.text.clone(), style)
            });
            write_line(f, cells, &widths)?;
        }
        Ok(())
    }
}

/// A text, or its beginning and `…`: at most `width` columns.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if short.width() + 1 > width {
            short.pop();
            break;
        }
    }
    short.push('…');
    short
}

fn write_line(
    f: &mut fmt::Formatter<'_>,
    cells: impl Iterator<Item = (String, Option<Style>)>,
    widths: &[(usize, bool)],
) -> fmt::Result {
    let mut line = String::new();
    for ((cell, style), (width, is_right)) in cells.zip(widths) {
        let gap = std::iter::repeat_n(' ', width - cell.width());
        let cell = style.map_or_else(|| cell.clone(), |style| style::styled(style, &cell));
        if *is_right {
            line.extend(gap);
            line.push_str(&cell);
        } else {
            line.push_str(&cell);
            line.extend(gap);
        }
        line.push_str("  ");
    }
    writeln!(f, "{}", line.trim_end())
}

/// The heading of a column: `HeadRevisionNum` is `HEAD-REVISION`, `Space.Slug` is `SPACE`.
pub fn heading(column: &str) -> String {
    let column = column.strip_suffix(".Slug").unwrap_or(column);
    let column = column.strip_prefix("Labels.").unwrap_or(column);
    // A number of something is headed by the something; a bare number stays what it is.
    let column = match column.strip_suffix("Num") {
        Some(what) if !what.is_empty() => what,
        _ => column,
    };
    // One word in the tool that the names come from.
    if column == "ChangeSet" {
        return "CHANGESET".to_owned();
    }
    let mut heading = String::with_capacity(column.len() + 4);
    let mut after_lower = false;
    for c in column.chars() {
        if c.is_uppercase() && after_lower {
            heading.push('-');
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
        heading.extend(c.to_uppercase());
    }
    heading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_those_of_the_tutorial() {
        for (column, want) in [
            ("Name", "NAME"),
            ("Space.Slug", "SPACE"),
            ("HeadRevisionNum", "HEAD-REVISION"),
            ("UpgradeNeeded", "UPGRADE-NEEDED"),
            ("UnappliedChanges", "UNAPPLIED-CHANGES"),
            ("Labels.order", "ORDER"),
            ("UnitID", "UNIT-ID"),
            ("ChangeSet.Slug", "CHANGESET"),
            ("Num", "NUM"),
        ] {
            assert_eq!(heading(column), want);
        }
    }

    #[test]
    fn a_table_is_fitted_by_its_widest_columns() {
        let mut table = Table::new(["Name", "Note"]);
        table.push(vec![
            Cell::text("取引サービス"),
            Cell::text("a long note that goes on"),
        ]);
        let fitted = table.clone().fitted(24);
        assert_eq!(
            fitted.to_string(),
            "NAME         NOTE\n取引サービ…  a long not…\n"
        );
        assert_eq!(fitted.to_json(), table.to_json());
        assert_eq!(table.clone().fitted(80), table);
        let tiny = table.fitted(3).to_string();
        assert_eq!(tiny, "NAME   NOTE\n取引…  a lon…\n");
    }

    #[test]
    fn blank_columns_that_nobody_chose_give_way_first_and_stay_in_json() {
        let mut table = Table::new(["Name", "ChangeSet.Slug", "Status", "ApplyGates"]);
        let cells = |texts: [&str; 4]| texts.map(Cell::text).to_vec();
        table.push(cells(["a-long-name", "", "Ready", ""]));
        table.push(cells(["b", "", "NoLive", ""]));
        let droppable = table.clone().droppable();
        let shown = droppable.clone().fitted(30).to_string();
        assert_eq!(
            shown,
            "NAME         CHANGESET  STATUS\na-long-name             Ready\nb                       NoLive\n",
        );
        let shown = droppable.clone().fitted(20).to_string();
        assert_eq!(
            shown,
            "NAME         STATUS\na-long-name  Ready\nb            NoLive\n"
        );
        assert_eq!(droppable.clone().fitted(90).to_string(), table.to_string());
        let chosen = table.fitted(20).to_string();
        assert!(chosen.contains("APPLY-GATES"), "{chosen}");
        let json = droppable.fitted(20).to_json();
        assert_eq!(json[0]["ApplyGates"], "");
    }

    #[test]
    fn wide_characters_keep_the_columns_aligned() {
        let mut table = Table::new(["Name", "Kind"]);
        table.push(vec![Cell::text("取引"), Cell::text("a")]);
        table.push(vec![Cell::text("xy"), Cell::text("b")]);
        assert_eq!(table.to_string(), "NAME  KIND\n取引  a\nxy    b\n");
    }
}
