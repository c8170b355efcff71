//! `run` and `eval`: scripts from files, standard input and the command line.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::app::App;
use crate::cli::environment::variable;
use crate::cli::{show, words_of};
use crate::error::{Error, Kind, Result};
use crate::ops::Output;
use crate::runtime::Runtime;
use crate::session::Session;

pub(super) fn run_command() -> Command {
    Command::new("run")
        .about("Run a script (a .rhai file, a path, or - for standard input) or a function")
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Show what it would write; touch neither the store nor a target"),
        )
        .arg(
            Arg::new("target")
                .required(true)
                .value_name("SCRIPT|FUNCTION"),
        )
        .arg(
            Arg::new("words")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_name("ARGS")
                .help("What stands after a script is the script's"),
        )
        .after_help(
            "Examples:\n  windlass run scripts/stage1-hello-traderx.rhai\n  \
             windlass run scripts/setup-structure.rhai 3\n  windlass run - < script.rhai\n  \
             windlass run set-replicas 3 --space 'prod-*'\n",
        )
}

pub(super) fn eval_command() -> Command {
    Command::new("eval")
        .about("Run a line of script and print what it returns")
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Show what it would write; touch neither the store nor a target"),
        )
        .arg(Arg::new("code").required(true).value_name("CODE"))
        .after_help("Examples:\n  windlass eval 'units(\"*\").table()'\n")
}

pub(super) fn api_command() -> Command {
    Command::new("script-api")
        .about("Show the reference of scripts: every function, method, property and operation")
        .after_help("Examples:\n  windlass script-api\n")
}

/// Prints the reference of scripts, as Markdown.
pub(super) fn api(app: &App, format: &show::Format) -> Result<u8> {
    let session = Session::new(app, show::print)?;
    show::output(&Output::Text(session.reference()?), format)
}

/// The words of a call of a function by `run`.
pub(super) fn call_words(matches: &ArgMatches) -> Vec<String> {
    let mut call = words_of(matches, "target");
    call.extend(matches.get_flag("dry-run").then(|| "--dry-run".to_owned()));
    call.extend(words_of(matches, "words"));
    call
}

/// Runs a script: a file, or standard input.
pub(super) fn run(app: &App, matches: &ArgMatches, format: &show::Format) -> Result<u8> {
    let target = matches
        .get_one::<String>("target")
        .map(String::as_str)
        .unwrap_or_default();
    let words = words_of(matches, "words");
    let dry_run = matches.get_flag("dry-run");
    let text = if target == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| {
                Error::new(
                    Kind::Invalid,
                    format!("cannot read the script from standard input: {error}"),
                )
            })?;
        text
    } else {
        std::fs::read_to_string(target)
            .map_err(|error| crate::app::project::unreadable(Path::new(target), &error))?
    };
    start(
        app,
        &Script {
            path: target,
            text: &text,
            words: &words,
            dry_run,
        },
        format,
    )
}

pub(super) fn eval(app: &App, matches: &ArgMatches, format: &show::Format) -> Result<u8> {
    let text = matches
        .get_one::<String>("code")
        .map(String::as_str)
        .unwrap_or_default();
    let dry_run = matches.get_flag("dry-run");
    start(
        app,
        &Script {
            path: "eval",
            text,
            words: &[],
            dry_run,
        },
        format,
    )
}

/// The arguments with a mark behind the script, where `--help` stands behind a script: it asks
/// what the script says of itself.
pub(super) fn help_is_the_scripts(args: &[OsString]) -> Option<Vec<OsString>> {
    let run = args.iter().position(|word| word == "run")?;
    let script = args[run + 1..]
        .iter()
        .take_while(|word| *word != "--help" && *word != "-h")
        .position(|word| {
            !word.to_string_lossy().starts_with('-') && is_script(&word.to_string_lossy())
        })?;
    let mut args = args.to_vec();
    args.insert(run + 1 + script + 1, "--".into());
    Some(args)
}

pub(super) fn is_script(target: &str) -> bool {
    let has_extension = Path::new(target)
        .extension()
        .is_some_and(|extension| extension == "rhai");
    target == "-" || has_extension || target.contains(['/', '\\'])
}

struct Script<'a> {
    path: &'a str,
    text: &'a str,
    words: &'a [String],
    dry_run: bool,
}

fn start(app: &App, script: &Script<'_>, format: &show::Format) -> Result<u8> {
    let mut session = Session::new(app, show::print)?;
    let program = session.parse(script.path, script.text)?;
    if program.asks_for_help(script.words) {
        show::print(&program.help());
        return Ok(0);
    }
    let runtime = Runtime::start().map_err(|error| {
        Error::new(Kind::Unavailable, format!("cannot start a thread: {error}"))
    })?;
    session = session.stop_on(runtime.interrupt_on_ctrl_c());
    let result = if script.dry_run {
        session.rehearse(&program, script.words, variable)
    } else {
        session.run(&program, script.words, variable)
    }?;
    match result {
        Some(output) => show::output(&output, format),
        None => Ok(0),
    }
}
