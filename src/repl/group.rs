//! Groups of lines: seen by later lines at once, written together at the end.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::saved::{Saved, SavedLine};
use super::state::{Repl, counted};
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::ops::Output;
use crate::session::{Line, Variables};

/// The lines since `:begin`.
pub(super) struct Group {
    /// The variables as they were then.
    variables: Variables,
    /// The current space as it was then.
    space: Option<Slug>,
    pub(super) lines: Vec<(SavedLine, Rc<Line>)>,
}

impl Repl {
    pub(super) fn begin_group(&mut self) -> Result<Output> {
        if self.group.is_some() {
            return Err(Error::new(
                Kind::Usage,
                "expected :begin outside a group, found one that is open",
            )
            .hint(":commit writes it, :rollback drops it"));
        }
        self.app.begin_group()?;
        self.group = Some(Group {
            variables: self.lines.variables(),
            space: self.app.current_space(),
            lines: Vec::new(),
        });
        Ok(Output::Text(String::new()))
    }

    pub(super) fn roll_back(&mut self) -> Result<Output> {
        let group = self.group.take().ok_or_else(|| none_open(":rollback"))?;
        self.app.end_group();
        self.set_back(&group)?;
        Ok(Output::Text(format!(
            "dropped {}\n",
            counted(group.lines.len())
        )))
    }

    /// Runs the lines again in one transaction, and writes what they write if it is what was shown.
    pub(super) fn commit(&mut self, why: Option<&str>) -> Result<u8> {
        if self.group.is_none() {
            return Err(none_open(":commit"));
        }
        if self.is_dry {
            return Err(
                Error::new(Kind::Usage, "expected :commit with dry off, found it on")
                    .hint(":diff shows what it would write; :dry off, then :commit, writes it"),
            );
        }
        let preview = self.app.group_preview()?;
        let Some(group) = self.group.take() else {
            return Err(none_open(":commit"));
        };
        self.app.end_group();
        if group.lines.is_empty() {
            return self.show(&Output::Text(
                "the group is empty: nothing was written\n".to_owned(),
            ));
        }
        let app = self.app.clone();
        let result = app.commit_because(why, &preview, || self.replay(&group));
        match result {
            Ok(outcome) => {
                self.saved.push(Saved::Group {
                    why: why.map(str::to_owned),
                    lines: group.lines.into_iter().map(|(line, _)| line).collect(),
                });
                self.show(&Output::Outcome(outcome))
            }
            Err(error) => Err(self.reopen(group, error)),
        }
    }

    /// Runs the lines of a group without what they print and show.
    fn replay(&mut self, group: &Group) -> Result<()> {
        self.set_back(group)?;
        let was_muted = self.is_muted.swap(true, Ordering::Relaxed);
        let mut lines = group.lines.iter();
        let result =
            lines.try_for_each(|(_, line)| self.lines.run(line, self.to.variable).map(drop));
        self.is_muted.store(was_muted, Ordering::Relaxed);
        result
    }

    /// Variables and current space become what they were at the beginning.
    fn set_back(&mut self, group: &Group) -> Result<()> {
        self.lines.restore(group.variables.clone());
        let space = group.space.as_ref().map(Slug::as_str);
        self.app.enter_space(space).map(drop)
    }

    /// Opens a group again that could not be written, on the store as it is now.
    fn reopen(&mut self, group: Group, error: Error) -> Error {
        self.lines.resume();
        let app = self.app.clone();
        let again = app
            .begin_group()
            .and_then(|()| app.in_group(|| self.replay(&group)));
        match again {
            Ok(()) => {
                self.group = Some(group);
                error.hint("the group was computed again: :diff shows it, :commit writes it")
            }
            Err(again) => {
                app.end_group();
                self.lines.restore(group.variables);
                error.context(format!(
                    "the group was dropped: its lines do not run any more: {}",
                    again.message()
                ))
            }
        }
    }
}

fn none_open(command: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("expected an open group for {command}, found none"),
    )
    .hint(":begin opens one")
}
