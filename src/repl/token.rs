//! The tokens of a line of script, with their places: what brackets, colours and completion are
//! worked out from. It reads unfinished lines as well, and never fails.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `// …` or `/* … */`; whether it is closed.
    Comment {
        /// False for a block whose end is missing.
        is_closed: bool,
    },
    /// A text, or the part of one up to a `${` or from a `}` on; quotes included.
    Text {
        /// False for a text whose end is missing.
        is_closed: bool,
    },
    /// `'a'`.
    Character,
    /// A number.
    Number,
    /// A keyword of Rhai.
    Keyword,
    /// Any other name.
    Name,
    /// An opening bracket: `(`, `[`, `{`, `#{`, or the `${` inside a text.
    Open,
    /// A closing bracket.
    Close,
    /// Everything else but blanks.
    Sign,
}

/// A token: bytes of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    pub(super) fn text<'a>(&self, line: &'a str) -> &'a str {
        &line[self.start..self.end]
    }
}

/// The keywords of Rhai.
pub(super) const KEYWORDS: [&str; 31] = [
    "as",
    "break",
    "case",
    "catch",
    "const",
    "continue",
    "default",
    "do",
    "else",
    "export",
    "false",
    "fn",
    "for",
    "global",
    "if",
    "import",
    "in",
    "is_def_fn",
    "is_def_var",
    "let",
    "loop",
    "private",
    "return",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "type_of",
    "until",
    "while",
];

/// Cuts a line into tokens.
pub(super) fn tokens(line: &str) -> Vec<Token> {
    let mut scanner = Scanner {
        line,
        at: 0,
        tokens: Vec::new(),
        inside: Vec::new(),
    };
    while scanner.at < line.len() {
        scanner.step();
    }
    scanner.tokens
}

struct Scanner<'a> {
    line: &'a str,
    at: usize,
    tokens: Vec<Token>,
    /// For each `${` that is open: how many braces are open in it.
    inside: Vec<usize>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.line[self.at..]
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let start = self.at;
        self.at += length;
        self.tokens.push(Token {
            kind,
            start,
            end: self.at,
        });
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return;
        };
        if first.is_whitespace() {
            self.at += first.len_utf8();
        } else if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            self.push(Kind::Comment { is_closed: true }, length);
        } else if rest.starts_with("/*") {
            let (length, is_closed) = block_comment(rest);
            self.push(Kind::Comment { is_closed }, length);
        } else if let Some((length, is_closed)) = raw_text(rest) {
            self.push(Kind::Text { is_closed }, length);
        } else if rest.starts_with("#{") {
            self.opened(2);
        } else {
            self.step_plain(first);
        }
    }

    fn step_plain(&mut self, first: char) {
        let rest = self.rest();
        match first {
            '"' => {
                let (length, is_closed) = quoted(rest, '"');
                self.push(Kind::Text { is_closed }, length);
            }
            '`' => self.template(1),
            '\'' => {
                let length = character(rest);
                self.push(Kind::Character, length);
            }
            '(' | '[' | '{' => self.opened(1),
            ')' | ']' | '}' => self.closed(first),
            c if c.is_ascii_digit() => {
                let length = number(rest);
                self.push(Kind::Number, length);
            }
            c if c.is_alphabetic() || c == '_' => {
                let length = name(rest);
                let kind = if KEYWORDS.contains(&&rest[..length]) {
                    Kind::Keyword
                } else {
                    Kind::Name
                };
                self.push(kind, length);
            }
            c => self.push(Kind::Sign, c.len_utf8()),
        }
    }

    fn opened(&mut self, length: usize) {
        if self.line[self.at..self.at + length].ends_with('{')
            && let Some(braces) = self.inside.last_mut()
        {
            *braces += 1;
        }
        self.push(Kind::Open, length);
    }

    fn closed(&mut self, bracket: char) {
        match self.inside.last_mut() {
            Some(0) if bracket == '}' => {
                self.inside.pop();
                self.push(Kind::Close, 1);
                self.template(0);
                return;
            }
            Some(braces) if bracket == '}' => *braces -= 1,
            _ => {}
        }
        self.push(Kind::Close, 1);
    }

    /// A text in backticks from `skip` bytes behind here up to its end or to a `${`.
    fn template(&mut self, skip: usize) {
        let rest = self.rest();
        let mut chars = rest[skip..].char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let length = skip + at;
            match c {
                // Doubled, it is the backtick itself.
                '`' if chars.next_if(|(_, next)| *next == '`').is_none() => {
                    self.push(Kind::Text { is_closed: true }, length + 1);
                    return;
                }
                '$' if rest[length..].starts_with("${") => {
                    if length > 0 {
                        self.push(Kind::Text { is_closed: true }, length);
                    }
                    self.push(Kind::Open, 2);
                    self.inside.push(0);
                    return;
                }
                _ => {}
            }
        }
        let length = rest.len();
        self.push(Kind::Text { is_closed: false }, length);
    }
}

