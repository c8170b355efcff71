//! The one error of a bulk change that failed: what went wrong first, in how many units it is the
//! same, and what to run next.

use std::collections::BTreeSet;
use std::path::Path;

use crate::app::functions::FOLDER;
use crate::app::outcome::{Outcome, Status, UnitReport, plural};
use crate::error::Error;

/// From how many units on the same error is told once.
const MANY: usize = 4;

/// How many names of units, and how many other errors, are told.
const MAX_TOLD: usize = 3;

impl Outcome {
    fn failures(&self) -> impl Iterator<Item = (&UnitReport, &Error)> {
        self.reports
            .iter()
            .filter_map(|report| match &report.status {
                Status::Failed(error) => Some((report, error)),
                _ => None,
            })
    }

    /// The first failure, told with how many units share it and that nothing was written.
    pub fn failure(&self) -> Option<Error> {
        let (report, error) = self.failures().next()?;
        let first = error.clone();
        let error = first
            .clone()
            .context(format!(
                "unit         {} r{}",
                report.reference, report.before
            ))
            .context(format!("call         {}", self.verb));
        if self.is_partial {
            return Some(
                error.context(format!("what was sent before it stays: {}", self.summary())),
            );
        }
        if self.reports.len() == 1 {
            return Some(error.context("nothing was written"));
        }
        let error = self.extent(&first).into_iter().fold(error, Error::context);
        Some(
            self.next_commands(report, &first)
                .fold(error, Error::context),
        )
    }

    /// How many units failed so, and how otherwise.
    fn extent(&self, first: &Error) -> Vec<String> {
        let (failed, matched) = (self.failed(), self.reports.len());
        let skipped = self.skipped_because();
        let mut others: Vec<(&UnitReport, &Error)> = Vec::new();
        for (report, error) in self.failures() {
            let mut known = others.iter().map(|(_, other)| *other).chain([first]);
            if !known.any(|known| is_alike(known, error)) {
                others.push((report, error));
            }
        }
        if others.is_empty() {
            let what = if failed == 1 {
                format!("1 of {matched} units failed")
            } else {
                format!("the same error in {failed} of {matched} units")
            };
            return vec![format!("{what}{skipped}: nothing was written")];
        }
        let mut lines = vec![format!(
            "{failed} of {matched} units failed{skipped}: nothing was written; others fail otherwise"
        )];
        let told = others.iter().take(MAX_TOLD);
        lines.extend(told.map(|(report, error)| format!("{}: {error}", report.reference)));
        if others.len() > MAX_TOLD {
            let more = others.len() - MAX_TOLD;
            lines.push(format!("and {}", plural(more, "other error")));
        }
        lines
    }

    /// `; 2 skipped (no container api)`.
    fn skipped_because(&self) -> String {
        let reasons: BTreeSet<&str> = self
            .reports
            .iter()
            .filter_map(|report| match &report.status {
                Status::Skipped(reason) => Some(reason.as_str()),
                _ => None,
            })
            .collect();
        let mut reasons = reasons.into_iter();
        match (reasons.next(), reasons.len()) {
            (None, _) => String::new(),
            (Some(""), 0) => format!("; {} skipped", self.skipped()),
            (Some(only), 0) => format!("; {} skipped ({only})", self.skipped()),
            (Some(first), more) => {
                let more = plural(more, "other reason");
                format!("; {} skipped ({first}, and {more})", self.skipped())
            }
        }
    }

    /// What to run next where a function failed.
    fn next_commands(&self, report: &UnitReport, error: &Error) -> impl Iterator<Item = String> {
        let file = error.location().map(|at| at.file.as_str());
        let file = file.filter(|file| Path::new(file).extension().is_some());
        let (call, unit) = (&self.verb, &report.reference);
        let alone =
            file.map(|_| format!("windlass run {call} --unit {unit} --dry-run    just this one"));
        let is_own = file.is_some_and(|file| Path::new(file).starts_with(FOLDER));
        let kept = is_own.then(|| {
            format!(
                "windlass function test {} --add-case {unit}    keep it as a test",
                positional(call)
            )
        });
        alone.into_iter().chain(kept)
    }

    /// Where many units failed with the same error, that in a line: the error itself is told once.
    pub(crate) fn failed_alike(&self) -> Option<String> {
        let (_, first) = self.failures().next()?;
        let failed = self.failed();
        let is_once = failed >= MANY && self.failures().all(|(_, error)| is_alike(first, error));
        let names = self.failures().take(MAX_TOLD);
        let names: Vec<&str> = names.map(|(report, _)| report.reference.as_str()).collect();
        is_once.then(|| {
            format!(
                "{failed} failed with the same error: {} and {} more",
                names.join(", "),
                failed - names.len()
            )
        })
    }
}

/// Whether two units failed for the same reason: at the same place in the same way, whatever the
/// resource is called.
fn is_alike(one: &Error, other: &Error) -> bool {
    let place = |error: &Error| {
        error
            .location()
            .map(|at| (at.file.clone(), at.line, at.column))
    };
    let what = |error: &Error| {
        let message = error.message();
        message
            .rsplit_once(" in ")
            .map_or(message, |(what, _)| what)
            .to_owned()
    };
    if one.kind() != other.kind() || place(one) != place(other) {
        return false;
    }
    match place(one) {
        Some(_) => what(one) == what(other),
        None => one.message() == other.message(),
    }
}

/// A call with its arguments in their order, as `function test` takes them: `pin --pool "a" --n 3`
/// is `pin "a" 3`.
fn positional(call: &str) -> String {
    let mut words = Vec::new();
    let mut is_quoted = false;
    for word in call.split(' ') {
        if is_quoted || !word.starts_with("--") {
            words.push(word);
        }
        if word.matches('"').count() % 2 == 1 {
            is_quoted = !is_quoted;
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::positional;

    #[test]
    fn a_call_loses_the_names_of_its_arguments_and_no_more() {
        assert_eq!(positional("pin --pool \"a --b\" --n 3"), "pin \"a --b\" 3");
        assert_eq!(positional("pin"), "pin");
    }
}
