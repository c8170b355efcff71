//! Where the time comes from: the system, or one fixed instant for reproducible runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An instant, in microseconds since 1970-01-01 00:00 UTC.
///
/// ```
/// use windlass::clock::Timestamp;
///
/// let at: Timestamp = "2026-11-22T14:07:31Z".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-11-22T14:07:31Z");
/// assert_eq!(at.to_minutes(), "2026-11-22 14:07 UTC");
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that lies `microseconds` after 1970-01-01 00:00 UTC.
    pub fn from_microseconds(microseconds: i64) -> Self {
        Self(microseconds)
    }

    /// Microseconds since 1970-01-01 00:00 UTC.
    pub fn microseconds(self) -> i64 {
        self.0
    }

    /// This instant, `microseconds` later; stays at the last instant rather than overflow.
    #[must_use]
    pub fn plus_microseconds(self, microseconds: i64) -> Self {
        Self(self.0.saturating_add(microseconds))
    }

    /// How long before this instant another one was, in words: `4 s`, `12 min`, `3 h`, `2 d`. One
    /// that is not before it is `0 s`.
    ///
    /// ```
    /// use windlass::clock::Timestamp;
    ///
    /// let then: Timestamp = "2026-01-16T09:15:00Z".parse().unwrap();
    /// assert_eq!(then.plus_microseconds(90_000_000).since(then), "1 min");
    /// ```
    pub fn since(self, then: Self) -> String {
        let seconds = (self.microseconds() - then.microseconds()).max(0) / 1_000_000;
        match seconds {
            0..60 => format!("{seconds} s"),
            60..3_600 => format!("{} min", seconds / 60),
            3_600..86_400 => format!("{} h", seconds / 3_600),
            _ => format!("{} d", seconds / 86_400),
        }
    }

    /// The day and minute in UTC, as revision lists show it: `2026-11-22 14:07 UTC`.
    pub fn to_minutes(self) -> String {
        self.instant().map_or_else(
            || self.0.to_string(),
            |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        )
    }

    /// The day in UTC: `2026-11-22`.
    pub fn to_day(self) -> String {
        self.instant().map_or_else(
            || self.0.to_string(),
            |at| at.strftime("%Y-%m-%d").to_string(),
        )
    }

    fn instant(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_microsecond(self.0).ok()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instant() {
            Some(at) => f.pad(&at.to_string()),
            None => write!(f, "{}", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;

    /// Reads RFC 3339, a local date and time taken as UTC, or a date taken as its first instant.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let invalid = || InvalidTime {
            found: text.to_owned(),
        };
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(at.as_microsecond()));
        }
        let civil = text
            .parse::<jiff::civil::DateTime>()
            .map_err(|_| invalid())?;
        let zoned = civil
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_err(|_| invalid())?;
        Ok(Self(zoned.timestamp().as_microsecond()))
    }
}

/// A text that is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 2026-11-22T14:07:31Z or 2026-11-22, found `{found}`")]
pub struct InvalidTime {
    /// What stood there instead.
    pub found: String,
}

/// The source of the present instant.
///
/// ```
/// use windlass::clock::Clock;
///
/// let clock = Clock::Fixed("2026-01-01T00:00:00Z".parse().unwrap());
/// assert_eq!(clock.now(), clock.now());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The clock of the machine.
    #[default]
    System,
    /// Always the same instant: `WINDLASS_CLOCK` sets it, and every operation says so.
    Fixed(Timestamp),
}

impl Clock {
    /// The present instant.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the time comes from"
    )]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp(jiff::Timestamp::now().as_microsecond()),
            Self::Fixed(at) => at,
        }
    }

    /// Whether the instant is fixed.
    pub fn is_fixed(self) -> bool {
        matches!(self, Self::Fixed(_))
    }
}
