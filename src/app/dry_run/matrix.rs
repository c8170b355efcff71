//! A table of signs: units by name down, their spaces across, folded until it can be taken in.

use unicode_width::UnicodeWidthStr as _;

/// How many rows are shown; where there are more, rows with equal signs become one.
const MAX_ROWS: usize = 30;

/// How many columns are shown; where there are more, columns with equal signs become one.
const MAX_COLUMNS: usize = 24;

/// What stands before each column.
const GAP: usize = 3;

/// A sign for each name in each place; none where there is no such thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Matrix {
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl Matrix {
    /// The signs of things named by their place and their own name, in the order in which both are
    /// first named.
    pub(super) fn of<'a>(signs: impl IntoIterator<Item = (&'a str, &'a str, String)>) -> Self {
        let mut matrix = Self::default();
        let mut columns = std::collections::BTreeMap::new();
        let mut rows = std::collections::BTreeMap::new();
        for (place, name, sign) in signs {
            let column = *columns.entry(place).or_insert_with(|| {
                matrix.columns.push(place.to_owned());
                matrix.columns.len() - 1
            });
            let row = *rows.entry(name).or_insert_with(|| {
                matrix.rows.push((name.to_owned(), Vec::new()));
                matrix.rows.len() - 1
            });
            let cells = &mut matrix.rows[row].1;
            cells.resize(cells.len().max(column + 1), String::new());
            cells[column] = sign;
        }
        for (_, cells) in &mut matrix.rows {
            cells.resize(matrix.columns.len(), String::new());
        }
        matrix
    }

    /// The lines of the table, at most `width` columns wide where the names allow it; none where
    /// it would be too large to be read, however it is folded.
    pub(super) fn lines(&self, width: usize) -> Option<Vec<String>> {
        let folded = self.clone().with_rows_folded().with_columns_folded();
        if folded.rows.len() > MAX_ROWS || folded.columns.len() > MAX_COLUMNS {
            return None;
        }
        let names = folded.rows.iter().map(|(name, _)| name.width());
        let label = names.max().unwrap_or(0);
        let mut lines = Vec::new();
        let mut from = 0;
        while from < folded.columns.len() {
            let to = folded.fitting(from, width.saturating_sub(label + 2));
            if from > 0 {
                lines.push(String::new());
            }
            folded.write_block(from..to, label, &mut lines);
            from = to;
        }
        Some(lines)
    }

    /// How many columns from `from` on fit into `width`, at least one.
    fn fitting(&self, from: usize, width: usize) -> usize {
        let mut used = 0;
        let mut to = from;
        for column in &self.columns[from..] {
            used += GAP + column.width();
            if used > width && to > from {
                break;
            }
            to += 1;
        }
        to
    }

    fn write_block(&self, columns: std::ops::Range<usize>, label: usize, lines: &mut Vec<String>) {
        let gap = " ".repeat(GAP);
        let mut header = " ".repeat(label + 2);
        for column in &self.columns[columns.clone()] {
            header.push_str(&gap);
            header.push_str(column);
        }
        lines.push(header);
        for (name, cells) in &self.rows {
            let shown = &cells[columns.clone()];
            if shown.iter().all(String::is_empty) {
                continue;
            }
            let mut line = format!("  {name}{}", " ".repeat(label - name.width()));
            for (cell, column) in shown.iter().zip(&self.columns[columns.clone()]) {
                let room = column.width().saturating_sub(cell.width());
                let before = room / 2;
                line.push_str(&gap);
                line.push_str(&" ".repeat(before));
                line.push_str(cell);
                line.push_str(&" ".repeat(room - before));
            }
            lines.push(line.trim_end().to_owned());
        }
    }

    fn with_rows_folded(mut self) -> Self {
        if self.rows.len() > MAX_ROWS {
            self.rows = folded(self.rows);
        }
        self
    }

    fn with_columns_folded(mut self) -> Self {
        if self.columns.len() <= MAX_COLUMNS {
            return self;
        }
        let column = |(at, name): (usize, &String)| {
            let cells = self.rows.iter().map(|(_, cells)| cells[at].clone());
            (name.clone(), cells.collect())
        };
        let columns: Vec<(String, Vec<String>)> =
            self.columns.iter().enumerate().map(column).collect();
        let columns = folded(columns);
        for (at, (_, cells)) in self.rows.iter_mut().enumerate() {
            *cells = columns.iter().map(|(_, signs)| signs[at].clone()).collect();
        }
        self.columns = columns.into_iter().map(|(name, _)| name).collect();
        self
    }
}

/// Those with equal signs as one: `web +27` is `web` and 27 others.
fn folded(all: Vec<(String, Vec<String>)>) -> Vec<(String, Vec<String>)> {
    let mut at = std::collections::BTreeMap::new();
    let mut kept: Vec<(String, Vec<String>, usize)> = Vec::new();
    for (name, signs) in all {
        if let Some(known) = at.get(&signs) {
            let (_, _, others): &mut (String, Vec<String>, usize) = &mut kept[*known];
            *others += 1;
        } else {
            at.insert(signs.clone(), kept.len());
            kept.push((name, signs, 0));
        }
    }
    kept.into_iter()
        .map(|(name, signs, others)| match others {
            0 => (name, signs),
            others => (format!("{name} +{others}"), signs),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(spaces: usize, units: usize, sign: impl Fn(usize, usize) -> String) -> Matrix {
        let spaces: Vec<String> = (0..spaces).map(|at| format!("prod-{at:02}")).collect();
        let units: Vec<String> = (0..units).map(|at| format!("unit-{at:02}")).collect();
        let mut signs = Vec::new();
        for (at, space) in spaces.iter().enumerate() {
            for (of, unit) in units.iter().enumerate() {
                signs.push((space.as_str(), unit.as_str(), sign(at, of)));
            }
        }
        Matrix::of(signs)
    }

    #[test]
    fn signs_stand_below_the_middle_of_their_place_and_what_is_not_there_is_blank() {
        let matrix = Matrix::of([
            ("prod-eu", "api", "A".to_owned()),
            ("prod-eu", "pricing", "=".to_owned()),
            ("dev", "pricing", "AB".to_owned()),
        ]);
        assert_eq!(
            matrix.lines(100).expect("a table"),
            [
                "            prod-eu   dev",
                "  api          A",
                "  pricing      =      AB",
            ]
        );
    }

    #[test]
    fn what_is_too_wide_goes_on_below() {
        let lines = matrix(12, 2, |_, _| "A".to_owned()).lines(60);
        let lines = lines.expect("a table");
        assert!(lines.iter().all(|line| line.width() <= 60), "{lines:#?}");
        let blocks = lines.iter().filter(|line| line.is_empty()).count() + 1;
        assert_eq!((blocks, lines.len()), (3, 3 * 3 + 2));
        let heads: Vec<&str> = lines
            .iter()
            .filter(|line| line.contains("prod"))
            .flat_map(|line| line.split_whitespace())
            .collect();
        assert_eq!(heads.len(), 12, "every space once");
    }

    #[test]
    fn many_rows_and_columns_are_folded_by_equal_signs() {
        let lines = matrix(40, 50, |space, unit| {
            if space == 7 && unit == 3 { "!" } else { "A" }.to_owned()
        });
        assert_eq!(
            lines.lines(100).expect("a table"),
            [
                "                prod-00 +38   prod-07",
                "  unit-00 +48        A           A",
                "  unit-03            A           !",
            ]
        );
        let different = matrix(40, 50, |space, unit| (space * 50 + unit).to_string());
        assert_eq!(different.lines(100), None);
    }
}
