//! Files and names in scripts: reading and writing below the project's root, prefixes.

use rhai::Engine;

use crate::app::App;
use crate::session::convert::scripted;

pub(super) fn register(engine: &mut Engine, app: &App) {
    let here = app.clone();
    engine.register_fn("read_file", move |name: &str| {
        scripted(here.project().read_file(name))
    });
    let here = app.clone();
    engine.register_fn("write_file", move |name: &str, text: &str| {
        scripted(here.write_file(name, text))
    });
    let here = app.clone();
    engine.register_fn("remove_file", move |name: &str| {
        scripted(here.remove_file(name))
    });
    let here = app.clone();
    engine.register_fn("file_exists", move |name: &str| {
        scripted(here.file_exists(name))
    });
    let here = app.clone();
    engine.register_fn("new_prefix", move || scripted(here.new_prefix(None)));
    let here = app.clone();
    engine.register_fn("new_prefix", move |seed: i64| {
        scripted(here.new_prefix(Some(seed.cast_unsigned())))
    });
}
