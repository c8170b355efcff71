//! Applies: what was sent to targets, and what became of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Process;
use crate::clock::Timestamp;
use crate::id::{ApplyId, Slug, UnitId};

/// One call of apply or destroy that had something to send.
///
/// While it has not ended, and its process lives, its units are its own: no other apply takes
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Apply {
    /// Its number.
    pub id: ApplyId,
    /// What was called: `apply`, `destroy`, `rollback to prev-live`.
    pub verb: String,
    /// Who called it.
    pub by: String,
    /// When it began.
    pub at: Timestamp,
    /// The process that does it.
    pub process: Process,
    /// When that process has to be given up at the latest; it moves on while the process works.
    pub until: Timestamp,
    /// When it ended; none while it goes on, or where its process ended before it did.
    pub ended: Option<Timestamp>,
    /// Whether it waits until what was sent is ready.
    pub wait: bool,
    /// Its units, in the order in which they are sent.
    pub members: Vec<ApplyMember>,
}

impl Apply {
    /// The units that are not where this apply was to bring them.
    pub fn unfinished(&self) -> impl Iterator<Item = &ApplyMember> {
        let is_done = |step: ApplyStep| matches!(step, ApplyStep::Same | ApplyStep::Done);
        self.members
            .iter()
            .filter(move |member| !is_done(member.step))
    }

    /// The units of which something was sent.
    pub fn touched(&self) -> impl Iterator<Item = &ApplyMember> {
        let is_touched = |step: ApplyStep| !matches!(step, ApplyStep::Waiting | ApplyStep::Same);
        self.members
            .iter()
            .filter(move |member| is_touched(member.step))
    }
}

/// One unit of an [`Apply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ApplyMember {
    /// The unit.
    pub unit: UnitId,
    /// Where it is sent.
    pub target: Slug,
    /// The revision that was live before.
    pub before: Option<u32>,
    /// The revision that is sent; none where the unit is destroyed.
    pub revision: Option<u32>,
    /// How far it is.
    pub step: ApplyStep,
}

/// How far a unit of an [`Apply`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApplyStep {
    /// Nothing has been sent yet.
    Waiting,
    /// The target had all of it already.
    Same,
    /// It is being sent, or was when the process ended.
    Sending,
    /// All of it was sent; it is not known to be ready, where that is waited for.
    Sent,
    /// It was sent, and is ready where that was waited for.
    Done,
    /// The target refused something of it, or it did not become ready.
    Failed,
}

impl fmt::Display for ApplyStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Waiting => "not sent",
            Self::Same => "same",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Done => "done",
            Self::Failed => "failed",
        })
    }
}
