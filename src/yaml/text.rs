//! Places in the text that the parser's events do not tell: dashes, colons, ends, columns.

use std::borrow::Cow;

use super::Error;
use super::build::Record;

/// From the parser's character numbers to bytes of the text.
pub(super) struct Chars<'p> {
    /// Where each character begins; none for ASCII.
    starts: Option<Vec<u32>>,
    pads: &'p [usize],
}

impl<'p> Chars<'p> {
    pub(super) fn new(padded: &str, pads: &'p [usize]) -> Self {
        let starts = (!padded.is_ascii()).then(|| {
            let starts = padded
                .char_indices()
                .map(|(at, _)| super::build::narrow(at));
            starts.chain([super::build::narrow(padded.len())]).collect()
        });
        Self { starts, pads }
    }

    pub(super) fn byte(&self, char: usize) -> usize {
        let byte = match &self.starts {
            None => char,
            Some(starts) => starts
                .get(char)
                .or(starts.last())
                .map_or(0, |&at| usize::try_from(at).unwrap_or(usize::MAX)),
        };
        // Each pad that lies before has moved what follows by one.
        let before = self
            .pads
            .iter()
            .enumerate()
            .take_while(|(moved, pad)| **pad + moved < byte);
        byte - before.count()
    }
}

/// The text with a space put in at each of the places, which are sorted.
pub(super) fn pad<'t>(text: &'t str, pads: &[usize]) -> Cow<'t, str> {
    if pads.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + pads.len());
    let mut at = 0;
    for &pad in pads {
        out.push_str(&text[at..pad]);
        out.push(' ');
        at = pad;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

/// Line and column, both from 1 and in characters, of the byte `at`.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    let column = before[line_start..]
        .trim_start_matches('\u{feff}')
        .chars()
        .count()
        + 1;
    (line, column)
}

/// Where the line of the byte `at` begins, behind a byte order mark.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let start = text.as_bytes()[..at]
        .iter()
        .rposition(|&b| b == b'\n')
        .map_or(0, |n| n + 1);
    if start == 0 && text.starts_with('\u{feff}') {
        return '\u{feff}'.len_utf8().min(at);
    }
    start
}

/// Where the line of the byte `at` ends, before its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let newline = bytes[at..]
        .iter()
        .position(|&b| b == b'\n')
        .map_or(bytes.len(), |n| at + n);
    if newline > at && newline < bytes.len() && bytes[newline - 1] == b'\r' {
        newline - 1
    } else {
        newline
    }
}

/// Where the line after the one of the byte `at` begins; the end of the text if there is none.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    bytes[at..]
        .iter()
        .position(|&b| b == b'\n')
        .map_or(bytes.len(), |n| at + n + 1)
}

/// The column, in bytes from 0, of the byte `at`.
pub(super) fn column(text: &str, at: usize) -> usize {
    at - line_start(text, at)
}

/// The first byte from `at` on that is neither a blank nor a line break nor in a comment.
pub(super) fn skip_blank(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'#' => at = line_end(text, at),
            _ => break,
        }
    }
    at
}

/// The first byte from `at` on that is no space and no tab.
pub(super) fn skip_spaces(text: &str, at: usize) -> usize {
    let bytes = &text.as_bytes()[at.min(text.len())..];
    let blank = bytes
        .iter()
        .take_while(|&&b| b == b' ' || b == b'\t')
        .count();
    at.min(text.len()) + blank
}

/// Behind the tags and anchors that stand at `at`.
pub(super) fn skip_properties(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    loop {
        at = skip_blank(text, at);
        if !matches!(bytes.get(at), Some(b'&' | b'!')) {
            return at;
        }
        while bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace()) {
            at += 1;
        }
    }
}

/// The dash of the next element of a block list, from the end of the one before on.
pub(super) fn find_dash(text: &str, from: usize) -> Option<usize> {
    let at = skip_blank(text, from);
    let bytes = text.as_bytes();
    let separate = bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace);
    (bytes.get(at) == Some(&b'-') && separate).then_some(at)
}

/// Behind the colon that follows a key, or where the key ends if there is none.
pub(super) fn after_colon(text: &str, key_end: usize) -> usize {
    let bytes = text.as_bytes();
    let near = skip_spaces(text, key_end);
    if bytes.get(near) == Some(&b':') {
        return near + 1;
    }
    let far = skip_blank(text, key_end);
    if bytes.get(far) == Some(&b':') {
        return far + 1;
    }
    key_end
}

/// Whether the key at `start` is announced by `? `.
pub(super) fn follows_question_mark(text: &str, start: usize) -> bool {
    let before = text[..start].trim_end_matches([' ', '\t', '\n', '\r']);
    let separate = before.len() < start;
    separate
        && before.strip_suffix('?').is_some_and(|rest| {
            rest.is_empty() || rest.ends_with([' ', '\t', '\n', '{', ',', '[', '\u{feff}'])
        })
        && !in_comment(text, before.len())
}

