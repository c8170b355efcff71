//! `conflict edit` without a value: the editor of the person at the terminal is asked for one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ArgMatches;
use serde_json::json;

use crate::app::App;
use crate::app::conflict_edit::EditedValue;
use crate::cli::environment;
use crate::error::{Error, Kind, Result};
use crate::ops::{OpDef, Output};

/// Whether the command is `conflict edit` without a value and without a file.
pub(super) fn is_wanted(noun: &ArgMatches) -> bool {
    match noun.subcommand() {
        Some(("edit", matches)) => {
            let is_absent = |id: &str| matches.get_one::<String>(id).is_none();
            is_absent("value") && is_absent("file")
        }
        _ => false,
    }
}

/// Opens the editor on the conflict, and decides it with what was saved.
pub(super) fn edit(app: &App, op: &OpDef, matches: &ArgMatches) -> Result<Output> {
    let id = matches.get_one::<String>("id").cloned().unwrap_or_default();
    let draft = app.conflict_draft(id.parse()?)?;
    let editor = environment::editor().ok_or_else(|| {
        Error::new(
            Kind::Usage,
            "expected a value or an editor, found neither --value nor $VISUAL nor $EDITOR",
        )
        .hint(format!("windlass conflict edit {id} --value YAML"))
    })?;
    let path = written(&id, &draft)?;
    let saved = open(&editor, &path).and_then(|()| {
        fs::read_to_string(&path).map_err(|error| failed("the edited file", &path, &error))
    });
    let keeping = |error: Error| {
        error.hint(format!(
            "what you wrote is in {}; windlass conflict edit {id} --file takes it",
            path.display()
        ))
    };
    let saved = saved.map_err(keeping)?;
    if saved == draft {
        remove(&path);
        return Err(Error::new(
            Kind::Usage,
            format!(
                "expected another value for `{id}`, found the text as it was: nothing was written"
            ),
        )
        .hint(format!("windlass conflict keep {id} keeps the local value")));
    }
    let value = EditedValue::parse(&saved).map_err(keeping)?;
    let args = json!({
        "id": id,
        "value": value.text(),
        "dry_run": matches.get_flag("dry_run"),
    });
    let output = op.run_json(app, args).map_err(keeping)?;
    remove(&path);
    Ok(output)
}

/// Writes the draft to a new file in the folder for temporary files.
fn written(id: &str, draft: &str) -> Result<PathBuf> {
    let name = format!("windlass-{id}-{}.yaml", std::process::id());
    let path = std::env::temp_dir().join(name);
    let file = fs::File::create_new(&path);
    file.and_then(|mut file| file.write_all(draft.as_bytes()))
        .map_err(|error| failed("a new file", &path, &error))?;
    Ok(path)
}

/// Removes the file; what is left of it in the folder for temporary files does no harm.
fn remove(path: &Path) {
    fs::remove_file(path).unwrap_or_default();
}

/// Runs the editor, which may have arguments, and waits for its end.
fn open(editor: &str, path: &Path) -> Result<()> {
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let status = Command::new(program).args(words).arg(path).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::new(
            Kind::Usage,
            format!("expected `{editor}` to end well, found {status}: nothing was written"),
        )),
        Err(error) => Err(Error::new(
            Kind::Usage,
            format!("expected an editor, found `{editor}`, which does not start: {error}"),
        )),
    }
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Kind::Unavailable,
        format!("expected {what} at {}: {error}", path.display()),
    )
}
