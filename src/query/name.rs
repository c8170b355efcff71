//! Names in a clause: which attribute or data path a word stands for.

use std::fmt;

use crate::path::{Path, Segment};

use super::error::{Error, Position, nearest};
use super::expr::Operand;
use super::field::{Attribute, FIELDS, Field, FieldRef, Owner, Type};

/// Top-level keys of Kubernetes resources whose lower-case name is also an attribute's. Alone they
/// are maps, which no value equals, so there the attribute was meant; with more after them they
/// are data paths.
const ALSO_KEYS: [&str; 2] = ["data", "status"];

/// Words that are never an attribute or a data path.
pub const RESERVED: [&str; 16] = [
    "AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "BETWEEN", "IS", "NULL", "CONTAINS", "ORDER", "BY",
    "ASC", "DESC", "LIMIT", "EXPLAIN",
];

/// Resolves a word: `PascalCase` is an attribute, anything else a data path.
///
/// A path whose first step is an attribute's name in other case is refused, for it is nearly
/// always meant as the attribute: no Kubernetes resource has such a top-level key, but for
/// [`ALSO_KEYS`].
///
/// # Errors
/// When there is no such attribute, it goes over two references, or the path is malformed.
pub(super) fn resolve(word: &str, at: Position) -> Result<Operand, Error> {
    if word.starts_with(char::is_uppercase) {
        return attribute(word, at).map(Operand::Field);
    }
    if word == "replicas" {
        return path("spec.replicas", at);
    }
    let head = word.split('.').next().unwrap_or_default();
    if !ALSO_KEYS.contains(&head)
        && let Some(name) = in_other_case(head)
    {
        let rest = &word[head.len()..];
        let meant = rest.strip_prefix('.').map_or_else(
            || name.to_owned(),
            |rest| format!("{name}.{}", in_other_case(rest).unwrap_or(rest)),
        );
        return Err(unknown(at, Owner::Unit, word, Some(meant)));
    }
    path(word, at)
}

