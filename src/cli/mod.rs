//! The command line: arguments in, exit code out.
//!
//! The commands are made from the table of operations; only `run`, `eval` and `script-api`,
//! which are about scripts, are known here by name.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::ops::{Effect, OpDef, Output};

mod begin;
mod commit;
mod completion;
mod confirm;
mod diagnostic;
mod editor;
mod environment;
mod function_call;
mod jq;
mod pages;
mod progress;
mod repl_run;
mod script_run;
mod show;
mod tree;
mod unit_edit;
mod watch;

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
    if let Some(code) = completion::answer(&args) {
        return code;
    }
    std::panic::catch_unwind(|| run_line(args)).unwrap_or_else(|_| {
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let error = defect(&place.take().unwrap_or_default());
        show::error(&error, &show::Format::default());
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
    let matches = match parsed(&args) {
        Ok(matches) => matches,
        Err(error) => return show::clap_error(&error),
    };
    show::colour(matches.get_one::<String>("color").map(String::as_str));
    let format = show::Format::from_matches(&matches);
    match execute(&args, &matches, &format) {
        Ok(code) => code,
        Err(error) => {
            show::error(&error, &format);
            error.exit_code()
        }
    }
}

fn parsed(args: &[OsString]) -> std::result::Result<ArgMatches, clap::Error> {
    let parsed = command().try_get_matches_from(args);
    match parsed.map(|matches| function_call::globals_first(args, &matches)) {
        Ok(Some(args)) => command().try_get_matches_from(args),
        Ok(None) => command().try_get_matches_from(args),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            match script_run::help_is_the_scripts(args) {
                Some(args) => command().try_get_matches_from(args),
                None => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// The result of a command that is an operation or a call of a function.
fn result_of(app: &App, matches: &ArgMatches) -> Result<Output> {
    let (name, sub) = subcommand(matches)?;
    match (name, sub.subcommand()) {
        ("run", _) => function_call::call(app, &script_run::call_words(sub)),
        ("function", Some(("do", call))) => function_call::call(app, &words_of(call, "words")),
        _ => {
            let (op, matches) = find(name, sub)?;
            op.run_matches(app, matches)
        }
    }
}

fn subcommand(matches: &ArgMatches) -> Result<(&str, &ArgMatches)> {
    matches
        .subcommand()
        .ok_or_else(|| Error::new(Kind::Usage, "expected a command, found none"))
}

fn execute(args: &[OsString], matches: &ArgMatches, format: &show::Format) -> Result<u8> {
    let (name, sub) = subcommand(matches)?;
    match name {
        "completions" => return completion::script(sub),
        "man" => return pages::man(sub),
        "init" | "tutorial" => return begin::run(name, sub),
        "function" if watch::is_wanted(sub) => return watch::tests(matches, format),
        _ => {}
    }
    let app = environment::open(matches, format)?;
    match (name, sub.subcommand()) {
        ("repl", _) => return repl_run::run(&app, sub, format),
        ("run", _) if script_run::is_script(&words_of(sub, "target").join("")) => {
            return script_run::run(&app, sub, format);
        }
        ("eval", _) => return script_run::eval(&app, sub, format),
        ("script-api", _) => return script_run::api(&app, format),
        ("commit", _) => return commit::commit(&app, sub, format),
        ("diff", None) => {
            if let Some(code) = commit::diff(&app, sub, format)? {
                return Ok(code);
            }
        }
        ("unit", Some(("diff", matches))) => {
            if let Some(code) = commit::diff(&app, matches, format)? {
                return Ok(code);
            }
        }
        ("unit", Some(("edit", matches))) => return unit_edit::edit(&app, matches, format),
        ("conflict", _) if editor::is_wanted(sub) => {
            let (op, matches) = find(name, sub)?;
            return show::output(&editor::edit(&app, op, matches)?, format);
        }
        _ => {}
    }
    let operation = tree::find(name, sub);
    if let Some((op, matches)) = operation
        && !confirm::is_confirmed(&app, op, matches, format)?
    {
        show::notice("nothing was sent");
        return Ok(Kind::Gated.exit_code());
    }
    let output = result_of(&app, matches)?;
    // What is none of the operations calls a function, which writes.
    let writes = operation.is_none_or(|(op, _)| op.effect == Effect::Write);
    let output = if writes {
        commit::kept(&app, args, output)?
    } else {
        output
    };
    show::output(&output, format)
}

fn find<'a>(name: &str, matches: &'a ArgMatches) -> Result<(&'static OpDef, &'a ArgMatches)> {
    tree::find(name, matches).ok_or_else(|| {
        Error::new(Kind::Usage, format!("expected a command, found `{name}`"))
            .hint("windlass --help lists the commands")
    })
}

/// The whole command, with a subcommand for every operation.
pub fn command() -> Command {
    Command::new("windlass")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A configuration database and automation engine for Kubernetes fleets")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .args(global_args())
        .subcommand(script_run::run_command())
        .subcommand(script_run::eval_command())
        .subcommand(script_run::api_command())
        .subcommand(commit::command())
        .subcommand(repl_run::command())
        .subcommand(begin::init_command())
        .subcommand(begin::tutorial_command())
        .subcommand(completion::command())
        .subcommand(pages::man_command())
        .subcommands(tree::commands())
        .mut_subcommand("function", |function| {
            function.subcommand(function_call::do_command())
        })
        .mut_subcommand("diff", |diff| diff.arg(commit::each()))
        .mut_subcommand("unit", |unit| {
            unit.subcommand(unit_edit::command())
                .mut_subcommand("diff", |diff| diff.arg(commit::each()))
        })
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
        value(
            "format",
            "FORMAT",
            "How to print the result: table, json, yaml or jq=FILTER",
        )
        .value_parser(format_of)
        .short('o')
        .alias("output"),
        value(
            "jq",
            "FILTER",
            "Print what this jq filter makes of the result as JSON",
        ),
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

/// A format, as it is spelt.
fn format_of(text: &str) -> std::result::Result<String, String> {
    if ["table", "json", "yaml"].contains(&text) || text.starts_with("jq=") {
        return Ok(text.to_owned());
    }
    Err("expected table, json, yaml or jq=FILTER".to_owned())
}

fn words_of(matches: &ArgMatches, id: &str) -> Vec<String> {
    matches
        .get_many::<String>(id)
        .unwrap_or_default()
        .cloned()
        .collect()
}
