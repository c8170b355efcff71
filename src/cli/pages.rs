//! What is made of the command line itself: manual pages.

use std::path::Path;

use clap::{Arg, ArgMatches, Command};

use crate::error::{Error, Kind, Result};

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
