//! Files and names in scripts: reading and writing below the project's root, prefixes.

use rhai::{Dynamic, Engine};

use crate::app::App;
use crate::app::export::ExportOptions;
use crate::app::import::ImportOptions;
use crate::app::outcome::Outcome;
use crate::app::select::Request;
use crate::error::{Error, Kind, Result};
use crate::session::convert::scripted;
use crate::session::outcome::ScriptOutcome;

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
    engine.register_fn("export_dir", move |folder: &str| {
        scripted(export(&here, folder, None))
    });
    let here = app.clone();
    engine.register_fn("export_dir", move |folder: &str, selector: &str| {
        scripted(export(&here, folder, Some(selector)))
    });
    let here = app.clone();
    engine.register_fn("import_dir", move |folder: &str| {
        scripted(import(&here, folder)).map(|outcome| ScriptOutcome::new(&here, outcome))
    });
    let here = app.clone();
    engine.register_fn("new_prefix", move || scripted(here.new_prefix(None)));
    let here = app.clone();
    engine.register_fn("new_prefix", move |seed: i64| {
        scripted(here.new_prefix(Some(seed.cast_unsigned())))
    });
}

/// Exports below the project's root; returns what was done as a map.
fn export(app: &App, folder: &str, selector: Option<&str>) -> Result<Dynamic> {
    let folder = app.project().writable_folder(folder)?;
    let selection = selector.map(|selector| {
        app.select(&Request {
            selector: Some(selector.to_owned()),
            ..Request::default()
        })
    });
    let options = ExportOptions {
        selection: selection.transpose()?,
        force: false,
    };
    let done = app.export(&folder, &options)?.to_json();
    rhai::serde::to_dynamic(done).map_err(|error| Error::new(Kind::Internal, error.to_string()))
}

/// Imports an exported folder below the project's root.
fn import(app: &App, folder: &str) -> Result<Outcome> {
    let folder = app.project().resolve(folder)?;
    app.import_export(&folder, &ImportOptions::default())
}
