//! Completion: which words may stand where the cursor is, from the live store.

use std::collections::BTreeSet;

use super::clause;
use super::command::COMMANDS;
use super::token::{KEYWORDS, Kind, Token, tokens};
use crate::app::App;
use crate::path::Path;
use crate::query::{FIELDS, Owner, Type};
use crate::session::Vocabulary;

/// What is known where somebody types.
pub(super) struct Known<'a> {
    pub(super) app: &'a App,
    pub(super) words: &'a Vocabulary,
    /// Variables with the types of their values.
    pub(super) variables: &'a [(String, String)],
    /// The topics of `:help`.
    pub(super) topics: &'a [&'a str],
}

/// Where the word begins that is completed, and what it may become; sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) start: usize,
    pub(super) words: Vec<String>,
}

/// What the functions return whose results are worth more than a guess.
const RESULTS: [(&str, &str); 24] = [
    ("units", "Selection"),
    ("unit", "Unit"),
    ("space", "Space"),
    ("create_space", "Space"),
    ("ensure_space", "Space"),
    ("use_space", "Space"),
    ("filter", "Filter"),
    ("create_filter", "Filter"),
    ("ensure_filter", "Filter"),
    ("tree", "Table"),
    ("table", "Table"),
    ("log", "Table"),
    ("revisions", "Table"),
    ("conflicts", "Conflicts"),
    ("changeset", "ChangeSet"),
    ("ensure_changeset", "ChangeSet"),
    ("create_unit", "Unit"),
    ("ensure_unit", "Unit"),
    ("ensure_clone", "Unit"),
    ("copy", "Unit"),
    ("preview", "Preview"),
    ("blame", "Blame"),
    ("undo", "Outcome"),
    ("commit", "Outcome"),
];

/// The verbs of units that return the outcome of a write.
const WRITES: [&str; 17] = [
    "apply",
    "clone_to",
    "delete",
    "destroy",
    "hold",
    "import_dir",
    "merge",
    "merge_text",
    "patch",
    "protect",
    "redo",
    "release",
    "restore",
    "rollback",
    "set_labels",
    "unhold",
    "upgrade",
];

/// Functions whose text is the name of a space.
const OF_SPACES: [&str; 6] = [
    "space",
    "spaces",
    "use_space",
    "ensure_space",
    "clone_to",
    "outline",
];

/// Functions whose text is a path in the data of units.
const OF_PATHS: [&str; 6] = ["blame", "get", "protect", "release", "remove", "set"];

/// Functions whose text is the name of a file.
const OF_FILES: [&str; 5] = [
    "file_exists",
    "import_dir",
    "read_file",
    "remove_file",
    "write_file",
];

/// What may stand at the cursor, `at` bytes into the line.
pub(super) fn complete(known: &Known<'_>, line: &str, at: usize) -> Offer {
    let typed = &line[..at];
    let mut offer = if typed.trim_start().starts_with(':') {
        known.command(typed)
    } else if let Some(argument) = word_argument(typed) {
        known.spaces(typed, argument)
    } else {
        known.script(typed)
    };
    offer.words.sort();
    offer.words.dedup();
    offer
}

/// Where the argument of `cd` or `ls` begins.
fn word_argument(typed: &str) -> Option<usize> {
    let rest = typed
        .strip_prefix("cd ")
        .or_else(|| typed.strip_prefix("ls "))?;
    let argument = rest.trim_start();
    (!argument.contains([' ', '=', '.', '('])).then(|| typed.len() - argument.len())
}

fn matching(words: impl IntoIterator<Item = impl Into<String>>, typed: &str) -> Vec<String> {
    let words = words.into_iter().map(Into::into);
    words
        .filter(|word: &String| word.starts_with(typed))
        .collect()
}

