//! Colours for what is being typed. They only add styles: without them the line is the same.

use anstyle::Style;

use super::clause;
use super::token::{Kind, Token, tokens};
use crate::app::style::{code, styled};

/// The words that are commands by themselves.
const LINE_WORDS: [&str; 3] = ["ls", "cd", "exit"];

/// The line with styles; the bracket under the cursor and its partner stand out where `pair` says.
pub(super) fn highlight(line: &str, pair: Option<(Token, Token)>) -> String {
    if let Some(end) = command_end(line) {
        let (word, rest) = line.split_at(end);
        return styled(code::KEYWORD, word) + &script(rest, None);
    }
    script(line, pair)
}

/// Where the word of a command ends, if the line is one.
fn command_end(line: &str) -> Option<usize> {
    let start = line.len() - line.trim_start().len();
    let word = line[start..].split_whitespace().next()?;
    let is_command = word.starts_with(':') || LINE_WORDS.contains(&word);
    is_command.then_some(start + word.len())
}

fn script(line: &str, pair: Option<(Token, Token)>) -> String {
    let mut painted = String::with_capacity(line.len() * 2);
    let mut at = 0;
    let all = tokens(line);
    for (index, token) in all.iter().enumerate() {
        painted.push_str(&line[at..token.start]);
        at = token.end;
        let text = token.text(line);
        let is_called = || {
            let next = all.get(index + 1);
            next.is_some_and(|next| next.kind == Kind::Open && next.text(line) == "(")
        };
        let is_paired = pair.is_some_and(|(open, close)| *token == open || *token == close);
        match token.kind {
            Kind::Text { .. } => painted.push_str(&text_with_clause(text)),
            Kind::Name if is_called() => painted.push_str(&styled(code::CALL, text)),
            _ if is_paired => painted.push_str(&styled(code::BRACKET, text)),
            kind => match style(kind) {
                Some(style) => painted.push_str(&styled(style, text)),
                None => painted.push_str(text),
            },
        }
    }
    painted.push_str(&line[at..]);
    painted
}

fn style(kind: Kind) -> Option<Style> {
    match kind {
        Kind::Comment { .. } => Some(code::COMMENT),
        Kind::Text { .. } | Kind::Character => Some(code::TEXT),
        Kind::Number => Some(code::NUMBER),
        Kind::Keyword => Some(code::KEYWORD),
        Kind::Name | Kind::Open | Kind::Close | Kind::Sign => None,
    }
}

/// A text; where it reads as a clause, with the clause's own words.
fn text_with_clause(text: &str) -> String {
    let quotes = text.len() - text.trim_start_matches(['"', '`', '#']).len();
    let body = &text[quotes..];
    if !clause::is_clause(body.trim_end_matches(['"', '`', '#'])) {
        return styled(code::TEXT, text);
    }
    let mut painted = styled(code::TEXT, &text[..quotes]);
    let mut at = 0;
    for part in clause::parts(body) {
        painted.push_str(&styled(code::TEXT, &body[at..part.start]));
        at = part.end;
        let style = match part.kind {
            clause::Kind::Word => code::CLAUSE_WORD,
            clause::Kind::Attribute | clause::Kind::Path | clause::Kind::Bound => code::CLAUSE_NAME,
            clause::Kind::Number => code::NUMBER,
            clause::Kind::Text | clause::Kind::Sign => code::TEXT,
        };
        painted.push_str(&styled(style, &body[part.start..part.end]));
    }
    painted.push_str(&styled(code::TEXT, &body[at..]));
    painted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::style::plain;
    use crate::repl::bracket::pair_at;

    #[test]
    fn parts_of_a_line_have_their_styles() {
        for (line, part, style) in [
            ("let x = 1", "let", code::KEYWORD),
            ("units(\"web\")", "units", code::CALL),
            ("units(\"web\")", "\"web\"", code::TEXT),
            ("x + 12", "12", code::NUMBER),
            ("x // why", "// why", code::COMMENT),
            (
                "units(\"Slug = 'a' AND replicas > 2\")",
                "AND",
                code::CLAUSE_WORD,
            ),
            (
                "units(\"Slug = 'a' AND replicas > 2\")",
                "Slug",
                code::CLAUSE_NAME,
            ),
            (
                "units(\"Slug = 'a' AND replicas > 2\")",
                "replicas",
                code::CLAUSE_NAME,
            ),
            ("units(\"Slug = 'a' AND replicas > 2\")", "2", code::NUMBER),
            (":explain Slug", ":explain", code::KEYWORD),
            ("cd prod", "cd", code::KEYWORD),
        ] {
            let painted = highlight(line, None);
            assert!(
                painted.contains(&styled(style, part)),
                "{line}: {painted:?}"
            );
        }
        let prose = highlight("message(\"a reason AND words\")", None);
        assert!(!prose.contains(&styled(code::CLAUSE_WORD, "AND")));
        let line = "f(a)";
        let painted = highlight(line, pair_at(line, 1));
        assert!(painted.contains(&styled(code::BRACKET, "(")), "{painted:?}");
        assert!(painted.contains(&styled(code::BRACKET, ")")), "{painted:?}");
    }

    #[test]
    fn without_styles_the_line_is_what_was_typed() {
        for line in [
            "",
            "  ",
            "let größe = `取引 ${units(\"Slug = 'é\")} x`",
            "\"Slug = \"\"a\"\" OR x",
            ":help ünits",
            "`open ${ a(",
            "#\"Slug = 'a'\"#",
            "ls",
            "'",
            "/* open",
            "\"Labels.\\é = 1 AND (\"",
        ] {
            assert_eq!(plain(&highlight(line, None)), line);
        }
    }
}
