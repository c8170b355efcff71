//! What is made of the command line itself: completions for shells and manual pages.

use std::io::Write as _;
use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use crate::error::{Error, Kind, Result};

/// `completions SHELL`
pub(super) fn completions_command() -> Command {
    Command::new("completions")
        .about("Print what makes a shell complete commands and options")
        .arg(
            Arg::new("shell")
                .required(true)
                .value_name("SHELL")
                .value_parser(["bash", "zsh", "fish"])
                .help("The shell"),
        )
        .after_help("Examples:\n  windlass completions bash > ~/.local/share/bash-completion/completions/windlass\n  windlass completions zsh > ~/.zfunc/_windlass\n  windlass completions fish > ~/.config/fish/completions/windlass.fish\n")
}

/// `man FOLDER`
pub(super) fn man_command() -> Command {
    Command::new("man")
        .about("Write a manual page for each command")
        .arg(
            Arg::new("folder")
                .required(true)
                .value_name("FOLDER")
                .help("The folder; it is made where there is none"),
        )
        .after_help("Examples:\n  windlass man ~/.local/share/man/man1\n")
}

pub(super) fn completions(matches: &ArgMatches) -> u8 {
    let shell = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "windlass", &mut text);
    // Whoever closes the pipe early has read enough.
    drop(std::io::stdout().lock().write_all(&text));
    0
}

pub(super) fn man(matches: &ArgMatches) -> Result<u8> {
    let folder = matches
        .get_one::<String>("folder")
        .map_or(".", String::as_str);
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(super::command(), folder))
        .map_err(|error| {
            Error::new(
                Kind::Unavailable,
                format!("cannot write {}: {error}", folder.display()),
            )
        })?;
    Ok(0)
}
