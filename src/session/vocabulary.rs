//! The names that scripts can use, for completion, and what is documented of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::functions::explain;
use crate::error::{Error, Kind, Result};
use crate::ops::{OPS, OpDef};
use crate::query::nearest;
use crate::script::engine::{SessionOptions, session_engine};
use crate::session::reference::{self, Entry};
use crate::session::{Session, plain_type};

/// The types that stand for units and have the functions of the catalogue as methods.
const OF_UNITS: [&str; 4] = ["Unit", "Selection", "Outcome", "Staged"];

/// Every name that a script may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// Functions that are called by themselves.
    pub functions: BTreeSet<String>,
    /// Methods and properties by the type that has them; whether each is called.
    pub members: BTreeMap<String, BTreeMap<String, bool>>,
    /// Operations, each with the keys of its map.
    pub operations: BTreeMap<String, Vec<String>>,
    /// The functions of the catalogue, as methods are written.
    pub catalogue: BTreeSet<String>,
}

/// The vocabulary of a session.
pub(super) fn of(session: &Session) -> Result<Vocabulary> {
    let catalogue = session.app.catalogue()?;
    let mut words = Vocabulary::default();
    for function in catalogue.list() {
        words.catalogue.insert(function.name.replace('-', "_"));
    }
    for op in OPS {
        let keys = op.script_keys.iter().map(|(key, _)| (*key).to_owned());
        let command = op.command(op.name);
        let arguments = command.get_arguments().map(crate::ops::script_key);
        words
            .operations
            .insert(op.function_name(), keys.chain(arguments).collect());
    }
    let ours = reference::registered(&session.engine, &session.methods)?;
    for Entry {
        receiver,
        name,
        arity,
    } in ours
    {
        match receiver {
            None => {
                words.functions.insert(name);
            }
            Some(receiver) => {
                let members = words.members.entry(receiver).or_default();
                *members.entry(name).or_default() |= arity.is_some();
            }
        }
    }
    of_the_language(&mut words)?;
    for name in OF_UNITS {
        let members = words.members.entry(name.to_owned()).or_default();
        for function in &words.catalogue {
            members.entry(function.clone()).or_insert(true);
        }
    }
    Ok(words)
}

/// What Rhai's own texts, lists and maps can do.
fn of_the_language(words: &mut Vocabulary) -> Result<()> {
    for function in reference::functions_of(&session_engine(SessionOptions::default()), true)? {
        let name = function["name"].as_str().unwrap_or_default();
        let name = name.strip_prefix("get$").unwrap_or(name);
        let is_plain = name.starts_with(char::is_alphabetic) && !name.contains('$');
        let Some(first) = function["params"][0]["type"].as_str().filter(|_| is_plain) else {
            continue;
        };
        let is_called = !function["name"]
            .as_str()
            .is_some_and(|name| name.contains('$'));
        if first.starts_with("&mut ") || plain_type(first) == "String" {
            let members = words.members.entry(plain_type(first)).or_default();
            *members.entry(name.to_owned()).or_default() |= is_called;
        }
    }
    Ok(())
}

/// The page of a name: `set_replicas`, `units`, `Selection.apply` or `unit_list`.
pub(super) fn describe(session: &Session, name: &str) -> Result<String> {
    let wanted = name.trim().trim_end_matches("()");
    let (receiver, wanted) = match wanted.rsplit_once('.') {
        Some((receiver, name)) => (Some(receiver), name),
        None => (None, wanted),
    };
    let catalogue = session.app.catalogue()?;
    let mut pages = Vec::new();
    if let Ok(function) = catalogue.get(&wanted.replace('_', "-")) {
        pages.push(explain(&function));
    }
    pages.extend(written(&session.reference()?, receiver, wanted));
    if let Some(op) = OPS.iter().find(|op| op.function_name() == wanted) {
        pages.push(operation(op));
    }
    if !pages.is_empty() {
        return Ok(pages.join("\n"));
    }
    let words = of(session)?;
    let members = words.members.values().flat_map(BTreeMap::keys);
    let known = words.functions.iter().chain(members);
    let known: Vec<&str> = known
        .chain(words.operations.keys())
        .chain(&words.catalogue)
        .map(String::as_str)
        .collect();
    let error = Error::new(
        Kind::NotFound,
        format!("expected a function, method or operation, found no `{name}`"),
    );
    Err(match nearest(wanted, known) {
        Some(near) => error.hint(format!("nearest    {near}")),
        None => error.hint("windlass script-api prints them all"),
    })
}

/// The items of the written reference that are about a name.
fn written(text: &str, receiver: Option<&str>, name: &str) -> Option<String> {
    let mut found = String::new();
    for line in text.lines() {
        let Some((forms, about)) = line
            .strip_prefix("- `")
            .and_then(|item| item.split_once(" — "))
        else {
            continue;
        };
        let is_meant = forms.split("`, `").any(|form| {
            let head = form.split_once('(').map_or(form, |(head, _)| head);
            let head = head.trim_end_matches('`');
            let (owner, own) = match head.rsplit_once('.') {
                Some((owner, own)) => (Some(owner), own),
                None => (None, head),
            };
            own == name
                && receiver.is_none_or(|receiver| {
                    let mut types = owner.map(reference::types_of).into_iter().flatten();
                    types.any(|of| of.eq_ignore_ascii_case(receiver))
                })
        });
        // Functions of the catalogue have a page of their own.
        let is_listed = about.starts_with("changes. ") || about.starts_with("asks. ");
        if is_meant && !is_listed && !about.starts_with("checks. ") {
            found.push_str(&forms.replace('`', ""));
            found.push_str("\n    ");
            found.push_str(&plain(about));
            found.push('\n');
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Markdown as plain text: without marks of code, and with the words of links alone.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("](") {
        plain.push_str(before);
        rest = link.split_once(')').map_or("", |(_, behind)| behind);
    }
    plain.push_str(rest);
    plain.replace(['`', '['], "")
}

fn operation(op: &OpDef) -> String {
    let mut command = op
        .command(op.name)
        .bin_name(format!("windlass {}", op.name));
    format!(
        "{}(#{{ … }})\n    {}; the keys are the flags, with `_` for `-`\n\n{}",
        op.function_name(),
        op.about,
        command.render_help()
    )
}
