//! Patterns of `LIKE` and `~`, and the globs of selectors: compiled once, matched in linear time.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// The most memory a compiled expression, and separately its cache, may take, in bytes.
const REGEX_BYTES: usize = 512 * 1024;

/// How a pattern is written and whether case counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `LIKE`: `%` is any run, `_` one character, the whole text must match; a backslash takes the
    /// next character as it is.
    Like,
    /// `ILIKE`: the same, case does not count.
    LikeAnyCase,
    /// `~`: a regular expression, found anywhere in the text.
    Regex,
    /// `~*`: the same, case does not count.
    RegexAnyCase,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    syntax: Syntax,
    matcher: Matcher,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.syntax == other.syntax
    }
}

#[derive(Debug, Clone)]
enum Matcher {
    Whole(String),
    Prefix(String),
    Suffix(String),
    Within(String),
    Regex(Regex),
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A reason in words when a regular expression is malformed or would take too much memory.
    pub(super) fn new(source: &str, syntax: Syntax) -> Result<Self, String> {
        let pieces = match syntax {
            Syntax::Like | Syntax::LikeAnyCase => like_pieces(source),
            Syntax::Regex | Syntax::RegexAnyCase => Vec::new(),
        };
        let matcher = match syntax {
            Syntax::Like => match plain(&pieces) {
                Some(matcher) => matcher,
                None => Matcher::Regex(compile(&like_regex(&pieces), false)?),
            },
            Syntax::LikeAnyCase => Matcher::Regex(compile(&like_regex(&pieces), true)?),
            Syntax::Regex => Matcher::Regex(compile(source, false)?),
            Syntax::RegexAnyCase => Matcher::Regex(compile(source, true)?),
        };
        Ok(Self {
            source: source.to_owned(),
            syntax,
            matcher,
        })
    }

    /// Whether the text matches.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.matcher {
            Matcher::Whole(whole) => text == whole,
            Matcher::Prefix(prefix) => text.starts_with(prefix),
            Matcher::Suffix(suffix) => text.ends_with(suffix),
            Matcher::Within(part) => text.contains(part),
            Matcher::Regex(regex) => regex.is_match(text),
        }
    }

    /// How the pattern is written.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// The pattern as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What every matching text begins with, as an index can use it; the flag is set if that is
    /// the whole text. `None` if case does not count or nothing is known.
    pub(super) fn literal_prefix(&self) -> Option<(String, bool)> {
        if self.syntax != Syntax::Like {
            return None;
        }
        let pieces = like_pieces(&self.source);
        match pieces.first() {
            None => Some((String::new(), true)),
            Some(LikePiece::Text(text)) => Some((text.clone(), pieces.len() == 1)),
            Some(LikePiece::Any | LikePiece::One) => None,
        }
    }
}

fn compile(source: &str, any_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(source)
        .case_insensitive(any_case)
        .size_limit(REGEX_BYTES)
        .dfa_size_limit(REGEX_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("it would take more than {REGEX_BYTES} bytes of memory")
            }
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default().trim();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
        })
}

enum LikePiece {
    Text(String),
    Any,
    One,
}

fn like_pieces(source: &str) -> Vec<LikePiece> {
    let mut pieces = Vec::new();
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '%' => {
                // A run of `%` says no more than one, and costs more.
                if !matches!(pieces.last(), Some(LikePiece::Any)) {
                    pieces.push(LikePiece::Any);
                }
                continue;
            }
            '_' => {
                pieces.push(LikePiece::One);
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            c => c,
        };
        match pieces.last_mut() {
            Some(LikePiece::Text(text)) => text.push(c),
            _ => pieces.push(LikePiece::Text(c.to_string())),
        }
    }
    pieces
}

/// The matcher for the patterns that need no regular expression.
fn plain(pieces: &[LikePiece]) -> Option<Matcher> {
    use LikePiece::{Any, Text};
    match pieces {
        [] => Some(Matcher::Whole(String::new())),
        [Any] => Some(Matcher::Within(String::new())),
        [Text(text)] => Some(Matcher::Whole(text.clone())),
        [Text(text), Any] => Some(Matcher::Prefix(text.clone())),
        [Any, Text(text)] => Some(Matcher::Suffix(text.clone())),
        [Any, Text(text), Any] => Some(Matcher::Within(text.clone())),
        _ => None,
    }
}

