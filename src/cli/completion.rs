//! What shells complete: commands and options, and the names that the store has.
//!
//! A shell calls the program itself with the words that were typed; `completions` prints the few
//! lines that teach it to.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::sync::Arc;

use clap::{Arg, ArgMatches, Command, ValueHint};
use clap_complete::engine::{PathCompleter, ValueCompleter as _};
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Zsh};
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use crate::app::App;
use crate::app::complete::Things;
use crate::cli::environment;
use crate::error::{Error, Kind, Result};

/// The variable by which a shell says that it asks, and which shell it is.
const VARIABLE: &str = "WINDLASS_COMPLETE";

/// `completions SHELL`
pub(super) fn command() -> Command {
    Command::new("completions")
        .about("Print what makes a shell complete commands, options, and names of the store")
        .arg(
            Arg::new("shell")
                .required(true)
                .value_name("SHELL")
                .value_parser(["bash", "zsh", "fish"])
                .help("The shell"),
        )
        .after_help("Examples:\n  windlass completions bash > ~/.local/share/bash-completion/completions/windlass\n  windlass completions zsh > ~/.zfunc/_windlass\n  windlass completions fish > ~/.config/fish/completions/windlass.fish\n")
}

/// Prints the lines by which a shell learns to ask.
pub(super) fn script(matches: &ArgMatches) -> Result<u8> {
    let shell: &dyn EnvCompleter = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => &Zsh,
        Some("fish") => &Fish,
        _ => &Bash,
    };
    let mut text = Vec::new();
    let written = shell.write_registration(VARIABLE, "windlass", "windlass", "windlass", &mut text);
    written.map_err(|error| Error::new(Kind::Internal, format!("cannot write: {error}")))?;
    // Whoever closes the pipe early has read enough.
    drop(std::io::stdout().lock().write_all(&text));
    Ok(0)
}

/// Answers a shell that asks what may stand at a place; none where nobody asks.
pub(super) fn answer(args: &[OsString]) -> Option<u8> {
    environment::variable(VARIABLE)?;
    let typed = Arc::new(Typed::of(args));
    let environment = CompleteEnv::with_factory(|| completing(&typed)).var(VARIABLE);
    let folder = std::env::current_dir().ok();
    match environment.try_complete(args.iter().cloned(), folder.as_deref()) {
        Ok(true) => Some(0),
        Ok(false) => None,
        Err(_) => Some(Kind::Usage.exit_code()),
    }
}

/// What was typed that decides which names are offered.
struct Typed {
    store: Option<String>,
    space: Option<String>,
}

impl Typed {
    fn of(args: &[OsString]) -> Self {
        let words: Vec<&str> = args.iter().filter_map(|word| word.to_str()).collect();
        let value = |flag: &str| {
            let mut words = words.iter();
            while let Some(word) = words.next() {
                if *word == flag {
                    return words.next().map(|word| (*word).to_owned());
                }
                let rest = word.strip_prefix(flag);
                if let Some(value) = rest.and_then(|rest| rest.strip_prefix('=')) {
                    return Some(value.to_owned());
                }
            }
            None
        };
        Self {
            store: value("--store"),
            space: value("--space").filter(|space| !space.contains(['*', '?'])),
        }
    }

    /// The application over the store that was named; none where it cannot be opened.
    fn app(&self) -> Option<App> {
        let mut line = vec!["windlass", "--quiet"];
        line.extend(self.store.iter().flat_map(|store| ["--store", store]));
        line.push("whoami");
        let matches = super::command().try_get_matches_from(line).ok()?;
        environment::open(&matches, &super::show::Format::default()).ok()
    }
}

/// The whole command, whose arguments know the names that may stand for them.
fn completing(typed: &Arc<Typed>) -> Command {
    with_names(super::command(), "", typed)
}

fn with_names(command: Command, noun: &str, typed: &Arc<Typed>) -> Command {
    let verb = command.get_name().to_owned();
    let command = command.mut_args(|arg| match offered(noun, &verb, &arg) {
        Some(offer) => {
            let typed = Arc::clone(typed);
            arg.add(ArgValueCompleter::new(move |current: &OsStr| {
                let current = current.to_string_lossy();
                typed
                    .app()
                    .map_or_else(Vec::new, |app| names(&app, &typed, offer, &current))
            }))
        }
        None if names_a_file(&arg) => arg.value_hint(ValueHint::AnyPath),
        None => arg,
    });
    let noun = if noun.is_empty() && verb == "windlass" {
        ""
    } else {
        verb.as_str()
    };
    command.mut_subcommands(|sub| with_names(sub, noun, typed))
}

