//! What `:save` writes: the lines that succeeded, as a script that does the same again.

use std::fmt::Write as _;

use super::token::{Kind, Token, tokens};
use crate::session::LAST;

/// A line that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SavedLine {
    pub(super) text: String,
    /// Whether its result became the last one.
    pub(super) is_kept: bool,
    /// Whether it only showed what it would do.
    pub(super) is_dry: bool,
}

/// Lines that were run one by one, or written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Saved {
    Line(SavedLine),
    Group {
        why: Option<String>,
        lines: Vec<SavedLine>,
    },
}

impl Saved {
    /// How many lines it is.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Line(_) => 1,
            Self::Group { lines, .. } => lines.len(),
        }
    }
}

/// The script.
pub(super) fn script(saved: &[Saved]) -> String {
    let uses_last = saved.iter().any(|saved| match saved {
        Saved::Line(line) => names_last(&line.text),
        Saved::Group { lines, .. } => lines.iter().any(|line| names_last(&line.text)),
    });
    let mut text = String::from("//! Lines of a session.\n\n");
    if uses_last {
        let _ = writeln!(text, "let {LAST} = ();");
    }
    for saved in saved {
        match saved {
            Saved::Line(line) => text.push_str(&plain(line, uses_last)),
            Saved::Group { why, lines } => text.push_str(&group(why.as_deref(), lines, uses_last)),
        }
    }
    text
}

/// The statements that import, which later lines need as well.
pub(super) fn imports(text: &str) -> Vec<&str> {
    let pieces = Pieces::of(text);
    let imports = pieces
        .outside
        .iter()
        .map(|(start, end)| &text[*start..*end]);
    imports
        .filter(|piece| piece.starts_with("import"))
        .collect()
}

fn names_last(text: &str) -> bool {
    tokens(text)
        .iter()
        .any(|token| token.kind == Kind::Name && token.text(text) == LAST)
}

fn plain(line: &SavedLine, uses_last: bool) -> String {
    let mut text = String::new();
    if line.is_dry {
        text.push_str("// In dry mode this was only shown:\n");
    }
    text.push_str(&closed(&with_last(&line.text, line.is_kept && uses_last)));
    text
}

/// A group: what cannot stand in a closure goes before it, and its variables are made outside.
fn group(why: Option<&str>, lines: &[SavedLine], uses_last: bool) -> String {
    let mut before = String::new();
    let mut inside = String::new();
    for line in lines {
        let pieces = Pieces::of(&line.text);
        for (start, end) in &pieces.outside {
            before.push_str(&closed(&line.text[*start..*end]));
        }
        let (rest, made) = pieces.without_declarations(&line.text);
        for name in made {
            let _ = writeln!(before, "let {name} = ();");
        }
        let rest = with_last(rest.trim(), line.is_kept && uses_last);
        if !rest.trim().is_empty() {
            inside.push_str(&closed(&rest));
        }
    }
    let why = why.map_or_else(String::new, |why| {
        format!("{}, ", serde_json::Value::from(why))
    });
    format!("{before}atomic({why}|| {{\n{inside}}});\n")
}

/// The line with its last expression put into `it`.
fn with_last(text: &str, is_kept: bool) -> String {
    match last_statement(text).filter(|_| is_kept) {
        Some(at) => format!("{}{LAST} = {}", &text[..at], &text[at..]),
        None => text.to_owned(),
    }
}

/// The tokens that are no comments.
fn code(text: &str) -> Vec<Token> {
    let mut all = tokens(text);
    all.retain(|token| !matches!(token.kind, Kind::Comment { .. }));
    all
}

/// Where the last statement begins.
fn last_statement(text: &str) -> Option<usize> {
    let all = code(text);
    let mut depth = 0_usize;
    let mut begin = all.first()?.start;
    for (index, token) in all.iter().enumerate() {
        let Some(next) = all.get(index + 1) else {
            break;
        };
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.saturating_sub(1);
                // A block ends a statement where another one begins behind it.
                let begins = matches!(next.kind, Kind::Name | Kind::Text { .. } | Kind::Number);
                if depth == 0 && token.text(text) == "}" && begins {
                    begin = next.start;
                }
            }
            Kind::Sign if depth == 0 && token.text(text) == ";" => begin = next.start,
            _ => {}
        }
    }
    Some(begin)
}

/// The text as one or more whole statements on lines of their own.
fn closed(text: &str) -> String {
    let text = text.trim();
    let is_function = text.starts_with("fn ") || text.starts_with("private ");
    match code(text).last() {
        Some(last) if last.text(text) != ";" && !is_function => {
            format!("{};{}\n", &text[..last.end], &text[last.end..])
        }
        _ => format!("{text}\n"),
    }
}

