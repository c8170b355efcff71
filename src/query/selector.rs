//! The one selector: a reference, a glob, or a WHERE clause.

use std::fmt;

use super::Query;
use super::error::{Error, Position};
use super::parse::{Values, parse_with};
use super::pattern::Glob;
use super::plan::{self, plan};

/// What a person or script writes to say which units are meant.
///
/// Text of slug characters, `*`, `?` and at most one `/` is a reference or glob; anything else is
/// a clause, and so is the empty text, which means everything.
///
/// ```
/// use windlass::query::Selector;
///
/// let Selector::Reference { space, unit } = Selector::parse("prod-*/ledger").unwrap() else {
///     panic!("a reference");
/// };
/// assert!(space.unwrap().is_match("prod-us"));
/// assert_eq!(unit.literal(), Some("ledger"));
/// assert!(matches!(Selector::parse("Slug = 'a'"), Ok(Selector::Clause(_))));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Selector {
    /// `space/unit`, or `unit` where the space is understood; either may be a glob.
    Reference {
        /// The space, if one was named.
        space: Option<Glob>,
        /// The unit.
        unit: Glob,
    },
    /// A WHERE clause.
    Clause(Query),
}

impl Selector {
    /// Reads a selector that binds no values.
    ///
    /// # Errors
    /// As [`Selector::parse_with`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_with(text, &Values::new())
    }

    /// Reads a selector and binds values to the `$name`s of a clause.
    ///
    /// # Errors
    /// When one side of the `/` of a reference is empty, or the clause is malformed.
    pub fn parse_with(text: &str, values: &Values) -> Result<Self, Error> {
        let text = text.trim();
        let slug_char = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        let reference = !text.is_empty()
            && text
                .bytes()
                .all(|b| slug_char(b) || matches!(b, b'*' | b'?' | b'/'))
            && text.bytes().filter(|b| *b == b'/').count() <= 1;
        if !reference {
            return parse_with(text, values).map(Self::Clause);
        }
        let missing = |expected, offset| Error::Reference {
            at: Position::of(text, offset),
            expected,
            found: text.to_owned(),
        };
        let (space, unit) = match text.split_once('/') {
            None => (None, text),
            Some(("", _)) => return Err(missing("a space before `/`", 0)),
            Some((_, "")) => return Err(missing("a unit after `/`", text.len())),
            Some((space, unit)) => (Some(Glob::new(space)), unit),
        };
        Ok(Self::Reference {
            space,
            unit: Glob::new(unit),
        })
    }

    /// How units can be found that may be meant. For a reference without a space, over all spaces.
    pub fn access(&self) -> plan::Access {
        match self {
            Self::Reference { space, unit } => plan::reference(space.as_ref(), unit),
            Self::Clause(query) => plan(query).access,
        }
    }

    /// Whether exactly one unit can be meant: a reference without `*` and `?`.
    pub fn is_single(&self) -> bool {
        match self {
            Self::Reference { space, unit } => {
                unit.literal().is_some()
                    && space.as_ref().is_none_or(|space| space.literal().is_some())
            }
            Self::Clause(_) => false,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference {
                space: Some(space),
                unit,
            } => write!(f, "{space}/{unit}"),
            Self::Reference { space: None, unit } => write!(f, "{unit}"),
            Self::Clause(query) => write!(f, "{query}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors() {
        for (text, expected) in [
            ("ledger", "reference - ledger"),
            ("prod-*/ledger", "reference prod-* ledger"),
            ("*/*", "reference * *"),
            ("*", "reference - *"),
            (" a/b ", "reference a b"),
            ("", "clause *"),
            ("Slug = 'a'", "clause Slug = 'a'"),
            (
                "a/b/c",
                "column 6: expected an operator, found the end of the clause",
            ),
            ("a/", "column 3: expected a unit after `/`, found `a/`"),
            ("/a", "column 1: expected a space before `/`, found `/a`"),
        ] {
            let shown = match Selector::parse(text) {
                Ok(Selector::Reference { space, unit }) => {
                    let space = space.map_or_else(|| "-".to_owned(), |space| space.to_string());
                    format!("reference {space} {unit}")
                }
                Ok(Selector::Clause(query)) => format!("clause {query}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(shown, expected, "{text}");
        }
    }
}
