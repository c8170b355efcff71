//! What a person may type besides script: `:word`s, and `ls`, `cd` and `exit`.

use super::bracket::{Shape, shape};
use crate::error::{Error, Kind, Result};
use crate::query::nearest;

/// A command of the REPL, as `:help` lists it.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandDef {
    /// The word behind the colon.
    pub(super) name: &'static str,
    /// What stands behind it.
    pub(super) form: &'static str,
    /// One line: what it does.
    pub(super) about: &'static str,
}

/// Every `:word`.
pub(super) const COMMANDS: [CommandDef; 16] = [
    def(
        "help",
        "[TOPIC]",
        "this list, or what a topic or command is about",
    ),
    def("doc", "NAME", "what a function, method or operation does"),
    def(
        "space",
        "[NAME]",
        "go into a space, as cd; without a name, out of it",
    ),
    def(
        "tree",
        "[SELECTOR]",
        "variants below what they were cloned from",
    ),
    def(
        "diff",
        "[SELECTOR]",
        "what the group or the last result changed; else head against live",
    ),
    def("explain", "CLAUSE", "how the units of a clause are found"),
    def(
        "time",
        "[CODE]",
        "how long a line takes; without one, on or off for every line",
    ),
    def(
        "load",
        "FILE [ARGS]",
        "run a script of the project in this session",
    ),
    def(
        "edit",
        "[CODE]",
        "write several lines in $EDITOR, then run them",
    ),
    def("save", "FILE", "write the lines that succeeded as a script"),
    def(
        "undo",
        "[OPERATION]",
        "take the newest operation back, or another one",
    ),
    def(
        "dry",
        "[on|off]",
        "show what lines would do, and do nothing",
    ),
    def(
        "begin",
        "",
        "begin a group: lines that are written together",
    ),
    def("commit", "[WHY]", "write the group as one operation"),
    def(
        "rollback",
        "",
        "drop the group, and what its lines did to variables",
    ),
    def("exit", "", "leave, as exit and Ctrl-D"),
];

const fn def(name: &'static str, form: &'static str, about: &'static str) -> CommandDef {
    CommandDef { name, form, about }
}

/// A line that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Nothing but blanks.
    Nothing,
    /// Script.
    Script,
    Help(Option<String>),
    Doc(String),
    List(Option<String>),
    Space(Option<String>),
    Tree(Option<String>),
    Diff(Option<String>),
    Explain(String),
    Time(Option<String>),
    Load(Vec<String>),
    Edit(String),
    Save(String),
    Undo(Option<String>),
    Dry(Option<bool>),
    Begin,
    Commit(Option<String>),
    Rollback,
    Exit(u8),
}

/// The inputs in a text of several lines, such as one that was pasted: commands are inputs by
/// themselves, and what stands between them is script.
pub(super) fn inputs(text: &str) -> Vec<&str> {
    let mut inputs = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let is_command =
            line.trim_start().starts_with(':') && shape(&text[start..at]) != Shape::Open;
        if is_command {
            inputs.push(&text[start..at]);
            inputs.push(&text[at..end]);
            start = end;
        }
        at = end;
    }
    inputs.push(&text[start..]);
    inputs.retain(|input| !input.trim().is_empty());
    inputs
}

/// Reads a line. `is_variable` says whether a name is a variable: those go before `ls`, `cd` and
/// `exit`.
///
/// # Errors
/// [`Kind::Usage`] for a `:word` that there is not, or one whose argument is missing or too much.
pub(super) fn read(line: &str, is_variable: impl Fn(&str) -> bool) -> Result<Input> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Input::Nothing);
    }
    if let Some(command) = line.strip_prefix(':') {
        let (word, argument) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        return command_of(word, argument.trim());
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [word] if is_variable(word) => Ok(Input::Script),
        ["ls"] => Ok(Input::List(None)),
        ["ls", selector] if is_plain(selector) => Ok(Input::List(Some((*selector).to_owned()))),
        ["cd"] => Ok(Input::Space(None)),
        ["cd", space] if is_plain(space) => Ok(space_of(space)),
        ["exit" | "quit"] => Ok(Input::Exit(0)),
        _ => Ok(Input::Script),
    }
}

/// Whether a word is a name or glob rather than the rest of an expression.
fn is_plain(word: &str) -> bool {
    let first = word.trim_start_matches('.').chars().next();
    first.is_none_or(|first| first.is_alphanumeric() || matches!(first, '*' | '?' | '/' | '-'))
        && !word.contains(['(', '=', ';', '"', '`'])
}

fn space_of(word: &str) -> Input {
    let word = word.trim_end_matches('/');
    Input::Space((!matches!(word, "" | ".." | "*")).then(|| word.to_owned()))
}

