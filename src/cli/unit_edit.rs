//! `unit edit`: the data of a unit in the editor of the person at the terminal.

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};

use crate::app::App;
use crate::app::change::ChangeOptions;
use crate::cli::{confirm, editor, show};
use crate::error::{Error, Kind, Result};
use crate::ops::Output;
use crate::ops::selecting::{Selecting, shown};

pub(super) fn command() -> Command {
    Selecting::augment_args(Command::new("edit").about(
        "Change a unit's data in $EDITOR; shows what changes, and the gates, before it is written",
    ))
    .arg(
        Arg::new("dry-run")
            .long("dry-run")
            .action(ArgAction::SetTrue)
            .help("Only show what would be written"),
    )
    .arg(confirm::yes())
    .after_help("Examples:\n  windlass unit edit traderx-prod-eu/trade-service -m 'INC-4312'\n")
}

/// Opens the editor on the unit's data, shows what was changed and writes it.
pub(super) fn edit(app: &App, matches: &ArgMatches, format: &show::Format) -> Result<u8> {
    let selecting = Selecting::from_arg_matches(matches)
        .map_err(|error| Error::new(Kind::Usage, error.to_string()))?;
    let selection = selecting.resolve_one(app)?;
    let unit = selection.pins()[0].unit;
    let (reference, before) = (app.reference(unit)?, app.data(unit, None)?);
    let draft = editor::Draft::write(&format!("{}.yaml", reference.replace('/', "-")), &before)?;
    let keeping = |error: Error| {
        let path = draft.path().display();
        error.hint(format!(
            "what you wrote is in {path}; windlass unit update {reference} {path} takes it"
        ))
    };
    let mut text = draft.edited(&format!("windlass unit update {reference} FILE"))?;
    let update = |text: &str, dry_run| {
        let options = ChangeOptions {
            dry_run,
            ..ChangeOptions::default()
        };
        app.update_text(&selection, text, options).and_then(shown)
    };
    while let Err(error) = update(&text, true) {
        if !confirm::is_attended() {
            return Err(keeping(error));
        }
        show::error(&error, format);
        if !confirm::ask("Edit again").map_err(keeping)? {
            return Err(keeping(error));
        }
        text = draft.edited("")?;
    }
    if text == before {
        draft.remove();
        let text = format!("{reference}: unchanged\n");
        let value = serde_json::json!({ "Unit": reference, "Result": "unchanged" });
        return show::output(
            &Output::Report {
                text,
                value,
                exit_code: 0,
            },
            format,
        );
    }
    if matches.get_flag("dry-run") {
        return show::output(&update(&text, true)?, format);
    }
    let asks = confirm::is_attended() && !matches.get_flag("yes");
    if asks || format.is_for_people() {
        show::output(&update(&text, true).map_err(keeping)?, format)?;
    }
    if asks && !confirm::ask("Write this").map_err(keeping)? {
        show::notice(&format!(
            "nothing was written; your text is in {}",
            draft.path().display()
        ));
        return Ok(Kind::Gated.exit_code());
    }
    let written = update(&text, false).map_err(keeping)?;
    draft.remove();
    show::output(&written, format)
}
