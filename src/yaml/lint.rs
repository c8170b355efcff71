//! Plain scalars on which YAML 1.1 and YAML 1.2 differ.

use super::tree::{Kind, NodeRef, Style, flag};
use super::{Stream, resolve, text};

/// A plain scalar that another reader may take for something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// Line of the scalar, from 1.
    pub line: usize,
    /// Column of the scalar in characters, from 1.
    pub column: usize,
    /// What the versions make of it.
    pub message: String,
}

/// Names the plain scalars of a stream on which YAML 1.1 and 1.2 differ, in order.
///
/// ```
/// let stream = windlass::yaml::Stream::parse("mode: 0644\nname: web\n").unwrap();
/// let lints = windlass::yaml::lint(&stream);
/// assert_eq!(lints.len(), 1);
/// assert_eq!((lints[0].line, lints[0].column), (1, 7));
/// ```
pub fn lint(stream: &Stream) -> Vec<Lint> {
    let mut found = Vec::new();
    for root in stream.view().documents() {
        visit(stream.text(), root, &mut found);
    }
    found
}

fn visit(source: &str, node: NodeRef<'_>, found: &mut Vec<Lint>) {
    if node.has(flag::ALIAS) {
        return;
    }
    if node.kind() != Kind::Scalar {
        node.children()
            .for_each(|child| visit(source, child, found));
        return;
    }
    let plain = node.style() == Style::Plain && !node.has(flag::TAG) && !node.has(flag::ANCHOR);
    let written = source.get(node.span()).unwrap_or_default();
    if let Some(reason) = resolve::disagreement(written).filter(|_| plain) {
        let (line, column) = text::position(source, node.span().start);
        let message = format!("`{written}` is {reason}; quote it, or write the value meant");
        found.push(Lint {
            line,
            column,
            message,
        });
    }
}