fn command_of(word: &str, argument: &str) -> Result<Input> {
    let optional = || (!argument.is_empty()).then(|| argument.to_owned());
    let required = || {
        optional().ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("expected {} behind :{word}, found nothing", form_of(word)),
            )
        })
    };
    let nothing = |input: Input| match argument {
        "" => Ok(input),
        found => Err(Error::new(
            Kind::Usage,
            format!("expected nothing behind :{word}, found `{found}`"),
        )),
    };
    match word {
        "help" | "h" | "?" => Ok(Input::Help(optional())),
        "doc" => required().map(Input::Doc),
        "space" => Ok(space_of(argument)),
        "tree" => Ok(Input::Tree(optional())),
        "diff" => Ok(Input::Diff(optional())),
        "explain" => required().map(Input::Explain),
        "time" => Ok(Input::Time(optional())),
        "load" => required().map(|text| {
            let words = text.split_whitespace();
            Input::Load(words.map(str::to_owned).collect())
        }),
        "edit" => Ok(Input::Edit(argument.to_owned())),
        "save" => required().map(Input::Save),
        "undo" => Ok(Input::Undo(optional())),
        "dry" => match argument {
            "" => Ok(Input::Dry(None)),
            "on" => Ok(Input::Dry(Some(true))),
            "off" => Ok(Input::Dry(Some(false))),
            found => Err(Error::new(
                Kind::Usage,
                format!("expected on or off behind :dry, found `{found}`"),
            )),
        },
        "begin" => nothing(Input::Begin),
        "commit" => Ok(Input::Commit(optional())),
        "rollback" => nothing(Input::Rollback),
        "exit" | "quit" | "q" => nothing(Input::Exit(0)),
        _ => Err(unknown(word)),
    }
}

fn form_of(word: &str) -> &'static str {
    let known = COMMANDS.iter().find(|command| command.name == word);
    known.map_or("an argument", |command| command.form)
}

fn unknown(word: &str) -> Error {
    let error = Error::new(Kind::Usage, format!("expected a command, found `:{word}`"));
    let names = COMMANDS.iter().map(|command| command.name);
    match nearest(word, names) {
        Some(near) => error.hint(format!("did you mean :{near}?")),
        None => error.hint(":help lists the commands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_words_commands_or_script() {
        for (line, want) in [
            ("", Input::Nothing),
            ("  ", Input::Nothing),
            ("ls", Input::List(None)),
            (
                " ls prod-*/web ",
                Input::List(Some("prod-*/web".to_owned())),
            ),
            ("ls = 3", Input::Script),
            ("ls.len", Input::Script),
            ("ls (3)", Input::Script),
            ("cd", Input::Space(None)),
            ("cd ..", Input::Space(None)),
            ("cd prod-eu/", Input::Space(Some("prod-eu".to_owned()))),
            ("cd + 1", Input::Script),
            ("exit", Input::Exit(0)),
            ("exit(3)", Input::Script),
            ("exit 3 4", Input::Script),
            (":space prod", Input::Space(Some("prod".to_owned()))),
            (":help", Input::Help(None)),
            (":help dry mode", Input::Help(Some("dry mode".to_owned()))),
            (":dry on", Input::Dry(Some(true))),
            (":dry", Input::Dry(None)),
            (
                ":commit black friday",
                Input::Commit(Some("black friday".to_owned())),
            ),
            (
                ":load a.rhai 3 --yes",
                Input::Load(vec!["a.rhai".into(), "3".into(), "--yes".into()]),
            ),
            (
                ":time units(\"*\")",
                Input::Time(Some("units(\"*\")".to_owned())),
            ),
            ("let x = 1", Input::Script),
        ] {
            let found = read(line, |_| false).map_err(|error| error.to_string());
            assert_eq!(found, Ok(want), "{line}");
        }
        let variable = read("ls", |name| name == "ls");
        assert!(variable.is_ok_and(|input| input == Input::Script));
    }

    #[test]
    fn every_command_that_is_listed_is_read() {
        for command in COMMANDS {
            let argument = match command.form {
                "" => "",
                "[on|off]" => "on",
                _ => "x",
            };
            let line = format!(":{} {argument}", command.name);
            assert!(read(&line, |_| false).is_ok(), "{line}");
        }
    }

    #[test]
    fn a_text_that_was_pasted_is_cut_at_its_commands() {
        for (text, want) in [
            ("1 + 1", &["1 + 1"][..]),
            (
                "let a = 1;\nunits(\"*\")\n  .table()",
                &["let a = 1;\nunits(\"*\")\n  .table()"],
            ),
            (
                ":begin\na\nb\n:commit why",
                &[":begin\n", "a\nb\n", ":commit why"],
            ),
            ("f(`\n:no\n`)\n:diff", &["f(`\n:no\n`)\n", ":diff"]),
            (" \n", &[]),
        ] {
            assert_eq!(inputs(text), want, "{text}");
        }
    }

    #[test]
    fn mistakes_name_what_was_meant() {
        for (line, part) in [
            (":hlep", "did you mean :help?"),
            (":comit", "did you mean :commit?"),
            (":xyzzy", ":help lists the commands"),
            (":", ":help lists the commands"),
        ] {
            let error = read(line, |_| false).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(
                error.hints().iter().any(|hint| hint == part),
                "{line}: {error}"
            );
        }
        for line in [
            ":doc",
            ":explain",
            ":save",
            ":load",
            ":begin now",
            ":dry maybe",
        ] {
            assert_eq!(
                read(line, |_| false).unwrap_err().kind(),
                Kind::Usage,
                "{line}"
            );
        }
    }
}
