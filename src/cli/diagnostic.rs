//! Errors as people read them: what, where with the lines around it, what is meant, what next.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::error::{Error, Kind, Location};

/// How many lines above the place are shown.
const LINES_ABOVE: usize = 2;

/// The error in full, with colour codes (which a stream that is no terminal drops).
pub(super) fn render(error: &Error) -> String {
    let kind = error.kind().name();
    let title = Level::ERROR.primary_title(error.message()).id(kind);
    let excerpt = error
        .location()
        .and_then(|at| Some((at, Excerpt::around(at)?)));
    let group = match &excerpt {
        None => Group::with_title(title),
        Some((at, excerpt)) => title.element(
            Snippet::source(excerpt.text.as_str())
                .path(at.file.as_str())
                .line_start(excerpt.first_line)
                .fold(false)
                .annotation(
                    AnnotationKind::Primary
                        .span(excerpt.span.clone())
                        .label(at.label.as_str()),
                ),
        ),
    };
    let renderer = Renderer::styled()
        .decor_style(DecorStyle::Unicode)
        .term_width(100);
    let mut text = renderer.render(&[group]);
    text.push('\n');
    if let (Some(at), None) = (error.location(), &excerpt) {
        text.push_str(&format!("  at {at}\n"));
    }
    for hint in error.hints() {
        text.push_str(&format!("  = {hint}\n"));
    }
    if !error.context_lines().is_empty() {
        text.push('\n');
        for line in error.context_lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    if error.kind() == Kind::Internal {
        text.push_str("  = this is a defect of Windlass; the store is as it was\n");
    }
    text
}

struct Excerpt {
    text: String,
    first_line: usize,
    span: std::ops::Range<usize>,
}

impl Excerpt {
    fn around(at: &Location) -> Option<Self> {
        let text = at.text.as_deref()?;
        let first_line = at.line.saturating_sub(LINES_ABOVE).max(1);
        let lines: Vec<&str> = text
            .lines()
            .skip(first_line - 1)
            .take(at.line + 1 - first_line)
            .collect();
        let marked = lines.last()?;
        let before: usize = lines[..lines.len() - 1]
            .iter()
            .map(|line| line.len() + 1)
            .sum();
        let byte_of = |column: usize| {
            marked
                .char_indices()
                .nth(column)
                .map_or(marked.len(), |(byte, _)| byte)
        };
        let start = byte_of(at.column.saturating_sub(1));
        let end = byte_of(at.column.saturating_sub(1) + at.length.max(1));
        Some(Self {
            text: lines.join("\n"),
            first_line,
            span: before + start..before + end.max(start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_shown_with_the_lines_above_it() {
        let error = Error::new(
            Kind::Invalid,
            "`contaners` does not exist in Deployment/checkout-api",
        )
        .at(Location {
            file: "functions/pin-node-pool.rhai".to_owned(),
            line: 3,
            column: 42,
            length: 9,
            text: Some(
                "fn pin_node_pool(resource, pool) {\n    resource.set(\"a\", pool);\n    \
                     for c in resource.spec.template.spec.contaners {\n    }\n}\n"
                    .to_owned(),
            ),
            label: "missing, so there is nothing to loop over".to_owned(),
        })
        .hint("nearest    containers")
        .context("call         pin-node-pool --pool \"payments\"");
        let plain = anstream::adapter::strip_str(&render(&error)).to_string();
        assert_eq!(
            plain,
            [
                "error[Invalid]: `contaners` does not exist in Deployment/checkout-api",
                "  ╭▸ functions/pin-node-pool.rhai:3:42",
                "  │",
                "1 │ fn pin_node_pool(resource, pool) {",
                "2 │     resource.set(\"a\", pool);",
                "3 │     for c in resource.spec.template.spec.contaners {",
                "  ╰╴                                         ━━━━━━━━━ missing, so there is nothing to loop over",
                "  = nearest    containers",
                "",
                "  call         pin-node-pool --pool \"payments\"",
                "",
            ]
            .join("\n")
        );
    }
}