/// A block comment, others inside it included: its length, and whether its end is there.
fn block_comment(rest: &str) -> (usize, bool) {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return (at, true);
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    (rest.len(), false)
}

/// `#"…"#`, with any number of `#`.
fn raw_text(rest: &str) -> Option<(usize, bool)> {
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    let body = rest[hashes..].strip_prefix('"').filter(|_| hashes > 0)?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(match body.find(&end) {
        Some(at) => (hashes + 1 + at + end.len(), true),
        None => (rest.len(), false),
    })
}

/// A text in quotes, which are doubled or behind a backslash inside it.
fn quoted(rest: &str, quote: char) -> (usize, bool) {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return (at + 1, true);
        }
    }
    (rest.len(), false)
}

/// `'a'` or `'\n'`; where no end is near, the quote alone.
fn character(rest: &str) -> usize {
    let line = rest.lines().next().unwrap_or_default();
    let body = &line[1..];
    let skip = match body.chars().next() {
        Some('\\') => 2,
        Some(c) => c.len_utf8(),
        None => return 1,
    };
    match body.get(skip..).and_then(|tail| tail.find('\'')) {
        Some(at) if at <= 8 => 1 + skip + at + 1,
        _ => 1,
    }
}

fn number(rest: &str) -> usize {
    let mut end = 0;
    let mut previous = ' ';
    for (at, c) in rest.char_indices() {
        // `1..3` and `1.abs()` are a number and signs.
        let is_point = c == '.' && rest[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        let is_sign = matches!(c, '+' | '-') && matches!(previous, 'e' | 'E');
        if !(c.is_ascii_alphanumeric() || c == '_' || is_point || is_sign) {
            break;
        }
        previous = c;
        end = at + 1;
    }
    end
}

fn name(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let letter = |kind| match kind {
            Kind::Comment { is_closed } => ["c!", "c"][usize::from(is_closed)],
            Kind::Text { is_closed } => ["t!", "t"][usize::from(is_closed)],
            Kind::Character => "q",
            Kind::Number => "n",
            Kind::Keyword => "k",
            Kind::Name => "w",
            Kind::Open => "(",
            Kind::Close => ")",
            Kind::Sign => "s",
        };
        let tokens = tokens(line);
        let parts = tokens
            .iter()
            .map(|token| format!("{}:{}", letter(token.kind), token.text(line)));
        parts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_are_cut_as_rhai_cuts_them() {
        for (line, want) in [
            ("let x = 1;", "k:let w:x s:= n:1 s:;"),
            ("units(\"a\")", "w:units (:( t:\"a\" ):)"),
            ("\"a\\\"b\" \"a\"\"b\"", "t:\"a\\\"b\" t:\"a\"\"b\""),
            ("\"open", "t!:\"open"),
            ("'a' '\\'' '\\n'", "q:'a' q:'\\'' q:'\\n'"),
            (
                "1..3 1.5 1.abs() 0xff 1e-3",
                "n:1 s:. s:. n:3 n:1.5 n:1 s:. w:abs (:( ):) n:0xff n:1e-3",
            ),
            ("a // b (", "w:a c:// b ("),
            ("/* a /* b */ c */ d", "c:/* a /* b */ c */ w:d"),
            ("/* a /* b */", "c!:/* a /* b */"),
            ("#{ a: 1 }", "(:#{ w:a s:: n:1 ):}"),
            ("#\"a\"b\"# c", "t:#\"a\"b\"# w:c"),
            ("##\"a\"#", "t!:##\"a\"#"),
            ("`a${b}c`", "t:`a (:${ w:b ):} t:c`"),
            (
                "`${#{a: 1}.a}`",
                "t:` (:${ (:#{ w:a s:: n:1 ):} s:. w:a ):} t:`",
            ),
            ("`a${`b${c}`}`", "t:`a (:${ t:`b (:${ w:c ):} t:` ):} t:`"),
            ("`a${b", "t:`a (:${ w:b"),
            ("`two\nlines", "t!:`two\nlines"),
            ("größe + 取引", "w:größe s:+ w:取引"),
            ("", ""),
        ] {
            assert_eq!(shown(line), want, "{line}");
        }
    }

    #[test]
    fn whatever_is_typed_is_cut_without_a_gap() {
        let pieces = [
            "`", "${", "}", "\"", "'", "/*", "*/", "#", "{", "\\", "é", "\n", "1.", ".",
        ];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    let line = format!("{a}{b}x{c}{a}");
                    let mut at = 0;
                    for token in tokens(&line) {
                        assert!(line[at..token.start].trim().is_empty(), "{line:?}");
                        // Only a text whose end is missing may have nothing in it.
                        let is_open = token.kind == Kind::Text { is_closed: false };
                        assert!(token.end > token.start || is_open, "{line:?}");
                        at = token.end;
                    }
                    assert!(line[at..].trim().is_empty(), "{line:?}");
                }
            }
        }
    }
}
