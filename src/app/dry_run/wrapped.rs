//! Lines that are no wider than a screen.

use unicode_width::UnicodeWidthStr as _;

/// Adds `content` behind `head`, in lines of at most `width` columns where its words allow it.
pub(crate) fn push_wrapped(text: &mut String, head: &str, content: &str, width: usize) {
    let indent = head.width();
    let mut line = head.to_owned();
    let mut used = indent;
    for (at, word) in content.split(' ').enumerate() {
        if at > 0 {
            if used + 1 + word.width() > width {
                text.push_str(line.trim_end());
                text.push('\n');
                line = " ".repeat(indent);
                used = indent;
            } else {
                line.push(' ');
                used += 1;
            }
        }
        line.push_str(word);
        used += word.width();
    }
    text.push_str(line.trim_end());
    text.push('\n');
}
