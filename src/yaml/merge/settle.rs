//! Deciding a row afterwards: the edits that make one of its texts true.

use super::row::{ConflictRow, Reason};
use crate::path::{Path, Segment};
use crate::yaml::element::{key_fields, keyed, same, scalar_text};
use crate::yaml::schema::{self, merge_keys};
use crate::yaml::tree::{Kind, NodeRef};
use crate::yaml::{Change, Content, Edit, Error, Fragment, Stream};

/// The edits that make `incoming` of a row true in `stream`.
///
/// No edits if it is true already.
///
/// # Errors
/// [`Error::NotFound`] when the resource or the node around the place is gone.
pub fn take(stream: &Stream, row: &ConflictRow) -> Result<Vec<Edit>, Error> {
    settle(stream, row, row.incoming.as_deref())
}

/// The edits that make `wanted` true at the place of a row: a text like those of the row, or none
/// for "not there".
///
/// # Errors
/// [`Error::NotFound`] when the resource or the node around the place is gone, and what
/// [`Stream::parse`] refuses if the text is not YAML.
pub fn settle(
    stream: &Stream,
    row: &ConflictRow,
    wanted: Option<&str>,
) -> Result<Vec<Edit>, Error> {
    let document = find(stream, row);
    if row.path.is_root() {
        return whole_document(stream, document, wanted);
    }
    let (number, root) = document
        .and_then(|at| Some((at, stream.view().document(at)?)))
        .ok_or_else(|| Error::NotFound {
            path: row.path.clone(),
        })?;
    let draft = Draft { number, root, row };
    let Some(text) = wanted else {
        return Ok(draft.without());
    };
    let text = Stream::parse(&as_entry(text))?;
    let value = text.view().document(0).and_then(|root| root.get(ENTRY));
    let Some(node) = value else {
        return Ok(Vec::new());
    };
    match row.reason {
        Reason::Union => draft.members(&text, node),
        _ if row.path.last() == Some(&Segment::Order) => draft.order(node),
        _ => draft.set(&text, node),
    }
}

const ENTRY: &str = "value";

/// A node's text as the one entry of a document.
fn as_entry(text: &str) -> String {
    let mut out = format!("{ENTRY}:");
    for line in text.lines() {
        out.push_str("\n  ");
        out.push_str(line);
    }
    out.push('\n');
    out
}

fn find(stream: &Stream, row: &ConflictRow) -> Option<usize> {
    let resources = stream.resources();
    let exact = resources.iter().position(|id| *id == row.resource);
    let likely = || {
        resources
            .iter()
            .position(|id| id.kind == row.resource.kind && id.name == row.resource.name)
    };
    exact.or_else(likely)
}

fn whole_document(
    stream: &Stream,
    document: Option<usize>,
    wanted: Option<&str>,
) -> Result<Vec<Edit>, Error> {
    let edit = |document, change| Edit {
        document,
        path: Path::root(),
        change,
    };
    let Some(text) = wanted else {
        let removal = document.map(|at| edit(at, Change::RemoveDocument));
        return Ok(removal.into_iter().collect());
    };
    let text = Stream::parse(text)?;
    let Some(node) = text.view().document(0) else {
        return Ok(Vec::new());
    };
    let content = Content::Source(Fragment::of(&text, node));
    Ok(match document {
        None => vec![edit(
            stream.view().document_count(),
            Change::AddDocument(content),
        )],
        Some(at)
            if stream
                .view()
                .document(at)
                .is_some_and(|root| same(root, node)) =>
        {
            Vec::new()
        }
        Some(at) => vec![edit(at, Change::Set(content))],
    })
}

fn same_place(a: Option<NodeRef<'_>>, b: Option<NodeRef<'_>>) -> bool {
    a.map(|node| node.span()) == b.map(|node| node.span())
}

/// The place of a row in one document.
struct Draft<'a> {
    number: usize,
    root: NodeRef<'a>,
    row: &'a ConflictRow,
}

