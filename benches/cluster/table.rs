//! The table of what was measured.

use std::fmt;

use crate::line::{self, Line};
use crate::measure::{self, Taken};

/// One piece of work, with what each round took.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) line: Line,
    pub(crate) ours: Vec<Taken>,
    pub(crate) bare: Vec<Taken>,
    pub(crate) kubectl: Vec<Taken>,
    /// The highest peak of resident memory of Windlass, MiB.
    pub(crate) peak: Option<f64>,
}

/// The rows of one number of units.
pub(crate) struct Table<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) units: usize,
    /// What stands where `kubectl` has no number.
    pub(crate) blank: &'static str,
}

/// The median; none where nothing was measured.
fn middle(taken: &[Taken]) -> Option<Taken> {
    (!taken.is_empty()).then(|| measure::middle(taken.to_vec()))
}

fn millis(taken: Option<Taken>) -> Option<String> {
    taken.map(|taken| format!("{:.0} ms", taken.millis()))
}

fn processor(taken: Option<Taken>) -> String {
    let processor = taken.and_then(|taken| taken.processor);
    let millis = processor.map(|time| format!("{:.0} ms", time.as_secs_f64() * 1e3));
    millis.unwrap_or_default()
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24} {:>9} {:>9} {:>9} {:>9} {:>6} {:>9} {:>8} {:>9}  met",
            "work", "windlass", "cpu", "bare", "cpu", "ratio", "kubectl", "line", "peak MiB"
        )?;
        for row in self.rows {
            let Some(ours) = middle(&row.ours) else {
                continue;
            };
            let bare = middle(&row.bare);
            let ratio = line::ratio(ours, bare).map(|ratio| format!("{ratio:.2}"));
            let kubectl = millis(middle(&row.kubectl));
            let peak = row.peak.map(|peak| format!("{peak:.0}"));
            writeln!(
                f,
                "{:<24} {:>9} {:>9} {:>9} {:>9} {:>6} {:>9} {:>8} {:>9}  {}",
                row.work,
                millis(Some(ours)).unwrap_or_default(),
                processor(Some(ours)),
                millis(bare).unwrap_or_default(),
                processor(bare),
                ratio.unwrap_or_default(),
                kubectl.as_deref().unwrap_or(self.blank),
                row.line,
                peak.unwrap_or_default(),
                line::in_words(row.line.is_met(self.units, ours, bare)),
            )?;
        }
        Ok(())
    }
}
