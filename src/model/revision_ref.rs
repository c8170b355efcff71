//! How people name a revision of a unit.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::Unit;

/// A revision by number, or by what it is to the unit.
///
/// ```
/// use windlass::model::RevisionRef;
///
/// assert_eq!("r12".parse(), Ok(RevisionRef::Number(12)));
/// assert_eq!("12".parse(), Ok(RevisionRef::Number(12)));
/// assert_eq!("N-1".parse(), Ok(RevisionRef::BeforeLive(1)));
/// assert_eq!("-2".parse(), Ok(RevisionRef::BeforeLive(2)));
/// assert_eq!("prev-live".parse(), Ok(RevisionRef::PreviousLive));
/// assert!("0".parse::<RevisionRef>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "Written")]
pub enum RevisionRef {
    /// The revision with this number, from 1.
    Number(u32),
    /// So many before the one that is live, at least 1.
    BeforeLive(u32),
    /// The one that is live.
    Live,
    /// The one that was live before it.
    PreviousLive,
    /// The newest.
    Head,
}

/// A text that names no revision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a revision such as 12, r12, N-1 (one before live), live, prev-live or head, found \
     `{found}`"
)]
pub struct InvalidRevision {
    /// What stood there instead.
    pub found: String,
}

impl RevisionRef {
    /// The number it has for a unit, which may lie outside the revisions that there are; none
    /// where it is about what is live and nothing is, or was before.
    pub fn number(self, unit: &Unit) -> Option<u32> {
        match self {
            Self::Number(number) => Some(number),
            Self::BeforeLive(steps) => unit.live.map(|live| live.saturating_sub(steps)),
            Self::Live => unit.live,
            Self::PreviousLive => unit.previous_live,
            Self::Head => Some(unit.head),
        }
    }
}

impl From<u32> for RevisionRef {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for RevisionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "r{number}"),
            Self::BeforeLive(steps) => write!(f, "N-{steps}"),
            Self::Live => f.write_str("live"),
            Self::PreviousLive => f.write_str("prev-live"),
            Self::Head => f.write_str("head"),
        }
    }
}

impl FromStr for RevisionRef {
    type Err = InvalidRevision;

    fn from_str(text: &str) -> Result<Self, InvalidRevision> {
        let named = match text {
            "live" => Some(Self::Live),
            "prev-live" => Some(Self::PreviousLive),
            "head" => Some(Self::Head),
            _ => None,
        };
        let before = text.strip_prefix("N-").or_else(|| text.strip_prefix('-'));
        let digits = before.unwrap_or_else(|| text.strip_prefix('r').unwrap_or(text));
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits
            .parse()
            .ok()
            .filter(|number| is_number && *number > 0);
        let numbered = number.map(|number| match before {
            Some(_) => Self::BeforeLive(number),
            None => Self::Number(number),
        });
        named.or(numbered).ok_or_else(|| InvalidRevision {
            found: text.to_owned(),
        })
    }
}

/// As JSON and scripts write it: `"N-1"`, `12`, or `-1`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(i64),
    Text(String),
}

impl TryFrom<Written> for RevisionRef {
    type Error = InvalidRevision;

    fn try_from(written: Written) -> Result<Self, InvalidRevision> {
        match written {
            Written::Number(number) => number.to_string().parse(),
            Written::Text(text) => text.parse(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back() {
        for text in [
            "r1",
            "r4294967295",
            "N-1",
            "N-300",
            "live",
            "prev-live",
            "head",
        ] {
            let read: RevisionRef = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "r",
            "-",
            "N",
            "N-",
            "N-0",
            "0",
            "r0",
            "+1",
            "r-1",
            "--1",
            "4294967296",
            "Live",
        ] {
            assert!(text.parse::<RevisionRef>().is_err(), "{text} was read");
        }
    }
}
