//! What goes wrong when a function is found, called or run, with the place in its source.

use std::fmt;
use std::sync::Arc;

use crate::yaml;

/// Result of this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The broad class of an error, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The call itself is wrong: an unknown, repeated or missing parameter.
    Usage,
    /// No such function.
    NotFound,
    /// A value, a file or the function's own code is wrong.
    Invalid,
    /// The script ran out of its allowance of time, memory, operations or depth.
    Limit,
}

/// What went wrong, with the data to say it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// The catalogue has no such function.
    #[error("no function is named `{name}`")]
    UnknownFunction {
        /// The name asked for.
        name: String,
    },
    /// A named argument that the function does not take.
    #[error("`{function}` has no parameter `{parameter}`")]
    UnknownParameter {
        /// The function called.
        function: String,
        /// The name given.
        parameter: String,
    },
    /// A parameter given twice, by position and name or under two names.
    #[error("parameter `{parameter}` of `{function}` is given twice")]
    RepeatedParameter {
        /// The function called.
        function: String,
        /// The parameter.
        parameter: String,
    },
    /// A required parameter without a value.
    #[error("`{function}` needs parameter `{parameter}`: {expected}")]
    MissingParameter {
        /// The function called.
        function: String,
        /// The parameter.
        parameter: String,
        /// The accepted form.
        expected: String,
    },
    /// More positional arguments than parameters.
    #[error("`{function}` takes at most {expected} arguments, found {found}")]
    TooManyArguments {
        /// The function called.
        function: String,
        /// How many it takes.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// An argument of the wrong type or out of its range.
    #[error("parameter `{parameter}` of `{function}` must be {expected}, found {found}")]
    Argument {
        /// The function called.
        function: String,
        /// The parameter.
        parameter: String,
        /// The accepted form.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A function file that cannot be used.
    #[error("{path}: {problem}")]
    File {
        /// Where the file is.
        path: String,
        /// Why it cannot be used.
        problem: String,
    },
    /// A path that the code took for granted and the resource does not have.
    #[error("`{path}` does not exist in {resource}")]
    Missing {
        /// The part that is missing.
        path: String,
        /// `Kind/name` of the resource.
        resource: String,
    },
    /// The code threw, or used the language wrongly.
    #[error("{message}")]
    Script {
        /// What the code said, or Rhai's message in plain words.
        message: String,
    },
    /// The code wants something that a handle does not do.
    #[error("{operation} expects {expected}, found {found}")]
    Misuse {
        /// The method or assignment.
        operation: String,
        /// What it accepts.
        expected: String,
        /// What it met.
        found: String,
    },
    /// An allowance ran out.
    #[error("stopped: {what} is limited to {limit}")]
    Limit {
        /// What ran out.
        what: &'static str,
        /// The allowance.
        limit: String,
    },
    /// The edits could not be written into the text.
    #[error(transparent)]
    Edit(#[from] yaml::Error),
}

/// A place in a function's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as it is shown, for example `functions/pin-node-pool.rhai`.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// First column in characters, from 1.
    pub column: usize,
    /// Column behind the last character; at least `column + 1`.
    pub end: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// An error of the script layer, one word wide.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    fault: Fault,
    hints: Vec<String>,
    location: Option<Location>,
    label: Option<String>,
    source: Option<Arc<str>>,
}

impl Error {
    /// Makes an error without hints or place.
    pub fn new(fault: Fault) -> Self {
        Self(Box::new(Inner {
            fault,
            hints: Vec::new(),
            location: None,
            label: None,
            source: None,
        }))
    }

    /// Makes the error of code that threw `message`.
    pub fn script(message: impl Into<String>) -> Self {
        Self::new(Fault::Script {
            message: message.into(),
        })
    }

    /// What went wrong, as data.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The broad class.
    pub fn kind(&self) -> Kind {
        match &self.0.fault {
            Fault::UnknownFunction { .. } => Kind::NotFound,
            Fault::UnknownParameter { .. }
            | Fault::RepeatedParameter { .. }
            | Fault::MissingParameter { .. }
            | Fault::TooManyArguments { .. } => Kind::Usage,
            Fault::Limit { .. } => Kind::Limit,
            Fault::Argument { .. }
            | Fault::File { .. }
            | Fault::Missing { .. }
            | Fault::Script { .. }
            | Fault::Misuse { .. }
            | Fault::Edit(_) => Kind::Invalid,
        }
    }

    /// One line without a full stop, without the place.
    pub fn message(&self) -> String {
        self.0.fault.to_string()
    }

    /// Whole sentences or `word   value` notes that help, in the order to show them.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Where in the source it happened.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// What to write under the marked word.
    pub fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// The whole text of the file that [`Error::location`] points into.
    pub fn source_text(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// Adds a hint at the end.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Says how it is called, in place of what the hints say of that.
    #[must_use]
    pub(super) fn usage(mut self, usage: String) -> Self {
        self.0.hints.retain(|hint| !hint.starts_with("usage "));
        self.hint(usage)
    }

    /// Adds the hint that `nearest` may be meant, where there is one.
    #[must_use]
    pub fn nearest(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(name) => self.hint(format!("nearest    {name}")),
            None => self,
        }
    }

    /// Takes the nearest name back: there is a better thing to say.
    #[must_use]
    pub(super) fn without_nearest(mut self) -> Self {
        self.0.hints.retain(|hint| !hint.starts_with("nearest "));
        self
    }

    /// Sets the place, unless one is known already: the innermost is the right one.
    #[must_use]
    pub fn at(mut self, location: Location, source: Option<Arc<str>>) -> Self {
        if self.0.location.is_none() {
            self.0.location = Some(location);
            self.0.source = source;
        }
        self
    }

    /// Sets what to write under the marked word.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.0.label = Some(label.into());
        self
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

impl From<yaml::Error> for Error {
    fn from(error: yaml::Error) -> Self {
        Self::new(Fault::Edit(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.location, &self.0.fault) {
            // A file's problem names the file itself.
            (None, fault) | (Some(_), fault @ Fault::File { .. }) => fault.fmt(f),
            (Some(location), fault) => write!(f, "{location}: {fault}"),
        }
    }
}

/// Without the source text, which is long.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("fault", &self.0.fault)
            .field("hints", &self.0.hints)
            .field("location", &self.0.location)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}

/// The candidate that `name` is most likely a slip for.
///
/// Compares case-blind by edit distance; `None` when nothing is near.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let allowed = (wanted.len() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 128)
        .map(|candidate| {
            let lower: Vec<char> = candidate.to_lowercase().chars().collect();
            (distance(&wanted, &lower), candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let replaced = previous[j] + usize::from(left != right);
            current.push(replaced.min(previous[j + 1] + 1).min(current[j] + 1));
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_slip_away_or_absent() {
        let names = ["containers", "volumes", "serviceAccountName"];
        assert_eq!(nearest("contaners", names), Some("containers"));
        assert_eq!(nearest("Volumes", names), Some("volumes"));
        assert_eq!(nearest("replicas", names), None);
    }

    #[test]
    fn the_innermost_place_stays() {
        let place = |line| Location {
            file: "a.rhai".into(),
            line,
            column: 1,
            end: 2,
        };
        let error = Error::script("x").at(place(3), None).at(place(9), None);
        assert_eq!(error.to_string(), "a.rhai:3:1: x");
    }
}
