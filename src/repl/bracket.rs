//! Brackets: whether a line is whole, and which bracket belongs to which.

use super::token::{Kind, Token, tokens};

/// Whether a line can be run as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Every bracket, text and comment is closed.
    Whole,
    /// Something is open: more lines belong to it.
    Open,
    /// A bracket closes what was never opened; running it says where.
    Wrong,
}

/// The shape of a line, or of several.
pub(super) fn shape(line: &str) -> Shape {
    let mut open = Vec::new();
    for token in tokens(line) {
        match token.kind {
            Kind::Comment { is_closed: false } | Kind::Text { is_closed: false } => {
                return Shape::Open;
            }
            Kind::Open => open.push(closing(token.text(line))),
            Kind::Close if open.pop() != Some(token.text(line)) => return Shape::Wrong,
            _ => {}
        }
    }
    if open.is_empty() {
        Shape::Whole
    } else {
        Shape::Open
    }
}

/// The bracket at a place, or right before it, and the one that belongs to it.
pub(super) fn pair_at(line: &str, at: usize) -> Option<(Token, Token)> {
    let all = tokens(line);
    let is_bracket = |token: &&Token| matches!(token.kind, Kind::Open | Kind::Close);
    let under = all
        .iter()
        .filter(is_bracket)
        .find(|token| (token.start..token.end).contains(&at));
    let before = || {
        let mut brackets = all.iter().filter(is_bracket);
        brackets.find(|token| token.end == at)
    };
    let wanted = under.or_else(before)?;
    let mut open: Vec<Token> = Vec::new();
    for token in &all {
        match token.kind {
            Kind::Open => open.push(*token),
            Kind::Close => {
                let opened = open.pop()?;
                if closing(opened.text(line)) != token.text(line) {
                    return None;
                }
                if opened == *wanted || token == wanted {
                    return Some((opened, *token));
                }
            }
            _ => {}
        }
    }
    None
}

fn closing(opening: &str) -> &'static str {
    match opening {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_goes_on_and_what_is_wrong_is_run() {
        for (line, want) in [
            ("", Shape::Whole),
            ("units(\"*\")", Shape::Whole),
            ("units(", Shape::Open),
            ("if a {", Shape::Open),
            ("if a {\n  b(\n  )\n}", Shape::Whole),
            ("#{ a: [1, 2 }", Shape::Wrong),
            (")", Shape::Wrong),
            ("\"a (\"", Shape::Whole),
            ("\"a", Shape::Open),
            ("`a\nb", Shape::Open),
            ("`a\nb`", Shape::Whole),
            ("`a ${ b(`", Shape::Open),
            ("`a ${ b } (`", Shape::Whole),
            ("1 // (", Shape::Whole),
            ("1 /* (", Shape::Open),
            ("1 /* ( */", Shape::Whole),
            ("'('", Shape::Whole),
            ("#\"(\"#", Shape::Whole),
            ("f(|x| { x", Shape::Open),
        ] {
            assert_eq!(shape(line), want, "{line}");
        }
    }

    #[test]
    fn a_bracket_is_found_with_its_partner() {
        for (line, at, want) in [
            ("f(a[1])", 1, Some((1, 6))),
            ("f(a[1])", 7, Some((1, 6))),
            ("f(a[1])", 5, Some((3, 5))),
            ("f(a[1])", 2, Some((1, 6))),
            ("f(a[1])", 0, None),
            ("#{ a: 1 }", 0, Some((0, 8))),
            ("`${a}`", 1, Some((1, 4))),
            ("f(\")\")", 1, Some((1, 5))),
            ("f(", 1, None),
            ("f(]", 1, None),
            ("é(è)", 2, Some((2, 5))),
        ] {
            let found = pair_at(line, at).map(|(open, close)| (open.start, close.start));
            assert_eq!(found, want, "{line} at {at}");
        }
    }
}
