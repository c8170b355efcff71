//! Undo, redo and blame in scripts.

use rhai::{Engine, Map};

use crate::app::App;
use crate::app::blame::Blame;
use crate::session::convert::{Options, Scripted, scripted, to_dynamic};
use crate::session::outcome::ScriptOutcome;
use crate::session::selection::count;
use crate::session::verbs::Addressed;

/// Why values are as they are; printing it shows a line for each, and its sources below.
#[derive(Clone)]
struct ScriptBlame(Blame);

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
    engine
        .register_type_with_name::<ScriptBlame>("Blame")
        .register_fn("to_string", |blame: &mut ScriptBlame| {
            blame.0.to_string().trim_end().to_owned()
        })
        .register_fn("to_debug", |blame: &mut ScriptBlame| blame.0.to_string())
        .register_get("len", |blame: &mut ScriptBlame| count(blame.0.len()))
        .register_fn("rows", |blame: &mut ScriptBlame| {
            scripted(to_dynamic(&blame.0.to_json()))
        });
}

/// Registers `blame` for the type `T`.
pub(super) fn register_blame<T: Addressed>(engine: &mut Engine) {
    engine
        .register_fn("blame", |on: &mut T, path: &str| blame(on, path, None))
        .register_fn("blame", |on: &mut T, path: &str, options: Map| {
            let mut options = Options::new(&options);
            let resource = scripted(options.text("resource"))?;
            scripted(options.finish())?;
            blame(on, path, resource.as_deref())
        });
}

fn blame<T: Addressed>(on: &T, path: &str, resource: Option<&str>) -> Scripted<ScriptBlame> {
    let blame = on
        .selection()
        .and_then(|selection| on.app().blame(&selection, path, resource));
    scripted(blame.map(ScriptBlame))
}
