//! The reference of the script API: what is written beside the code, the table of operations, and
//! a check of both against what the engine really has.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use rhai::Engine;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::ops::{Effect, OPS, OpDef, script_key};
use crate::query::{FIELDS, Type};
use crate::script::engine::{SessionOptions, session_engine};
use crate::script::{Function, Kind as FunctionKind};

/// The part that people write.
const WRITTEN: &str = include_str!("api.md");

/// Every value has these, or they belong to the language.
const OF_EVERY_VALUE: [&str; 5] = ["!=", "==", "print", "to_debug", "to_string"];

/// What is registered only when a script runs.
const OF_A_RUN: [(&str, usize); 2] = [("env", 1), ("usage", 1)];

/// A function, method or property that scripts can name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// The type it belongs to; none for a function that stands alone.
    pub(super) receiver: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// How many arguments it takes beside its receiver; none for a property.
    pub(super) arity: Option<usize>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(receiver) = &self.receiver {
            write!(f, "{receiver}.")?;
        }
        f.write_str(&self.name)?;
        match self.arity {
            Some(arity) => write!(f, "({arity})"),
            None => Ok(()),
        }
    }
}

/// What a session's engine has beyond the language, without operations and `methods`, which are
/// functions of the catalogue: both have tables of their own.
pub(super) fn registered(engine: &Engine, methods: &BTreeSet<String>) -> Result<BTreeSet<Entry>> {
    let language = signatures(&session_engine(SessionOptions::default()))?;
    let functions: BTreeSet<String> = methods.iter().map(|name| name.replace('-', "_")).collect();
    let operations: BTreeSet<String> = OPS.iter().map(OpDef::function_name).collect();
    let of_a_run = OF_A_RUN.map(|(name, arity)| Entry {
        receiver: None,
        name: name.to_owned(),
        arity: Some(arity),
    });
    let mut entries = BTreeSet::from(of_a_run);
    for function in described(engine)? {
        let text = |key: &str| function[key].as_str().unwrap_or_default();
        if language.contains(text("signature")) || OF_EVERY_VALUE.contains(&text("name")) {
            continue;
        }
        let types: Vec<&str> = function["params"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|param| param["type"].as_str().unwrap_or_default())
            .filter(|name| !name.contains("NativeCallContext"))
            .collect();
        let receiver = types.first().and_then(|name| receiver(name));
        let name = text("name");
        let is_of_units = matches!(
            receiver.as_deref(),
            Some("Unit" | "Selection" | "Outcome" | "Staged")
        );
        let takes_a_map = matches!(types[..], [one] if one.to_lowercase().ends_with("map"));
        let is_operation = takes_a_map && operations.contains(name);
        if is_operation || (is_of_units && functions.contains(name)) {
            continue;
        }
        let (name, arity) = match name.strip_prefix("get$") {
            Some(property) => (property, None),
            None => (name, Some(types.len() - usize::from(receiver.is_some()))),
        };
        entries.insert(Entry {
            receiver,
            name: name.to_owned(),
            arity,
        });
    }
    // Staged units have the verbs of every unit that change data; those are described once.
    let is_shared = |entry: &Entry| {
        entry.receiver.as_deref() == Some("Staged")
            && entries.iter().any(|other| {
                other.receiver.as_deref() == Some("Selection")
                    && (&other.name, other.arity) == (&entry.name, entry.arity)
            })
    };
    let shared: BTreeSet<Entry> = entries
        .iter()
        .filter(|entry| is_shared(entry))
        .cloned()
        .collect();
    Ok(entries.difference(&shared).cloned().collect())
}

/// The type that a first parameter is the receiver of.
fn receiver(type_name: &str) -> Option<String> {
    let name = type_name.strip_prefix("&mut ")?;
    Some(super::plain_type(name))
}

/// The words that stand for another receiver in the written part than the type of their name.
const RECEIVERS: [(&str, &[&str]); 4] = [
    ("changeset", &["ChangeSet"]),
    ("any", &["Unit", "Selection", "Outcome"]),
    ("rows", &["Conflicts"]),
    ("row", &["Conflict"]),
];

