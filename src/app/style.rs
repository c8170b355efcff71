//! Colours, in one place. They only repeat what a word or a sign says already.
//!
//! What is shown has two forms: `{}` is plain, `{:#}` is the same text with styles. Nothing here
//! knows of terminals: whoever prints drops the styles where none are wanted.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

/// The header of a table, and what was done.
pub const HEADING: Style = Style::new().bold();
/// What is as it should be, and what was added.
const GOOD: Style = AnsiColor::Green.on_default();
/// What wants a look.
const WARN: Style = AnsiColor::Yellow.on_default();
/// What went wrong, and what was removed.
const BAD: Style = AnsiColor::Red.on_default();
/// What is not worth a look.
const QUIET: Style = Style::new().dimmed();

/// The parts of a script, as it is typed.
pub mod code {
    use anstyle::{AnsiColor, Style};

    /// What the language itself has words for.
    pub const KEYWORD: Style = AnsiColor::Magenta.on_default();
    /// What is called.
    pub const CALL: Style = AnsiColor::Blue.on_default();
    /// Text.
    pub const TEXT: Style = AnsiColor::Green.on_default();
    /// Numbers.
    pub const NUMBER: Style = AnsiColor::Cyan.on_default();
    /// Comments.
    pub const COMMENT: Style = Style::new().dimmed();
    /// The words of a clause inside a text.
    pub const CLAUSE_WORD: Style = AnsiColor::Yellow.on_default();
    /// The attributes and paths of a clause inside a text.
    pub const CLAUSE_NAME: Style = AnsiColor::Cyan.on_default();
    /// A bracket and the one that belongs to it.
    pub const BRACKET: Style = Style::new().bold().underline();
}

/// The columns whose words say how a thing fares.
const STATE_COLUMNS: [&str; 6] = [
    "Condition",
    "Result",
    "State",
    "Status",
    "UnappliedChanges",
    "UpgradeNeeded",
];

/// Puts a text into a style.
pub fn styled(style: Style, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("{style}{text}{style:#}")
}

/// A text that is not worth a look.
pub fn faint(text: &str) -> String {
    styled(QUIET, text)
}

/// A text without its styles.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// The style of a table's cell: words of the columns that say how a thing fares have one.
pub(crate) fn of_cell(column: &str, text: &str) -> Option<Style> {
    if !STATE_COLUMNS.contains(&column) {
        return None;
    }
    of_word(text)
}

/// The style of a word that says how a thing fares.
fn of_word(word: &str) -> Option<Style> {
    match word {
        "Ready" | "Running" | "applied" | "changed" | "created" | "deleted" | "ok" | "passed" => {
            Some(GOOD)
        }
        "note" | "Progressing" | "Unknown" | "Yes" | "open" | "skipped" | "warning" => Some(WARN),
        "Degraded" | "FAIL" | "Failed" | "Unreachable" | "failed" => Some(BAD),
        "No" | "NoLive" | "unchanged" => Some(QUIET),
        _ => None,
    }
}

/// The line of counts, `3 units matched: 2 changed, 1 failed`, with its words in their styles.
pub(crate) fn summary(line: &str) -> String {
    let Some((matched, counts)) = line.split_once(": ") else {
        return line.to_owned();
    };
    let parts = counts.split(", ").map(|part| {
        let word = part.rsplit(' ').next().unwrap_or_default();
        let style = if part.ends_with(" open") {
            Some(WARN)
        } else {
            of_word(word)
        };
        style.map_or_else(|| part.to_owned(), |style| styled(style, part))
    });
    format!("{matched}: {}", parts.collect::<Vec<_>>().join(", "))
}

/// A text of many lines: numbered lines that were added or removed, the value that a conflict
/// left in place, marks of success. Other lines stay as they are.
pub fn lines(text: &str) -> String {
    let mut painted = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let (content, end) = match line.strip_suffix('\n') {
            Some(content) => (content, "\n"),
            None => (line, ""),
        };
        match of_line(content) {
            Some(style) => painted.push_str(&styled(style, content)),
            None => match content.strip_suffix(" ✓") {
                Some(before) => {
                    let _ = write!(painted, "{before} {}", styled(GOOD, "✓"));
                }
                None => painted.push_str(content),
            },
        }
        painted.push_str(end);
    }
    painted
}

fn of_line(line: &str) -> Option<Style> {
    let trimmed = line.trim_start();
    if trimmed.starts_with("▸ ") {
        return Some(HEADING);
    }
    if trimmed == "⋮" {
        return Some(QUIET);
    }
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let is_numbered = digits > 0 && line.len() - trimmed.len() + digits >= 6;
    let rest = trimmed.get(digits..).filter(|_| is_numbered)?;
    if rest.starts_with(" + ") || rest == " +" {
        Some(GOOD)
    } else if rest.starts_with(" - ") || rest == " -" {
        Some(BAD)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_styled_form_is_the_plain_one_with_styles() {
        let text = "  Deployment/a\n    41   same\n    42 + new\n    42 - old\n     ⋮\n\
                    \u{20}      ▸ local  1\n└── a (v2) ✓\nno end";
        let painted = lines(text);
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), text);
        assert!(painted.contains(&styled(GOOD, "    42 + new")));
        assert!(painted.contains(&styled(BAD, "    42 - old")));
        assert_eq!(lines(&painted), painted, "nothing is painted twice");
    }

    #[test]
    fn lines_that_only_look_alike_stay_plain() {
        for text in ["3 - 2", "  - name: a", "     1 * x", "+ a", "12345", ""] {
            assert_eq!(lines(text), text);
        }
    }

    #[test]
    fn the_counts_have_the_styles_of_their_words() {
        let line = "3 units matched: 2 changed, 1 failed";
        let want = format!(
            "3 units matched: {}, {}",
            styled(GOOD, "2 changed"),
            styled(BAD, "1 failed")
        );
        assert_eq!(summary(line), want);
        assert_eq!(summary("0 units matched"), "0 units matched");
    }
}
