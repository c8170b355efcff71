//! Printing: the one place that writes to standard output and standard error.

use clap::ArgMatches;
use clap::error::{ContextKind, ContextValue};

use crate::app::dry_run;
use crate::cli::{diagnostic, jq};
use crate::error::{Error, Kind, Result};
use crate::ops::Output;

/// How results are printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Style {
    #[default]
    Table,
    Json,
    /// What a filter makes of it as JSON.
    Jq(String),
    Yaml,
}

/// What the global options say about printing.
#[derive(Debug, Clone, Default)]
pub(super) struct Format {
    style: Style,
    is_quiet: bool,
    has_header: bool,
}

impl Format {
    pub(super) fn from_matches(matches: &ArgMatches) -> Self {
        let format = matches.get_one::<String>("format").map(String::as_str);
        let jq = matches.get_one::<String>("jq").map(String::as_str);
        let jq = jq.or_else(|| format?.strip_prefix("jq="));
        let style = match (jq, format) {
            (Some(filter), _) => Style::Jq(filter.to_owned()),
            (None, Some("json")) => Style::Json,
            (None, Some("yaml")) => Style::Yaml,
            _ if matches.get_flag("json") => Style::Json,
            _ => Style::Table,
        };
        Self {
            style,
            is_quiet: matches.get_flag("quiet"),
            has_header: !matches.get_flag("no-header"),
        }
    }

    /// Whether a person reads along, who may want to see how far the work is, or what comes.
    pub(super) fn is_for_people(&self) -> bool {
        self.style == Style::Table && !self.is_quiet
    }
}

/// Sets whether what is printed has colours; where nothing is said, the environment and what the
/// output goes to decide.
pub(super) fn colour(when: Option<&str>) {
    match when {
        Some("always") => anstream::ColorChoice::Always.write_global(),
        Some("never") => anstream::ColorChoice::Never.write_global(),
        _ => {}
    }
}

/// Whether what is printed has colours.
pub(super) fn has_colour() -> bool {
    anstream::stdout().current_choice() != anstream::ColorChoice::Never
}

/// Prints a result; returns the exit code it stands for.
///
/// # Errors
/// [`Kind::Internal`] when the result cannot be written as asked.
pub(super) fn output(output: &Output, format: &Format) -> Result<u8> {
    if format.is_quiet {
        return Ok(output.exit_code());
    }
    let text = match (&format.style, output) {
        (Style::Jq(filter), output) => jq::outputs(filter, &output.to_json())?,
        (Style::Json, output) => json(&output.to_json())?,
        (Style::Yaml, output) => yaml(&output.to_json())?,
        (Style::Table, Output::Table(table)) => {
            let table = match terminal_width() {
                Some(width) => table.clone().fitted(width),
                None => table.clone(),
            };
            if format.has_header {
                format!("{table:#}")
            } else {
                format!("{:#}", table.without_header())
            }
        }
        (Style::Table, Output::Outcome(outcome)) => {
            let width = terminal_width().unwrap_or(dry_run::WIDTH);
            format!("{outcome:#width$}")
        }
        (Style::Table, Output::Record(value)) => json(value)?,
        (Style::Table, Output::Text(text) | Output::Report { text, .. }) => text.clone(),
    };
    print(&text);
    // The report has a line for each unit; what went wrong is worth more than a line, once.
    if let (Style::Table, Output::Outcome(outcome)) = (&format.style, output)
        && let Some(failure) = outcome.failure().filter(|_| !outcome.is_preview)
    {
        error(&failure, format);
    }
    Ok(output.exit_code())
}

/// How wide the terminal is that the result goes to; none where it goes elsewhere, and programs
/// read whole texts.
fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(usize::from(width.0).max(20))
}

/// Writes text to standard output; a reader that went away (`| head`) is no error.
pub(super) fn print(text: &str) {
    use std::io::Write as _;
    let mut stdout = anstream::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    drop(written);
}

/// Writes a line for the person at the terminal to standard error.
pub(super) fn notice(line: &str) {
    anstream::eprintln!("{line}");
}

/// Prints an error: to people with the lines it is about, to programs as JSON.
pub(super) fn error(error: &Error, format: &Format) {
    if error.message().is_empty() {
        return;
    }
    if matches!(format.style, Style::Json | Style::Jq(_)) {
        let value = serde_json::json!({ "error": error.to_json() });
        anstream::eprintln!("{value:#}");
    } else {
        anstream::eprint!("{}", diagnostic::render(error));
    }
}

/// Prints clap's own message: help to standard output, mistakes to standard error.
pub(super) fn clap_error(error: &clap::Error) -> u8 {
    if let Some(absent) = absent(error) {
        self::error(&absent, &Format::default());
        return absent.exit_code();
    }
    // Nothing is left to do when even the message cannot be written.
    drop(error.print());
    if error.use_stderr() {
        Kind::Usage.exit_code()
    } else {
        0
    }
}

/// Words of `cub` that there is nothing for, and why.
const ABSENT: [(&str, &str); 5] = [
    ("link", "links between units are not built yet"),
    ("set", "sets of units are not built yet"),
    ("trigger", "triggers are not built yet"),
    ("approve", "approvals are not built yet"),
    ("login", "there is no server to log in to"),
];

fn absent(error: &clap::Error) -> Option<Error> {
    let ContextValue::String(word) = error.get(ContextKind::InvalidSubcommand)? else {
        return None;
    };
    let (_, why) = ABSENT.iter().find(|(absent, _)| absent == word)?;
    let text = format!("expected a command that there is, found `{word}`: {why}");
    Some(Error::new(Kind::Usage, text).hint("windlass --help lists the commands"))
}

fn json(value: &serde_json::Value) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::new(Kind::Internal, format!("cannot write JSON: {error}")))
}

fn yaml(value: &serde_json::Value) -> Result<String> {
    serde_saphyr::to_string(value)
        .map_err(|error| Error::new(Kind::Internal, format!("cannot write YAML: {error}")))
}
