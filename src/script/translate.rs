//! Rhai's errors in the words of somebody who writes functions, with the place and a way out.

use std::sync::{Arc, OnceLock};

use rhai::{EvalAltResult, ParseError, ParseErrorType, Position};

use super::draft::{Draft, Miss};
use super::engine;
use super::error::{Error, Fault, Location, nearest};
use super::function::Function;
use super::limits::{Limits, Stop};
use super::native::Raised;
use super::node;

/// A file's text, to look at what stands where an error points.
struct Source<'a> {
    path: &'a str,
    text: &'a Arc<str>,
}

impl Source<'_> {
    fn line(&self, position: Position) -> Option<&str> {
        self.text.lines().nth(position.line()?.checked_sub(1)?)
    }

    /// The line from the position on, and its column from 0 in characters.
    fn rest(&self, position: Position) -> Option<(&str, usize)> {
        let column = position.position()?.checked_sub(1)?;
        let line = self.line(position)?;
        let byte = line
            .char_indices()
            .nth(column)
            .map_or(line.len(), |(byte, _)| byte);
        Some((&line[byte..], column))
    }

    /// The word at a position, or behind the dot at a position.
    fn location(&self, position: Position) -> Location {
        let rest = self.rest(position).map_or("", |(rest, _)| rest);
        let dots = rest.chars().take_while(|c| matches!(c, '.' | '?')).count();
        let word = word_length(&rest[dots..]);
        let skipped = if word == 0 { 0 } else { dots };
        let column = position.position().unwrap_or(1).max(1) + skipped;
        Location {
            file: self.path.to_owned(),
            line: position.line().unwrap_or(1),
            column,
            end: column + word.max(1),
        }
    }

    /// The first place of `word` as a whole word, in the line from the position on.
    fn location_of(&self, position: Position, word: &str) -> Option<Location> {
        let (rest, column) = self.rest(position)?;
        let at = find_word(rest, word)?;
        let column = column + rest[..at].chars().count() + 1;
        Some(Location {
            file: self.path.to_owned(),
            line: position.line()?,
            column,
            end: column + word.chars().count(),
        })
    }

    fn place(&self, error: Error, position: Position) -> Error {
        if position.is_none() {
            return error;
        }
        error.at(self.location(position), Some(Arc::clone(self.text)))
    }
}

fn word_length(text: &str) -> usize {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .count()
}

fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        !text[..*at].chars().next_back().is_some_and(is_word)
            && !text[*at + word.len()..].chars().next().is_some_and(is_word)
    })
}

/// Where a function is defined.
pub(super) fn function_location(function: &Function) -> Location {
    let wanted = format!("fn {}", function.ident);
    let mut lines = function.source.lines().enumerate();
    let found = lines.find_map(|(line, text)| {
        if text.trim_start().starts_with("//") {
            return None;
        }
        Some((line + 1, text[..text.find(&wanted)?].chars().count() + 4))
    });
    let (line, column) = found.unwrap_or((1, 1));
    Location {
        file: function.path.clone(),
        line,
        column,
        end: column + function.ident.chars().count(),
    }
}

/// A file that does not parse.
pub(super) fn parse_error(error: &ParseError, path: &str, text: &Arc<str>) -> Error {
    let source = Source { path, text };
    let position = error.position();
    let problem = error.err_type().to_string();
    let fault = |problem: String| {
        Error::new(Fault::File {
            path: path.to_owned(),
            problem,
        })
    };
    let translated = match error.err_type() {
        ParseErrorType::VariableUndefined(name) => undefined(name, text, fault),
        ParseErrorType::Reserved(word) => {
            fault(format!("`{word}` is a reserved word of Rhai")).hint(reserved_hint(word))
        }
        ParseErrorType::AssignmentToInvalidLHS(_) => {
            fault("what a call returns cannot be assigned to in the same breath".to_owned())
                .hint("keep it first:   let it = resource.ensure(\"a.b\"); it.key = value;")
        }
        ParseErrorType::BadInput(_) if problem.contains("string is not terminated") => {
            fault(lower(&problem)).hint("a text of several lines stands in backticks: `…`")
        }
        ParseErrorType::BadInput(_) if problem.contains("Reserved") => fault(problem.clone()),
        ParseErrorType::MismatchedType(expected, _) if expected.contains("iterable") => {
            fault(lower(&problem)).hint("a map is looped over by its keys:   for key in map.keys()")
        }
        ParseErrorType::PropertyExpected | ParseErrorType::MissingToken(..)
            if property_word(&source, position).is_some() =>
        {
            let word = property_word(&source, position).unwrap_or_default();
            fault(format!("`{word}` is a reserved word of Rhai")).hint(reserved_hint(&word))
        }
        _ => fault(lower(&problem)),
    };
    source.place(translated, position)
}