/// Writes a path so that it reads as the same path in a clause, whatever characters it has.
pub(super) fn write_path(path: &Path, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, segment) in path.segments().iter().enumerate() {
        if i > 0 {
            f.write_str(".")?;
        }
        match segment {
            Segment::Any => f.write_str("*")?,
            Segment::Order => f.write_str("#order")?,
            Segment::Key(key) if key.is_empty() => f.write_str("\\e")?,
            Segment::Key(key) if i == 0 && is_guarded(key, path.len()) => {
                // `\e` is the empty key, so an `e` cannot be guarded itself.
                let guarded = usize::from(key.starts_with('e'));
                write_escaped(key, Some(guarded), f)?;
            }
            Segment::Key(key) => write_escaped(key, None, f)?,
            Segment::Match(fields) => {
                for (i, (key, value)) in fields.iter().enumerate() {
                    f.write_str(if i == 0 { "?" } else { "," })?;
                    write_escaped(key, None, f)?;
                    f.write_str("=")?;
                    write_escaped(value, None, f)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether the first key of a path, written plainly, would read as something else.
fn is_guarded(key: &str, segments: usize) -> bool {
    let reserved = RESERVED
        .iter()
        .chain(&["TRUE", "FALSE", "LEN"])
        .any(|word| word.eq_ignore_ascii_case(key));
    let plain = key.starts_with(|c: char| c == '_' || (c.is_alphabetic() && !c.is_uppercase()));
    !plain
        || (segments == 1 && (reserved || key == "replicas"))
        || (!ALSO_KEYS.contains(&key) && in_other_case(key).is_some())
}

fn write_escaped(text: &str, guarded: Option<usize>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, c) in text.chars().enumerate() {
        if guarded == Some(i) || !(c.is_alphanumeric() || matches!(c, '_' | '-' | '/')) {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    Ok(())
}

/// The attribute that was meant where a bare top-level map such as `status` is compared.
pub(super) fn meant_attribute(word: &str) -> Option<&'static str> {
    ALSO_KEYS
        .contains(&word)
        .then(|| in_other_case(word))
        .flatten()
}

fn path(text: &str, at: Position) -> Result<Operand, Error> {
    Path::parse(text).map(Operand::Path).map_err(|error| {
        let before = text.chars().take(error.position.saturating_sub(1));
        Error::Path {
            at: Position {
                offset: at.offset + before.clone().map(char::len_utf8).sum::<usize>(),
                line: at.line,
                column: at.column + before.count(),
            },
            expected: error.expected,
            found: text.to_owned(),
        }
    })
}

/// The attribute or entity with this name but for case.
fn in_other_case(name: &str) -> Option<&'static str> {
    let own = FIELDS
        .iter()
        .filter(|field| field.owners.contains(&Owner::Unit));
    own.flat_map(|field| std::iter::once(&field.name).chain(field.aliases))
        .copied()
        .chain(Owner::ALL.map(Owner::name))
        .find(|candidate| candidate.eq_ignore_ascii_case(name))
}

fn attribute(word: &str, at: Position) -> Result<FieldRef, Error> {
    let (head, rest) = split(word);
    if let Some(owner) = Owner::find(head) {
        let Some(rest) = rest else {
            return Err(Error::Mismatch {
                at,
                expected: format!("an attribute of {head}"),
                found: format!("`{head}` alone"),
                suggestion: Some(format!("{head}.Slug")),
            });
        };
        return of_owner(owner, rest, word, at);
    }
    of_owner(Owner::Unit, word, word, at)
}

/// Resolves `text` as an attribute of `owner`; `word` is the whole name.
fn of_owner(owner: Owner, text: &str, word: &str, at: Position) -> Result<FieldRef, Error> {
    let (name, key) = split(text);
    let Some(field) = Field::find(owner, name) else {
        if owner != Owner::Unit && Owner::find(name).is_some() {
            return Err(two_hops(owner, name, key, word, at));
        }
        return Err(unknown(at, owner, word, suggestion(owner, name, key)));
    };
    let key = match key {
        None => None,
        Some("") => {
            return Err(Error::Mismatch {
                at,
                expected: format!("a key after `{word}`"),
                found: "none".to_owned(),
                suggestion: None,
            });
        }
        Some(key) if field.kind == Type::Map => Some(unescaped(key).into_boxed_str()),
        Some(key) => return Err(not_a_map(field, key, word, at)),
    };
    Ok(FieldRef {
        owner,
        attribute: field.attribute,
        key,
    })
}

fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('.')
        .map_or((text, None), |(head, rest)| (head, Some(rest)))
}

fn two_hops(owner: Owner, name: &str, rest: Option<&str>, word: &str, at: Position) -> Error {
    let rest = rest.unwrap_or("Slug");
    let suggestion = match (owner, name) {
        (Owner::UpstreamUnit, "Space") => Some(format!("UpstreamSpace.{rest}")),
        (Owner::Space, "Target") if rest == "Slug" => Some("Space.TargetID".to_owned()),
        _ => None,
    };
    Error::TwoHops {
        at,
        found: word.to_owned(),
        suggestion,
    }
}

fn not_a_map(field: &Field, key: &str, word: &str, at: Position) -> Error {
    // The reference product writes a path in the data as `Data.spec.replicas`.
    let suggestion = (field.attribute == Attribute::Data).then(|| key.to_owned());
    Error::Mismatch {
        at,
        expected: format!(
            "no more after `{}`, which is {}",
            field.name,
            field.kind.name()
        ),
        found: format!("`{word}`"),
        suggestion,
    }
}

fn suggestion(owner: Owner, name: &str, key: Option<&str>) -> Option<String> {
    let known = FIELDS
        .iter()
        .filter(|field| field.owners.contains(&owner))
        .flat_map(|field| std::iter::once(&field.name).chain(field.aliases))
        .copied();
    let entities = Owner::ALL
        .into_iter()
        .filter(|_| owner == Owner::Unit)
        .map(Owner::name);
    let prefix = match owner {
        Owner::Unit => String::new(),
        owner => format!("{}.", owner.name()),
    };
    let rest = key.map_or_else(String::new, |key| format!(".{key}"));
    if let Some(near) = nearest(name, known.chain(entities)) {
        return Some(format!("{prefix}{near}{rest}"));
    }
    // A data path that somebody capitalised, such as `Replicas` or `Metadata.name`.
    let usual = ["replicas", "metadata", "spec", "apiVersion", "kind"];
    let lower = usual
        .into_iter()
        .find(|usual| usual.eq_ignore_ascii_case(name));
    lower
        .filter(|_| owner == Owner::Unit)
        .map(|lower| format!("{lower}{rest}"))
}

fn unknown(at: Position, owner: Owner, word: &str, suggestion: Option<String>) -> Error {
    Error::UnknownAttribute {
        at,
        of: match owner {
            Owner::Unit => String::new(),
            owner => format!(" of {}", owner.name()),
        },
        found: word.to_owned(),
        suggestion,
    }
}

fn unescaped(key: &str) -> String {
    let mut chars = key.chars();
    let mut plain = String::with_capacity(key.len());
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' {
            chars.next().unwrap_or('\\')
        } else {
            c
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(word: &str) -> String {
        match resolve(word, Position::of("", 0)) {
            Ok(operand) => format!("{operand}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn words() {
        for (word, expected) in [
            ("Slug", "Slug"),
            ("Name", "Slug"),
            ("Unit.Slug", "Slug"),
            ("Revision", "HeadRevisionNum"),
            ("Space.Labels.a.b/c", "Space.Labels.a.b/c"),
            ("replicas", "spec.replicas"),
            ("status.phase", "status.phase"),
            ("kind", "kind"),
            ("spec.replicas", "spec.replicas"),
        ] {
            assert_eq!(shown(word), expected, "{word}");
        }
        for (word, end) in [
            ("slug", "found `slug`; did you mean `Slug`?"),
            (
                "labels.tier",
                "found `labels.tier`; did you mean `Labels.tier`?",
            ),
            (
                "space.slug",
                "found `space.slug`; did you mean `Space.Slug`?",
            ),
            ("SLUG", "found `SLUG`; did you mean `Slug`?"),
            ("Lables.a", "found `Lables.a`; did you mean `Labels.a`?"),
            (
                "Space.Slgu",
                "attribute of Space, found `Space.Slgu`; did you mean `Space.Slug`?",
            ),
            ("Space.", "attribute of Space, found `Space.`"),
            ("Ⱥ", "expected an attribute, found `Ⱥ`"),
            ("Replicas", "did you mean `replicas`?"),
            ("Data.spec.replicas", "did you mean `spec.replicas`?"),
            (
                "UpstreamUnit.Space.Slug",
                "did you mean `UpstreamSpace.Slug`?",
            ),
            (
                "Space",
                "expected an attribute of Space, found `Space` alone; did you mean `Space.Slug`?",
            ),
            ("Labels.", "expected a key after `Labels.`, found none"),
            (
                "Slug.x",
                "expected no more after `Slug`, which is a text, found `Slug.x`",
            ),
        ] {
            let message = shown(word);
            assert!(message.ends_with(end), "{word}: {message}");
        }
    }
}
