//! Showing: results, what a line in dry mode would do, and the commands that only look.

use super::state::Repl;
use crate::app::group::Rehearsed;
use crate::app::select::{Request, Selection};
use crate::app::style;
use crate::error::Result;
use crate::ops::Output;
use crate::session::{Answer, LAST};

impl Repl {
    /// What a line in dry mode gave, and what it would write.
    pub(super) fn show_rehearsed(&self, rehearsed: &Rehearsed<Answer>) -> Result<u8> {
        let Rehearsed {
            value: answer,
            preview,
            is_changed,
        } = rehearsed;
        let reports = &preview.outcome().reports;
        let mut code = 0;
        match &answer.output {
            Output::Outcome(outcome)
                if !reports.is_empty()
                    && reports.iter().all(|report| {
                        outcome
                            .reports
                            .iter()
                            .any(|shown| shown.unit == report.unit)
                    }) =>
            {
                let diff = style::lines(&preview.diff());
                code = self.show(&Output::Report {
                    text: format!("{outcome:#}{diff}"),
                    value: outcome.to_json(),
                    exit_code: outcome.exit_code(),
                })?;
            }
            output => {
                if answer.is_kept && (reports.is_empty() || !answer.is_report) {
                    code = self.show(output)?;
                }
                if !reports.is_empty() {
                    code = self.show(&Output::Report {
                        text: format!("{preview:#}"),
                        value: preview.outcome().to_json(),
                        exit_code: 0,
                    })?;
                }
            }
        }
        if *is_changed {
            (self.to.notice)("dry: nothing of this was written");
        }
        Ok(code)
    }

    pub(super) fn show(&self, output: &Output) -> Result<u8> {
        match (output, self.width) {
            (Output::Table(table), Some(width)) => {
                (self.to.show)(&Output::Table(table.clone().fitted(width)))
            }
            _ => (self.to.show)(output),
        }
    }

    pub(super) fn list(&self, selector: Option<String>) -> Result<Output> {
        let selector = selector.map(|text| match text.strip_suffix('/') {
            Some(space) => format!("{space}/*"),
            None => text,
        });
        let selector = match (selector, self.app.current_space()) {
            (None, None) => return Ok(Output::Table(self.app.space_table("*")?)),
            (None, Some(_)) => "*".to_owned(),
            // Out of every space, the names to be listed are those of spaces.
            (Some(name), None) if !name.contains('/') => {
                return Ok(if name.contains(['*', '?']) {
                    Output::Table(self.app.space_table(&name)?)
                } else {
                    self.units_of(format!("{name}/*"))?
                });
            }
            (Some(selector), _) => selector,
        };
        self.units_of(selector)
    }

    pub(super) fn units_of(&self, selector: String) -> Result<Output> {
        let selection = self.select(selector)?;
        if selection.pins().is_empty() {
            return Ok(Output::Text("no units\n".to_owned()));
        }
        Ok(Output::Table(self.app.table(&selection, &[])?))
    }

    pub(super) fn select(&self, selector: String) -> Result<Selection> {
        self.app.select(&Request {
            selector: Some(selector),
            ..Request::default()
        })
    }

    pub(super) fn everything_here(&self) -> String {
        let here = self.app.current_space().is_some();
        (if here { "*" } else { "*/*" }).to_owned()
    }

    pub(super) fn diff(&mut self, selector: Option<String>) -> Result<Output> {
        let text = match selector {
            Some(selector) => self.app.diff(&self.select(selector)?, None, None)?,
            None if self.group.is_some() => {
                let preview = self.app.group_preview()?;
                if preview.outcome().reports.is_empty() {
                    "the group changes no unit so far\n".to_owned()
                } else {
                    return Ok(Output::Text(format!("{preview:#}")));
                }
            }
            None => {
                if let Some(text) = self.diff_of_last()? {
                    text
                } else {
                    let selector = self.everything_here();
                    self.app.diff(&self.select(selector)?, None, None)?
                }
            }
        };
        let text = if text.trim().is_empty() {
            "no differences\n".to_owned()
        } else {
            style::lines(&text)
        };
        Ok(Output::Text(text))
    }

    /// What the last result says that it changed, where it is of a write.
    pub(super) fn diff_of_last(&mut self) -> Result<Option<String>> {
        let variables = self.typed_variables();
        let is_of_write = variables
            .iter()
            .any(|(name, of)| name == LAST && matches!(of.as_str(), "Outcome" | "Preview"));
        if !is_of_write {
            return Ok(None);
        }
        let before = self.lines.variables();
        let line = self.lines.read(&format!("{LAST}.diff()"))?;
        let answer = self.lines.run(&line, self.to.variable);
        self.lines.restore(before);
        match answer?.output {
            Output::Report { value, .. } => Ok(value.as_str().map(str::to_owned)),
            _ => Ok(None),
        }
    }

    pub(super) fn explain(&self, clause: &str) -> Result<Output> {
        let text = self.app.explain(&Request {
            clause: Some(format!("EXPLAIN {clause}")),
            ..Request::default()
        })?;
        Ok(Output::Text(text.unwrap_or_default()))
    }
}
