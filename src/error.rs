//! The one error type above the leaf modules: ten kinds, each with its exit code, HTTP status and
//! whether to try again.
//!
//! A leaf error becomes an [`Error`] here and nowhere else; this is where it is decided whose
//! fault it was and what to run next.

use std::fmt;

use serde::Serialize;

mod convert;

/// What went wrong, in the one of ten ways that decides exit code, HTTP status and retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Kind {
    /// The call itself is malformed: unknown flag, wrong type, missing argument.
    Usage,
    /// Something that was named does not exist.
    NotFound,
    /// Something that was to be made exists already.
    Exists,
    /// Data, a clause or a script is wrong.
    Invalid,
    /// Somebody else's change is in the way.
    Conflict,
    /// The actor may not do this.
    Denied,
    /// An approval or validation is outstanding.
    Gated,
    /// A script used up its allowance of time, memory or depth.
    Limit,
    /// The store or a cluster does not answer.
    Unavailable,
    /// A defect of Windlass.
    Internal,
}

impl Kind {
    /// All ten, in the order of the table in ARCHITECTURE.md.
    pub const ALL: [Self; 10] = [
        Self::Usage,
        Self::NotFound,
        Self::Exists,
        Self::Invalid,
        Self::Conflict,
        Self::Denied,
        Self::Gated,
        Self::Limit,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The exit code of a process that ends with this error.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::NotFound | Self::Exists | Self::Invalid | Self::Denied | Self::Limit => 1,
            Self::Conflict | Self::Gated => 3,
            Self::Unavailable => 4,
            Self::Internal => 255,
        }
    }

    /// The HTTP status of a response that reports this error.
    pub fn http_status(self) -> u16 {
        match self {
            Self::Usage => 400,
            Self::Denied => 403,
            Self::NotFound => 404,
            Self::Exists | Self::Conflict => 409,
            Self::Invalid | Self::Limit => 422,
            Self::Gated => 423,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// Whether the same call can succeed later without anybody changing it.
    pub fn is_worth_retrying(self) -> bool {
        matches!(self, Self::Conflict | Self::Gated | Self::Unavailable)
    }

    /// The name as scripts and JSON spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "Usage",
            Self::NotFound => "NotFound",
            Self::Exists => "Exists",
            Self::Invalid => "Invalid",
            Self::Conflict => "Conflict",
            Self::Denied => "Denied",
            Self::Gated => "Gated",
            Self::Limit => "Limit",
            Self::Unavailable => "Unavailable",
            Self::Internal => "Internal",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A place in a script, a YAML text or a clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The file, or a name for a text that has none (`WHERE`, `eval`).
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters are meant, at least 1.
    pub length: usize,
    /// The text the place is in, so that the lines around it can be shown.
    #[serde(skip)]
    pub text: Option<String>,
    /// What to write beside the marked characters.
    #[serde(skip)]
    pub label: String,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// An error as every face shows it.
///
/// ```
/// use windlass::error::{Error, Kind};
///
/// let error = Error::new(Kind::NotFound, "expected a space, found no `prod`")
///     .hint("windlass space list shows the spaces there are");
/// assert_eq!(error.kind().exit_code(), 1);
/// ```
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    message: String,
    hints: Vec<String>,
    location: Option<Location>,
    context: Vec<String>,
    exit: Option<u8>,
}

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of this kind. The message says what was expected and what was found.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hints: Vec::new(),
            location: None,
            context: Vec::new(),
            exit: None,
        }))
    }

    /// Adds a sentence that says what to run or write next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Says where it happened, unless that is known already.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.0.location.get_or_insert(location);
        self
    }

    /// Says where it happened, whatever is known of that.
    #[must_use]
    pub fn placed(mut self, location: Location) -> Self {
        self.0.location = Some(location);
        self
    }

    /// Adds a line that says in which unit, resource or call it happened.
    #[must_use]
    pub fn context(mut self, line: impl Into<String>) -> Self {
        self.0.context.push(line.into());
        self
    }

    /// Ends the process with `code` instead of the kind's own: a script's `exit(code)`.
    #[must_use]
    pub fn with_exit_code(mut self, code: u8) -> Self {
        self.0.exit = Some(code);
        self
    }

    /// The exit code that was asked for in the place of the kind's own.
    pub fn exit(&self) -> Option<u8> {
        self.0.exit
    }

    /// Gives the location a file and its text, where it has no text to show yet.
    #[must_use]
    pub fn shown_in(mut self, file: &str, text: &str) -> Self {
        if let Some(location) = &mut self.0.location
            && location.text.as_ref().is_none_or(String::is_empty)
        {
            file.clone_into(&mut location.file);
            location.text = Some(text.to_owned());
        }
        self
    }

    /// Which of the ten.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What was expected and what was found, without the hints.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whole sentences that say what to do next.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Where it happened.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// The unit, resource or call it happened in, a line each.
    pub fn context_lines(&self) -> &[String] {
        &self.0.context
    }

    /// The exit code of a process that ends with this error.
    pub fn exit_code(&self) -> u8 {
        self.0.exit.unwrap_or_else(|| self.0.kind.exit_code())
    }

    /// The one shape that scripts and `--json` see.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "kind": self.0.kind.name(),
            "message": self.0.message,
            "hints": self.0.hints,
            "at": self.0.location,
            "context": self.0.context,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(location) = &self.0.location {
            write!(f, " ({location})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn only_usage_exits_2_and_only_a_defect_exits_255() {
        let codes = |code| {
            Kind::ALL
                .into_iter()
                .filter(|kind| kind.exit_code() == code)
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(2), [Kind::Usage]);
        assert_eq!(codes(255), [Kind::Internal]);
        assert_eq!(codes(0), []);
    }
}