/// The types that a word stands for: `unit` for `Unit`.
pub(super) fn types_of(word: &str) -> Vec<String> {
    if let Some((_, types)) = RECEIVERS.iter().find(|(known, _)| *known == word) {
        return types.iter().map(ToString::to_string).collect();
    }
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    vec![first.into_iter().chain(chars).collect()]
}

/// What the written part describes: the code at the beginning of each item of its lists.
fn documented() -> BTreeSet<Entry> {
    let mut entries = BTreeSet::new();
    for line in WRITTEN.lines() {
        let item = line
            .strip_prefix("- `")
            .and_then(|item| item.split_once(" — "));
        let Some((item, _)) = item else {
            continue;
        };
        for form in item.split("`, `") {
            let form = form.trim_end_matches('`');
            let (head, arity) = match form.split_once('(') {
                None => (form, None),
                Some((head, arguments)) => (head, Some(count(arguments))),
            };
            let (receivers, name) = match head.split_once('.') {
                None => (vec![None], head),
                Some((word, name)) => (types_of(word).into_iter().map(Some).collect(), name),
            };
            for receiver in receivers {
                entries.insert(Entry {
                    receiver,
                    name: name.to_owned(),
                    arity,
                });
            }
        }
    }
    entries
}

/// The number of arguments in `a, #{ b, c })`.
fn count(arguments: &str) -> usize {
    let arguments = arguments.trim_end_matches(')');
    if arguments.is_empty() {
        return 0;
    }
    let mut depth = 0_usize;
    let mut count = 1;
    for c in arguments.chars() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => count += 1,
            _ => {}
        }
    }
    count
}

fn described(engine: &Engine) -> Result<Vec<Value>> {
    functions_of(engine, false)
}

/// What an engine says of its functions, those of the language's own packages included or not.
pub(super) fn functions_of(engine: &Engine, with_language: bool) -> Result<Vec<Value>> {
    let json = engine
        .gen_fn_metadata_to_json(with_language)
        .ok()
        .and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let functions = json.as_ref().and_then(|json| json["functions"].as_array());
    functions.cloned().ok_or_else(|| {
        Error::new(
            Kind::Internal,
            "the script engine does not say which functions it has",
        )
    })
}

