//! Newtypes for the numbers and names by which everything is known.
//!
//! Numbers are given in creation order within a store, so they are short to type and sort by age.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that is not a valid [`Slug`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a slug of 1 to 128 characters (a-z, 0-9, `-`, `_`, `.`, beginning with a letter or \
     digit), found `{found}`"
)]
pub struct InvalidSlug {
    /// What stood there instead.
    pub found: String,
}

/// The name of a space, unit, target or worker.
///
/// 1 to 128 characters out of `a-z`, `0-9`, `-`, `_` and `.`; the first is a letter or a digit.
///
/// ```
/// use windlass::id::Slug;
///
/// let slug: Slug = "traderx-prod-us".parse().unwrap();
/// assert_eq!(slug.as_str(), "traderx-prod-us");
/// assert!("Trade Service".parse::<Slug>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// The longest slug, in characters.
    pub const MAX_CHARS: usize = 128;

    /// Checks a name.
    ///
    /// # Errors
    /// [`InvalidSlug`] when a character or the length is not allowed.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidSlug> {
        let text = text.into();
        let first_ok = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let all_ok = text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
        if first_ok && all_ok && text.len() <= Self::MAX_CHARS {
            Ok(Self(text))
        } else {
            Err(InvalidSlug { found: text })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        Self::new(text)
    }
}

impl TryFrom<String> for Slug {
    type Error = InvalidSlug;

    fn try_from(text: String) -> Result<Self, InvalidSlug> {
        Self::new(text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

macro_rules! numbered {
    ($($(#[$doc:meta])* $name:ident shown as $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The letters before the number where a person reads or types it.
            pub const PREFIX: &str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{}{}", $prefix, self.0))
            }
        }

        impl FromStr for $name {
            type Err = InvalidNumber;

            fn from_str(text: &str) -> Result<Self, InvalidNumber> {
                let digits = text.strip_prefix($prefix).unwrap_or(text);
                digits.parse().map(Self).map_err(|_| InvalidNumber {
                    expected: concat!($prefix, "N"),
                    found: text.to_owned(),
                })
            }
        }
    )*};
}

/// A text that is not one of the numbered ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `{expected}` with a number N, found `{found}`")]
pub struct InvalidNumber {
    /// The form that was expected, such as `cN`.
    pub expected: &'static str,
    /// What stood there instead.
    pub found: String,
}

numbered! {
    /// A space, numbered in the order of creation.
    SpaceId shown as "s";
    /// A unit, numbered in the order of creation over all spaces.
    UnitId shown as "u";
    /// A committed write transaction, numbered from 1.
    OpId shown as "op-";
    /// The run of one script or command; the operations it made name it.
    RunId shown as "run-";
    /// A stored merge conflict.
    ConflictId shown as "c";
    /// One call of apply or destroy.
    ApplyId shown as "a-";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_refuse_what_a_shell_or_a_clause_would_trip_over() {
        for bad in [
            "",
            "-a",
            "A",
            "a b",
            "a/b",
            "a*",
            "é",
            ".a",
            &"a".repeat(129),
        ] {
            assert!(Slug::new(bad).is_err(), "{bad:?} was accepted");
        }
        for good in [
            "a",
            "0",
            "traderx-prod-us",
            "chart-6.8",
            "a_b",
            &"a".repeat(128),
        ] {
            assert!(Slug::new(good).is_ok(), "{good:?} was refused");
        }
    }

    #[test]
    fn numbers_read_back_as_shown() {
        assert_eq!(ConflictId(41).to_string(), "c41");
        assert_eq!("c41".parse(), Ok(ConflictId(41)));
        assert_eq!("41".parse(), Ok(ConflictId(41)));
        assert!("d41".parse::<ConflictId>().is_err());
    }
}
