//! Edits of maps and lists in block style.

use std::ops::Range;

use serde_json::Value;

use super::comment;
use super::piece::{self, Parts, Piece, Place};
use super::plan::{Context, Splice, written};
use super::quote;
use super::text;
use super::tree::{Kind, NodeRef, Style, flag};

/// Where the first entry's key or the first dash of a block collection stands.
fn column_of(context: &Context<'_>, node: NodeRef<'_>) -> Option<usize> {
    let first = written(rebind(context, node)).first().copied()?;
    Some(text::column(context.text, first.key_span()?.start))
}

/// The same node, seen through the context's tree.
fn rebind<'a>(context: &Context<'a>, node: NodeRef<'_>) -> NodeRef<'a> {
    NodeRef {
        view: context.view,
        index: node.index,
    }
}

/// Where lines after the one of `end` begin that are not inside of what ends there.
///
/// Comment lines further right than `column` still belong to it.
fn line_after(text: &str, end: usize, column: usize) -> usize {
    let mut at = text::next_line(text, end);
    while at < text.len() {
        let content = text::skip_spaces(text, at);
        if text.as_bytes().get(content) != Some(&b'#') || content - at <= column {
            break;
        }
        at = text::next_line(text, at);
    }
    at
}

/// Adds whole lines at `at`; behind a last line without a line break, it is put before them.
fn add_lines(
    context: &Context<'_>,
    at: usize,
    lines: &str,
    open: bool,
    last: NodeRef<'_>,
) -> Vec<Splice> {
    let text = context.text;
    if at == text.len() && !text.ends_with('\n') && !text.is_empty() {
        let ending = if open { context.newline } else { "" };
        let mut splices: Vec<Splice> = seal(context, rebind(context, last)).into_iter().collect();
        splices.push(Splice::insert(
            at,
            format!("{}{lines}{ending}", context.newline),
        ));
        return splices;
    }
    vec![Splice::insert(at, format!("{lines}{}", context.newline))]
}

/// A block scalar that the end of the text cuts short gets `|-`, so that it may go on below.
pub(super) fn seal(context: &Context<'_>, node: NodeRef<'_>) -> Option<Splice> {
    let mut last = rebind(context, node);
    while last.kind() != Kind::Scalar {
        last = *written(last).last()?;
    }
    if !matches!(last.style(), Style::Literal | Style::Folded) || last.has(flag::ALIAS) {
        return None;
    }
    let start = text::skip_properties(context.text, last.span().start);
    let header: &str = context
        .text
        .get(start..)?
        .split([' ', '\t', '\r', '\n', '#'])
        .next()?;
    if header.contains('-') {
        return None;
    }
    match header.find('+') {
        Some(plus) => Some(Splice::new(start + plus..start + plus + 1, "-")),
        None => Some(Splice::insert(start + header.len(), "-")),
    }
}

/// Adds an entry at the end of a block map.
pub(super) fn add_entry(
    context: &Context<'_>,
    map: NodeRef<'_>,
    key: &str,
    piece: Piece<'_>,
) -> Option<Vec<Splice>> {
    let map = rebind(context, map);
    let last = *written(map).last()?;
    let column = column_of(context, map)?;
    let layout = context.layout(map);
    let place = Place::Entry {
        key: column,
        map: column + layout.step,
        list: column + layout.dash,
    };
    let Parts { head, body } = piece.parts(place, layout, Style::Plain, false);
    let indent = " ".repeat(column);
    let key = quote::key(key, false);
    let lines = format!(
        "{}{indent}{key}:{head}{}{body}",
        piece.above(column, layout),
        piece.beside()
    );
    let at = line_after(context.text, last.span().end, column);
    Some(add_lines(
        context,
        at,
        &lines,
        piece::ends_open(piece.value()),
        last,
    ))
}

