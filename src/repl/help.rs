//! The texts of `:help`.

use std::fmt::Write as _;

use super::command::COMMANDS;
use crate::error::{Error, Kind, Result};
use crate::query::nearest;

/// What `:help TOPIC` knows beside the commands: a word, and its text.
const TOPICS: [(&str, &str); 8] = [
    (
        "results",
        "Selections, units and spaces are shown as tables, maps and lists as YAML, outcomes and\n\
         previews as the commands show them. What a line returns is `it` until the next one returns\n\
         something:\n\n\
         \x20   units(\"replicas > 2\")\n\
         \x20   it.set_replicas(2)\n\
         \x20   it.diff()\n\n\
         Variables, functions and imports stay.\n",
    ),
    (
        "spaces",
        "`cd prod-eu` makes a space the current one: names and globs without a `/` mean its units,\n\
         here and in every call (`unit(\"web\")`, `tree(\"*\")`). Clauses look in every space. `cd` alone\n\
         leaves it. `ls` shows the units of the current space, or all spaces; `ls prod-*/web` what a\n\
         selector names. In scripts `use_space(\"prod-eu\")` does the same.\n",
    ),
    (
        "dry",
        "While dry mode is on, every line runs on a copy of the store in memory. What it would write\n\
         or deploy is shown, and dropped when the line ends: later lines do not see it.\n\n\
         It is on at the start, and whenever you go into a space, where the target is a real cluster;\n\
         without a space, where any space has such a target. `:dry off` ends it, until you go into\n\
         such a space again.\n",
    ),
    (
        "groups",
        "`:begin` opens a group: lines see what earlier ones wrote, and nobody else does. Nothing is\n\
         locked meanwhile, and others may write. `:diff` shows what the group changes. `:commit` runs\n\
         its lines again in one transaction on the store as it is then, and writes them as one\n\
         operation if the result is the one that was shown; if somebody changed one of the units, it\n\
         refuses, computes the group anew and shows it with `:diff`. `:rollback` drops it.\n\n\
         A line that fails leaves nothing behind in the group. What cannot be taken back (apply,\n\
         destroy, writing files, undo) is refused inside. Variables are set back before the lines run\n\
         again; values that closures share are not.\n",
    ),
    (
        "clauses",
        "What stands behind WHERE: `Slug = 'web' AND replicas > 2`. A name with a capital is an\n\
         attribute (`Space.Slug`, `Labels.team`, `UpgradeNeeded`), any other one a path in the data\n\
         (`spec.template.spec.containers.*.image`). Tests: = != < <= > >= IN BETWEEN LIKE ILIKE ~ CONTAINS\n\
         ? IS NULL, joined by AND, OR, NOT and parentheses; ORDER BY and LIMIT at the end. Tab completes\n\
         attributes, labels, paths and their values. `:explain CLAUSE` says how its units are found.\n",
    ),
    (
        "keys",
        "Tab completes; Up and Down go through the history, Ctrl-R searches it. Enter goes on with the\n\
         line while a bracket, text or comment is open. Ctrl-C clears the line, or stops what runs:\n\
         between two steps, and what was open is dropped. Ctrl-D leaves. A line that begins with a\n\
         blank is not kept in the history.\n",
    ),
    (
        "history",
        "Lines are kept in .windlass/history of the project, once there is a store. `:save FILE` writes\n\
         the lines that succeeded as a script: groups as atomic, `it` where it is used, and a comment\n\
         where a line ran in dry mode only.\n",
    ),
    (
        "pipes",
        "Without a terminal there is no prompt: lines are read to the end of the input, results are\n\
         printed, and the first error ends the session with its exit code, as in a script. With --json\n\
         every result is JSON.\n",
    ),
];

/// The words that `:help` takes: topics, then commands.
pub(super) fn topics() -> Vec<&'static str> {
    let topics = TOPICS.iter().map(|(name, _)| *name);
    let mut all: Vec<&str> = topics.collect();
    for command in &COMMANDS {
        if !all.contains(&command.name) {
            all.push(command.name);
        }
    }
    all
}

/// The list of everything.
pub(super) fn overview() -> String {
    let mut text = String::from(
        "Type any script: units(\"replicas > 2\"), it.set_replicas(2), let web = unit(\"prod/web\")\n\n  \
         ls [SELECTOR]        the spaces, the units of this space, or those that are named\n  \
         cd [SPACE]           go into a space; without one, out of it\n  \
         exit                 leave\n\n",
    );
    for command in &COMMANDS {
        let call = format!(":{} {}", command.name, command.form);
        let _ = writeln!(text, "  {:<20} {}", call.trim_end(), command.about);
    }
    let names: Vec<&str> = TOPICS.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "\nTopics: {}", names.join(", "));
    text
}

/// What a topic or command is about.
///
/// # Errors
/// [`Kind::NotFound`], with the nearest word, where there is no such topic.
pub(super) fn topic(wanted: &str) -> Result<String> {
    let wanted = wanted.trim().trim_start_matches(':').to_lowercase();
    let command = COMMANDS.iter().find(|command| command.name == wanted);
    let topic = TOPICS.iter().find(|(name, _)| {
        *name == wanted || *name == of_command(&wanted) || name.trim_end_matches('s') == wanted
    });
    let mut text = String::new();
    if let Some(command) = command {
        let call = format!(":{} {}", command.name, command.form);
        let _ = writeln!(text, "{}\n    {}", call.trim_end(), command.about);
    }
    if let Some((_, about)) = topic {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(about);
    }
    if !text.is_empty() {
        return Ok(text);
    }
    let error = Error::new(
        Kind::NotFound,
        format!("expected a topic of :help, found `{wanted}`"),
    );
    Err(match nearest(&wanted, topics()) {
        Some(near) => error.hint(format!("did you mean :help {near}?")),
        None => error
            .hint(format!("topics: {}", topics().join(", ")))
            .hint(format!(":doc {wanted} looks for a function of this name")),
    })
}

/// The topic that says more of a command or word.
fn of_command(word: &str) -> &str {
    match word {
        "begin" | "commit" | "rollback" => "groups",
        "cd" | "ls" | "space" => "spaces",
        "explain" | "where" => "clauses",
        "save" => "history",
        "it" => "results",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_and_command_has_a_text() {
        for name in topics() {
            assert!(topic(name).is_ok_and(|text| text.len() > 20), "{name}");
            assert!(topic(&format!(":{name}")).is_ok());
        }
        let near = topic("group").unwrap();
        assert!(near.contains(":begin"), "{near}");
        let wrong = topic("spcaes").unwrap_err();
        assert_eq!(wrong.hints(), ["did you mean :help spaces?"]);
    }

    #[test]
    fn help_fits_a_terminal() {
        let texts = topics().into_iter().map(|name| topic(name).unwrap());
        for line in texts.chain([overview()]).collect::<String>().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