fn reserved_hint(word: &str) -> String {
    match word {
        "eval" | "import" | "export" => {
            format!("`{word}` is not available: a function is one file and depends on nothing else")
        }
        _ => format!("as the name of a key, write   resource[\"{word}\"]"),
    }
}

/// The reserved word behind a dot at a position, as in `r.spec.match`.
fn property_word(source: &Source<'_>, position: Position) -> Option<String> {
    let (rest, column) = source.rest(position)?;
    let before: String = source.line(position)?.chars().take(column).collect();
    let word: String = rest.chars().take(word_length(rest)).collect();
    let behind_dot = before.trim_end().ends_with('.');
    (behind_dot && word.starts_with(char::is_alphabetic)).then_some(word)
}

fn undefined(name: &str, text: &str, fault: impl Fn(String) -> Error) -> Error {
    let error = fault(format!("`{name}` is not defined here"));
    let outer = text.lines().any(|line| {
        ["let ", "const ", "export const "].iter().any(|keyword| {
            line.strip_prefix(keyword)
                .is_some_and(|rest| find_word(rest, name) == Some(0))
        })
    });
    if outer {
        error
            .hint(format!(
                "a function does not see an outer `let {name}`: pass it as a parameter"
            ))
            .hint(format!("an outer constant is read as   global::{name}"))
    } else {
        error
    }
}

/// What went wrong while a function ran.
pub(super) fn run_error(
    function: &Function,
    error: &EvalAltResult,
    draft: Option<&Arc<Draft>>,
) -> Error {
    let source = Source {
        path: &function.path,
        text: &function.source,
    };
    let translated = translate(&source, error, draft.map(AsRef::as_ref), Some(function));
    // Rhai does not say where in a loop without statements the steps ran out.
    translated.at(
        function_location(function),
        Some(Arc::clone(&function.source)),
    )
}

/// What went wrong in a closure that a native function of `engine` called.
///
/// Which text the place is in is not known here: where the place names no file, it is in the
/// script that runs.
pub fn closure_error(engine: &rhai::Engine, error: &EvalAltResult) -> Error {
    let text = Arc::from("");
    let source = Source {
        path: "",
        text: &text,
    };
    let translated = translate(&source, error, None, None);
    with_nearest(translated, engine, error)
}

/// Adds the nearest name that `engine` has to the error of a function that it has not.
pub(super) fn with_nearest(
    translated: Error,
    engine: &rhai::Engine,
    error: &EvalAltResult,
) -> Error {
    let EvalAltResult::ErrorFunctionNotFound(signature, _) = error.unwrap_inner() else {
        return translated;
    };
    let (name, _) = signature.split_once(" (").unwrap_or((signature, ""));
    if !name.starts_with(char::is_alphabetic) {
        return translated;
    }
    let names = names_of(engine);
    if names.iter().any(|known| known == name) {
        let translated = translated.without_nearest();
        if translated.hints().is_empty() {
            return translated.hint(format!(
                "`{name}` is there for other arguments: windlass script-api, and :doc {name} at \
                 the prompt, tell which"
            ));
        }
        return translated;
    }
    if !translated.hints().is_empty() {
        return translated;
    }
    let names = names.iter().map(String::as_str);
    translated.nearest(nearest(name, names))
}

