//! `repl`: a session at the terminal, or from a pipe.

use std::io::IsTerminal as _;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::app::App;
use crate::cli::environment::variable;
use crate::cli::{editor, show};
use crate::error::{Error, Kind, Result};
use crate::repl::{self, Start, Surroundings};
use crate::runtime::Runtime;

pub(super) fn command() -> Command {
    Command::new("repl")
        .about("Type script line by line, with completion, history, previews and undo")
        .arg(
            Arg::new("space")
                .long("space")
                .value_name("SPACE")
                .help("Begin in this space"),
        )
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Begin in dry mode: lines show what they would do"),
        )
        .after_help(
            "Without a terminal, lines are read from standard input up to the first error.\n\n\
             Examples:\n  windlass repl\n  windlass repl --space prod-eu\n  \
             windlass repl < lines.rhai\n",
        )
}

pub(super) fn run(app: &App, matches: &ArgMatches, format: &show::Format) -> Result<u8> {
    let start = Start {
        space: matches.get_one::<String>("space").cloned(),
        is_dry: matches.get_flag("dry-run"),
    };
    let runtime = Runtime::start().map_err(|error| {
        Error::new(Kind::Unavailable, format!("cannot start a thread: {error}"))
    })?;
    let is_interactive = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let surroundings = Surroundings {
        print: show::print,
        notice: show::notice,
        fail: Box::new({
            let format = format.clone();
            move |error| show::error(error, &format)
        }),
        show: Box::new({
            let format = format.clone();
            move |output| show::output(output, &format)
        }),
        edit: editor::edit_script,
        variable,
        is_interactive,
        is_smart: !variable("TERM").is_some_and(|name| {
            ["dumb", "cons25", "emacs"].contains(&name.to_lowercase().as_str())
        }),
        has_colour: show::has_colour(),
    };
    repl::run(app, &start, surroundings, &runtime)
}