/// The statements of a line that cannot be inside of a closure, and where variables are declared.
struct Pieces {
    /// Functions and imports.
    outside: Vec<(usize, usize)>,
    /// `let` or `const`, with the name behind it.
    declared: Vec<(Token, Token)>,
}

impl Pieces {
    fn of(text: &str) -> Self {
        let all = tokens(text);
        let mut pieces = Self {
            outside: Vec::new(),
            declared: Vec::new(),
        };
        let mut depth = 0_usize;
        let mut since: Option<(usize, &str)> = None;
        for (index, token) in all.iter().enumerate() {
            let word = token.text(text);
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => {
                    depth = depth.saturating_sub(1);
                    if let Some((start, _)) = since.filter(|(_, of)| *of == "fn" && word == "}")
                        && depth == 0
                    {
                        pieces.outside.push((start, token.end));
                        since = None;
                    }
                }
                Kind::Keyword if depth == 0 && since.is_none() => match word {
                    "fn" | "private" => since = Some((token.start, "fn")),
                    "import" => since = Some((token.start, "import")),
                    "let" | "const" => {
                        pieces
                            .declared
                            .extend(all.get(index + 1).map(|name| (*token, *name)));
                    }
                    _ => {}
                },
                Kind::Sign if depth == 0 && word == ";" => {
                    if let Some((start, _)) = since.filter(|(_, of)| *of == "import") {
                        pieces.outside.push((start, token.end));
                        since = None;
                    }
                }
                _ => {}
            }
        }
        if let Some((start, "import")) = since {
            pieces.outside.push((start, text.len()));
        }
        pieces
    }

    /// The text without what goes outside, with assignments for declarations; and the names.
    fn without_declarations(&self, text: &str) -> (String, Vec<String>) {
        let mut rest = String::new();
        let mut names = Vec::new();
        let mut at = 0;
        let mut cuts: Vec<(usize, usize, Option<Token>)> = self
            .outside
            .iter()
            .map(|(start, end)| (*start, *end, None))
            .chain(
                self.declared
                    .iter()
                    .map(|(word, name)| (word.start, name.start, Some(*name))),
            )
            .collect();
        cuts.sort_by_key(|(start, ..)| *start);
        for (start, end, name) in cuts {
            if start < at {
                continue;
            }
            rest.push_str(&text[at..start]);
            at = end;
            if let Some(name) = name {
                names.push(name.text(text).to_owned());
                let behind = text[name.end..].trim_start();
                if !behind.starts_with('=') {
                    rest.push_str(name.text(text));
                    rest.push_str(" = ()");
                    at = name.end;
                }
            }
        }
        rest.push_str(&text[at..]);
        (rest, names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, is_kept: bool) -> SavedLine {
        SavedLine {
            text: text.to_owned(),
            is_kept,
            is_dry: false,
        }
    }

    #[test]
    fn lines_become_statements_and_it_is_set_where_it_is_used() {
        let saved = [
            Saved::Line(line("let n = 3", false)),
            Saved::Line(line("fn twice(x) { x * 2 }", false)),
            Saved::Line(line("let a = 1; units(\"*/*\")", true)),
            Saved::Line(line("it.set_replicas(twice(n)); // six", true)),
            Saved::Line(SavedLine {
                is_dry: true,
                ..line("it.upgrade()", true)
            }),
        ];
        assert_eq!(
            script(&saved),
            "//! Lines of a session.\n\nlet it = ();\nlet n = 3;\nfn twice(x) { x * 2 }\n\
             let a = 1; it = units(\"*/*\");\nit = it.set_replicas(twice(n)); // six\n\
             // In dry mode this was only shown:\nit = it.upgrade();\n"
        );
        let saved = [Saved::Line(line("units(\"*/*\")", true))];
        assert!(script(&saved).ends_with("\n\nunits(\"*/*\");\n"));
    }

    #[test]
    fn a_group_is_atomic_with_its_definitions_before_it() {
        let saved = [Saved::Group {
            why: Some("say \"why\"".to_owned()),
            lines: vec![
                line("import \"lib/a\" as a", false),
                line("let n = a::N; fn f(x) { x } let m;", false),
                line("unit(\"p/web\").set_replicas(f(n))", true),
            ],
        }];
        assert_eq!(
            script(&saved),
            "//! Lines of a session.\n\nimport \"lib/a\" as a;\nfn f(x) { x }\nlet n = ();\n\
             let m = ();\natomic(\"say \\\"why\\\"\", || {\nn = a::N;  m = ();\n\
             unit(\"p/web\").set_replicas(f(n));\n});\n"
        );
    }

    #[test]
    fn imports_are_found_at_the_top_alone() {
        assert_eq!(
            imports("let x = 1; import \"a\" as a; if x { import \"b\" as b; } import \"c\" as c"),
            ["import \"a\" as a;", "import \"c\" as c"]
        );
        assert!(imports("\"import x\"").is_empty());
    }
}
