//! `function do NAME …` and `run NAME …`: a command whose flags are the function's parameters.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use serde_json::{Map, Value};

use crate::app::App;
use crate::cli::{global_args, script_run, words_of};
use crate::error::{Error, Kind, Result};
use crate::ops::Output;
use crate::ops::function_do::{self, FunctionDo};
use crate::script::Function;

pub(super) fn do_command() -> Command {
    Command::new("do")
        .about("Run a function over units")
        .disable_help_flag(true)
        .arg(
            Arg::new("words")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_name("[SELECTION] FUNCTION ARGS"),
        )
        .after_help(
            "Examples:\n  windlass function do --space prod set-replicas 3\n  \
             windlass function do --space prod --dry-run set-env-var '*' LOG_LEVEL debug\n",
        )
}

/// The command line with its global options in front, where a function's call has some among its
/// words: `run set-replicas 3 --json` is `--json run set-replicas 3`.
///
/// None where there is nothing to move; what stands after a script, or after `--`, is not ours.
pub(super) fn globals_first(args: &[OsString], matches: &ArgMatches) -> Option<Vec<OsString>> {
    let (name, sub) = matches.subcommand()?;
    let call = match name {
        "run" if !script_run::is_script(sub.get_one::<String>("target")?) => sub,
        "function" => sub.subcommand_matches("do")?,
        _ => return None,
    };
    let count = call.get_many::<String>("words")?.len();
    let (before, words) = args.split_at(args.len().checked_sub(count)?);
    let mut moved = Vec::new();
    let mut kept = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--" {
            kept.push(word.clone());
            kept.extend(words.cloned());
            break;
        }
        let global = global_args()
            .into_iter()
            .find(|arg| is_spelt(arg, text.as_ref()));
        match global {
            None => kept.push(word.clone()),
            Some(arg) => {
                moved.push(word.clone());
                if arg.get_action().takes_values() && !text.contains('=') {
                    moved.extend(words.next().cloned());
                }
            }
        }
    }
    let (program, rest) = before.split_first()?;
    let line = [program.clone()].into_iter().chain(moved.iter().cloned());
    let line = line.chain(rest.iter().cloned()).chain(kept);
    (!moved.is_empty()).then(|| line.collect())
}

/// Whether a word is this option: `--store`, `--store=x` or `-o`.
fn is_spelt(arg: &Arg, word: &str) -> bool {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    let long = name.strip_prefix("--");
    let short = name
        .strip_prefix('-')
        .filter(|short| short.chars().count() == 1)
        .and_then(|short| short.chars().next());
    (long.is_some() && long == arg.get_long()) || (short.is_some() && short == arg.get_short())
}

/// Reads the words, function name among them, and runs the function.
pub(super) fn call(app: &App, words: &[String]) -> Result<Output> {
    let (name, rest) = split_name(words)?;
    let function = app.catalogue()?.get(&name)?;
    let matches = match command_for(&function).try_get_matches_from(&rest) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => {
            return Err(usage(
                &function,
                error.to_string().lines().next().unwrap_or_default(),
            ));
        }
        Err(help) => return Ok(Output::Text(help.to_string())),
    };
    let mut args = function_do::Args::from_arg_matches(&matches)
        .map_err(|error| usage(&function, &error.to_string()))?;
    args.function = name;
    args.args = words_of(&matches, "values")
        .into_iter()
        .map(Value::String)
        .collect();
    args.named = named(&function, &matches);
    <FunctionDo as crate::ops::Operation>::run(app, args)
}

fn usage(function: &Function, message: &str) -> Error {
    Error::new(
        Kind::Usage,
        message.trim_start_matches("error: ").to_owned(),
    )
    .hint(format!(
        "windlass run {} --help shows its parameters",
        function.name
    ))
}

/// The function's name is the first word that is neither a flag nor a flag's value.
fn split_name(words: &[String]) -> Result<(String, Vec<String>)> {
    let selection = function_do::Args::augment_args(Command::new("do"));
    let takes_value = |word: &str| {
        selection.get_arguments().any(|arg| {
            arg.get_action().takes_values()
                && (word
                    .strip_prefix("--")
                    .is_some_and(|long| arg.get_long() == Some(long))
                    || word
                        .strip_prefix('-')
                        .and_then(|short| short.chars().next())
                        == arg.get_short().filter(|_| word.len() == 2))
        })
    };
    let mut rest = vec!["run".to_owned()];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            let name = word.clone();
            rest.extend(words.cloned());
            return Ok((name, rest));
        }
        rest.push(word.clone());
        if takes_value(word) {
            rest.extend(words.next().cloned());
        }
    }
    Err(
        Error::new(Kind::Usage, "expected the name of a function, found none")
            .hint("windlass function list shows the functions there are"),
    )
}

fn command_for(function: &Function) -> Command {
    let mut command = function_do::Args::augment_args(Command::new("run"))
        .bin_name(format!("windlass run {}", function.name))
        .override_usage(format!(
            "windlass run {} [VALUES]… [OPTIONS]",
            function.name
        ))
        .about(function.summary.clone())
        .arg(
            Arg::new("values")
                .num_args(0..)
                .allow_negative_numbers(true)
                .help("Values for the parameters, in their order"),
        );
    for param in &function.params {
        let help = format!("{} ({})", param.about, param.accepted());
        command = command.arg(
            Arg::new(format!("param:{}", param.name))
                .long(param.name.clone())
                .value_name(param.kind.name().to_uppercase())
                .action(ArgAction::Set)
                .allow_hyphen_values(true)
                .help(help)
                .help_heading("Parameters"),
        );
    }
    command
}

fn named(function: &Function, matches: &ArgMatches) -> Map<String, Value> {
    function
        .params
        .iter()
        .filter_map(|param| {
            let value = matches.get_one::<String>(&format!("param:{}", param.name))?;
            Some((param.name.clone(), Value::String(value.clone())))
        })
        .collect()
}