fn signatures(engine: &Engine) -> Result<BTreeSet<String>> {
    let all = described(engine)?.into_iter();
    Ok(all
        .map(|function| {
            function["signature"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect())
}

/// The whole reference, as Markdown. What the engine has and nobody described is listed as such,
/// and so is what is described and not there.
pub(super) fn text(
    engine: &Engine,
    methods: &BTreeSet<String>,
    all: &[Arc<Function>],
) -> Result<String> {
    let (registered, documented) = (registered(engine, methods)?, documented());
    let mut text = WRITTEN
        .replace("<!-- attributes -->\n", &attributes())
        .trim_end()
        .to_owned();
    text.push_str("\n\n");
    for (heading, entries) in [
        ("Not described yet", registered.difference(&documented)),
        (
            "Described, and not there",
            documented.difference(&registered),
        ),
    ] {
        let entries: Vec<String> = entries.map(|entry| format!("- `{entry}`\n")).collect();
        if !entries.is_empty() {
            let _ = write!(text, "## {heading}\n\n{}\n", entries.concat());
        }
    }
    functions(&mut text, all);
    operations(&mut text);
    Ok(text)
}

/// The attributes that clauses and columns may name.
fn attributes() -> String {
    let mut text = String::from("| attribute | value | of | meaning |\n|---|---|---|---|\n");
    for field in FIELDS {
        let names: Vec<String> = std::iter::once(&field.name)
            .chain(field.aliases)
            .map(|name| format!("`{name}`"))
            .collect();
        let owners: Vec<&str> = field.owners.iter().map(|owner| owner.name()).collect();
        let value = match field.kind {
            Type::Choice(words) => words.join(", "),
            kind => kind.name().to_owned(),
        };
        let _ = writeln!(
            text,
            "| {} | {value} | {} | {} |",
            names.join(", "),
            owners.join(", "),
            field.about
        );
    }
    text
}

fn functions(text: &mut String, functions: &[Arc<Function>]) {
    text.push_str(
        "## Functions as methods\n\n\
         Every function of the catalogue, the project's own and installed ones included, is a method of \
         units, selections, outcomes and previewed selections, with `_` for `-`: \
         `service.set_replicas(3)` is `service.run(\"set-replicas\", 3)`. Arguments stand in this \
         order, or by name in a map at the end, which also takes `dry_run` and `allow_empty`. A \
         function that changes returns an outcome. One that asks returns its value for one unit, \
         and a table for several. `function_explain(#{ name: \"set-replicas\" })` shows more. What a \
         script installs itself, it calls with `run`; it is a method in the next script or line.\n\n",
    );
    for function in functions {
        let kind = match function.kind {
            FunctionKind::Mutate => "changes",
            FunctionKind::Query => "asks",
            FunctionKind::Validate => "checks",
        };
        let params: Vec<String> = function
            .params
            .iter()
            .map(|param| {
                let name = param.name.replace('-', "_");
                if param.required {
                    name
                } else {
                    format!("[{name}]")
                }
            })
            .collect();
        let _ = writeln!(
            text,
            "- `{}({})` — {}. {}",
            function.name.replace('-', "_"),
            params.join(", "),
            kind,
            function.summary
        );
    }
    text.push('\n');
}

fn operations(text: &mut String) {
    text.push_str(
        "## Operations\n\n\
         Every command of the program is a function of one map as well; its keys are the flags, \
         with `_` for `-`. It returns what the command prints with `--json`, as maps and lists. A \
         key that the operation does not have, or of the wrong type, is a `Usage` error.\n\n",
    );
    for op in OPS {
        let effect = match op.effect {
            Effect::Read => "reads",
            Effect::Write => "writes the store",
            Effect::Deploy => "changes what a target runs",
            Effect::Replace => "replaces the whole store",
        };
        let _ = writeln!(text, "### `{}(#{{ … }})`\n", op.function_name());
        let _ = writeln!(text, "`windlass {}`: {}; {effect}.\n", op.name, op.about);
        let command = op.command(op.name);
        let arguments = command.get_arguments();
        let rows: Vec<String> = op
            .script_keys
            .iter()
            .map(|(key, about)| format!("| `{key}` | any | {about} |"))
            .chain(
                arguments
                    .filter(|argument| argument.get_id() != "help")
                    .map(row),
            )
            .collect();
        if !rows.is_empty() {
            text.push_str("| key | value | meaning |\n|---|---|---|\n");
            text.push_str(&rows.join("\n"));
            text.push_str("\n\n");
        }
        text.push_str("```console\n");
        for example in op.examples {
            let _ = writeln!(text, "$ windlass {example}");
        }
        text.push_str("```\n\n");
    }
}

fn row(argument: &clap::Arg) -> String {
    use clap::ArgAction;
    let key = script_key(argument);
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let is_flag = matches!(argument.get_action(), ArgAction::SetTrue);
    let is_list = matches!(argument.get_action(), ArgAction::Append);
    let mut value = if is_flag {
        "true or false".to_owned()
    } else if !choices.is_empty() {
        choices.join(", ")
    } else {
        let names = argument.get_value_names().unwrap_or_default();
        names
            .first()
            .map_or_else(|| "text".to_owned(), ToString::to_string)
    };
    if is_list {
        value.push_str(", a list");
    }
    let mut help = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    if argument.is_required_set() {
        help.push_str(" (required)");
    }
    let help = help.replace('|', "\\|").replace('\n', " ");
    format!("| `{key}` | {} | {help} |", value.replace('|', "\\|"))
}
