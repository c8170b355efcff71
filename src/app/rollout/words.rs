//! What a rollout did, in words.

use std::collections::BTreeMap;

use crate::deploy::{Action, LiveState, UnitPlan, WaitResult};
use crate::error::{Error, Kind};
use crate::model::Status;

/// What a look at a unit told.
pub(super) enum Looked {
    /// Nobody looked: it is a rehearsal.
    Not,
    /// It is not ready, and nobody asked why.
    NotReady,
    /// How it fares just now.
    Now(LiveState),
    /// How it fares after waiting.
    Waited(WaitResult),
}

impl Looked {
    pub(super) fn into_state(self) -> Option<LiveState> {
        match self {
            Self::Not => None,
            Self::NotReady => Some(LiveState {
                target: String::new(),
                status: Status::Progressing,
                reason: "not ready yet; windlass wait says why".to_owned(),
                revision: None,
                objects: Vec::new(),
            }),
            Self::Now(live) => Some(live),
            Self::Waited(waited) => Some(LiveState {
                status: match waited.state.status {
                    // The time is up: it is there, and does not work.
                    Status::Progressing => Status::Degraded,
                    status => status,
                },
                reason: waited.reason,
                ..waited.state
            }),
        }
    }
}

impl LiveState {
    /// Adds how a unit fares to what is said of it.
    pub(super) fn append_to(&self, note: &mut String) {
        if !note.is_empty() {
            note.push_str(", ");
        }
        note.push_str(self.status.as_str());
        // How many objects there are was said already.
        let reason = match (self.status, self.reason.split_once(" in place, ")) {
            (Status::Ready, Some((_, pods))) => pods,
            _ => self.reason.as_str(),
        };
        if !reason.is_empty() {
            note.push_str(": ");
            note.push_str(reason);
        }
    }
}

/// The error of a unit that was waited for.
pub(super) fn not_ready(reference: &str, live: &LiveState) -> Error {
    Error::new(
        Kind::Unavailable,
        format!(
            "expected `{reference}` to become ready, found it {}: {}",
            live.status, live.reason
        ),
    )
    .hint(format!("windlass unit live-state {reference} shows more"))
}

/// `1 created, 2 same`.
pub(super) fn counted(actions: impl Iterator<Item = Action>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for action in actions {
        let word = match action {
            Action::Create => "created",
            Action::Update => "changed",
            Action::Keep => "same",
            Action::Delete => "deleted",
        };
        *counts.entry(word).or_default() += 1;
    }
    let parts = counts.iter().map(|(word, count)| format!("{count} {word}"));
    parts.collect::<Vec<_>>().join(", ")
}

pub(super) fn steps_in_words(plan: &UnitPlan) -> String {
    counted(plan.steps.iter().map(|step| step.action))
}
