//! `function test --watch`: the tests run again whenever a file of the project's functions changes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::ArgMatches;

use crate::app::functions::FOLDER;
use crate::cli::{environment, show, tree};
use crate::error::{Error, Kind, Result};
use crate::ops::Output;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(300);

/// Whether a command line asks to watch.
pub(super) fn is_wanted(function: &ArgMatches) -> bool {
    let test = function.subcommand_matches("test");
    test.is_some_and(|test| test.get_flag("watch"))
}

/// Runs the tests, and again after every change, until the process is ended.
pub(super) fn tests(matches: &ArgMatches, format: &show::Format) -> Result<u8> {
    let function = matches.subcommand_matches("function");
    let test = function.and_then(|function| function.subcommand_matches("test"));
    let test = test.ok_or_else(|| Error::new(Kind::Internal, "no words to test by"))?;
    let what = test.get_one::<String>("what").map(String::as_str);
    let (op, _) = tree::find("function", function.unwrap_or(matches))
        .ok_or_else(|| Error::new(Kind::Internal, "no operation to test by"))?;
    let mut seen = None;
    loop {
        // Anew each time: an application keeps the functions that it has read.
        let app = environment::open(matches, format)?;
        let now = files(&app.project().root().join(FOLDER));
        if seen.as_ref() != Some(&now) {
            let args = serde_json::json!({ "what": what });
            let output = op
                .run_json(&app, args)
                .and_then(|output| shown(&output, format));
            if let Err(error) = output {
                show::error(&error, format);
            }
            if seen.is_none() {
                show::notice("waiting for changes; Ctrl-C ends it");
            }
            seen = Some(now);
        }
        std::thread::sleep(LOOK);
    }
}

fn shown(output: &Output, format: &show::Format) -> Result<()> {
    show::output(output, format).map(drop)
}

/// The files below a folder, with when they were changed and how long they are.
fn files(folder: &Path) -> Vec<(PathBuf, Option<SystemTime>, u64)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(about) = entry.metadata() {
                found.push((path, about.modified().ok(), about.len()));
            }
        }
    }
    found.sort();
    found
}
