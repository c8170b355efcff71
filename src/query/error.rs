//! What can be wrong with a clause, and where.

use std::fmt;

/// A place in the text of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Bytes from the beginning of the clause.
    pub offset: usize,
    /// Line, counted from 1.
    pub line: usize,
    /// Character within the line, counted from 1.
    pub column: usize,
}

impl Position {
    /// The place that lies `offset` bytes into `text`; the end of the text if it is shorter.
    pub fn of(text: &str, offset: usize) -> Self {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            offset,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "column {}", self.column)
    }
}

/// Why a clause or selector was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another token was needed here.
    #[error("{at}: expected {expected}, found {found}{}", hint(.suggestion.as_deref()))]
    Unexpected {
        /// Where.
        at: Position,
        /// What may stand there.
        expected: String,
        /// What stands there.
        found: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// No attribute has this name.
    #[error("{at}: expected an attribute{of}, found `{found}`{}", hint(.suggestion.as_deref()))]
    UnknownAttribute {
        /// Where.
        at: Position,
        /// Of which entity, as ` of Space`; empty for the unit itself.
        of: String,
        /// The name that was given.
        found: String,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// A name goes over two references.
    #[error(
        "{at}: expected at most one step to another entity, found two in `{found}`{}",
        hint(.suggestion.as_deref())
    )]
    TwoHops {
        /// Where.
        at: Position,
        /// The whole name.
        found: String,
        /// The one-step name of the same thing, where there is one.
        suggestion: Option<String>,
    },
    /// A quote or parenthesis is not closed.
    #[error(
        "{at}: expected a closing {closing} for the {opening} here, found the end of the clause"
    )]
    Unclosed {
        /// Where it was opened.
        at: Position,
        /// What was opened.
        opening: &'static str,
        /// What is needed to close it.
        closing: &'static str,
    },
    /// A value or operator does not fit what it is compared with.
    #[error("{at}: expected {expected}, found {found}{}", hint(.suggestion.as_deref()))]
    Mismatch {
        /// Where.
        at: Position,
        /// What would fit.
        expected: String,
        /// What was given.
        found: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// A data path is not well formed.
    #[error("{at}: expected {expected} in a data path, found `{found}`")]
    Path {
        /// Where in the path.
        at: Position,
        /// What may stand there.
        expected: &'static str,
        /// The whole path.
        found: String,
    },
    /// A pattern is not a valid one.
    #[error("{at}: expected a regular expression, found `{found}`: {reason}")]
    Pattern {
        /// Where.
        at: Position,
        /// The pattern that was given.
        found: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A `$name` has no value.
    #[error("{at}: expected a value bound for `${name}`, found none{}", hint(.suggestion.as_deref()))]
    Unbound {
        /// Where.
        at: Position,
        /// The name without `$`.
        name: String,
        /// The nearest name that has a value.
        suggestion: Option<String>,
    },
    /// The clause is too long, too deep or has too much of something.
    #[error("{at}: expected at most {limit} {what}, found more")]
    TooMuch {
        /// Where the limit was passed.
        at: Position,
        /// What is limited.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// A reference such as `space/unit` is not well formed.
    #[error("{at}: expected {expected}, found `{found}`")]
    Reference {
        /// Where.
        at: Position,
        /// What may stand there.
        expected: &'static str,
        /// The whole reference.
        found: String,
    },
}

impl Error {
    /// Where in the clause the fault is.
    pub fn position(&self) -> Position {
        match self {
            Self::Unexpected { at, .. }
            | Self::UnknownAttribute { at, .. }
            | Self::TwoHops { at, .. }
            | Self::Unclosed { at, .. }
            | Self::Mismatch { at, .. }
            | Self::Path { at, .. }
            | Self::Pattern { at, .. }
            | Self::Unbound { at, .. }
            | Self::TooMuch { at, .. }
            | Self::Reference { at, .. } => *at,
        }
    }

    /// What was probably meant, as it would be written in the clause.
    pub fn suggestion(&self) -> Option<&str> {
        match self {
            Self::Unexpected { suggestion, .. }
            | Self::UnknownAttribute { suggestion, .. }
            | Self::TwoHops { suggestion, .. }
            | Self::Mismatch { suggestion, .. }
            | Self::Unbound { suggestion, .. } => suggestion.as_deref(),
            _ => None,
        }
    }
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The candidate that differs least from `name`, if it is near enough to be what was meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(64).flat_map(char::to_lowercase).collect();
    let allowed = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be added, dropped, changed or swapped with their neighbour.
fn distance(wanted: &[char], candidate: &str) -> usize {
    let other: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = vec![0; other.len() + 1];
    let mut previous: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in wanted.iter().enumerate() {
        let mut current = vec![i + 1; other.len() + 1];
        for (j, b) in other.iter().enumerate() {
            let changed = previous[j] + usize::from(a != b);
            current[j + 1] = changed.min(previous[j + 1] + 1).min(current[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && wanted[i - 1] == *b {
                current[j + 1] = current[j + 1].min(before[j - 1] + 1);
            }
        }
        before = previous;
        previous = current;
    }
    previous[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_not_bytes() {
        let at = Position::of("é = 'x'\n  OR b", 11);
        assert_eq!((at.line, at.column), (2, 3));
        assert_eq!(at.to_string(), "line 2, column 3");
        assert_eq!(Position::of("é", 1).offset, 0);
    }

    #[test]
    fn nearest_names_are_near() {
        let names = ["Slug", "Status", "HeadRevisionNum"];
        assert_eq!(nearest("Slgu", names), Some("Slug"));
        assert_eq!(nearest("HeadRevision", names), Some("HeadRevisionNum"));
        assert_eq!(nearest("Replicas", names), None);
    }
}
