//! The command line: arguments in, exit code out.
//!
//! The commands are made from the table of operations; only `run`, `eval` and `script-api`,
//! which are about scripts, are known here by name.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::error::{Error, Kind, Result};
use crate::ops::{OPS, OpDef};

mod diagnostic;
mod editor;
mod environment;
mod function_call;
mod progress;
mod script_run;
mod show;

/// Runs one command line, program name first, and returns its exit code. A panic, which is a
/// defect of ours, ends in an error like every other.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let place = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&place);
    std::panic::set_hook(Box::new(move |info| {
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get_or_insert(info.to_string());
    }));
    let args: Vec<OsString> = args.into_iter().collect();
    std::panic::catch_unwind(|| run_line(args)).unwrap_or_else(|_| {
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let error = defect(&place.take().unwrap_or_default());
        show::error(&error, show::Format::default());
        error.exit_code()
    })
}

/// The error of a panic. The store's engine panics at damages that it does not look for.
fn defect(told: &str) -> Error {
    if told.contains("/redb-") {
        let detail = told.lines().last().unwrap_or_default().trim();
        return Error::new(Kind::Unavailable, format!("the store is damaged: {detail}"))
            .hint("nothing was written; put a copy of the file in its place");
    }
    Error::new(Kind::Internal, told)
}

fn run_line(args: Vec<OsString>) -> u8 {
    let parsed = command().try_get_matches_from(&args);
    let parsed = match parsed.map(|matches| function_call::globals_first(&args, &matches)) {
        Ok(Some(args)) => command().try_get_matches_from(args),
        Ok(None) => command().try_get_matches_from(&args),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            match script_run::help_is_the_scripts(&args) {
                Some(args) => command().try_get_matches_from(args),
                None => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    let matches = match parsed {
        Ok(matches) => matches,
        Err(error) => return show::clap_error(&error),
    };
    show::colour(matches.get_one::<String>("color").map(String::as_str));
    let format = show::Format::from_matches(&matches);
    match execute(&matches, format) {
        Ok(code) => code,
        Err(error) => {
            show::error(&error, format);
            error.exit_code()
        }
    }
}

fn execute(matches: &ArgMatches, format: show::Format) -> Result<u8> {
    let (name, sub) = matches
        .subcommand()
        .ok_or_else(|| Error::new(Kind::Usage, "expected a command, found none"))?;
    let app = environment::open(matches, format)?;
    match name {
        "run" => script_run::run(&app, sub, format),
        "eval" => script_run::eval(&app, sub, format),
        "script-api" => script_run::api(&app, format),
        "function" if sub.subcommand_name() == Some("do") => {
            let (_, call) = sub.subcommand().expect("its name was just seen");
            let words = words_of(call, "words");
            show::output(&function_call::call(&app, &words)?, format)
        }
        "conflict" if editor::is_wanted(sub) => {
            let (op, matches) = find(name, sub)?;
            show::output(&editor::edit(&app, op, matches)?, format)
        }
        _ => {
            let (op, matches) = find(name, sub)?;
            show::output(&op.run_matches(&app, matches)?, format)
        }
    }
}

fn find<'a>(name: &str, matches: &'a ArgMatches) -> Result<(&'static OpDef, &'a ArgMatches)> {
    let (full, matches) = match matches.subcommand() {
        Some((verb, inner)) => (format!("{name} {verb}"), inner),
        None => (name.to_owned(), matches),
    };
    OPS.iter()
        .find(|op| op.name == full)
        .map(|op| (op, matches))
        .ok_or_else(|| {
            Error::new(Kind::Usage, format!("expected a command, found `{full}`"))
                .hint("windlass --help lists the commands")
        })
}

/// The whole command, with a subcommand for every operation.
pub fn command() -> Command {
    let mut command = Command::new("windlass")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A configuration database and automation engine for Kubernetes fleets")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(global_args())
        .subcommand(script_run::run_command())
        .subcommand(script_run::eval_command())
        .subcommand(script_run::api_command());
    let mut nouns: Vec<&str> = Vec::new();
    for op in OPS {
        match op.words() {
            (None, word) if !OPS.iter().any(|other| other.words().0 == Some(word)) => {
                command = command.subcommand(op.command());
            }
            (Some(noun), _) if !nouns.contains(&noun) => nouns.push(noun),
            _ => {}
        }
    }
    for noun in nouns {
        command = command.subcommand(noun_command(noun));
    }
    command
}

fn noun_command(noun: &'static str) -> Command {
    let verbs = OPS.iter().filter(|op| op.words().0 == Some(noun));
    // A word that is an operation by itself (`log`) may have verbs as well (`log verify`).
    let alone = OPS.iter().find(|op| op.name == noun);
    let mut command = match alone {
        Some(op) => op.command().args_conflicts_with_subcommands(true),
        None => Command::new(noun)
            .about(crate::ops::about_noun(noun))
            .subcommand_required(true)
            .arg_required_else_help(true),
    };
    command = command.subcommands(verbs.map(OpDef::command));
    if noun == "function" {
        command = command.subcommand(function_call::do_command());
    }
    command
}

fn global_args() -> Vec<Arg> {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .global(true)
            .help(help)
    };
    let value = |name: &'static str, form: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(form)
            .global(true)
            .help(help)
    };
    let mut args = vec![
        value(
            "store",
            "PATH",
            "The store's file [default: .windlass/store.redb of the project]",
        )
        .env("WINDLASS_STORE"),
        value("format", "FORMAT", "How to print the result")
            .value_parser(["table", "json", "yaml"])
            .short('o'),
        flag("json", "Print the result as JSON"),
        value(
            "color",
            "WHEN",
            "Whether to print in colour [default: auto, on terminals]",
        )
        .value_parser(["auto", "always", "never"]),
        flag("quiet", "Print nothing but errors"),
        flag("no-header", "Leave out the header line of tables"),
        value(
            "message",
            "WHY",
            "Why this is done; kept with the operation and its revisions",
        )
        .short('m'),
        value(
            "lock-timeout",
            "SECONDS",
            "How long to wait for another writer [default: 10]",
        )
        .value_parser(clap::value_parser!(f64)),
    ];
    for arg in &mut args {
        *arg = std::mem::replace(arg, Arg::new("taken")).help_heading("Global options");
    }
    args
}

fn words_of(matches: &ArgMatches, id: &str) -> Vec<String> {
    matches
        .get_many::<String>(id)
        .unwrap_or_default()
        .cloned()
        .collect()
}
