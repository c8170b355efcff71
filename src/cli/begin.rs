//! `init` and `tutorial`: files to begin with.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, ArgMatches, Command};

use crate::app::project_files::{self, Laid};
use crate::cli::show;
use crate::error::Result;
use crate::ops::selecting::object;

/// `init [FOLDER]`
pub(super) fn init_command() -> Command {
    Command::new("init")
        .about("Make a project: a first function with its test, and what git is to ignore")
        .arg(
            Arg::new("folder")
                .value_name("FOLDER")
                .default_value(".")
                .help("The folder; it is made where there is none"),
        )
        .after_help("Examples:\n  windlass init\n  windlass init fleet\n")
}

/// `tutorial FOLDER`
pub(super) fn tutorial_command() -> Command {
    Command::new("tutorial")
        .about("Write the tutorial's scripts and manifests into a folder")
        .arg(
            Arg::new("folder")
                .required(true)
                .value_name("FOLDER")
                .help("The folder; it is made where there is none"),
        )
        .after_help("Examples:\n  windlass tutorial traderx\n")
}

pub(super) fn run(name: &str, matches: &ArgMatches) -> Result<u8> {
    let folder = matches
        .get_one::<String>("folder")
        .map_or(".", String::as_str);
    let path = Path::new(folder);
    let (laid, next) = if name == "init" {
        (
            project_files::project(path)?,
            "windlass function test set-team",
        )
    } else {
        (
            project_files::tutorial(path)?,
            "windlass run scripts/stage1-hello-traderx.rhai",
        )
    };
    let text = told(&laid, folder, next);
    let value = serde_json::json!({ "Folder": folder, "Written": laid.written, "Kept": laid.kept });
    show::output(&object(text, value), &show::Format::from_matches(matches))
}

fn told(laid: &Laid, folder: &str, next: &str) -> String {
    let mut text = String::new();
    for file in &laid.written {
        let _ = writeln!(text, "wrote {file}");
    }
    for file in &laid.kept {
        let _ = writeln!(text, "kept  {file}, which was there");
    }
    let there = if folder == "." {
        String::new()
    } else {
        format!("cd {folder} && ")
    };
    let _ = writeln!(text, "next: {there}{next}");
    text
}