/// What went wrong in any script, for example in the examples of a function.
pub(super) fn script_error(path: &str, text: &Arc<str>, error: &EvalAltResult) -> Error {
    translate(&Source { path, text }, error, None, None)
}

fn translate(
    source: &Source<'_>,
    error: &EvalAltResult,
    draft: Option<&Draft>,
    function: Option<&Function>,
) -> Error {
    let position = error.position();
    let miss = || draft.and_then(Draft::last_miss);
    match error {
        EvalAltResult::ErrorInFunctionCall(_, file, inner, position) => {
            let is_here = file.is_empty() || file == source.path;
            let unread = Arc::from("");
            let elsewhere = Source {
                path: file,
                text: &unread,
            };
            let inside = if is_here { source } else { &elsewhere };
            let translated = translate(inside, inner, draft, function);
            if translated.location().is_some() {
                return translated;
            }
            source.place(translated, *position)
        }
        EvalAltResult::ErrorRuntime(value, _) => {
            let raised = value
                .read_lock::<Raised>()
                .map(|raised| Error::clone(&raised.0));
            let error = raised.unwrap_or_else(|| Error::script(value.to_string()));
            source.place(error, position)
        }
        EvalAltResult::ErrorTerminated(token, _) => {
            let error = match token.read_lock::<Stop>().as_deref() {
                Some(Stop::Time(limit)) => limit_error("time", format!("{limit:?}")),
                Some(Stop::Memory(limit)) => limit_error("memory", format!("{} MiB", limit >> 20)),
                None => Error::script("stopped"),
            };
            source.place(error, position)
        }
        EvalAltResult::ErrorFor(_) => {
            if let (Some(draft), Some(miss)) = (draft, miss())
                && let Some(location) = source.location_of(position, &miss.key)
            {
                return missing_loop(source, draft, &miss, location, position);
            }
            let error = Error::script("a loop needs a list, an array or a range")
                .hint("a map is looped over by its keys:   for key in map.keys()");
            source.place(error, position)
        }
        EvalAltResult::ErrorDotExpr(message, _) if message.contains("type '()'") => {
            match (draft, miss()) {
                (Some(draft), Some(miss)) => below_missing(source, draft, &miss, message, position),
                _ => source.place(
                    Error::script(format!("nothing has no {}", property(message))),
                    position,
                ),
            }
        }
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            if signature.contains("(()")
                && let (Some(draft), Some(miss)) = (draft, miss())
                && let Some(line) = source.line(position)
                && find_word(line, &miss.key).is_some()
            {
                return method_on_missing(source, draft, &miss, signature, position);
            }
            source.place(no_method(signature, function), position)
        }
        other => source.place(plain(other), position),
    }
}

fn limit_error(what: &'static str, limit: String) -> Error {
    Error::new(Fault::Limit { what, limit })
        .hint("a function is to be short; nothing of this call was kept")
}

fn plain(error: &EvalAltResult) -> Error {
    let limits = Limits::FUNCTION;
    match error {
        EvalAltResult::ErrorTooManyOperations(_) => {
            limit_error("the number of steps", limits.operations.to_string())
        }
        EvalAltResult::ErrorStackOverflow(_) => {
            limit_error("the depth of calls", limits.call_levels.to_string())
        }
        EvalAltResult::ErrorTooManyVariables(_) => {
            limit_error("the number of variables", limits.variables.to_string())
        }
        EvalAltResult::ErrorTooManyModules(_) => {
            limit_error("the number of imports", limits.modules.to_string())
        }
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("string") => limit_error(
            "the size of strings",
            format!("{} bytes", limits.string_bytes),
        ),
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("map") => limit_error(
            "the size of a map",
            format!("{} entries", limits.map_entries),
        ),
        EvalAltResult::ErrorDataTooLarge(..) => limit_error(
            "the size of an array",
            format!("{} elements", limits.array_items),
        ),
        EvalAltResult::ErrorDataRace(name, _) => Error::script(format!(
            "a closure names `{name}`, whose method is just calling it"
        ))
        .hint("inside the closure, use its parameter"),
        EvalAltResult::ErrorVariableNotFound(name, _) => {
            Error::script(format!("`{name}` is not defined here"))
                .hint("a function does not see an outer `let`: pass it, or use a closure")
        }
        EvalAltResult::ErrorParsing(kind, _) => Error::script(lower(&kind.to_string())),
        other => {
            // Rhai appends the position, which stands in the location already.
            let text = other.to_string();
            let text = text
                .rsplit_once(" (line ")
                .map_or(text.as_str(), |(text, _)| text);
            Error::script(lower(text))
        }
    }
}