fn in_comment(text: &str, at: usize) -> bool {
    let line = &text[line_start(text, at)..at];
    line.trim_start().starts_with('#') || line.contains(" #")
}

/// Behind the closing quote of a scalar; the parser counts what follows in the line to it.
pub(super) fn quoted_end(text: &str, start: usize, end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    if matches!(bytes.get(at), Some(b'&' | b'!')) {
        at = skip_properties(text, at);
    }
    let Some(&quote) = bytes.get(at) else {
        return end;
    };
    at += 1;
    while at < end {
        match bytes[at] {
            b'\\' if quote == b'"' => at += 1,
            byte if byte == quote && quote == b'\'' && bytes.get(at + 1) == Some(&quote) => at += 1,
            byte if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    end
}

/// The header of a block scalar that begins at `start`, behind tags and anchors.
fn block_header(text: &str, start: usize) -> &str {
    let start = skip_properties(text, start);
    let line = &text[start.min(text.len())..];
    let end = line
        .find([' ', '\t', '\n', '\r', '#'])
        .unwrap_or(line.len());
    &line[..end]
}

/// Whether a block scalar keeps its trailing line breaks (`|+`).
pub(super) fn block_keeps(text: &str, start: usize) -> bool {
    block_header(text, start).contains('+')
}

/// Where a block scalar ends: before the line break of its last line.
pub(super) fn block_end(text: &str, start: usize, end: usize, keep: bool) -> usize {
    let header_end = line_end(text, skip_properties(text, start));
    let raw = &text[..end.max(header_end)];
    let trimmed = if keep {
        // The blanks before what follows are no part of it.
        let lines = raw.trim_end_matches([' ', '\t']);
        let lines = if lines.ends_with('\n') { lines } else { raw };
        let lines = lines.strip_suffix('\n').unwrap_or(lines);
        lines.strip_suffix('\r').unwrap_or(lines)
    } else {
        raw.trim_end_matches([' ', '\t', '\n', '\r'])
    };
    trimmed.len().max(header_end)
}

/// A block scalar that the end of the text cuts short has no final line break, as in libyaml.
pub(super) fn as_libyaml_ends<'a>(text: &str, value: Cow<'a, str>, indent: usize) -> Cow<'a, str> {
    let last = text
        .rfind('\n')
        .map_or(text, |newline| &text[newline + 1..]);
    if last.chars().count() < indent.max(1) || !value.ends_with('\n') {
        return value;
    }
    let mut value = value.into_owned();
    value.pop();
    Cow::Owned(value)
}

/// Where a document whose `---` stands at `marker` begins: at its first directive, if it has any.
pub(super) fn directives_start(text: &str, marker: usize, not_before: usize) -> usize {
    let mut start = marker;
    let mut at = marker;
    while at > not_before {
        let previous = line_start(text, at - 1);
        if previous >= at {
            break;
        }
        at = previous.max(not_before);
        match text.as_bytes().get(at) {
            Some(b'%') => start = at,
            Some(b'#') => {}
            _ => break,
        }
    }
    start
}

/// Behind the line of a `...` marker, or `start` where there is none.
pub(super) fn after_end_marker(text: &str, start: usize, end: usize) -> usize {
    if end > start
        && text
            .get(start..end)
            .is_some_and(|marker| marker.starts_with("..."))
    {
        next_line(text, end)
    } else {
        start
    }
}

/// The first tab in the indentation of the line of the byte `at`.
pub(super) fn tab_in_indentation(text: &str, at: usize) -> Option<usize> {
    let start = line_start(text, at.min(text.len()));
    let line = &text[start..];
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    line[..indent].find('\t').map(|tab| start + tab)
}

pub(super) fn tab_error(text: &str, at: usize) -> Error {
    let (line, column) = position(text, at);
    Error::Syntax {
        line,
        column,
        message: "expected spaces as indentation, found a tab".to_owned(),
    }
}

/// Refuses tabs in the indentation of lines that are not inside of a scalar.
pub(super) fn check_tabs(text: &str, records: &[Record]) -> Result<(), Error> {
    if !text.contains('\t') {
        return Ok(());
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches([' ', '\t']);
        let indent = &line[..line.len() - content.len()];
        let blank = content.trim_end().is_empty() || content.starts_with('#');
        if let Some(tab) = indent.find('\t').filter(|_| !blank) {
            let first = start + indent.len();
            let inside = records
                .iter()
                .any(|r| r.start < first && first < r.end && r.code > 1);
            if !inside {
                return Err(tab_error(text, start + tab));
            }
        }
        start += line.len();
    }
    Ok(())
}