fn names_a_file(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default().iter();
    let mut words = names.flat_map(|name| name.split('|'));
    arg.get_id() == "store" || words.any(|word| matches!(word, "FILE" | "FOLDER" | "SCRIPT"))
}

/// What stands for an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Units,
    /// The target alone, or units before it.
    UnitsOrTargets,
    Names(Things),
}

/// By the name of an argument's value, and for a plain name by the noun that it is of.
fn offered(noun: &str, verb: &str, arg: &Arg) -> Option<Offer> {
    let value = arg.get_value_names()?.first()?.as_str();
    let things = match value {
        "SPACE" | "PATTERN" => Things::Spaces,
        "TARGET" => Things::Targets,
        "WORKER" => Things::Workers,
        "FILTER" => Things::Filters,
        "CHANGESET" => Things::ChangeSets,
        "APPLY" => Things::Applies,
        "OPERATION" => Things::Operations,
        "SCRIPT|FUNCTION" => Things::Functions,
        "SELECTOR" if verb == "set-target" => return Some(Offer::UnitsOrTargets),
        "SELECTOR" | "UNIT" => return Some(Offer::Units),
        "NAME" | "WHAT" if noun == "function" => Things::Functions,
        "SLUG" if verb != "create" => match noun {
            "space" => Things::Spaces,
            "target" => Things::Targets,
            "worker" => Things::Workers,
            "changeset" => Things::ChangeSets,
            _ => return None,
        },
        _ => return None,
    };
    Some(Offer::Names(things))
}

fn names(app: &App, typed: &Typed, offer: Offer, current: &str) -> Vec<CompletionCandidate> {
    let mut found: Vec<(String, String)> = match offer {
        Offer::Names(things) => app.names(things).unwrap_or_default(),
        Offer::Units => units(app, typed, current),
        Offer::UnitsOrTargets => {
            let mut both = app.names(Things::Targets).unwrap_or_default();
            both.extend(units(app, typed, current));
            both
        }
    };
    found.retain(|(name, _)| name.starts_with(current));
    let candidates = found.into_iter().map(|(name, about)| {
        let about = (!about.is_empty()).then(|| about.into());
        CompletionCandidate::new(name).help(about)
    });
    let mut candidates: Vec<_> = candidates.collect();
    if offer == Offer::Names(Things::Functions) {
        // What is run is a function or a script.
        candidates.extend(PathCompleter::any().complete(OsStr::new(current)));
    }
    candidates
}

/// Units of the space that is named; without one, spaces first and then what is in them, as a
/// shell completes folders.
fn units(app: &App, typed: &Typed, current: &str) -> Vec<(String, String)> {
    let plain = |name: String| (name, String::new());
    let in_space = |space: &str| app.unit_names(space).unwrap_or_default().into_iter();
    match (&typed.space, current.split_once('/')) {
        (Some(space), None) => in_space(space).map(plain).collect(),
        (_, Some((space, _))) => {
            let units = in_space(space);
            units.map(|unit| plain(format!("{space}/{unit}"))).collect()
        }
        (None, None) => {
            let spaces = app.space_names().unwrap_or_default().into_iter();
            spaces.map(|space| plain(format!("{space}/"))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_argument_that_names_a_unit_or_a_space_is_offered_some() {
        let mut plain = Vec::new();
        look(&super::super::command(), "", &mut plain);
        assert!(plain.is_empty(), "{plain:?}");
    }

    fn look(command: &Command, noun: &str, plain: &mut Vec<String>) {
        let verb = command.get_name();
        for arg in command.get_arguments() {
            let named = ["space", "unit", "selector", "target", "filter", "changeset"];
            let is_named = named.contains(&arg.get_id().as_str());
            if is_named && offered(noun, verb, arg).is_none() {
                plain.push(format!("{noun} {verb} {}", arg.get_id()));
            }
        }
        let noun = if verb == "windlass" { "" } else { verb };
        for sub in command.get_subcommands() {
            look(sub, noun, plain);
        }
    }

    #[test]
    fn flags_before_the_place_are_read_in_both_forms() {
        let typed = |line: &[&str]| {
            let words: Vec<OsString> = line.iter().map(OsString::from).collect();
            Typed::of(&words)
        };
        let both = typed(&["x", "--space", "prod", "--store=/s"]);
        assert_eq!(both.space.as_deref(), Some("prod"));
        assert_eq!(both.store.as_deref(), Some("/s"));
        assert_eq!(typed(&["--space", "prod-*"]).space, None);
        assert_eq!(typed(&["--spaces", "x"]).space, None);
    }
}
