//! `commit p-7k2m`: writes what a dry run showed; `diff p-7k2m` shows it again.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::app::outcome::Outcome;
use crate::app::{App, style};
use crate::cli::{self, show, words_of};
use crate::error::{Error, Kind, Result};
use crate::ops::Output;

const DRY_RUN: &str = "--dry-run";

/// The name of the flag that shows every unit.
const EACH: &str = "each";

pub(super) fn command() -> Command {
    Command::new("commit")
        .about("Write what a dry run showed: exactly that, or nothing")
        .arg(
            Arg::new("preview")
                .required(true)
                .value_name("PREVIEW")
                .help("The name that the dry run gave: p-7k2m"),
        )
        .arg(
            Arg::new("except")
                .long("except")
                .value_name("UNIT")
                .value_delimiter(',')
                .num_args(1..)
                .help("Units that are left out"),
        )
        .after_help(
            "Examples:\n  windlass run set-replicas 3 --space 'prod-*' --dry-run\n  \
             windlass commit p-7k2m\n  windlass commit p-7k2m --except prod-us/ledger\n",
        )
}

/// Keeps a dry run of a command that writes, so that it can be committed by its name.
pub(super) fn kept(app: &App, args: &[OsString], output: Output) -> Result<Output> {
    let Output::Outcome(outcome) = output else {
        return Ok(output);
    };
    let words: Vec<String> = args
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    // What stands on standard input is gone when the command is run again.
    let is_kept = outcome.is_preview
        && outcome.rollout.is_none()
        && words.iter().any(|word| word == DRY_RUN)
        && !words
            .iter()
            .any(|word| word == "-" || word == "--from-stdin");
    if !is_kept {
        return Ok(Output::Outcome(outcome));
    }
    let preview = app.save_preview(&words, &outcome)?;
    Ok(Output::Outcome(Outcome { preview, ..outcome }))
}

/// Commits the preview that is named.
pub(super) fn commit(app: &App, matches: &ArgMatches, format: &show::Format) -> Result<u8> {
    let id = words_of(matches, "preview").join("");
    let preview = app.saved_preview(&id)?;
    let except: Result<BTreeSet<_>> = words_of(matches, "except")
        .iter()
        .map(|reference| app.unit_named(reference))
        .collect();
    let all: Vec<&String> = preview.command.iter().collect();
    let for_real: Vec<&String> = all
        .iter()
        .copied()
        .filter(|word| *word != DRY_RUN)
        .collect();
    let outcome = app.commit_saved(
        &preview,
        &except?,
        || run(app, &id, &all),
        || run(app, &id, &for_real),
    )?;
    show::output(&Output::Outcome(outcome), format)
}

/// What the words of a command do, as the line they were typed in did.
fn run(app: &App, id: &str, words: &[&String]) -> Result<Outcome> {
    let words = ["windlass"]
        .into_iter()
        .chain(words.iter().map(|word| word.as_str()));
    let words: Vec<OsString> = words.map(OsString::from).collect();
    let matches = cli::parsed(&words)
        .map_err(|error| Error::new(Kind::Usage, error.to_string().trim_end().to_owned()))?;
    match cli::result_of(app, &matches)? {
        Output::Outcome(outcome) => Ok(outcome),
        _ => Err(Error::new(
            Kind::Invalid,
            format!("expected a command that writes in {id}, found another"),
        )),
    }
}

/// The flag of `diff` that belongs to previews.
pub(super) fn each() -> Arg {
    Arg::new(EACH)
        .long(EACH)
        .action(ArgAction::SetTrue)
        .help("With the name of a preview (p-7k2m): every unit by itself, not grouped")
}

/// Shows a preview again, where `diff` names one.
pub(super) fn diff(app: &App, matches: &ArgMatches, format: &show::Format) -> Result<Option<u8>> {
    let selector = matches.get_one::<String>("selector");
    let is_each = matches.get_flag(EACH);
    let Some(id) = selector.filter(|id| app.names_preview(id)) else {
        if !is_each {
            return Ok(None);
        }
        return Err(Error::new(
            Kind::Usage,
            "expected the name of a preview beside --each, found none: windlass diff p-7k2m --each",
        ));
    };
    let preview = app.saved_preview(id)?;
    let words: Vec<&String> = preview.command.iter().collect();
    let outcome = app.show_saved(&preview, || run(app, id, &words))?;
    let output = if is_each {
        Output::Report {
            text: style::lines(&outcome.each_change()),
            value: outcome.each_to_json(),
            exit_code: 0,
        }
    } else {
        Output::Outcome(outcome)
    };
    show::output(&output, format).map(Some)
}
