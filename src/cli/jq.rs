//! `--jq FILTER`: results through a filter of the language of jq.

use std::fmt::Write as _;

use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, unwrap_valr};
use jaq_json::{Val, read};
use serde_json::Value;

use crate::error::{Error, Kind, Result};

/// The outputs of a filter, each on a line of its own: texts as they are, all else as JSON.
///
/// # Errors
/// [`Kind::Usage`] when the filter cannot be read or names what there is not; [`Kind::Invalid`] when
/// it fails on this input. The outputs before that are lost.
pub(super) fn outputs(filter: &str, input: &Value) -> Result<String> {
    let defs = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let functions = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let arena = Arena::default();
    let program = File {
        code: filter,
        path: (),
    };
    let modules = Loader::new(defs)
        .load(&arena, program)
        .map_err(|errors| unreadable(filter, errors.iter().map(|(_, error)| syntax(error))))?;
    let compiled = Compiler::default()
        .with_funs(functions)
        .compile(modules)
        .map_err(|errors| {
            let unknown = errors.iter().flat_map(|(_, errors)| errors);
            let unknown = unknown.map(|(name, what)| {
                let what = what.as_str();
                format!("found the {what} `{name}`, which there is not")
            });
            unreadable(filter, unknown)
        })?;
    let input = read::parse_single(input.to_string().as_bytes())
        .map_err(|error| Error::new(Kind::Internal, format!("cannot read JSON: {error}")))?;
    let context = Ctx::<JustLut<Val>>::new(&compiled.lut, Vars::new([]));
    let mut text = String::new();
    for output in compiled.id.run((context, input)).map(unwrap_valr) {
        let output = output.map_err(|error| {
            Error::new(
                Kind::Invalid,
                format!("the jq filter `{filter}` fails: {error}"),
            )
        })?;
        let json = output.to_string();
        let line = match serde_json::from_str(&json) {
            Ok(Value::String(text)) => text,
            Ok(value) => format!("{value:#}"),
            // What JSON cannot say, such as NaN.
            Err(_) => json,
        };
        let _ = writeln!(text, "{line}");
    }
    Ok(text)
}

fn unreadable(filter: &str, why: impl Iterator<Item = String>) -> Error {
    let why: Vec<String> = why.collect();
    Error::new(
        Kind::Usage,
        format!("expected a jq filter, found `{filter}`: {}", why.join("; ")),
    )
    .hint("--jq '.[].Slug' prints a field of every row; --json shows the fields there are")
}

fn syntax(error: &load::Error<&str>) -> String {
    let found = |found: &str| match found {
        "" => "its end".to_owned(),
        found => format!("`{found}`"),
    };
    match error {
        load::Error::Io(errors) => errors
            .first()
            .map_or_else(String::new, |(_, error)| error.clone()),
        load::Error::Lex(errors) => errors.first().map_or_else(String::new, |(expected, rest)| {
            format!("expected {}, found {}", expected.as_str(), found(rest))
        }),
        load::Error::Parse(errors) => {
            errors.first().map_or_else(String::new, |(expected, rest)| {
                format!("expected {}, found {}", expected.as_str(), found(rest))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_printed_as_they_are_and_all_else_as_json() {
        let rows = json!([{ "Slug": "a", "n": 1 }, { "Slug": "b", "n": [2, null] }]);
        for (filter, expected) in [
            (".[].Slug", "a\nb\n"),
            (".[0].n", "1\n"),
            (".[1].n", "[\n  2,\n  null\n]\n"),
            ("map(.Slug) | join(\",\")", "a,b\n"),
            (".[] | select(.n == 1) | .Slug", "a\n"),
            ("empty", ""),
            ("length", "2\n"),
        ] {
            assert_eq!(outputs(filter, &rows).unwrap(), expected, "{filter}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_says_what_is_wrong() {
        for (filter, kind, part) in [
            (".[", Kind::Usage, "closing bracket"),
            (".a |", Kind::Usage, "its end"),
            ("slug", Kind::Usage, "filter `slug`"),
            (".a", Kind::Invalid, "cannot index"),
        ] {
            let error = outputs(filter, &json!([1])).unwrap_err();
            assert_eq!(error.kind(), kind, "{filter}: {error}");
            assert!(error.to_string().contains(part), "{filter}: {error}");
        }
    }
}