fn missing_loop(
    source: &Source<'_>,
    draft: &Draft,
    miss: &Miss,
    location: Location,
    position: Position,
) -> Error {
    let error = node::missing(draft, &miss.place, &miss.key)
        .labelled("missing, so there is nothing to loop over");
    let looped = source.rest(position).map(|(rest, _)| rest);
    let error = match looped.and_then(|rest| Some(rest[..rest.rfind('{')?].trim())) {
        Some(expression) => {
            let head = source.line(position).and_then(|line| {
                let head = line.trim_start();
                Some(head[..head.find(" in ")?].to_owned())
            });
            let head = head.unwrap_or_else(|| "for item".to_owned());
            error.hint(format!(
                "if it may be absent, write   {head} in ({expression} ?? [])"
            ))
        }
        None => error,
    };
    error.at(location, Some(Arc::clone(source.text)))
}

/// Reading or writing `.x` of something that is missing.
fn below_missing(
    source: &Source<'_>,
    draft: &Draft,
    miss: &Miss,
    message: &str,
    position: Position,
) -> Error {
    let line = source.line(position).unwrap_or_default();
    let start = Position::new(
        u16::try_from(position.line().unwrap_or(1)).unwrap_or(u16::MAX),
        1,
    );
    let location = source
        .location_of(start, &miss.key)
        .unwrap_or_else(|| source.location(position));
    let error = node::missing(draft, &miss.place, &miss.key);
    let error = if message.contains("setter") {
        let error = error.labelled("missing, so nothing can be assigned below it");
        match with_set(line) {
            Some(rewritten) => error.hint(format!("to make it on the way, write   {rewritten}")),
            None => error.hint("to make it on the way, write   resource.set(\"a.b\", value)"),
        }
    } else {
        let property = property(message);
        error
            .labelled("missing")
            .hint(format!("if it may be absent, write   ?.{property}"))
    };
    error.at(location, Some(Arc::clone(source.text)))
}

fn method_on_missing(
    source: &Source<'_>,
    draft: &Draft,
    miss: &Miss,
    signature: &str,
    position: Position,
) -> Error {
    let line = position
        .line()
        .and_then(|line| u16::try_from(line).ok())
        .unwrap_or(u16::MAX);
    let location = source
        .location_of(Position::new(line, 1), &miss.key)
        .unwrap_or_else(|| source.location(position));
    let method = signature.split(" (").next().unwrap_or(signature);
    node::missing(draft, &miss.place, &miss.key)
        .labelled(format!("missing, so it has no `{method}`"))
        .hint("if it may be absent, use   resource.get(\"path\", default)   or   resource.ensure(\"path\")")
        .at(location, Some(Arc::clone(source.text)))
}

/// The property in Rhai's message about an unknown one.
fn property(message: &str) -> &str {
    message.split('\'').nth(1).unwrap_or("it")
}

