//! Units in scripts.

use rhai::{Dynamic, Engine, Map};

use crate::app::App;
use crate::app::create::Made;
use crate::app::outcome::Status;
use crate::app::select::Selection;
use crate::error::Result;
use crate::id::UnitId;
use crate::session::convert::{Options, Scripted, scripted, to_dynamic};
use crate::session::selection::ScriptTable;
use crate::session::verbs::{Addressed, revision_number};

/// A unit, as scripts hold it: always as it is now, not as it was when it was asked for.
#[derive(Clone)]
pub(super) struct ScriptUnit {
    app: App,
    id: UnitId,
    status: Status,
}

impl Addressed for ScriptUnit {
    fn app(&self) -> &App {
        &self.app
    }

    fn selection(&self) -> Result<Selection> {
        self.app.selection_of(self.id)
    }
}

impl ScriptUnit {
    pub(super) fn new(app: &App, id: UnitId) -> Self {
        Self {
            app: app.clone(),
            id,
            status: Status::Unchanged,
        }
    }

    pub(super) fn made(app: &App, made: Made<UnitId>) -> Self {
        Self {
            app: app.clone(),
            id: made.id,
            status: made.status,
        }
    }

    pub(super) fn id(&self) -> UnitId {
        self.id
    }

    pub(super) fn is_new(&self) -> bool {
        matches!(self.status, Status::Created)
    }

    /// An attribute, by its `PascalCase` name.
    fn attribute(&self, name: &str) -> Result<Dynamic> {
        to_dynamic(&self.app.attribute(self.id, name)?)
    }

    fn value(&self, path: &str, resource: Option<&str>) -> Result<Dynamic> {
        match self.app.data_value(self.id, path, resource)? {
            Some(value) => to_dynamic(&value),
            None => Ok(Dynamic::UNIT),
        }
    }
}

/// The attributes of a unit as properties: in snake case, and under their `PascalCase` names.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("slug", "Slug"),
    ("name", "Name"),
    ("head_revision", "HeadRevisionNum"),
    ("live_revision", "LiveRevisionNum"),
    ("last_applied_revision", "LastAppliedRevisionNum"),
    ("upstream_revision", "UpstreamRevisionNum"),
    ("upgrade_needed", "UpgradeNeeded"),
    ("unapplied_changes", "UnappliedChanges"),
    ("status", "Status"),
    ("labels", "Labels"),
    ("space_slug", "Space.Slug"),
    ("last_change", "LastChangeDescription"),
    ("open_conflicts", "Conflicts"),
];

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<ScriptUnit>("Unit");
    for (property, attribute) in ATTRIBUTES {
        let get = move |unit: &mut ScriptUnit| scripted(unit.attribute(attribute));
        engine.register_get(*property, get);
        if !attribute.contains('.') {
            engine.register_get(*attribute, get);
        }
    }
    engine
        .register_get("reference", |unit: &mut ScriptUnit| {
            scripted(unit.app.reference(unit.id))
        })
        .register_get("outcome", |unit: &mut ScriptUnit| {
            unit.status.word().to_owned()
        })
        .register_get("data", |unit: &mut ScriptUnit| {
            scripted(unit.app.data(unit.id, None))
        })
        .register_fn("data", |unit: &mut ScriptUnit, revision: i64| {
            let revision = scripted(revision_number(revision))?;
            scripted(unit.app.data(unit.id, Some(revision)))
        })
        .register_fn("get", |unit: &mut ScriptUnit, path: &str| {
            scripted(unit.value(path, None))
        })
        .register_fn("get", |unit: &mut ScriptUnit, path: &str, options: Map| {
            let mut options = Options::new(&options);
            let resource = scripted(options.text("resource"))?;
            scripted(options.finish())?;
            scripted(unit.value(path, resource.as_deref()))
        })
        .register_fn("to_string", |unit: &mut ScriptUnit| {
            scripted(unit.app.reference(unit.id))
        })
        .register_fn("to_debug", |unit: &mut ScriptUnit| {
            scripted(unit.app.reference(unit.id))
        })
        .register_fn("==", |left: ScriptUnit, right: ScriptUnit| {
            left.id == right.id
        })
        .register_fn("revisions", |unit: &mut ScriptUnit| revisions(unit, None))
        .register_fn("revisions", |unit: &mut ScriptUnit, limit: i64| {
            revisions(unit, Some(limit))
        })
        .register_fn("history", |unit: &mut ScriptUnit| history(unit, None))
        .register_fn("history", |unit: &mut ScriptUnit, limit: i64| {
            history(unit, Some(limit))
        })
        .register_fn("diff", |unit: &mut ScriptUnit, from: i64, to: i64| {
            scripted((|| {
                let (from, to) = (revision_number(from)?, revision_number(to)?);
                unit.app.diff(&unit.selection()?, Some(from), Some(to))
            })())
        })
        .register_fn("live_state", |unit: &mut ScriptUnit| {
            let state = unit
                .app
                .live_state(unit.id)
                .and_then(|state| to_dynamic(&state));
            scripted(state)
        });
}

fn revisions(unit: &ScriptUnit, limit: Option<i64>) -> Scripted<ScriptTable> {
    let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(0));
    scripted(unit.app.revision_table(unit.id, limit).map(ScriptTable))
}

fn history(unit: &ScriptUnit, limit: Option<i64>) -> Scripted<String> {
    let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(0));
    scripted(unit.app.history(unit.id, limit))
}