impl Known<'_> {
    fn command(&self, typed: &str) -> Offer {
        let start = typed.len() - typed.trim_start().len();
        let Some((word, argument)) = typed[start..].split_once(char::is_whitespace) else {
            let names = COMMANDS.iter().map(|command| format!(":{}", command.name));
            return Offer {
                start,
                words: matching(names, &typed[start..]),
            };
        };
        let argument = argument.trim_start();
        let start = typed.len() - argument.len();
        let words = match word {
            ":help" => matching(self.topics.iter().copied(), argument),
            ":doc" => matching(self.every_name(), argument),
            ":space" => return self.spaces(typed, start),
            ":tree" | ":diff" => {
                return Offer {
                    start,
                    words: self.references(argument),
                };
            }
            ":dry" => matching(["on", "off"], argument),
            ":load" | ":save" => self.files(argument),
            ":explain" => return shifted(self.clause(argument), start),
            ":time" => return shifted(self.script(argument), start),
            _ => Vec::new(),
        };
        Offer { start, words }
    }

    fn every_name(&self) -> BTreeSet<String> {
        let members = self
            .words
            .members
            .values()
            .flat_map(|members| members.keys());
        let all = self.words.functions.iter().chain(members);
        let all = all.chain(self.words.operations.keys());
        all.chain(&self.words.catalogue).cloned().collect()
    }

    fn spaces(&self, typed: &str, start: usize) -> Offer {
        let names = self.app.space_names().unwrap_or_default();
        Offer {
            start,
            words: matching(names, &typed[start..]),
        }
    }

    fn script(&self, typed: &str) -> Offer {
        let all = tokens(typed);
        let last = all.last();
        match last.map(|token| token.kind) {
            Some(Kind::Comment { .. }) => Offer::default(),
            Some(Kind::Text { is_closed: false }) => self.inside_text(typed, &all),
            _ => self.name(typed, &all),
        }
    }

    /// A name, or what stands behind a dot.
    fn name(&self, typed: &str, all: &[Token]) -> Offer {
        let is_word = |token: &&Token| {
            matches!(token.kind, Kind::Name | Kind::Keyword) && token.end == typed.len()
        };
        let (word, before) = match all.last().filter(is_word) {
            Some(token) => (token.text(typed), &all[..all.len() - 1]),
            None => ("", all),
        };
        let start = typed.len() - word.len();
        let sign = before.last().map(|token| token.text(typed));
        let words = match sign {
            Some(".") => {
                let of = self.type_of(typed, &before[..before.len() - 1]);
                matching(self.members(of.as_deref()), word)
            }
            _ if word.is_empty() => Vec::new(),
            _ => match keys_of(typed, before).and_then(|op| self.words.operations.get(op)) {
                Some(keys) => matching(keys.iter().map(|key| format!("{key}: ")), word),
                None => self.names(word),
            },
        };
        Offer { start, words }
    }

    fn names(&self, word: &str) -> Vec<String> {
        let called = |name: &String| format!("{name}(");
        let mut words = matching(self.words.functions.iter().map(called), word);
        words.extend(matching(self.words.operations.keys().map(called), word));
        words.extend(matching(KEYWORDS, word));
        let variables = self.variables.iter().map(|(name, _)| name.clone());
        words.extend(matching(variables, word));
        words
    }

    /// Methods and properties of a type; of every type where it is not known.
    fn members(&self, of: Option<&str>) -> Vec<String> {
        let shown = |(name, is_called): (&String, &bool)| {
            if *is_called {
                format!("{name}(")
            } else {
                name.clone()
            }
        };
        match of.and_then(|of| self.words.members.get(of)) {
            Some(members) => members.iter().map(shown).collect(),
            None => self.words.members.values().flatten().map(shown).collect(),
        }
    }

    /// The type of the expression that ends with these tokens.
    fn type_of(&self, typed: &str, before: &[Token]) -> Option<String> {
        let last = before.last()?;
        match last.kind {
            Kind::Name => {
                let variable = self
                    .variables
                    .iter()
                    .find(|(name, _)| name == last.text(typed));
                let is_member = before.len() > 1 && before[before.len() - 2].text(typed) == ".";
                variable.filter(|_| !is_member).map(|(_, of)| of.clone())
            }
            Kind::Text { .. } => Some("String".to_owned()),
            Kind::Close if last.text(typed) == ")" => {
                let open = opening(typed, before)?;
                let called = before.get(open.checked_sub(1)?)?;
                self.result_of(called.text(typed))
            }
            Kind::Close if last.text(typed) == "]" => None,
            _ => None,
        }
    }

    fn result_of(&self, function: &str) -> Option<String> {
        let known = RESULTS.iter().find(|(name, _)| *name == function);
        if let Some((_, result)) = known {
            return Some((*result).to_owned());
        }
        let is_write = WRITES.contains(&function) || self.words.catalogue.contains(function);
        is_write.then(|| "Outcome".to_owned())
    }

    fn inside_text(&self, typed: &str, all: &[Token]) -> Offer {
        let Some((text, before)) = all.split_last() else {
            return Offer::default();
        };
        let opening = text.text(typed);
        let quotes = opening.len() - opening.trim_start_matches(['"', '`', '#']).len();
        let start = text.start + quotes;
        let body = &typed[start..];
        let function = called(typed, before).unwrap_or_default();
        if OF_FILES.contains(&function) {
            return Offer {
                start,
                words: self.files(body),
            };
        }
        if OF_PATHS.contains(&function) {
            return shifted(self.path(body), start);
        }
        if OF_SPACES.contains(&function) {
            return self.spaces(typed, start);
        }
        let is_name = body
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./*?".contains(c));
        if is_name && !body.contains('.') {
            let mut offer = Offer {
                start,
                words: self.references(body),
            };
            if body.is_empty() {
                offer.words.extend(self.clause("").words);
            }
            return offer;
        }
        shifted(self.clause(body), start)
    }

    /// Spaces with a slash behind them, and the units of one once it stands there.
    fn references(&self, typed: &str) -> Vec<String> {
        let spaces = self.app.space_names().unwrap_or_default();
        if let Some((space, _)) = typed.split_once('/') {
            let units = self.app.unit_names(space).unwrap_or_default();
            return matching(units.iter().map(|unit| format!("{space}/{unit}")), typed);
        }
        let mut words = matching(spaces.iter().map(|space| format!("{space}/")), typed);
        if let Some(current) = self.app.current_space() {
            let units = self.app.unit_names(current.as_str()).unwrap_or_default();
            words.extend(matching(units, typed));
        }
        words
    }

    /// What may stand at the end of a clause.
    fn clause(&self, typed: &str) -> Offer {
        let parts = clause::parts(typed);
        let last = parts.last().filter(|part| part.end == typed.len());
        let text = |part: &clause::Part| &typed[part.start..part.end];
        match last.map(|part| (part.kind, part.start)) {
            Some((clause::Kind::Text, start)) => {
                let quote = &typed[start..=start];
                let is_open = typed.len() == start + 1 || !typed.ends_with(quote);
                if !is_open {
                    return Offer::default();
                }
                let of = attribute_before(typed, &parts[..parts.len() - 1]);
                Offer {
                    start: start + 1,
                    words: self.values(of, &typed[start + 1..]),
                }
            }
            Some((clause::Kind::Word, start)) => {
                let word = typed[start..].to_uppercase();
                let mut words = matching(clause::words(), &word);
                words.extend(self.attributes(&typed[start..]));
                Offer { start, words }
            }
            Some((clause::Kind::Attribute, start)) => {
                let mut words = self.attributes(&typed[start..]);
                words.extend(matching(clause::words(), &typed[start..]));
                Offer { start, words }
            }
            Some((clause::Kind::Path, start)) => {
                let mut offer = shifted(self.path(&typed[start..]), start);
                if !typed[start..].contains('.') {
                    let word = typed[start..].to_uppercase();
                    let words = matching(clause::words(), &word);
                    offer.words.extend(words);
                }
                offer
            }
            _ => {
                let behind_operand = parts.last().is_some_and(|part| {
                    matches!(
                        part.kind,
                        clause::Kind::Attribute | clause::Kind::Path | clause::Kind::Text
                    ) || (part.kind == clause::Kind::Number)
                });
                let words = if behind_operand {
                    clause::words().map(str::to_owned).collect()
                } else if parts.is_empty() || parts.last().is_some_and(|p| text(p) != "=") {
                    self.attributes("")
                } else {
                    Vec::new()
                };
                Offer {
                    start: typed.len(),
                    words,
                }
            }
        }
    }

    /// Attributes of units and of what they refer to, with the keys of labels.
    fn attributes(&self, typed: &str) -> Vec<String> {
        if let Some((above, _)) = typed.rsplit_once("Labels.") {
            let of_spaces = above.ends_with("Space.");
            let labels = self.app.label_words(of_spaces).unwrap_or_default();
            let keys = labels.keys().map(|key| format!("{above}Labels.{key}"));
            return matching(keys, typed);
        }
        let (owner, prefix) = match typed.split_once('.') {
            None => (Some(Owner::Unit), String::new()),
            Some((owner, _)) => (Owner::find(owner), format!("{owner}.")),
        };
        let Some(owner) = owner else {
            return Vec::new();
        };
        let of_owner = FIELDS.iter().filter(|field| field.owners.contains(&owner));
        let mut words: Vec<String> = of_owner
            .map(|field| match field.kind {
                Type::Map => format!("{prefix}{}.", field.name),
                _ => format!("{prefix}{}", field.name),
            })
            .collect();
        if owner == Owner::Unit {
            let others = Owner::ALL.iter().filter(|other| **other != Owner::Unit);
            words.extend(others.map(|other| format!("{}.", other.name())));
        }
        matching(words, typed)
    }

    /// The values that an attribute has somewhere.
    fn values(&self, attribute: Option<&str>, typed: &str) -> Vec<String> {
        let Some(attribute) = attribute else {
            return Vec::new();
        };
        if let Some((above, key)) = attribute.rsplit_once("Labels.") {
            let labels = self.app.label_words(above.ends_with("Space."));
            let values = labels.unwrap_or_default().remove(key).unwrap_or_default();
            return matching(values, typed);
        }
        match attribute {
            "Space.Slug" | "UpstreamSpace.Slug" | "Space.Name" => {
                matching(self.app.space_names().unwrap_or_default(), typed)
            }
            "Slug" | "Name" | "UpstreamUnit.Slug" => {
                let spaces = self.app.space_names().unwrap_or_default();
                let units = spaces
                    .iter()
                    .filter_map(|space| self.app.unit_names(space).ok());
                matching(units.flatten(), typed)
            }
            _ => {
                let field = FIELDS.iter().find(|field| field.name == attribute);
                match field.map(|field| field.kind) {
                    Some(Type::Choice(words)) => matching(words.iter().copied(), typed),
                    _ => Vec::new(),
                }
            }
        }
    }

    /// The next segment of a data path.
    fn path(&self, typed: &str) -> Offer {
        let start = last_segment(typed);
        let above = match typed[..start].strip_suffix('.') {
            Some(above) => above.parse(),
            None => Ok(Path::root()),
        };
        let found = above.map(|above| self.app.path_segments(&above));
        let found = found.unwrap_or_else(|_| Ok(BTreeSet::new()));
        Offer {
            start,
            words: matching(found.unwrap_or_default(), &typed[start..]),
        }
    }

    /// Files and folders below the project's root.
    fn files(&self, typed: &str) -> Vec<String> {
        let (folder, _) = typed.rsplit_once('/').unwrap_or(("", typed));
        let Ok(path) = self
            .app
            .project()
            .resolve(if folder.is_empty() { "." } else { folder })
        else {
            return Vec::new();
        };
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let end = if entry.path().is_dir() { "/" } else { "" };
            let above = if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            };
            (!name.starts_with('.')).then(|| format!("{above}{name}{end}"))
        });
        matching(names, typed)
    }
}

fn shifted(offer: Offer, by: usize) -> Offer {
    Offer {
        start: offer.start + by,
        ..offer
    }
}

/// Where the last segment of a path begins; an escaped dot belongs to its key.
fn last_segment(path: &str) -> usize {
    let mut start = 0;
    let mut is_escaped = false;
    for (at, c) in path.char_indices() {
        if c == '.' && !is_escaped {
            start = at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    start
}

/// The index of the bracket that the last token closes.
fn opening(typed: &str, before: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in before.iter().enumerate().rev() {
        match token.kind {
            Kind::Close => depth += 1,
            Kind::Open => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return (token.text(typed) == "(").then_some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// The bracket that is open at the end: its index.
fn unclosed(before: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in before.iter().enumerate().rev() {
        match token.kind {
            Kind::Close => depth += 1,
            Kind::Open if depth == 0 => return Some(index),
            Kind::Open => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The function whose arguments are being typed.
fn called<'a>(typed: &'a str, before: &[Token]) -> Option<&'a str> {
    let open = unclosed(before)?;
    let name = before.get(open.checked_sub(1)?)?;
    let is_call = before[open].text(typed) == "(" && name.kind == Kind::Name;
    is_call.then(|| name.text(typed))
}

/// The function whose map of options is being typed, where a key may stand.
fn keys_of<'a>(typed: &'a str, before: &[Token]) -> Option<&'a str> {
    let open = unclosed(before)?;
    if before[open].text(typed) != "#{" {
        return None;
    }
    let sign = before.last()?.text(typed);
    matches!(sign, "#{" | ",")
        .then(|| called(typed, &before[..open]))
        .flatten()
}

/// The attribute that the text behind a comparison is compared with.
fn attribute_before<'a>(typed: &'a str, parts: &[clause::Part]) -> Option<&'a str> {
    let mut parts = parts.iter().rev();
    let attribute = parts.find(|part| part.kind == clause::Kind::Attribute)?;
    Some(&typed[attribute.start..attribute.end])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::app::Settings;
    use crate::app::project::Project;
    use crate::clock::Clock;
    use crate::runtime::Interrupt;
    use crate::session::LineSession;

    const FLEET: &str = r#"
        let text = "kind: Deployment\nmetadata:\n  name: web\n  annotations:\n    a.b/c: x\nspec:\n  replicas: 1\n  \
                    template:\n    spec:\n      containers:\n      - name: api\n        image: a:1\n";
        for name in ["prod-eu", "prod-us"] {
            ensure_space(name, #{ labels: #{ region: name } })
                .create_unit("web", text, #{ labels: #{ team: "取引", tier: "core" } });
        }
        let chosen = units("prod-*/web");
        let web = unit("prod-us/web");
    "#;

    struct Place {
        folder: tempfile::TempDir,
        app: App,
        lines: LineSession,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("scripts")).unwrap();
        std::fs::write(folder.path().join("scripts/scale.rhai"), "1").unwrap();
        let app = App::open(Settings {
            project: Project::find(folder.path()),
            store: folder.path().join("store.redb"),
            actor: Arc::new(|| "ada".to_owned()),
            clock: Clock::System,
            lock_timeout: Duration::from_secs(10),
            message: None,
            command: "test".to_owned(),
            notify: Arc::new(|_| {}),
            progress: Arc::new(|_| {}),
            seed: None,
            process: crate::app::lease::here(),
        })
        .unwrap();
        let mut lines = LineSession::new(&app, |_| {}, Interrupt::default()).unwrap();
        let line = lines.read(FLEET).unwrap();
        drop(lines.run(&line, |_| None).unwrap());
        Place { folder, app, lines }
    }

    impl Place {
        fn offer(&self, line: &str) -> Offer {
            let words = self.lines.vocabulary().unwrap();
            let variables = self.lines.typed_variables();
            let known = Known {
                app: &self.app,
                words: &words,
                variables: &variables,
                topics: &["dry", "spaces"],
            };
            complete(&known, line, line.len())
        }
    }

    #[test]
    fn exactly_what_may_stand_there_is_offered() {
        let place = place();
        for (line, word, want) in [
            (":ex", ":ex", &[":exit", ":explain"][..]),
            (":help d", "d", &["dry"]),
            (":dry o", "o", &["off", "on"]),
            (":space prod-e", "prod-e", &["prod-eu"]),
            (":load scr", "scr", &["scripts/"]),
            (":load scripts/s", "scripts/s", &["scripts/scale.rhai"]),
            (":doc set_repl", "set_repl", &["set_replicas"]),
            (":explain Labels.te", "Labels.te", &["Labels.team"]),
            (":time cho", "cho", &["chosen"]),
            ("cd prod", "prod", &["prod-eu", "prod-us"]),
            ("ls prod-u", "prod-u", &["prod-us"]),
            ("unit(\"prod-u", "prod-u", &["prod-us/"]),
            ("unit(\"prod-us/", "prod-us/", &["prod-us/web"]),
            ("units(\"Labels.ti", "Labels.ti", &["Labels.tier"]),
            (
                "units(\"Space.Labels.",
                "Space.Labels.",
                &["Space.Labels.region"],
            ),
            ("units(\"Labels.team = '", "", &["取引"]),
            (
                "units(\"Slug = 'a' AND Space.Slug = 'prod-e",
                "prod-e",
                &["prod-eu"],
            ),
            ("units(\"Status = 'R", "R", &["Ready"]),
            ("units(\"UpgradeN", "UpgradeN", &["UpgradeNeeded"]),
            ("units(\"spec.repl", "repl", &["replicas"]),
            ("units(\"Slug LIK", "LIK", &["LIKE"]),
            (
                "web.get(\"spec.template.spec.containers.",
                "",
                &["*", "?name=api"],
            ),
            (
                "web.get(\"spec.template.spec.containers.?name=api.im",
                "im",
                &["image"],
            ),
            (
                "web.get(\"spec.template.spec.containers.*.n",
                "n",
                &["name"],
            ),
            ("web.get(\"metadata.annotations.", "", &["a\\.b/c"]),
            ("space(\"prod-e", "prod-e", &["prod-eu"]),
            (
                "read_file(\"scripts/s",
                "scripts/s",
                &["scripts/scale.rhai"],
            ),
            ("chosen.set_repl", "set_repl", &["set_replicas("]),
            ("web.head_rev", "head_rev", &["head_revision"]),
            ("units(\"a\").set_replicas(1).summ", "summ", &["summary"]),
            ("\"text\".starts", "starts", &["starts_with("]),
            ("unit_data(#{ uni", "uni", &["unit: "]),
            ("ensure_sp", "ensure_sp", &["ensure_space("]),
            ("let x = cho", "cho", &["chosen"]),
            ("whi", "whi", &["while"]),
            ("`a ${cho", "cho", &["chosen"]),
            ("// prod", "// prod", &[]),
            ("unit(\"no-such/", "no-such/", &[]),
            ("read_file(\"../", "../", &[]),
            ("größe = cho", "cho", &["chosen"]),
        ] {
            let offer = place.offer(line);
            assert_eq!(offer.words, want, "{line}");
            if !want.is_empty() {
                assert_eq!(&line[offer.start..], word, "{line}");
            }
        }
    }

    #[test]
    fn the_tables_name_functions_that_there_are() {
        let words = place().lines.vocabulary().unwrap();
        let members = words.members.values().flat_map(|members| members.keys());
        let known: BTreeSet<&String> = words.functions.iter().chain(members).collect();
        let tables = [&WRITES[..], &OF_SPACES, &OF_PATHS, &OF_FILES];
        let results = RESULTS.iter().map(|(name, _)| *name);
        for name in tables.into_iter().flatten().copied().chain(results) {
            assert!(known.contains(&name.to_owned()), "{name}");
        }
    }

    #[test]
    fn the_current_space_and_the_type_narrow_what_is_offered() {
        let place = place();
        assert!(!place.offer("unit(\"we").words.contains(&"web".to_owned()));
        place.app.enter_space(Some("prod-us")).unwrap();
        assert_eq!(place.offer("unit(\"we").words, ["web"]);
        let of_unit = place.offer("web.").words;
        assert!(of_unit.contains(&"reference".to_owned()), "{of_unit:?}");
        assert!(!of_unit.contains(&"summary".to_owned()), "{of_unit:?}");
        let unknown = place.offer("mystery().").words;
        assert!(unknown.contains(&"summary".to_owned()));
        assert!(place.offer("").words.is_empty());
    }

    #[test]
    fn every_beginning_of_a_line_can_be_completed() {
        let place = place();
        let line = "let x = `a ${units(\"Labels.team = '取引' AND a.?name=b.c > 'x'\").table([\"Na\"])} \
                    größe`; unit_list(#{ where: \"NOT (Slug = 'a' OR \" }) // :help";
        for prefix in [line, &format!(":time {line}"), &format!(":explain {line}")] {
            for (at, _) in prefix.char_indices() {
                let offer = place.offer(&prefix[..at]);
                assert!(prefix.is_char_boundary(offer.start), "{}", &prefix[..at]);
                assert!(offer.start <= at, "{}", &prefix[..at]);
            }
        }
        assert!(place.folder.path().is_dir());
    }
}
