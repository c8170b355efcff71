//! Asking before a command changes what a real cluster runs.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::{Arg, ArgAction, ArgMatches};

use crate::app::App;
use crate::cli::show;
use crate::error::{Error, Kind, Result};
use crate::ops::{OpDef, Output};

/// The flag by which a person says so beforehand.
pub(super) fn yes() -> Arg {
    Arg::new("yes")
        .long("yes")
        .action(ArgAction::SetTrue)
        .help("Do not ask first")
}

/// Whether to go on: on a terminal, where a target is not the sandbox, the plan is shown and the
/// person is asked. Scripts, pipes and `--yes` are never asked.
pub(super) fn is_confirmed(
    app: &App,
    op: &OpDef,
    matches: &ArgMatches,
    format: &show::Format,
) -> Result<bool> {
    let flag = |id: &str| matches!(matches.try_get_one::<bool>(id), Ok(Some(true)));
    if !op.asks || flag("yes") || flag("dry_run") || !is_attended() || !app.has_clusters()? {
        return Ok(true);
    }
    let plan = app.rehearse(|| op.run_matches(app, matches), |_, plan| Ok(plan))?;
    if let Output::Outcome(outcome) = &plan
        && (outcome.changed() == 0 || outcome.notes.iter().all(|note| is_of_sandbox(note)))
    {
        return Ok(true);
    }
    show::output(&plan, format)?;
    ask("Send this")
}

fn is_of_sandbox(note: &str) -> bool {
    !note.starts_with("target: ") || note.contains("the sandbox")
}

/// Whether a person can see a question and answer it.
pub(super) fn is_attended() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question that is answered with yes or no; no is what an empty line says.
///
/// # Errors
/// [`Kind::Unavailable`] when the terminal cannot be read.
pub(super) fn ask(question: &str) -> Result<bool> {
    let lost = |error: std::io::Error| {
        Error::new(
            Kind::Unavailable,
            format!("cannot ask at the terminal: {error}"),
        )
        .hint("--yes goes on without asking")
    };
    let mut terminal = anstream::stderr().lock();
    write!(terminal, "{question}? [y/N] ").map_err(lost)?;
    terminal.flush().map_err(lost)?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(lost)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}
