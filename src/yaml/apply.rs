//! Edits on a text: planned as splices, made together, checked against the same edits on values.

use std::ops::Range;

use serde_json::Value;

use super::edit::{Change, Content, Edit};
use super::piece;
use super::plan::{self, Plan, Splice};
use super::tree::TreeView;
use super::value_edit::apply_to_values;
use super::{Error, Stream};
use crate::path::Path;

/// Applies edits one after the other.
pub(super) fn apply(stream: &Stream, edits: &[Edit]) -> Result<Stream, Error> {
    if edits.is_empty() {
        return Ok(stream.clone());
    }
    if !stream.view().fits(stream.text()) {
        return apply(&Stream::parse(stream.text())?, edits);
    }
    let mut wanted = values(stream.view());
    for edit in edits {
        apply_to_values(&mut wanted, edit)?;
    }
    let result = match together(stream, edits) {
        Some(result) if holds(result.view(), &wanted) => result,
        _ => carefully(stream, edits)?,
    };
    check_comments(&result, edits)?;
    Ok(result)
}

/// Comments are no values: those that were set, and that nothing after could move, are looked at.
fn check_comments(result: &Stream, edits: &[Edit]) -> Result<(), Error> {
    let stays = |edit: &Edit| matches!(edit.change, Change::SetComment { .. } | Change::Set(_));
    let last = edits
        .iter()
        .rposition(|edit| !stays(edit))
        .map_or(0, |at| at + 1);
    for (at, edit) in edits.iter().enumerate().skip(last) {
        let Change::SetComment { above, beside } = &edit.change else {
            continue;
        };
        if edits[at + 1..]
            .iter()
            .any(|later| later.path.starts_with(&edit.path) || edit.path.starts_with(&later.path))
        {
            continue;
        }
        let node = result
            .view()
            .document(edit.document)
            .and_then(|root| root.at(&edit.path));
        let found = node.map(|node| result.comments(node)).unwrap_or_default();
        let lines = piece::comment_lines(above.as_deref(), 0, "\n");
        let line = piece::comment_lines(beside.as_deref(), 0, "\n");
        if found.above.unwrap_or_default() != lines.trim_end()
            || found.beside.unwrap_or_default() != line.trim_end()
        {
            return Err(Error::Inexpressible {
                path: edit.path.clone(),
            });
        }
    }
    Ok(())
}

fn values(view: TreeView<'_>) -> Vec<Value> {
    view.documents().map(|root| root.to_value()).collect()
}

fn holds(view: TreeView<'_>, wanted: &[Value]) -> bool {
    view.document_count() == wanted.len()
        && view
            .documents()
            .zip(wanted)
            .all(|(root, value)| root.equals(value))
}

/// A text with splices that are not made yet; edits of places apart from each other share a parse.
struct Draft {
    stream: Stream,
    pending: Vec<Splice>,
    touched: Vec<Range<usize>>,
}

impl Draft {
    fn flush(&mut self) -> Option<()> {
        if !self.pending.is_empty() {
            let text = splice(self.stream.text(), &mut self.pending)?;
            self.stream = Stream::parse(&text).ok()?;
            self.pending.clear();
            self.touched.clear();
        }
        Some(())
    }

    fn is_free(&self, range: &Range<usize>) -> bool {
        self.touched
            .iter()
            .all(|t| range.end < t.start || t.end < range.start)
    }

    /// Adds the edit to the pending splices; none if splices cannot make it.
    fn add(&mut self, edit: &Edit) -> Option<()> {
        // Writing out an alias can bring up the next: one round each, then the edit itself.
        for _ in 0..=super::MAX_DEPTH {
            match plan::plan(self.stream.text(), self.stream.view(), edit) {
                Some(Plan::Splices { splices, touched }) if self.is_free(&touched) => {
                    self.pending.extend(splices);
                    self.touched.push(touched);
                    return Some(());
                }
                Some(Plan::Expand(splices)) if self.pending.is_empty() => {
                    let before = values(self.stream.view());
                    self.pending = splices;
                    self.flush()?;
                    if !holds(self.stream.view(), &before) {
                        return None;
                    }
                }
                None if self.pending.is_empty() => return None,
                _ => self.flush()?,
            }
        }
        None
    }
}

/// The text with the splices made; none if two of them overlap.
fn splice(text: &str, splices: &mut [Splice]) -> Option<String> {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut out = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for splice in splices {
        out.push_str(text.get(at..splice.range.start)?);
        out.push_str(&splice.text);
        at = splice.range.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

fn together(stream: &Stream, edits: &[Edit]) -> Option<Stream> {
    let mut draft = Draft {
        stream: stream.clone(),
        pending: Vec::new(),
        touched: Vec::new(),
    };
    for edit in edits {
        draft.add(edit)?;
    }
    draft.flush()?;
    Some(draft.stream)
}

/// One edit at a time, each checked; what splices cannot do is written anew around the place.
fn carefully(stream: &Stream, edits: &[Edit]) -> Result<Stream, Error> {
    let mut stream = stream.clone();
    for edit in edits {
        let mut wanted = values(stream.view());
        apply_to_values(&mut wanted, edit)?;
        stream = one(&stream, edit, &wanted).ok_or_else(|| Error::Inexpressible {
            path: edit.path.clone(),
        })?;
    }
    Ok(stream)
}

fn one(stream: &Stream, edit: &Edit, wanted: &[Value]) -> Option<Stream> {
    let right = |result: &Stream| holds(result.view(), wanted);
    if let Some(result) = together(stream, std::slice::from_ref(edit)).filter(right) {
        return Some(result);
    }
    if matches!(
        edit.change,
        Change::AddDocument(_) | Change::RemoveDocument | Change::SetComment { .. }
    ) {
        return None;
    }
    // The smallest node around the place whose new text reads as wanted.
    let root = wanted.get(edit.document)?;
    for length in (0..=edit.path.len()).rev() {
        let path = Path::from(edit.path.segments()[..length].to_vec());
        let Some(value) = value_at(root, stream, edit.document, &path) else {
            continue;
        };
        let whole = Edit::set(edit.document, path, Content::Value(value));
        if let Some(result) = together(stream, &[whole]).filter(right) {
            return Some(result);
        }
    }
    None
}

/// The wanted value at a path that is there already, by the keys and indexes of the present text.
fn value_at(root: &Value, stream: &Stream, document: usize, path: &Path) -> Option<Value> {
    let mut node = stream.view().document(document)?;
    let mut value = root;
    for segment in path.segments() {
        let child = node.step(segment)?;
        value = match value {
            Value::Object(map) => map.get(child.key()?)?,
            Value::Array(items) => {
                items.get(node.items().position(|item| item.index == child.index)?)?
            }
            _ => return None,
        };
        node = child;
    }
    Some(value.clone())
}
