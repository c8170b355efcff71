//! Previews in scripts: what a closure would write, and committing exactly that.

use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};

use crate::app::App;
use crate::app::preview::Preview;
use crate::error::Result;
use crate::session::convert::{Scripted, caught, scripted};
use crate::session::outcome::ScriptOutcome;
use crate::session::selection::{ScriptSelection, ScriptTable, count};

/// What would be written, and how to compute it again.
#[derive(Clone)]
pub(super) struct ScriptPreview {
    app: App,
    preview: Preview,
    selection: ScriptSelection,
    body: FnPtr,
}

impl ScriptPreview {
    pub(super) fn new(
        app: &App,
        preview: Preview,
        selection: ScriptSelection,
        body: FnPtr,
    ) -> Self {
        Self {
            app: app.clone(),
            preview,
            selection,
            body,
        }
    }

    pub(super) fn styled(&self) -> String {
        format!("{:#}", self.preview)
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<ScriptPreview>("Preview")
        .register_fn("diff", |on: &mut ScriptPreview| on.preview.diff())
        .register_fn("table", |on: &mut ScriptPreview| {
            ScriptTable(on.preview.outcome().table())
        })
        .register_get("changed", |on: &mut ScriptPreview| {
            count(on.preview.outcome().changed())
        })
        .register_fn("to_string", |on: &mut ScriptPreview| on.preview.to_string())
        .register_fn("to_debug", |on: &mut ScriptPreview| on.preview.to_string())
        .register_fn(
            "commit",
            |context: NativeCallContext<'_>, on: &mut ScriptPreview| {
                let body = || -> Result<()> {
                    let handle = on.selection.clone();
                    let result: Scripted<Dynamic> =
                        on.body.call_within_context(&context, (handle,));
                    result
                        .map(drop)
                        .map_err(|error| caught(context.engine(), &error))
                };
                let outcome = scripted(on.app.commit(&on.preview, body))?;
                Ok::<_, Box<rhai::EvalAltResult>>(ScriptOutcome::new(&on.app, outcome))
            },
        );
}