/// Adds an element before element `index` of a block list, or at the end.
pub(super) fn add_item(
    context: &Context<'_>,
    list: NodeRef<'_>,
    index: Option<usize>,
    piece: Piece<'_>,
) -> Option<Vec<Splice>> {
    let list = rebind(context, list);
    let items = written(list);
    let column = column_of(context, list)?;
    let layout = context.layout(list);
    let neighbour = items[index.unwrap_or(items.len() - 1)];
    let text = context.text;
    let dash = neighbour.key_span()?.start;
    let inner = text::skip_spaces(text, dash + 1);
    let same_line = inner < text::line_end(text, dash) && neighbour.span().start == inner;
    let offset = if same_line { inner - dash } else { 2 };
    let (head, body) = item_text(
        piece,
        neighbour,
        Place::Item {
            dash: column,
            content: column + offset,
        },
        &items,
        layout,
    );
    let indent = " ".repeat(column);
    let above = piece.above(column, layout);
    let lines = format!("{above}{indent}-{head}{}{body}", piece.beside());
    let Some(index) = index else {
        let at = line_after(text, neighbour.span().end, column);
        return Some(add_lines(
            context,
            at,
            &lines,
            piece::ends_open(piece.value()),
            neighbour,
        ));
    };
    let next = items[index];
    if text[text::line_start(text, dash)..dash].trim().is_empty() {
        let at = comment::above(text, next).start;
        return Some(vec![Splice::insert(
            at,
            format!("{lines}{}", context.newline),
        )]);
    }
    // The element shares its line with an outer dash or key.
    if !above.is_empty() {
        return None;
    }
    let inline = format!("-{head}{}{body}{}{indent}", piece.beside(), context.newline);
    Some(vec![Splice::insert(dash, inline)])
}

/// An element's text; maps in braces and quoted strings where the others are so.
fn item_text(
    piece: Piece<'_>,
    neighbour: NodeRef<'_>,
    place: Place,
    items: &[NodeRef<'_>],
    layout: super::emit::Layout,
) -> (String, String) {
    let collection = matches!(piece.value(), Value::Object(_) | Value::Array(_));
    if matches!(piece, Piece::Value(_))
        && collection
        && neighbour.is_flow()
        && !neighbour.is_empty()
    {
        return (format!(" {}", piece.flow(Style::Plain)), String::new());
    }
    let style = habit(items.iter().copied());
    let below = !piece.beside().is_empty();
    let Parts { head, body } = piece.parts(place, layout, style, below);
    (head, body)
}

/// The quotes that all strings among the nodes have, or none.
pub(super) fn habit<'n>(nodes: impl Iterator<Item = NodeRef<'n>>) -> Style {
    let mut styles = nodes
        .filter(|node| matches!(node.scalar(), Some(super::Scalar::Str(_))))
        .map(|node| node.style());
    match styles.next() {
        Some(first @ (Style::Single | Style::Double)) if styles.all(|style| style == first) => {
            first
        }
        _ => Style::Plain,
    }
}

/// How the text of a value in block style is divided.
struct Ground {
    /// From behind the colon or dash to the end of what stands in that line.
    head: Range<usize>,
    /// The lines below, from the end of the first line on.
    body: Range<usize>,
}

fn ground_of(text: &str, node: NodeRef<'_>, from: usize) -> Ground {
    let span = node.span();
    let block = node.kind() != Kind::Scalar && !node.is_flow();
    if block && span.start > text::line_end(text, from) {
        let properties = text::line_end(text, from);
        return Ground {
            head: from..from,
            body: properties..text::line_end(text, span.end),
        };
    }
    if block {
        let end = text::line_end(text, span.end);
        return Ground {
            head: from..end,
            body: end..end,
        };
    }
    if matches!(node.style(), Style::Literal | Style::Folded) {
        let header = text::skip_properties(text, span.start);
        let length = text[header..]
            .find([' ', '\t', '\r', '\n', '#'])
            .unwrap_or(text.len() - header);
        let line = text::line_end(text, header);
        return Ground {
            head: from..header + length,
            body: line..span.end.max(line),
        };
    }
    let line = text::line_end(text, span.end);
    Ground {
        head: from..span.end.max(from),
        body: line..line,
    }
}

