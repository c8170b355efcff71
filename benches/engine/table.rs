//! The table of what was measured.

use std::fmt;

use crate::line::{self, Line};
use crate::measure::Taken;

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
            let ratio = line::ratio(row.ours, row.theirs);
            let is_met = row.line.is_met(row.units, row.ours, row.theirs);
            let units = u32::try_from(row.units).map_or(f64::MAX, f64::from);
            writeln!(
                f,
                "{:<30} {:>10} {:>10} {:>10} {:>7} {:>9} {:>9.1} {:>9}  {}",
                row.work,
                millis(row.ours),
                or_blank(processor),
                or_blank(row.theirs.map(millis)),
                or_blank(ratio.map(|ratio| format!("{ratio:.2}"))),
                row.line,
                row.ours.millis() * 1e3 / units,
                or_blank(row.peak.map(|peak| format!("{peak:.0}"))),
                line::in_words(is_met),
            )?;
        }
        Ok(())
    }
}
