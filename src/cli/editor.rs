//! The editor of the person at the terminal: for the value of `conflict edit`, and for lines of the
//! REPL.

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
            let is_absent = |id: &str| !matches.contains_id(id);
            is_absent("value") && is_absent("file")
        }
        _ => false,
    }
}

/// Opens the editor on the conflict, and decides it with what was saved.
pub(super) fn edit(app: &App, op: &OpDef, matches: &ArgMatches) -> Result<Output> {
    let id = matches.get_one::<String>("id").cloned().unwrap_or_default();
    let draft = app.conflict_draft(id.parse()?)?;
    let file = Draft::write(&format!("{id}.yaml"), &draft)?;
    let saved = file.edited(&format!("windlass conflict edit {id} --value YAML"));
    let keeping = |error: Error| {
        error.hint(format!(
            "what you wrote is in {}; windlass conflict edit {id} --file takes it",
            file.path().display()
        ))
    };
    let saved = saved.map_err(keeping)?;
    if saved == draft {
        file.remove();
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
    file.remove();
    Ok(output)
}

/// Opens the editor on lines of script, and returns what was saved.
///
/// # Errors
/// When there is no editor, or it does not end well: what was written stays in its file.
pub(super) fn edit_script(text: &str) -> Result<String> {
    let draft = Draft::write("lines.rhai", text)?;
    let saved = draft.edited("lines with an open bracket go on without one")?;
    draft.remove();
    Ok(saved)
}

/// A text in a file of its own, for the editor.
pub(super) struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Writes the text to a new file in the folder for temporary files.
    pub(super) fn write(name: &str, text: &str) -> Result<Self> {
        let name = format!("windlass-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let file = fs::File::create_new(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed("a new file", &path, &error))?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the editor on it; what was saved. `otherwise` is the command that needs no editor.
    pub(super) fn edited(&self, otherwise: &str) -> Result<String> {
        let editor = environment::editor().ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "expected an editor, found neither $VISUAL nor $EDITOR",
            )
            .hint(otherwise)
        })?;
        open(&editor, &self.path)?;
        fs::read_to_string(&self.path)
            .map_err(|error| failed("the edited file", &self.path, &error))
    }

    /// Removes it; what is left of it in the folder for temporary files does no harm.
    pub(super) fn remove(&self) {
        fs::remove_file(&self.path).unwrap_or_default();
    }
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
