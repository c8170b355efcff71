//! The table of what was measured.

use std::fmt;

use crate::measure::Taken;

/// What is to be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Line {
    /// At most so many milliseconds at 2,000 units.
    Ms(f64),
    /// At most so many times the baseline.
    Ratio(f64),
}

/// One piece of work.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) units: usize,
    pub(crate) ours: Taken,
    pub(crate) theirs: Option<Taken>,
    pub(crate) line: Line,
    /// Peak of resident memory, MiB.
    pub(crate) peak: Option<f64>,
}

/// The number of units that the lines in milliseconds are drawn for.
const DRAWN_FOR: usize = 2_000;

impl Row {
    fn ratio(&self) -> Option<f64> {
        let theirs = self.theirs?.millis();
        (theirs > 0.0).then(|| self.ours.millis() / theirs)
    }

    /// Whether the line is met; none where it is drawn for another number of units.
    fn is_met(&self) -> Option<bool> {
        match self.line {
            Line::Ratio(line) => self.ratio().map(|ratio| ratio <= line),
            Line::Ms(line) if self.units == DRAWN_FOR => Some(self.ours.millis() <= line),
            Line::Ms(_) => None,
        }
    }
}

/// The rows of one number of units.
pub(crate) struct Table<'a>(pub(crate) &'a [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<30} {:>10} {:>10} {:>10} {:>7} {:>9} {:>9} {:>9}  met",
            "work", "windlass", "cpu", "baseline", "ratio", "line", "µs/unit", "peak MiB"
        )?;
        for row in self.0 {
            let or_blank = |text: Option<String>| text.unwrap_or_default();
            let millis = |taken: Taken| format!("{:.2} ms", taken.millis());
            let processor = row
                .ours
                .processor
                .map(|time| format!("{:.1} ms", time.as_secs_f64() * 1e3));
            let line = match row.line {
                Line::Ms(line) => format!("{line} ms"),
                Line::Ratio(line) => format!("{line} x"),
            };
            let met = match row.is_met() {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "",
            };
            let units = u32::try_from(row.units).map_or(f64::MAX, f64::from);
            writeln!(
                f,
                "{:<30} {:>10} {:>10} {:>10} {:>7} {:>9} {:>9.1} {:>9}  {met}",
                row.work,
                millis(row.ours),
                or_blank(processor),
                or_blank(row.theirs.map(millis)),
                or_blank(row.ratio().map(|ratio| format!("{ratio:.2}"))),
                line,
                row.ours.millis() * 1e3 / units,
                or_blank(row.peak.map(|peak| format!("{peak:.0}"))),
            )?;
        }
        Ok(())
    }
}
