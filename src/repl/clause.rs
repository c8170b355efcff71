//! Clauses and names inside texts: what a text is about, and the words of a clause with their
//! places. Like [`tokens`](super::token::tokens), it reads what is unfinished.

use crate::query::{FIELDS, Owner, RESERVED};

/// Words of clauses that may also be names elsewhere.
const MORE_WORDS: [&str; 3] = ["FALSE", "LEN", "TRUE"];

/// The words of clauses.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    RESERVED.into_iter().chain(MORE_WORDS)
}

/// What a word of a clause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `AND`, `LIKE`, ….
    Word,
    /// `Space.Slug`.
    Attribute,
    /// `spec.replicas`.
    Path,
    /// `'prod'`; whether it is closed.
    Text,
    /// `3`.
    Number,
    /// `$name`.
    Bound,
    /// `=`, `<`, `(`, ….
    Sign,
}

/// A word of a clause: bytes of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The parts of a clause.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match first {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '\'' | '"' => (Kind::Text, quoted(rest, first)),
            '$' => (Kind::Bound, 1 + word(&rest[1..])),
            c if c.is_ascii_digit() => (Kind::Number, word(rest)),
            c if c.is_alphabetic() || matches!(c, '_' | '/') => {
                let length = word(rest);
                (kind_of(&rest[..length]), length)
            }
            c => (Kind::Sign, c.len_utf8()),
        };
        parts.push(Part {
            kind,
            start: at,
            end: at + length,
        });
        at += length;
    }
    parts
}

fn kind_of(word: &str) -> Kind {
    let upper = word.to_uppercase();
    if words().any(|known| known == upper) {
        Kind::Word
    } else if word.starts_with(char::is_uppercase) {
        Kind::Attribute
    } else {
        Kind::Path
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    rest[1..].find(quote).map_or(rest.len(), |at| at + 2)
}

/// The length of a name or path: `spec.containers.?name=api.image` is one word.
fn word(rest: &str) -> usize {
    let mut end = 0;
    let mut in_test = false;
    let mut previous = ' ';
    for (at, c) in rest.char_indices() {
        in_test = (in_test || (c == '?' && previous == '.')) && c != '.';
        let is_part = c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '\\' | '#');
        let is_of_test = in_test && matches!(c, '?' | '=' | ',');
        let is_any = c == '*' && previous == '.';
        let is_escaped = previous == '\\';
        if !(is_part || is_of_test || is_any || is_escaped) {
            break;
        }
        previous = c;
        end = at + c.len_utf8();
    }
    end
}

/// Whether a text reads as a clause rather than as a name or any other text: it compares
/// something, or begins like an attribute.
pub(super) fn is_clause(text: &str) -> bool {
    let parts = parts(text);
    let Some(first) = parts.first() else {
        return false;
    };
    let head = &text[first.start..first.end];
    if !matches!(first.kind, Kind::Word | Kind::Attribute | Kind::Path) && head != "(" {
        return false;
    }
    let second = parts
        .get(1)
        .map(|part| (part.kind, &text[part.start..part.end]));
    match second {
        None => is_attribute(head),
        Some((Kind::Word, word)) => word.chars().all(char::is_uppercase),
        Some((Kind::Sign, sign)) => matches!(sign, "=" | "<" | ">" | "!" | "~" | "?" | "(" | ")"),
        Some((Kind::Attribute | Kind::Path, _)) => first.kind == Kind::Word || head == "(",
        Some(_) => false,
    }
}

fn is_attribute(word: &str) -> bool {
    let head = word.split('.').next().unwrap_or_default();
    Owner::find(head).is_some()
        || FIELDS
            .iter()
            .any(|field| field.name == head || field.aliases.contains(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_told_from_names_and_prose() {
        for (text, want) in [
            ("Slug = 'a'", true),
            ("replicas > 2", true),
            ("Space.Slug", true),
            ("Labels.tier IS NULL", true),
            ("NOT replicas > 2", true),
            ("(Slug = 'a' OR replicas > 2)", true),
            (
                "spec.template.spec.containers.*.image LIKE '%:latest'",
                true,
            ),
            ("prod-us/ledger", false),
            ("prod-*/ledger", false),
            ("*", false),
            ("web", false),
            ("a reason with words", false),
            ("Because it is so", false),
            ("kind: Deployment", false),
            ("", false),
            ("3 replicas", false),
        ] {
            assert_eq!(is_clause(text), want, "{text}");
        }
    }

    #[test]
    fn parts_are_words_as_the_query_language_has_them() {
        let text = "Space.Slug = 'a b' AND a.b.?name=x,y=z.c > $n OR m.\\*x.* IN (1";
        let shown: Vec<(Kind, &str)> = parts(text)
            .into_iter()
            .map(|part| (part.kind, &text[part.start..part.end]))
            .collect();
        assert_eq!(
            shown,
            [
                (Kind::Attribute, "Space.Slug"),
                (Kind::Sign, "="),
                (Kind::Text, "'a b'"),
                (Kind::Word, "AND"),
                (Kind::Path, "a.b.?name=x,y=z.c"),
                (Kind::Sign, ">"),
                (Kind::Bound, "$n"),
                (Kind::Word, "OR"),
                (Kind::Path, "m.\\*x.*"),
                (Kind::Word, "IN"),
                (Kind::Sign, "("),
                (Kind::Number, "1"),
            ]
        );
    }
}
