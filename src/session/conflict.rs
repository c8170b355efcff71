//! Conflict rows in scripts.

use rhai::{Dynamic, Engine, Map};

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::app::conflict::{Decision, state_word};
use crate::app::conflict_edit::EditedValue;
use crate::error::Result;
use crate::id::ConflictId;
use crate::model::Conflict;
use crate::session::convert::{Options, Scripted, scripted, thrown, to_json};
use crate::session::outcome::ScriptOutcome;
use crate::session::selection::{ScriptTable, count};

/// Conflict rows: all that a clause, a unit or an outcome names.
#[derive(Clone)]
pub(super) struct ScriptConflicts {
    app: App,
    rows: Vec<Conflict>,
}

/// One conflict row.
#[derive(Clone)]
pub(super) struct ScriptConflict {
    app: App,
    row: Conflict,
}

impl ScriptConflicts {
    pub(super) fn new(app: &App, rows: Vec<Conflict>) -> Self {
        Self {
            app: app.clone(),
            rows,
        }
    }

    fn ids(&self) -> Vec<ConflictId> {
        self.rows.iter().map(|row| row.id).collect()
    }
}

impl IntoIterator for ScriptConflicts {
    type Item = ScriptConflict;
    type IntoIter = std::vec::IntoIter<ScriptConflict>;

    fn into_iter(self) -> Self::IntoIter {
        let app = self.app;
        let rows: Vec<ScriptConflict> = self
            .rows
            .into_iter()
            .map(|row| ScriptConflict {
                app: app.clone(),
                row,
            })
            .collect();
        rows.into_iter()
    }
}

fn decide(app: &App, ids: &[ConflictId], decision: &Decision) -> Scripted<ScriptOutcome> {
    decide_with(app, ids, decision, ChangeOptions::default())
}

fn decide_with(
    app: &App,
    ids: &[ConflictId],
    decision: &Decision,
    change: ChangeOptions,
) -> Scripted<ScriptOutcome> {
    let outcome = scripted(app.decide(ids, decision, change))?;
    match outcome.failure() {
        Some(error) => Err(thrown(error)),
        None => Ok(ScriptOutcome::new(app, outcome)),
    }
}

fn keep(app: &App, ids: &[ConflictId], options: &Map) -> Scripted<ScriptOutcome> {
    let mut options = Options::new(options);
    let protect = scripted(options.flag("protect"))?;
    let change = scripted(only_dry_run(options))?;
    decide_with(app, ids, &Decision::Keep { protect }, change)
}

fn take(app: &App, ids: &[ConflictId], options: &Map) -> Scripted<ScriptOutcome> {
    let change = scripted(only_dry_run(Options::new(options)))?;
    decide_with(app, ids, &Decision::Take, change)
}

fn only_dry_run(mut options: Options<'_>) -> Result<ChangeOptions> {
    let dry_run = options.flag("dry_run")?;
    options.finish()?;
    Ok(ChangeOptions {
        dry_run,
        ..ChangeOptions::default()
    })
}

/// A value that a script gives: text stays text, the rest is written as JSON, which is YAML.
fn edited(value: &Dynamic) -> Result<EditedValue> {
    match to_json(value)? {
        serde_json::Value::String(text) => EditedValue::of_text(&text),
        value => EditedValue::parse(&value.to_string()),
    }
}

pub(super) fn register(engine: &mut Engine, app: &App) {
    engine
        .register_type_with_name::<ScriptConflicts>("Conflicts")
        .register_iterator::<ScriptConflicts>()
        .register_get("len", |on: &mut ScriptConflicts| count(on.rows.len()))
        .register_fn("len", |on: &mut ScriptConflicts| count(on.rows.len()))
        .register_fn("take", |on: &mut ScriptConflicts| {
            decide(&on.app, &on.ids(), &Decision::Take)
        })
        .register_fn("take", |on: &mut ScriptConflicts, options: Map| {
            take(&on.app, &on.ids(), &options)
        })
        .register_fn("keep", |on: &mut ScriptConflicts| {
            decide(&on.app, &on.ids(), &Decision::Keep { protect: false })
        })
        .register_fn("keep", |on: &mut ScriptConflicts, options: Map| {
            keep(&on.app, &on.ids(), &options)
        })
        .register_fn("table", |on: &mut ScriptConflicts| {
            scripted(on.app.conflict_table(&on.rows).map(ScriptTable))
        })
        .register_fn("to_string", |on: &mut ScriptConflicts| {
            scripted(on.app.describe_conflicts(&on.rows))
        });
    engine
        .register_type_with_name::<ScriptConflict>("Conflict")
        .register_get("id", |on: &mut ScriptConflict| on.row.id.to_string())
        .register_get("path", |on: &mut ScriptConflict| {
            on.row.row.path.to_string()
        })
        .register_get("resource", |on: &mut ScriptConflict| {
            on.row.row.resource.to_string()
        })
        .register_get("base", |on: &mut ScriptConflict| {
            on.row.row.base.clone().unwrap_or_default()
        })
        .register_get("local", |on: &mut ScriptConflict| {
            on.row.row.local.clone().unwrap_or_default()
        })
        .register_get("incoming", |on: &mut ScriptConflict| {
            on.row.row.incoming.clone().unwrap_or_default()
        })
        .register_get("reason", |on: &mut ScriptConflict| {
            on.row.row.reason.describe().to_owned()
        })
        .register_get("state", |on: &mut ScriptConflict| {
            state_word(on.row.row.state).to_owned()
        })
        .register_fn("take", |on: &mut ScriptConflict| {
            decide(&on.app, &[on.row.id], &Decision::Take)
        })
        .register_fn("take", |on: &mut ScriptConflict, options: Map| {
            take(&on.app, &[on.row.id], &options)
        })
        .register_fn("edit", |on: &mut ScriptConflict, value: Dynamic| {
            let value = scripted(edited(&value))?;
            decide(&on.app, &[on.row.id], &Decision::Edit(value))
        })
        .register_fn("keep", |on: &mut ScriptConflict| {
            decide(&on.app, &[on.row.id], &Decision::Keep { protect: false })
        })
        .register_fn("keep", |on: &mut ScriptConflict, options: Map| {
            keep(&on.app, &[on.row.id], &options)
        })
        .register_fn("to_string", |on: &mut ScriptConflict| {
            scripted(on.app.describe_conflicts(std::slice::from_ref(&on.row)))
        });
    let here = app.clone();
    engine.register_fn("conflicts", move || {
        scripted(here.conflicts(None)).map(|rows| ScriptConflicts::new(&here, rows))
    });
    let here = app.clone();
    engine.register_fn("conflicts", move |clause: &str| {
        scripted(here.conflicts(Some(clause))).map(|rows| ScriptConflicts::new(&here, rows))
    });
}