/// `r.metadata.annotations.team = "x";` as `r.set("metadata.annotations.team", "x");`
fn with_set(line: &str) -> Option<String> {
    let statement = line.trim().trim_end_matches('}').trim_end();
    let (target, value) = statement.split_once('=')?;
    let (target, value) = (target.trim(), value.trim().trim_end_matches(';').trim());
    if value.starts_with('=') || target.ends_with(['+', '-', '*', '/', '!', '<', '>']) {
        return None;
    }
    let target = target.rsplit(['{', ';']).next()?.trim();
    let name_end = target.find(['.', '['])?;
    let (variable, mut rest) = target.split_at(name_end);
    let mut path = String::new();
    while !rest.is_empty() {
        let (segment, behind) = if let Some(inner) = rest.strip_prefix('[') {
            let (inner, behind) = inner.split_once(']')?;
            let inner = inner.trim();
            let quoted = inner
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            if quoted.is_none() && !inner.chars().all(|c| c.is_ascii_digit()) {
                return None;
            }
            (quoted.unwrap_or(inner).replace('.', "\\\\."), behind)
        } else {
            let bare = rest.strip_prefix('.')?;
            let end = bare.find(['.', '[']).unwrap_or(bare.len());
            (bare[..end].to_owned(), &bare[end..])
        };
        let plain = |c: char| c.is_alphanumeric() || "_-\\./".contains(c);
        if segment.is_empty() || !segment.chars().all(plain) {
            return None;
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&segment);
        rest = behind;
    }
    Some(format!("{variable}.set(\"{path}\", {value});"))
}

fn no_method(signature: &str, function: Option<&Function>) -> Error {
    let (name, arguments) = signature.split_once(" (").unwrap_or((signature, ""));
    let arguments = arguments.strip_suffix(')').unwrap_or(arguments);
    let on = arguments.split(',').next().unwrap_or("").trim();
    let error = if on.is_empty() {
        Error::script(format!("there is no function `{name}` without arguments"))
    } else {
        let types: Vec<&str> = arguments
            .split(',')
            .map(|word| {
                word.split('|')
                    .next()
                    .unwrap_or(word)
                    .trim()
                    .trim_start_matches('&')
            })
            .map(|name| match super::value::type_word(name) {
                // The types of a session are registered under names of their own.
                "another kind of value" if name.chars().all(char::is_alphanumeric) => name,
                word => word,
            })
            .collect();
        Error::script(format!(
            "there is no function `{name}` for {}",
            types.join(" and ")
        ))
    };
    let own: Vec<&str> = function
        .map(|f| f.ast.iter_functions().map(|f| f.name).collect())
        .unwrap_or_default();
    let names = || {
        native_names()
            .iter()
            .map(String::as_str)
            .chain(own.iter().copied())
    };
    if names().any(|known| known == name) {
        return error.hint("the name exists, for other arguments");
    }
    error.nearest(nearest(name, names()))
}

/// Names of all native functions; listing them takes milliseconds.
fn native_names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| names_of(engine::function_engine()))
}

/// The names of the functions that an engine has, sorted.
fn names_of(engine: &rhai::Engine) -> Vec<String> {
    let mut names: Vec<String> = engine
        .gen_fn_signatures(true)
        .iter()
        .filter_map(|signature| Some(signature.split('(').next()?.trim().to_owned()))
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Rhai's sentence with a small first letter and no full stop.
fn lower(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    if chars.clone().next().is_some_and(char::is_uppercase) {
        return text.to_owned();
    }
    first.to_lowercase().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_shown_with_set() {
        for (line, expected) in [
            (
                "r.metadata.annotations.team = \"x\";",
                "r.set(\"metadata.annotations.team\", \"x\");",
            ),
            (
                "    r.spec.containers[0].env.A = 1;",
                "r.set(\"spec.containers.0.env.A\", 1);",
            ),
            (
                "r.metadata.annotations[\"a.b/c\"] = 1",
                "r.set(\"metadata.annotations.a\\\\.b/c\", 1);",
            ),
        ] {
            assert_eq!(with_set(line).as_deref(), Some(expected));
        }
        for line in [
            "r.spec.x += 1;",
            "r[name].x = 1;",
            "x = 1;",
            "if r.a == 1 {",
        ] {
            assert_eq!(with_set(line), None, "{line}");
        }
    }
}
