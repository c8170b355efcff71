//! What is to be reached, and whether it is.

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

/// The number of units that the lines in milliseconds are drawn for.
const DRAWN_FOR: usize = 2_000;

impl Line {
    /// Whether the line is met; none where it is drawn for another number of units, or there is
    /// no baseline.
    pub(crate) fn is_met(self, units: usize, ours: Taken, theirs: Option<Taken>) -> Option<bool> {
        match self {
            Self::Ratio(line) => ratio(ours, theirs).map(|ratio| ratio <= line),
            Self::Ms(line) if units == DRAWN_FOR => Some(ours.millis() <= line),
            Self::Ms(_) => None,
        }
    }
}

/// How many times the baseline.
pub(crate) fn ratio(ours: Taken, theirs: Option<Taken>) -> Option<f64> {
    let theirs = theirs?.millis();
    (theirs > 0.0).then(|| ours.millis() / theirs)
}

/// The last cell of a row.
pub(crate) fn in_words(is_met: Option<bool>) -> &'static str {
    match is_met {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "",
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ms(line) => f.pad(&format!("{line} ms")),
            Self::Ratio(line) => f.pad(&format!("{line} x")),
        }
    }
}
