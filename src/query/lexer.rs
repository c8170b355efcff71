//! The words and signs of a clause, with their places.

use super::error::{Error, Position};

/// The longest clause, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    /// A keyword, an attribute or a data path.
    Word(&'a str),
    Number(&'a str),
    /// A text, its quotes removed.
    Text(String),
    /// The name after `$`.
    Parameter(&'a str),
    Sign(&'static str),
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    /// Bytes from the beginning of the clause.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Longer signs before those they begin with.
const SIGNS: [&str; 20] = [
    "!~~", "!~*", "~~", "~*", "!~", "!=", "<=", ">=", "<>", "==", "=", "<", ">", "~", "?", "(",
    ")", ",", "*", ";",
];

/// Cuts a clause into tokens; the last one is [`Kind::End`].
///
/// # Errors
/// When the clause is too long, a quote is not closed, or a character begins no token.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::TooMuch {
            at: Position::of(text, MAX_BYTES),
            what: "bytes",
            limit: MAX_BYTES,
        });
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at = skip_blank(text, at);
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push(Token {
                kind: Kind::End,
                start: at,
                end: at,
            });
            return Ok(tokens);
        };
        let (kind, length) = match first {
            '\'' | '"' => quoted(text, at, first)?,
            '$' => {
                let length = 1 + name_length(&rest[1..]);
                (Kind::Parameter(&rest[1..length]), length)
            }
            '/' | '_' | '\\' => word(rest),
            c if c.is_alphabetic() => word(rest),
            c if c.is_ascii_digit() || (c == '-' && starts_number(&rest[1..])) => {
                let length = number_length(rest);
                (Kind::Number(&rest[..length]), length)
            }
            c => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Kind::Sign(sign), sign.len()),
                None => {
                    return Err(Error::Unexpected {
                        at: Position::of(text, at),
                        expected: "an attribute, a data path, a value or an operator".to_owned(),
                        found: format!("`{}`", c.escape_debug()),
                        suggestion: None,
                    });
                }
            },
        };
        tokens.push(Token {
            kind,
            start: at,
            end: at + length,
        });
        at += length;
    }
}

/// Skips white space and `-- comments`.
fn skip_blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if !trimmed.starts_with("--") {
            return at;
        }
        at += trimmed.find('\n').unwrap_or(trimmed.len());
    }
}

fn quoted(text: &str, start: usize, quote: char) -> Result<(Kind<'static>, usize), Error> {
    let mut value = String::new();
    let body = &text[start + 1..];
    let mut chars = body.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        // Doubled, it is the quote itself.
        if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Ok((Kind::Text(value), at + 2));
        }
        value.push(c);
    }
    let (opening, closing) = if quote == '\'' {
        ("single quote", "`'`")
    } else {
        ("double quote", "`\"`")
    };
    Err(Error::Unclosed {
        at: Position::of(text, start),
        opening,
        closing,
    })
}

fn starts_number(rest: &str) -> bool {
    let digits = rest.strip_prefix('.').unwrap_or(rest);
    digits.starts_with(|c: char| c.is_ascii_digit())
}

/// Length of a number and of whatever letters follow it at once, so that `500m` is one token that
/// can be refused as a whole.
fn number_length(rest: &str) -> usize {
    let mut previous = ' ';
    for (at, c) in rest.char_indices() {
        let sign = at == 0 || matches!(previous, 'e' | 'E');
        if !(c.is_alphanumeric() || c == '.' || (sign && matches!(c, '-' | '+'))) {
            return at;
        }
        previous = c;
    }
    rest.len()
}

fn name_length(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len())
}

/// An attribute, a data path or a keyword.
fn word(rest: &str) -> (Kind<'_>, usize) {
    let mut at = 0;
    while let Some(c) = rest[at..].chars().next() {
        match c {
            '\\' => {
                at += 1;
                at += rest[at..].chars().next().map_or(0, char::len_utf8);
            }
            '.' => {
                at += 1;
                if rest[at..].starts_with('?') {
                    at += 1 + conditions_length(&rest[at + 1..]);
                } else if rest[at..].starts_with('*') {
                    at += 1;
                }
            }
            // In a JSON Pointer, `~0` is a tilde and `~1` a slash within a key.
            '~' if rest.starts_with('/') && rest[at + 1..].starts_with(['0', '1']) => at += 1,
            c if c.is_alphanumeric() || matches!(c, '_' | '-' | '/') => at += c.len_utf8(),
            _ => break,
        }
    }
    (Kind::Word(&rest[..at]), at)
}

/// Length of `name=api` or `containerPort=80,protocol=TCP` after the `?` of a path step.
fn conditions_length(rest: &str) -> usize {
    let mut at = 0;
    loop {
        let key = plain_length(&rest[at..]);
        if !rest[at + key..].starts_with('=') {
            return at + key;
        }
        at += key + 1;
        at += plain_length(&rest[at..]);
        // A comma goes on with the step only if another `key=` follows; else it ends a list item.
        let Some(next) = rest[at..].strip_prefix(',') else {
            return at;
        };
        let key = plain_length(next);
        if key == 0 || !next[key..].starts_with('=') {
            return at;
        }
        at += 1;
    }
}

fn plain_length(rest: &str) -> usize {
    let mut at = 0;
    while let Some(c) = rest[at..].chars().next() {
        match c {
            '\\' => {
                at += 1;
                at += rest[at..].chars().next().map_or(0, char::len_utf8);
            }
            c if c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | ':' | '@') => {
                at += c.len_utf8();
            }
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        tokens(text)
            .expect("tokens")
            .iter()
            .map(|token| match &token.kind {
                Kind::Word(word) => format!("w:{word}"),
                Kind::Number(number) => format!("n:{number}"),
                Kind::Text(text) => format!("t:{text}"),
                Kind::Parameter(name) => format!("p:{name}"),
                Kind::Sign(sign) => (*sign).to_owned(),
                Kind::End => "end".to_owned(),
            })
            .collect()
    }

    #[test]
    fn tokens_of_clauses() {
        for (text, expected) in [
            ("", "end"),
            ("Slug='it''s'", "w:Slug = t:it's end"),
            ("a>-3 -- rest\n AND $n", "w:a > n:-3 w:AND p:n end"),
            (
                "Labels.app.kubernetes.io/name ? 'x'",
                "w:Labels.app.kubernetes.io/name ? t:x end",
            ),
            ("a.?name=api.image='x'", "w:a.?name=api.image = t:x end"),
            (
                "IN (a.?p=80,protocol=TCP.b, c)",
                "w:IN ( w:a.?p=80,protocol=TCP.b , w:c ) end",
            ),
            (r"a.b\.c.*.d !~* 'x'", r"w:a.b\.c.*.d !~* t:x end"),
            ("x > 500m", "w:x > n:500m end"),
            ("x > 1e-3", "w:x > n:1e-3 end"),
            ("/spec/replicas<2", "w:/spec/replicas < n:2 end"),
            ("/a/b~1c~'x'", "w:/a/b~1c ~ t:x end"),
            (r"\order IS NULL", r"w:\order w:IS w:NULL end"),
        ] {
            assert_eq!(shown(text).join(" "), expected, "{text}");
        }
    }
}