/// Replaces the value of an entry or element in block style.
pub(super) fn replace(
    context: &Context<'_>,
    parent: NodeRef<'_>,
    node: NodeRef<'_>,
    piece: Piece<'_>,
) -> Option<Vec<Splice>> {
    let text = context.text;
    let span = node.span();
    let key = node.key_span()?;
    let layout = context.layout(rebind(context, parent));
    let old_inline = node.kind() == Kind::Scalar
        && !matches!(node.style(), Style::Literal | Style::Folded)
        || node.is_flow();
    let column = text::column(text, key.start);
    let own = if old_inline {
        None
    } else {
        column_of(context, node)
    };
    let (place, from) = if parent.kind() == Kind::Map {
        let (mut map, mut list) = (column + layout.step, column + layout.dash);
        match node.kind() {
            Kind::Map => map = own.unwrap_or(map),
            Kind::List => list = own.unwrap_or(list),
            Kind::Scalar => {}
        }
        (
            Place::Entry {
                key: column,
                map,
                list,
            },
            text::after_colon(text, key.end),
        )
    } else {
        let inner = text::skip_spaces(text, key.end);
        let offset = if inner < text::line_end(text, key.start) {
            inner - key.start
        } else {
            2
        };
        (
            Place::Item {
                dash: column,
                content: column + offset.max(2),
            },
            key.end,
        )
    };
    let ground = ground_of(text, node, from);
    let kept =
        comment::after(text, ground.head.end).filter(|_| !ground.body.is_empty() || old_inline);
    let style = if matches!(node.scalar(), Some(super::Scalar::Str(_))) {
        node.style()
    } else {
        Style::Plain
    };
    let Parts { head, body } = piece.parts(place, layout, style, kept.is_some());
    let mut splices = Vec::new();
    if old_inline && body.is_empty() && !span.is_empty() && !head.is_empty() {
        splices.push(Splice::new(span, head.trim_start()));
    } else {
        splices.push(Splice::new(ground.head.clone(), head));
        splices.push(Splice::new(ground.body.clone(), body));
    }
    let end = ground.body.end.max(ground.head.end);
    if end == text.len() && piece::ends_open(piece.value()) && !text.ends_with('\n') {
        splices.push(Splice::insert(text.len(), context.newline));
    }
    Some(splices)
}

