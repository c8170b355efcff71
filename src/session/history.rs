//! Undo and redo in scripts.

use rhai::Engine;

use crate::app::App;
use crate::session::convert::scripted;
use crate::session::outcome::ScriptOutcome;

pub(super) fn register(engine: &mut Engine, app: &App) {
    let here = app.clone();
    let undo = move |what: Option<&str>| {
        let outcome = here.undo(what, false);
        scripted(outcome.map(|outcome| ScriptOutcome::new(&here, outcome)))
    };
    let newest = undo.clone();
    engine
        .register_fn("undo", move || newest(None))
        .register_fn("undo", move |what: &str| undo(Some(what)));
    let here = app.clone();
    let redo = move |what: Option<&str>| {
        let outcome = here.redo(what, false);
        scripted(outcome.map(|outcome| ScriptOutcome::new(&here, outcome)))
    };
    let newest = redo.clone();
    engine
        .register_fn("redo", move || newest(None))
        .register_fn("redo", move |what: &str| redo(Some(what)));
}
