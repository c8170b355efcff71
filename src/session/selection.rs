//! Selections and tables in scripts.

use rhai::{Array, Dynamic, Engine, FnPtr, NativeCallContext};

use crate::app::App;
use crate::app::select::Selection;
use crate::app::table::Table;
use crate::error::Result;
use crate::session::convert::{Scripted, caught, scripted, to_dynamic};
use crate::session::preview::ScriptPreview;
use crate::session::unit::ScriptUnit;
use crate::session::verbs::Addressed;

/// A pinned list of units.
#[derive(Clone)]
pub(super) struct ScriptSelection {
    app: App,
    selection: Selection,
}

impl Addressed for ScriptSelection {
    fn app(&self) -> &App {
        &self.app
    }

    fn selection(&self) -> Result<Selection> {
        Ok(self.selection.clone())
    }
}

impl ScriptSelection {
    pub(super) fn new(app: &App, selection: Selection) -> Self {
        Self {
            app: app.clone(),
            selection,
        }
    }

    fn units(&self) -> Vec<ScriptUnit> {
        let pins = self.selection.pins().iter();
        pins.map(|pin| ScriptUnit::new(&self.app, pin.unit))
            .collect()
    }
}

impl IntoIterator for ScriptSelection {
    type Item = ScriptUnit;
    type IntoIter = std::vec::IntoIter<ScriptUnit>;

    fn into_iter(self) -> Self::IntoIter {
        self.units().into_iter()
    }
}

/// A table; printing it aligns its columns.
#[derive(Clone)]
pub(super) struct ScriptTable(pub(super) Table);

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<ScriptSelection>("Selection")
        .register_iterator::<ScriptSelection>();
    register_reading::<ScriptSelection>(engine);
    engine
        .register_fn("units", |on: &mut ScriptSelection| -> Array {
            on.units().into_iter().map(Dynamic::from).collect()
        })
        .register_fn("to_string", |on: &mut ScriptSelection| {
            scripted(
                on.app
                    .references(&on.selection)
                    .map(|names| names.join("\n")),
            )
        })
        .register_fn("to_debug", |on: &mut ScriptSelection| {
            scripted(
                on.app
                    .references(&on.selection)
                    .map(|names| names.join("\n")),
            )
        });
    engine
        .register_type_with_name::<ScriptTable>("Table")
        .register_fn("to_string", |table: &mut ScriptTable| table.0.to_string())
        .register_fn("to_debug", |table: &mut ScriptTable| table.0.to_string())
        .register_get("len", |table: &mut ScriptTable| count(table.0.rows().len()))
        .register_fn("len", |table: &mut ScriptTable| count(table.0.rows().len()))
        .register_fn("rows", |table: &mut ScriptTable| {
            scripted(to_dynamic(&table.0.to_json()))
        });
}

/// What can be asked of everything that stands for units.
pub(super) fn register_reading<T: Addressed>(engine: &mut Engine) {
    let names = |on: &mut T| -> Scripted<Array> {
        let names = scripted(on.selection().and_then(|all| on.app().references(&all)))?;
        Ok(names.into_iter().map(Dynamic::from).collect())
    };
    let length = |on: &mut T| scripted(on.selection().map(|all| count(all.pins().len())));
    engine
        .register_get("names", names)
        .register_fn("names", names)
        .register_get("len", length)
        .register_fn("len", length)
        .register_get("is_empty", |on: &mut T| {
            scripted(on.selection().map(|all| all.pins().is_empty()))
        });
}

/// Previewing what a closure would write to whatever stands for units.
pub(super) fn register_previewing<T: Addressed>(engine: &mut Engine) {
    engine.register_fn(
        "preview",
        |context: NativeCallContext<'_>, on: &mut T, body: FnPtr| {
            let selection = scripted(on.selection())?;
            let handle = ScriptSelection::new(on.app(), selection);
            let call = || {
                let result: Scripted<Dynamic> =
                    body.call_within_context(&context, (handle.clone(),));
                result
                    .map(drop)
                    .map_err(|error| caught(context.engine(), &error))
            };
            scripted(on.app().preview(call))
                .map(|preview| ScriptPreview::new(on.app(), preview, handle.clone(), body.clone()))
        },
    );
}

/// A count as scripts have numbers.
pub(super) fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