/// Removes entry or element `at` of a block map or list, with its comments.
pub(super) fn remove(
    context: &Context<'_>,
    around: Option<NodeRef<'_>>,
    parent: NodeRef<'_>,
    written: &[NodeRef<'_>],
    at: usize,
) -> Option<Vec<Splice>> {
    let text = context.text;
    let node = written[at];
    let key = node.key_span()?;
    let column = text::column(text, key.start);
    let line = text::line_start(text, key.start);
    let alone = text[line..key.start].trim().is_empty();
    let end = line_after(text, node.span().end, column);
    if written.len() == 1 {
        return remove_only(context, around, parent, node, alone);
    }
    if alone {
        let mut start = comment::above(text, node).start;
        // What becomes the last line has no line break, unless it is one of a block scalar's.
        let needed = at > 0 && seal(context, written[at - 1]).is_some();
        if end == text.len() && !text.ends_with('\n') && !needed {
            start = text[..start]
                .trim_end_matches(['\n', '\r'])
                .len()
                .max(text[..start].len().saturating_sub(context.newline.len()));
        }
        return Some(vec![Splice::delete(start..end)]);
    }
    let next = text::skip_spaces(text, end);
    let next = next + text[next..].len() - text[next..].trim_start().len();
    Some(vec![Splice::delete(key.start..next)])
}

fn remove_only(
    context: &Context<'_>,
    around: Option<NodeRef<'_>>,
    parent: NodeRef<'_>,
    node: NodeRef<'_>,
    alone: bool,
) -> Option<Vec<Splice>> {
    let text = context.text;
    let empty = if parent.kind() == Kind::Map {
        "{}"
    } else {
        "[]"
    };
    let key = node.key_span()?;
    let end = node.span().end;
    let last = comment::after(text, end).map_or(end, |comment| comment.end);
    let holder = parent
        .key_span()
        .filter(|_| around.is_some_and(|a| !a.is_flow()));
    let Some(holder) = holder.filter(|_| alone) else {
        return Some(vec![Splice::new(key.start..last, empty)]);
    };
    let from = match parent.key() {
        Some(_) => text::after_colon(text, holder.end),
        None => holder.end,
    };
    let column = text::column(text, key.start);
    let mut start = comment::above(text, node).start;
    let mut end = line_after(text, end, column);
    if start <= from {
        return None;
    }
    if end == text.len() && !text.ends_with('\n') {
        start -= context.newline.len();
        end = text.len();
    }
    Some(vec![
        Splice::insert(from, format!(" {empty}")),
        Splice::delete(start..end),
    ])
}

/// Gives the elements of a block list a new order, each with the lines up to the next one.
pub(super) fn reorder(
    context: &Context<'_>,
    items: &[NodeRef<'_>],
    order: &[usize],
) -> Option<Vec<Splice>> {
    let text = context.text;
    let mut starts = Vec::with_capacity(items.len() + 1);
    for item in items {
        let dash = item.key_span()?.start;
        if !text[text::line_start(text, dash)..dash].trim().is_empty() {
            return None;
        }
        starts.push(comment::above(text, *item).start);
    }
    let last = items.last()?;
    let column = text::column(text, last.key_span()?.start);
    let end = line_after(text, last.span().end, column);
    starts.push(end);
    let open = end == text.len() && !text.ends_with('\n');
    if open && seal(context, *last).is_some() {
        return None;
    }
    let mut out = String::with_capacity(end - starts[0]);
    for (slot, &from) in order.iter().enumerate() {
        out.push_str(text.get(*starts.get(from)?..*starts.get(from + 1)?)?);
        if open && from + 1 == items.len() && slot + 1 < order.len() {
            out.push_str(context.newline);
        }
    }
    if open {
        let length = out.len() - context.newline.len();
        if out.ends_with('\n') && order.last() != Some(&(items.len() - 1)) {
            out.truncate(length);
        }
    }
    Some(vec![Splice::new(starts[0]..end, out)])
}

/// Gives a node exactly these comments.
pub(super) fn set_comment(
    context: &Context<'_>,
    node: NodeRef<'_>,
    in_flow: bool,
    above: Option<&str>,
    beside: Option<&str>,
) -> Option<Vec<Splice>> {
    let text = context.text;
    let now = comment::of(text, node);
    let mut splices = Vec::new();
    if now.above.as_deref() != above {
        let range = comment::above(text, node);
        let column = comment::anchor(node) - text::line_start(text, comment::anchor(node));
        let begin = text::line_start(text, comment::anchor(node));
        if !text[begin..begin + column].trim().is_empty() {
            return None;
        }
        splices.push(Splice::new(
            range,
            piece::comment_lines(above, column, context.newline),
        ));
    }
    if now.beside.as_deref() != beside {
        let comment = match beside {
            None => String::new(),
            Some(line) if line.contains(['\n', '\r']) => return None,
            Some(line) if line.starts_with('#') => format!(" {line}"),
            Some(line) => format!(" # {line}"),
        };
        match comment::beside(text, node) {
            Some(range) if beside.is_some() => {
                let words = range.start + text[range.clone()].find('#')?;
                splices.push(Splice::new(words..range.end, comment.trim_start()));
            }
            Some(range) => splices.push(Splice::delete(range)),
            None if in_flow => return None,
            None => splices.push(Splice::insert(comment::beside_place(text, node)?, comment)),
        }
    }
    Some(splices)
}
