//! Scalars as text, written so that readers of YAML 1.1 and 1.2 agree on them.

use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::resolve;
use super::tree::Style;

/// A scalar on one line, in the wanted style where the value allows it.
pub(super) fn inline(value: &Value, wanted: Style, in_flow: bool) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => number(n),
        Value::String(s) => string(s, wanted, in_flow),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// A key of a map.
pub(super) fn key(name: &str, in_flow: bool) -> String {
    string(name, Style::Plain, in_flow)
}

fn number(number: &Number) -> String {
    let text = number.to_string();
    // YAML 1.1 wants a dot and a signed exponent, 1.2 takes them.
    match text.split_once('e') {
        None => text,
        Some((mantissa, exponent)) => {
            let dot = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with(['-', '+']) {
                ""
            } else {
                "+"
            };
            format!("{mantissa}{dot}e{sign}{exponent}")
        }
    }
}

fn string(text: &str, wanted: Style, in_flow: bool) -> String {
    let printable = text.chars().all(is_printable);
    match wanted {
        Style::Single if printable => single(text),
        Style::Double => double(text),
        Style::Plain | Style::Literal | Style::Folded if printable && is_plain(text, in_flow) => {
            text.to_owned()
        }
        _ if printable && text.contains(['"', '\\']) && !text.contains('\'') => single(text),
        _ => double(text),
    }
}

/// Whether a character may stand as itself, on one line, in every version of YAML.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn is_plain(text: &str, in_flow: bool) -> bool {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    let first_ok = match first {
        '-' | '?' | ':' => chars
            .next()
            .is_some_and(|c| c != ' ' && !(in_flow && ",[]{}".contains(c))),
        _ => !",[]{}#&*!|>'\"%@` =".contains(first),
    };
    first_ok
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !(in_flow && text.contains([',', '[', ']', '{', '}', ':', '?']))
        && !resolve::ambiguous(text)
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn double(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            c if is_printable(c) => out.push(c),
            c => {
                let number = u32::from(c);
                let written = match number {
                    0..=0xff => write!(out, "\\x{number:02x}"),
                    0x100..=0xffff => write!(out, "\\u{number:04x}"),
                    _ => write!(out, "\\U{number:08x}"),
                };
                written.expect("a String takes any text");
            }
        }
    }
    out.push('"');
    out
}

/// Whether a string can stand as a literal block, and is better off so.
pub(super) fn is_block(text: &str) -> bool {
    let mut lines = text.split('\n');
    // Several final line breaks (`|+`) would take in the blank lines of what follows.
    text.contains('\n')
        && !text.ends_with("\n\n")
        && lines.clone().any(|line| !line.is_empty())
        && lines.all(|line| line.is_empty() || !line.trim_matches([' ', '\t']).is_empty())
        && !text.trim_start_matches('\n').starts_with('\t')
        && text
            .chars()
            .all(|c| c == '\n' || c == '\t' || is_printable(c))
}

/// A literal block: the header, then each line at column `column`; no final line break.
///
/// `step` is how far `column` is from the parent's.
pub(super) fn block(text: &str, column: usize, step: usize, newline: &str) -> String {
    let body = text.trim_end_matches('\n');
    let breaks = text.len() - body.len();
    let indicator = if body.trim_start_matches('\n').starts_with(' ') {
        step.to_string()
    } else {
        String::new()
    };
    let chomp = if breaks == 0 { "-" } else { "" };
    let mut out = format!("|{indicator}{chomp}");
    for line in body.split('\n') {
        out.push_str(newline);
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', column));
            out.push_str(line);
        }
    }
    out
}
