//! Aliases and merge keys written out, before an edit that they would carry elsewhere.

use serde_json::{Map, Value};

use super::edit::{Change, Edit};
use super::emit;
use super::piece::{Piece, Place};
use super::plan::{Context, Splice, Target, written};
use super::quote;
use super::text;
use super::tree::{Kind, NodeRef, Style, flag};

/// The splices that write out the anchors which an edit touches; none if it touches none.
pub(super) fn needed(context: &Context<'_>, edit: &Edit) -> Option<Vec<Splice>> {
    if !context.text.contains('&') {
        return None;
    }
    let target = Target::find(context, edit.path.segments());
    let mut names: Vec<&str> = Vec::new();
    for (at, node) in target.nodes.iter().enumerate() {
        if node.has(flag::ANCHOR) {
            names.extend(anchor_name(context.text, *node));
        }
        if node.has(flag::ALIAS) {
            let parent = target.nodes[at.saturating_sub(1)];
            names.extend(alias_names(context, parent, *node));
            break;
        }
    }
    let last = target.nodes.last()?;
    let whole = matches!(edit.change, Change::Remove | Change::Set(_)) && target.rest.is_empty();
    if whole || matches!(edit.change, Change::Reorder(_)) {
        anchors_below(context, *last, &mut names);
    }
    if matches!(edit.change, Change::SetComment { .. }) || names.is_empty() {
        return None;
    }
    let mut splices = Vec::new();
    for root in context.view.documents() {
        if root.span() == context.root.span() {
            write_out(context, root, &names, &mut splices);
        }
    }
    (!splices.is_empty()).then_some(splices)
}

/// The name behind `&` among the tag and anchor of a node.
fn anchor_name<'a>(text: &'a str, node: NodeRef<'_>) -> Option<&'a str> {
    let place = anchor_place(text, node)?;
    text.get(place.start + 1..place.end)
}

fn anchor_place(text: &str, node: NodeRef<'_>) -> Option<std::ops::Range<usize>> {
    let mut at = node.span().start;
    loop {
        at = text::skip_blank(text, at);
        let token = text.get(at..)?;
        let end = at
            + token
                .find(|c: char| c.is_whitespace())
                .unwrap_or(token.len());
        match token.as_bytes().first()? {
            b'&' => return Some(at..end),
            b'!' => at = end,
            _ => return None,
        }
    }
}

/// The names of the anchors from which `node`, a copy below `parent`, may come.
fn alias_names<'a>(context: &Context<'a>, parent: NodeRef<'a>, node: NodeRef<'a>) -> Vec<&'a str> {
    let text = context.text;
    if text[node.span()].starts_with('*') && written(parent).iter().any(|c| c.index == node.index) {
        return text
            .get(node.span().start + 1..node.span().end)
            .into_iter()
            .collect();
    }
    // A merged key: whatever the merge keys of the map name.
    let merges = written(parent)
        .into_iter()
        .filter(|child| child.has(flag::HIDDEN));
    merges
        .flat_map(|child| names_in(&text[child.span()]))
        .collect()
}

/// The names behind `*` in the value of a merge key.
fn names_in(text: &str) -> Vec<&str> {
    let end = |name: &str| {
        name.find([',', ']', '}', ' ', '\n', '\r'])
            .unwrap_or(name.len())
    };
    text.split('*')
        .skip(1)
        .map(|name| &name[..end(name)])
        .collect()
}

fn anchors_below<'a>(context: &Context<'a>, node: NodeRef<'a>, names: &mut Vec<&'a str>) {
    for child in node.children().filter(|child| !child.has(flag::ALIAS)) {
        if child.has(flag::ANCHOR) {
            names.extend(anchor_name(context.text, child));
        }
        anchors_below(context, child, names);
    }
}

fn write_out(context: &Context<'_>, node: NodeRef<'_>, names: &[&str], splices: &mut Vec<Splice>) {
    let text = context.text;
    if node.has(flag::ANCHOR)
        && anchor_name(text, node).is_some_and(|name| names.contains(&name))
        && let Some(place) = anchor_place(text, node)
    {
        let before = text[..place.start].trim_end_matches(' ').len();
        splices.push(Splice::delete(before..place.end));
    }
    let node = NodeRef {
        view: context.view,
        index: node.index,
    };
    for child in written(node) {
        if child.has(flag::HIDDEN) {
            if names_in(&text[child.span()])
                .iter()
                .any(|name| names.contains(name))
            {
                splices.extend(merge(context, node, child));
            }
        } else if child.has(flag::ALIAS) {
            if text
                .get(child.span().start + 1..child.span().end)
                .is_some_and(|name| names.contains(&name))
            {
                splices.push(alias(context, node, child));
            }
        } else {
            write_out(context, child, names, splices);
        }
    }
}

fn alias(context: &Context<'_>, parent: NodeRef<'_>, node: NodeRef<'_>) -> Splice {
    let value = node.to_value();
    let key = node.key_span();
    let (Some(key), false) = (key, parent.is_flow()) else {
        return Splice::new(node.span(), emit::flow(&value, Style::Plain));
    };
    let text = context.text;
    let layout = context.layout(context.root);
    let column = text::column(text, key.start);
    let (place, from) = match parent.kind() {
        Kind::Map => {
            let place = Place::Entry {
                key: column,
                map: column + layout.step,
                list: column + layout.dash,
            };
            (place, text::after_colon(text, key.end))
        }
        _ => (
            Place::Item {
                dash: column,
                content: column + 2,
            },
            key.end,
        ),
    };
    let parts = Piece::Value(&value).parts(place, layout, Style::Plain, false);
    if !parts.body.is_empty() && super::comment::after(text, node.span().end).is_some() {
        // A comment stands behind the alias: the value goes between, on one line.
        return Splice::new(node.span(), emit::flow(&value, Style::Plain));
    }
    Splice::new(
        from..node.span().end,
        format!("{}{}", parts.head, parts.body),
    )
}

fn merge(context: &Context<'_>, map: NodeRef<'_>, entry: NodeRef<'_>) -> Option<Splice> {
    let text = context.text;
    let written = written(map);
    let merged = map
        .entries()
        .filter(|(_, child)| written.iter().all(|w| w.index != child.index));
    let merged: Map<String, Value> = merged
        .map(|(key, child)| (key.to_owned(), child.to_value()))
        .collect();
    let key = entry.key_span()?;
    if map.is_flow() {
        let entries: Vec<String> = merged
            .iter()
            .map(|(key, value)| {
                format!(
                    "{}: {}",
                    quote::key(key, true),
                    emit::flow(value, Style::Plain)
                )
            })
            .collect();
        return Some(Splice::new(key.start..entry.span().end, entries.join(", ")));
    }
    let mut out = String::new();
    let layout = context.layout(context.root);
    if merged.is_empty() {
        return None;
    }
    layout.collection(
        &mut out,
        &Value::Object(merged),
        text::column(text, key.start),
    );
    Some(Splice::new(key.start..entry.span().end, out))
}