fn like_regex(pieces: &[LikePiece]) -> String {
    let mut source = String::from(r"(?s)\A");
    for piece in pieces {
        match piece {
            LikePiece::Text(text) => source.push_str(&regex::escape(text)),
            LikePiece::Any => source.push_str(".*"),
            LikePiece::One => source.push('.'),
        }
    }
    source.push_str(r"\z");
    source
}

/// A glob over slugs, anchored at both ends: `*` is any run of characters, `?` exactly one.
///
/// ```
/// use windlass::query::Glob;
///
/// let glob = Glob::new("traderx-prod-*");
/// assert!(glob.is_match("traderx-prod-us"));
/// assert!(!glob.is_match("traderx-prod"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob(String);

impl Glob {
    /// The glob with this text; every text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the whole of `text` matches.
    ///
    /// Takes at most length of glob × length of text steps.
    pub fn is_match(&self, text: &str) -> bool {
        let glob = self.0.as_bytes();
        let text = text.as_bytes();
        let (mut g, mut t) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while t < text.len() {
            if g < glob.len() && glob[g] == b'*' {
                retry = Some((g + 1, t));
                g += 1;
            } else if g < glob.len() && (glob[g] == b'?' || glob[g] == text[t]) {
                g += 1;
                t += 1;
            } else if let Some((after_star, from)) = retry {
                retry = Some((after_star, from + 1));
                g = after_star;
                t = from + 1;
            } else {
                return false;
            }
        }
        glob[g..].iter().all(|b| *b == b'*')
    }

    /// The one slug that it stands for, if it has neither `*` nor `?`.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains(['*', '?'])).then_some(self.0.as_str())
    }

    /// What every matching slug begins with.
    pub fn prefix(&self) -> &str {
        let end = self.0.find(['*', '?']).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// The glob as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%%", "a\nb", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a%", "ab", true),
            ("%b", "ab", true),
            ("%b", "ba", false),
            ("%prod%", "traderx-prod-us", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("a_c", "a\nc", true),
            ("%a%b%", "xxaxxbxx", true),
            ("%a%b%", "xxbxxaxx", false),
            (r"100\%", "100%", true),
            (r"100\%", "1000", false),
            (r"a\_c", "abc", false),
            ("a.c", "abc", false),
            ("é_", "éa", true),
            ("A%", "ab", false),
        ] {
            let compiled = Pattern::new(pattern, Syntax::Like).expect("a pattern");
            assert_eq!(compiled.is_match(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn case_and_anchors() {
        let matches = |source, syntax, text| {
            Pattern::new(source, syntax)
                .expect("a pattern")
                .is_match(text)
        };
        assert!(matches("A%", Syntax::LikeAnyCase, "ab"));
        assert!(matches("b", Syntax::Regex, "abc"));
        assert!(!matches("^b", Syntax::Regex, "abc"));
        assert!(!matches("B", Syntax::Regex, "abc"));
        assert!(matches("B", Syntax::RegexAnyCase, "abc"));
    }

    #[test]
    fn costly_patterns_are_refused_and_others_are_linear() {
        assert!(Pattern::new(r"(\w{100}){100}", Syntax::Regex).is_err());
        assert!(Pattern::new("(", Syntax::Regex).is_err());
        let nested = Pattern::new("(a*)*b", Syntax::Regex).expect("a pattern");
        assert!(!nested.is_match(&"a".repeat(100_000)));
    }

    #[test]
    fn prefixes_for_the_index() {
        let prefix = |source| {
            Pattern::new(source, Syntax::Like)
                .expect("a pattern")
                .literal_prefix()
        };
        assert_eq!(prefix("a-%"), Some(("a-".to_owned(), false)));
        assert_eq!(prefix("a"), Some(("a".to_owned(), true)));
        assert_eq!(prefix(r"a\_b"), Some(("a_b".to_owned(), true)));
        assert_eq!(prefix("%a"), None);
    }

    #[test]
    fn globs() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("*", "a", true),
            ("", "", true),
            ("", "a", false),
            ("traderx-prod-*", "traderx-prod", false),
            ("traderx-prod-*", "traderx-prod-", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*-us", "a-us-us", true),
            ("*a*b*", "xxaxxb", true),
            ("a", "ab", false),
            ("a*b*c", "abcbc", true),
        ] {
            assert_eq!(Glob::new(glob).is_match(text), expected, "{glob} {text}");
        }
        assert_eq!(Glob::new("a-*-b").prefix(), "a-");
        assert_eq!(Glob::new("a").literal(), Some("a"));
        assert_eq!(Glob::new("a?").literal(), None);
    }
}
