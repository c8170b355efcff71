//! Outcomes in scripts: what a write did, and the units it addressed as a selection again.

use rhai::{Array, Dynamic, Engine};

use crate::app::App;
use crate::app::outcome::Outcome;
use crate::app::select::Selection;
use crate::error::Result;
use crate::session::convert::scripted;
use crate::session::selection::{ScriptTable, count};
use crate::session::unit::ScriptUnit;
use crate::session::verbs::Addressed;

/// What a write did.
#[derive(Clone)]
pub(super) struct ScriptOutcome {
    app: App,
    outcome: Outcome,
}

impl Addressed for ScriptOutcome {
    fn app(&self) -> &App {
        &self.app
    }

    fn selection(&self) -> Result<Selection> {
        Ok(Selection::of_reports(&self.outcome.reports))
    }
}

impl ScriptOutcome {
    pub(super) fn new(app: &App, outcome: Outcome) -> Self {
        Self {
            app: app.clone(),
            outcome,
        }
    }

    pub(super) fn styled(&self) -> String {
        format!("{:#}", self.outcome)
    }

    pub(super) fn into_outcome(self) -> Outcome {
        self.outcome
    }
}

impl IntoIterator for ScriptOutcome {
    type Item = ScriptUnit;
    type IntoIter = std::vec::IntoIter<ScriptUnit>;

    fn into_iter(self) -> Self::IntoIter {
        let reports = self.outcome.reports.iter();
        let units: Vec<ScriptUnit> = reports
            .map(|report| ScriptUnit::new(&self.app, report.unit))
            .collect();
        units.into_iter()
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<ScriptOutcome>("Outcome")
        .register_iterator::<ScriptOutcome>()
        .register_get("changed", |on: &mut ScriptOutcome| {
            count(on.outcome.changed())
        })
        .register_get("unchanged", |on: &mut ScriptOutcome| {
            count(on.outcome.unchanged())
        })
        .register_get("skipped", |on: &mut ScriptOutcome| {
            count(on.outcome.skipped())
        })
        .register_get("failed", |on: &mut ScriptOutcome| {
            count(on.outcome.failed())
        })
        .register_get("matched", |on: &mut ScriptOutcome| {
            count(on.outcome.reports.len())
        })
        .register_get("conflicts", |on: &mut ScriptOutcome| -> Array {
            let conflicts = on.outcome.conflicts().into_iter();
            conflicts.map(|id| Dynamic::from(id.to_string())).collect()
        })
        .register_get("op", |on: &mut ScriptOutcome| {
            on.outcome
                .op
                .map_or(Dynamic::UNIT, |op| Dynamic::from(op.to_string()))
        })
        .register_get("summary", |on: &mut ScriptOutcome| on.outcome.summary())
        .register_fn("report", |on: &mut ScriptOutcome| {
            ScriptTable(on.outcome.table())
        })
        .register_fn("table", |on: &mut ScriptOutcome| {
            ScriptTable(on.outcome.table())
        })
        .register_fn("diff", |on: &mut ScriptOutcome| {
            scripted(on.app.diff_reports(&on.outcome.reports))
        })
        .register_fn("to_string", |on: &mut ScriptOutcome| on.outcome.to_string())
        .register_fn("to_debug", |on: &mut ScriptOutcome| on.outcome.to_string());
}
