//! What applying a changeset would do, unit by unit.

use std::fmt;

use crate::app::changeset::stage::refuse_other_head;
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::model::{ChangeSet, ChangeSetState, HeadStep, LiveStep, Pinned, Space, Unit};

/// What applying a changeset comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Staged data becomes head and live.
    Write,
    /// The pinned heads become live.
    Release,
    /// Heads and live revisions go back to what was pinned.
    Return,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Write => "write",
            Self::Release => "release",
            Self::Return => "return",
        })
    }
}

/// One unit of a plan.
pub(super) struct Step {
    pub(super) unit: Unit,
    pub(super) space: Space,
    pub(super) head: HeadStep,
    pub(super) live: LiveStep,
    /// In words.
    pub(super) note: String,
}

impl Step {
    pub(super) fn is_nothing(&self) -> bool {
        self.head == HeadStep::Keep && self.live == LiveStep::Keep
    }

    pub(super) fn reference(&self) -> String {
        format!("{}/{}", self.space.slug, self.unit.slug)
    }
}

/// All units of a changeset.
pub(super) struct Plan {
    pub(super) way: Way,
    pub(super) steps: Vec<Step>,
}

impl Plan {
    pub(super) fn is_nothing(&self) -> bool {
        self.steps.iter().all(Step::is_nothing)
    }
}

/// Plans a changeset.
pub(super) fn plan(view: &View, changeset: &ChangeSet) -> Result<Plan> {
    if changeset.entries.is_empty() {
        return Err(Error::new(
            Kind::Invalid,
            format!(
                "expected a unit in changeset `{}`, found it empty",
                changeset.slug
            ),
        )
        .hint(format!(
            "windlass unit update UNIT --patch JSON --changeset {} stages a change",
            changeset.slug
        )));
    }
    let mut members = Vec::with_capacity(changeset.entries.len());
    for entry in &changeset.entries {
        let unit = view.find_unit_by_id(entry.unit)?.ok_or_else(|| {
            Error::new(
                Kind::Conflict,
                format!("expected unit {} to be there, found it deleted", entry.unit),
            )
            .hint(format!("windlass changeset discard {}", changeset.slug))
        })?;
        let space = view.space(unit.space)?;
        members.push((entry, unit, space));
    }
    let has_moved = members.iter().any(|(entry, unit, _)| {
        matches!(&entry.pinned, Pinned::Present { live, .. } if *live != unit.live)
    });
    let is_staged = members
        .iter()
        .any(|(entry, ..)| matches!(entry.pinned, Pinned::Staged(_)));
    let way = match (is_staged, has_moved) {
        (true, _) => Way::Write,
        (false, false) => Way::Release,
        (false, true) => Way::Return,
    };
    let mut steps = Vec::with_capacity(members.len());
    for (entry, unit, space) in members {
        let (head, live, note) = match &entry.pinned {
            Pinned::Staged(staged) => {
                if changeset.state == ChangeSetState::Applied {
                    (HeadStep::Keep, LiveStep::Keep, "applied already".to_owned())
                } else {
                    refuse_other_head(view, &unit, staged.base, changeset)?;
                    let revision = unit.head + u32::from(staged.data != unit.data);
                    let live = LiveStep::Send {
                        revision,
                        data: staged.data,
                    };
                    let note = format!("{}, live", in_words(unit.head, revision));
                    (HeadStep::Write, live, note)
                }
            }
            Pinned::Present { head, .. } if way == Way::Release => release(view, &unit, *head)?,
            Pinned::Present { head, live } => back(view, &unit, *head, *live)?,
        };
        steps.push(Step {
            unit,
            space,
            head,
            live,
            note,
        });
    }
    Ok(Plan { way, steps })
}

fn in_words(from: u32, to: u32) -> String {
    if from == to {
        format!("r{to}")
    } else {
        format!("r{from} → r{to}")
    }
}

fn release(view: &View, unit: &Unit, head: u32) -> Result<(HeadStep, LiveStep, String)> {
    if unit.live == Some(head) {
        return Ok((HeadStep::Keep, LiveStep::Keep, format!("r{head} is live")));
    }
    let data = view.revision(unit.id, head)?.data;
    let mut note = format!("r{head} becomes live");
    if unit.head > head {
        note = format!("{note}; r{} stays unapplied", unit.head);
    }
    let live = LiveStep::Send {
        revision: head,
        data,
    };
    Ok((HeadStep::Keep, live, note))
}

fn back(
    view: &View,
    unit: &Unit,
    head: u32,
    live: Option<u32>,
) -> Result<(HeadStep, LiveStep, String)> {
    let wanted = view.revision(unit.id, head)?.data;
    let (head_step, number, mut note) = if wanted == unit.data {
        (HeadStep::Keep, unit.head, format!("r{} stays", unit.head))
    } else {
        let gone = in_words(head + 1, unit.head).replace(" → ", " to ");
        (
            HeadStep::Restore { revision: head },
            unit.head + 1,
            format!("data of r{head} as r{}, {gone} discarded", unit.head + 1),
        )
    };
    let live_step = match live {
        None if unit.live.is_none() => LiveStep::Keep,
        None => {
            note.push_str("; not deployed again");
            LiveStep::Withdraw
        }
        Some(live) => {
            let data = view.revision(unit.id, live)?.data;
            let revision = if data == wanted { number } else { live };
            if unit.live == Some(revision) {
                LiveStep::Keep
            } else {
                let live = in_words(unit.live.unwrap_or(0), revision);
                note = format!("{note}; live {live}");
                LiveStep::Send { revision, data }
            }
        }
    };
    Ok((head_step, live_step, note))
}
