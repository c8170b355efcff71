//! Why an operation cannot be taken back: told of all at once, and nothing is written.

use crate::error::{Error, Kind};
use crate::id::OpId;

/// How many reasons are told.
const SHOWN: usize = 10;

/// The reasons that were met so far.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<Refusal>);

#[derive(Debug)]
struct Refusal {
    message: String,
    hint: Option<String>,
}

impl Refusals {
    /// Something is not any more as the operation left it.
    pub(super) fn changed(&mut self, what: &str, op: OpId, by: Option<OpId>) {
        let by_whom = by.map_or_else(|| "later".to_owned(), |by| format!("by {by}"));
        self.0.push(Refusal {
            message: format!("expected {what} as {op} left it, found it changed {by_whom}"),
            hint: by.map(|by| format!("windlass undo {by} takes that back first")),
        });
    }

    /// Something is not any more where the operation left it.
    pub(super) fn gone(&mut self, what: &str, op: OpId, by: Option<OpId>) {
        let by_whom = by.map_or_else(|| "later".to_owned(), |by| format!("by {by}"));
        self.0.push(Refusal {
            message: format!("expected {what} as {op} left it, found it deleted {by_whom}"),
            hint: by.map(|by| format!("windlass undo {by} brings it back first")),
        });
    }

    /// Anything else, with what to run next.
    pub(super) fn other(&mut self, message: String, hint: Option<String>) {
        self.0.push(Refusal { message, hint });
    }

    /// One error of them all.
    pub(super) fn error(&self) -> Option<Error> {
        let first = self.0.first()?;
        let mut error = Error::new(Kind::Conflict, first.message.clone());
        for other in self.0.iter().skip(1).take(SHOWN) {
            error = error.context(other.message.clone());
        }
        if self.0.len() > SHOWN + 1 {
            error = error.context(format!("and {} more", self.0.len() - SHOWN - 1));
        }
        error = error.context("nothing was written");
        let mut hints: Vec<&String> = Vec::new();
        for hint in self.0.iter().filter_map(|refusal| refusal.hint.as_ref()) {
            if !hints.contains(&hint) && hints.len() < 3 {
                hints.push(hint);
            }
        }
        Some(
            hints
                .into_iter()
                .fold(error, |error, hint| error.hint(hint.clone())),
        )
    }
}
