//! What the command line takes from its surroundings: the environment, the folder, git.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;

use crate::app::project::Project;
use crate::app::{App, Settings};
use crate::cli::{progress, show};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};

/// How long a writer waits for another where nothing else is said.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the application as the global options and the environment say.
pub(super) fn open(matches: &ArgMatches, format: &show::Format) -> Result<App> {
    let folder = std::env::current_dir()
        .map_err(|error| crate::app::project::unreadable(Path::new("."), &error))?;
    let project = Project::find(&folder);
    let store = matches
        .get_one::<String>("store")
        .map_or_else(|| project.default_store(), |path| folder.join(path));
    let lock_timeout = match matches.get_one::<f64>("lock-timeout") {
        None => LOCK_TIMEOUT,
        Some(seconds) => Duration::try_from_secs_f64(*seconds).map_err(|_| {
            Error::new(
                Kind::Usage,
                format!("expected a number of seconds from 0 for --lock-timeout, found {seconds}"),
            )
        })?,
    };
    let notify: Arc<dyn Fn(&str) + Send + Sync> = if matches.get_flag("quiet") {
        Arc::new(|_| {})
    } else {
        Arc::new(show::notice)
    };
    App::open(Settings {
        actor: actor(&folder),
        clock: clock()?,
        lock_timeout,
        seed: seed()?,
        message: matches.get_one::<String>("message").cloned(),
        command: command_line(),
        notify,
        process: crate::app::lease::here(),
        progress: progress::observer(format.is_for_people()),
        store,
        project,
    })
}

/// The command that edits texts, with its arguments.
pub(super) fn editor() -> Option<String> {
    let named = variable("VISUAL").or_else(|| variable("EDITOR"));
    named.filter(|command| !command.trim().is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line is what reads the environment"
)]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn clock() -> Result<Clock> {
    match variable("WINDLASS_CLOCK") {
        None => Ok(Clock::System),
        Some(text) => text.parse().map(Clock::Fixed).map_err(|error| {
            Error::new(Kind::Usage, format!("cannot read WINDLASS_CLOCK: {error}"))
        }),
    }
}

/// `WINDLASS_SEED`, for whoever wants the same prefix every time.
fn seed() -> Result<Option<u64>> {
    variable("WINDLASS_SEED")
        .map(|text| {
            text.parse().map_err(|_| {
                Error::new(
                    Kind::Usage,
                    format!("expected a whole number from 0 in WINDLASS_SEED, found `{text}`"),
                )
            })
        })
        .transpose()
}

/// Who does it: `WINDLASS_ACTOR`, else git's user.email, else the login name.
fn actor(folder: &Path) -> Arc<dyn Fn() -> String + Send + Sync> {
    let folder: PathBuf = folder.to_path_buf();
    Arc::new(move || {
        variable("WINDLASS_ACTOR")
            .or_else(|| git_email(&folder))
            .or_else(|| variable("USER"))
            .or_else(|| variable("LOGNAME"))
            .or_else(|| variable("USERNAME"))
            .unwrap_or_else(|| "unknown".to_owned())
    })
}

fn git_email(folder: &Path) -> Option<String> {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["config", "user.email"])
        .output()
        .ok()?;
    let email = String::from_utf8(output.stdout).ok()?;
    let email = email.trim();
    (!email.is_empty()).then(|| email.to_owned())
}

fn command_line() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    words.join(" ")
}
