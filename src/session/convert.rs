//! Values and errors on their way between Rhai and the application.

use rhai::{Array, Dynamic, Engine, EvalAltResult, Map, Position};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::model::RevisionRef;
use crate::script::closure_error;
use crate::session::{ExitRequest, location};

/// The result of a function that scripts call.
pub(super) type Scripted<T> = std::result::Result<T, Box<EvalAltResult>>;

/// Throws an error of ours as a value that `catch (e)` and `error(e)` understand.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "it is how Rhai takes errors"
)]
pub(super) fn thrown(error: Error) -> Box<EvalAltResult> {
    if let (Some(code), true) = (error.exit(), error.message().is_empty()) {
        return Box::new(EvalAltResult::ErrorTerminated(
            Dynamic::from(ExitRequest(code)),
            Position::NONE,
        ));
    }
    Box::new(EvalAltResult::ErrorRuntime(
        Dynamic::from(error),
        Position::NONE,
    ))
}

/// Hands a result of ours to a script.
pub(super) fn scripted<T>(result: Result<T>) -> Scripted<T> {
    result.map_err(thrown)
}

/// The error that a closure ended with, whether it is ours, Rhai's own or a value, with its place.
pub(super) fn caught(engine: &Engine, error: &EvalAltResult) -> Error {
    let explained = Error::from(closure_error(engine, error));
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) => match explained.location() {
            Some(at) => of_value(value).at(at.clone()),
            None => of_value(value),
        },
        EvalAltResult::ErrorTerminated(value, _) => stopped(value).unwrap_or(explained),
        _ => explained,
    }
}

/// Why a script was stopped from outside.
pub(super) fn stopped(reason: &Dynamic) -> Option<Error> {
    if let Some(ExitRequest(code)) = reason.clone().try_cast::<ExitRequest>() {
        return Some(Error::new(Kind::Invalid, "").with_exit_code(code));
    }
    if let Some(error) = reason.clone().try_cast::<Error>() {
        return Some(error);
    }
    let reason = reason.clone().into_string().ok()?;
    Some(Error::new(Kind::Limit, reason))
}

/// The error behind a value that was thrown.
pub(super) fn of_value(value: &Dynamic) -> Error {
    if let Some(error) = value.clone().try_cast::<Error>() {
        return error;
    }
    if let Some(map) = value.read_lock::<Map>() {
        let text = |key: &str| map.get(key).map(ToString::to_string);
        let kind = text("kind").and_then(|name| Kind::from_name(&name));
        let message = text("message").unwrap_or_else(|| value.to_string());
        let mut error = Error::new(kind.unwrap_or(Kind::Invalid), message);
        if let Some(hints) = map.get("hints").and_then(Dynamic::read_lock::<Array>) {
            for hint in hints.iter() {
                error = error.hint(hint.to_string());
            }
        }
        // What `catch` has of an error of Rhai's own.
        let number = |key: &str| usize::try_from(map.get(key)?.as_int().ok()?).ok();
        return match (number("line"), number("position")) {
            (Some(line), Some(column)) => error.at(location("", "", line, column)),
            _ => error,
        };
    }
    Error::new(Kind::Invalid, value.to_string())
}

/// A script's value as JSON. Keys of maps come in Rhai's order, which is sorted.
pub(super) fn to_json(value: &Dynamic) -> Result<Value> {
    if value.is_unit() {
        return Ok(Value::Null);
    }
    rhai::serde::from_dynamic::<Value>(value).map_err(|_| {
        Error::new(
            Kind::Usage,
            format!(
                "expected text, a number, a list or a map, found a value of type {}",
                value.type_name()
            ),
        )
    })
}

/// JSON as a script's value.
pub(super) fn to_dynamic(value: &Value) -> Result<Dynamic> {
    rhai::serde::to_dynamic(value).map_err(|error| {
        Error::new(
            Kind::Internal,
            format!("cannot hand a value to the script: {error}"),
        )
    })
}

/// A list of texts.
pub(super) fn to_texts(values: &Array) -> Result<Vec<String>> {
    values
        .iter()
        .map(|value| {
            value.clone().into_string().map_err(|found| {
                Error::new(
                    Kind::Usage,
                    format!("expected a list of text, found a {found} in it"),
                )
            })
        })
        .collect()
}

/// A revision as scripts give it: a number from 1, a negative one for so many before live, or a
/// text.
pub(super) fn revision_ref(value: &Dynamic) -> Result<RevisionRef> {
    let text = match value.as_int() {
        Ok(number) => number.to_string(),
        Err(_) => value.clone().into_string().map_err(|found| {
            Error::new(
                Kind::Usage,
                format!("expected a revision as a number or text, found {found}"),
            )
        })?,
    };
    Ok(text.parse::<RevisionRef>()?)
}

/// The options of a call: a map whose keys are checked, so that a misspelt one is an error.
pub(super) struct Options<'a> {
    map: &'a Map,
    known: Vec<&'static str>,
}

impl<'a> Options<'a> {
    pub(super) fn new(map: &'a Map) -> Self {
        Self {
            map,
            known: Vec::new(),
        }
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<&'a Dynamic> {
        self.known.push(key);
        self.map.get(key).filter(|value| !value.is_unit())
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Result<bool> {
        self.get(key).map_or(Ok(false), |value| {
            value
                .as_bool()
                .map_err(|found| wrong_type(key, "true or false", found))
        })
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>> {
        self.get(key)
            .map(|value| {
                value
                    .clone()
                    .into_string()
                    .map_err(|found| wrong_type(key, "text", found))
            })
            .transpose()
    }

    pub(super) fn number(&mut self, key: &'static str) -> Result<Option<i64>> {
        self.get(key)
            .map(|value| {
                value
                    .as_int()
                    .map_err(|found| wrong_type(key, "a whole number", found))
            })
            .transpose()
    }

    /// A revision: a number, or a text such as `N-1` or `live`.
    pub(super) fn revision(&mut self, key: &'static str) -> Result<Option<RevisionRef>> {
        self.get(key).map(revision_ref).transpose()
    }

    /// A text, or a list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Result<Vec<String>> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        match value.read_lock::<Array>() {
            Some(values) => to_texts(&values),
            None => Ok(self.text(key)?.into_iter().collect()),
        }
    }

    /// A map; an empty one where the option is not given.
    pub(super) fn map(&mut self, key: &'static str) -> Result<Map> {
        let Some(value) = self.get(key) else {
            return Ok(Map::new());
        };
        value
            .clone()
            .try_cast::<Map>()
            .ok_or_else(|| wrong_type(key, "a map", value.type_name()))
    }

    pub(super) fn labels(
        &mut self,
        key: &'static str,
    ) -> Result<std::collections::BTreeMap<String, String>> {
        let Some(value) = self.get(key) else {
            return Ok(std::collections::BTreeMap::new());
        };
        let map = value
            .read_lock::<Map>()
            .ok_or_else(|| wrong_type(key, "a map of labels", value.type_name()))?;
        let labels = map
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()));
        Ok(labels.collect())
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn finish(self) -> Result<()> {
        for key in self.map.keys() {
            if !self.known.contains(&key.as_str()) {
                let known = self.known.join(", ");
                return Err(Error::new(
                    Kind::Usage,
                    format!("expected one of the options {known}, found `{key}`"),
                ));
            }
        }
        Ok(())
    }
}

fn wrong_type(key: &str, expected: &str, found: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("expected {expected} for the option `{key}`, found {found}"),
    )
}