impl Draft<'_> {
    fn edit(&self, path: Path, change: Change) -> Edit {
        Edit {
            document: self.number,
            path,
            change,
        }
    }

    /// The place is to be empty.
    fn without(&self) -> Vec<Edit> {
        let path = &self.row.path;
        if self.row.reason == Reason::Union {
            return self.remove_members(|_| true);
        }
        let there = self.root.at(path).is_some();
        there
            .then(|| self.edit(path.clone(), Change::Remove))
            .into_iter()
            .collect()
    }

    fn set(&self, text: &Stream, node: NodeRef<'_>) -> Result<Vec<Edit>, Error> {
        let path = &self.row.path;
        let parent = path.parent().unwrap_or_default();
        let there = self.root.at(path);
        // The element that bears the wanted name already, if another one.
        let twin = self
            .twin(&parent, node)
            .filter(|at| !same_place(self.root.at(&parent.index(*at)), there));
        let mut edits = Vec::new();
        let target = match twin {
            Some(at) => {
                if there.is_some() {
                    edits.push(self.edit(path.clone(), Change::Remove));
                }
                let name = self.name_of(&parent, at);
                (self.root.at(&parent.index(at)), parent.join(name))
            }
            None => (there, path.clone()),
        };
        if there.is_none() && self.is_renamed(node) {
            return Ok(edits);
        }
        let content = Content::Source(Fragment::of(text, node));
        match target {
            (Some(found), _) if same(found, node) => {}
            (Some(_), path) => edits.push(self.edit(path, Change::Set(content))),
            (None, path) => edits.push(self.add(path, content)?),
        }
        Ok(edits)
    }

    /// Adds what is not there: an element at the end of its list, an entry to its map. Maps around
    /// it are made anew where they are gone; an element of a list around it cannot be.
    fn add(&self, path: Path, content: Content) -> Result<Edit, Error> {
        let parent = path.parent().unwrap_or_default();
        let list = self
            .root
            .at(&parent)
            .is_some_and(|n| n.kind() == Kind::List);
        if list || matches!(path.last(), Some(Segment::Match(_))) {
            return Ok(self.edit(parent, Change::Append(content)));
        }
        let mut around = parent;
        while self.root.at(&around).is_none() {
            if !matches!(around.last(), Some(Segment::Key(_))) {
                return Err(Error::NotFound { path: around });
            }
            around.pop();
        }
        Ok(self.edit(path, Change::Set(content)))
    }

    /// Whether the row is about the name of an element, and one has the wanted name by now.
    fn is_renamed(&self, wanted: NodeRef<'_>) -> bool {
        let path = &self.row.path;
        let (Some(Segment::Key(key)), Some(mut element)) = (path.last(), path.parent()) else {
            return false;
        };
        let Some(Segment::Match(mut fields)) = element.pop() else {
            return false;
        };
        let text = wanted.scalar().and_then(scalar_text);
        match (fields.iter_mut().find(|(name, _)| name == key), text) {
            (Some((_, value)), Some(text)) => *value = text.into_owned(),
            _ => return false,
        }
        self.root
            .at(&element.join(Segment::Match(fields)))
            .is_some()
    }

    fn twin(&self, list: &Path, node: NodeRef<'_>) -> Option<usize> {
        let items = self.root.at(list).filter(|n| n.kind() == Kind::List)?;
        merge_keys(&self.row.resource.kind, list.segments()).find_map(|keys| {
            let fields = key_fields(node, keys)?;
            items.items().position(|item| item.reads_as(&fields))
        })
    }

    fn name_of(&self, list: &Path, at: usize) -> Segment {
        let kind = &self.row.resource.kind;
        keyed(kind, list.segments(), [self.root.at(list)])
            .map_or_else(|| Segment::Key(at.to_string()), |[found]| found.segment(at))
    }

    fn remove_members(&self, gone: impl Fn(&str) -> bool) -> Vec<Edit> {
        let path = &self.row.path;
        let union = schema::union(&self.row.resource.kind, path.segments());
        let (Some(union), Some(map)) = (union, self.root.at(path)) else {
            return Vec::new();
        };
        map.entries()
            .filter(|(key, _)| union.members().contains(key) && gone(key))
            .map(|(key, _)| self.edit(path.key(key), Change::Remove))
            .collect()
    }

    /// The members of the union are to be these.
    fn members(&self, text: &Stream, wanted: NodeRef<'_>) -> Result<Vec<Edit>, Error> {
        let path = &self.row.path;
        let Some(map) = self.root.at(path) else {
            return Err(Error::NotFound { path: path.clone() });
        };
        let mut edits: Vec<Edit> = wanted
            .entries()
            .filter(|(key, node)| !map.get(key).is_some_and(|there| same(there, *node)))
            .map(|(key, node)| {
                let content = Content::Source(Fragment::of(text, node));
                self.edit(path.key(key), Change::Set(content))
            })
            .collect();
        edits.extend(self.remove_members(|key| wanted.get(key).is_none()));
        Ok(edits)
    }

    /// The elements are to stand in this order; those that it does not name, behind the one that
    /// they stand behind now.
    fn order(&self, wanted: NodeRef<'_>) -> Result<Vec<Edit>, Error> {
        let path = self.row.path.parent().unwrap_or_default();
        let missing = || Error::NotFound { path: path.clone() };
        let list = self.root.at(&path).ok_or_else(missing)?;
        let [elements] =
            keyed(&self.row.resource.kind, path.segments(), [Some(list)]).ok_or_else(missing)?;
        let labels: Vec<String> = wanted
            .items()
            .filter_map(|item| item.to_value().as_str().map(ToOwned::to_owned))
            .collect();
        let mut order: Vec<usize> = Vec::new();
        for label in &labels {
            let found = (0..elements.nodes.len())
                .find(|at| !order.contains(at) && elements.label(*at) == *label);
            order.extend(found);
        }
        for at in 0..elements.nodes.len() {
            if !order.contains(&at) {
                let before = at.checked_sub(1);
                let place = order.iter().position(|found| Some(*found) == before);
                order.insert(place.map_or(0, |found| found + 1), at);
            }
        }
        if order.is_sorted() {
            return Ok(Vec::new());
        }
        Ok(vec![self.edit(path, Change::Reorder(order))])
    }
}
