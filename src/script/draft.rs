//! The one thing that a function changes: a log of edits over a unit's text.
//!
//! Nothing is written while a function runs. Its handles read the stored tree; the first read
//! after an edit turns that document into values and keeps them up to date. When the function
//! returns, the log becomes `yaml::Edit`s and is applied to the text once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::error::{Error, Fault, Result};
use super::look::{Look, NoWay, Step, follow};
use super::record::{Op, Record};
use super::{address, value};
use crate::path::{Path, Segment};
use crate::yaml::{Edit, Kind, ResourceId, Stream, TreeView};

/// A node's place: a document, by the number it got in this draft, and steps from its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub document: usize,
    pub steps: Vec<Step>,
}

impl Place {
    pub(super) fn join(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.steps.len() + 1);
        steps.extend_from_slice(&self.steps);
        steps.push(step);
        Self {
            document: self.document,
            steps,
        }
    }
}

/// Something that moves or ends the places behind it.
#[derive(Debug)]
enum Shift {
    Removed(Place),
    Inserted { list: Place, index: usize },
}

#[derive(Debug)]
struct Document {
    number: usize,
    /// Position in the stream; none for a document that the function added.
    origin: Option<usize>,
    edited: bool,
    /// The values with the first `applied` records of the log, once somebody read after an edit.
    value: Option<Value>,
    applied: usize,
}

/// A read that found nothing, for the message when the nothing is then used.
#[derive(Debug, Clone)]
pub(super) struct Miss {
    pub place: Place,
    pub key: Box<str>,
}

#[derive(Debug, Default)]
struct State {
    documents: Vec<Document>,
    added: usize,
    log: Vec<Record>,
    shifts: Vec<Shift>,
    owned: Vec<(usize, Path)>,
    miss: Option<Miss>,
}

/// A unit's text and what a function wants to change in it.
#[derive(Debug)]
pub(super) struct Draft {
    stream: Stream,
    /// False for queries and validations.
    writable: bool,
    state: Mutex<State>,
}

/// How far the log had come, to go back there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    log: usize,
    owned: usize,
}

/// What a function changed.
#[derive(Debug)]
pub(super) struct Finished {
    pub stream: Stream,
    pub edits: Vec<Edit>,
    pub owned: Vec<(ResourceId, Path)>,
}

impl Draft {
    pub(super) fn new(stream: Stream, writable: bool) -> Self {
        let count = stream.view().document_count();
        let documents = (0..count).map(|origin| Document {
            number: origin,
            origin: Some(origin),
            edited: false,
            value: None,
            applied: 0,
        });
        let state = State {
            documents: documents.collect(),
            added: count,
            ..State::default()
        };
        Self {
            stream,
            writable,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was locked left at worst an edit that is now thrown away.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers of the documents, in their order.
    pub(super) fn documents(&self) -> Vec<usize> {
        self.state()
            .documents
            .iter()
            .map(|document| document.number)
            .collect()
    }

    /// How many shifts there were; a new handle starts from here.
    pub(super) fn now(&self) -> usize {
        self.state().shifts.len()
    }

    /// Reads at a place that was true after `seen` shifts; `f` gets where it is now, and the node
    /// there if there is one. The place is none when it was removed.
    pub(super) fn read<R>(
        &self,
        place: &Place,
        seen: usize,
        f: impl FnOnce(Option<(&Place, Option<Look<'_>>)>, usize) -> R,
    ) -> R {
        let mut guard = self.state();
        let state = &mut *guard;
        let now = state.shifts.len();
        let Some(moved) = state.moved(place, seen) else {
            return f(None, now);
        };
        let place = moved.as_ref().unwrap_or(place);
        let look = state
            .look(&self.stream, place.document)
            .and_then(|l| l.walk(&place.steps));
        f(Some((place, look)), now)
    }

    /// Remembers that a read found nothing.
    pub(super) fn missed(&self, place: Place, key: &str) {
        self.state().miss = Some(Miss {
            place,
            key: key.into(),
        });
    }

    /// The last read that found nothing.
    pub(super) fn last_miss(&self) -> Option<Miss> {
        self.state().miss.clone()
    }

    /// `Kind/name` of a document, for messages.
    pub(super) fn resource_name(&self, document: usize) -> String {
        let root = Place {
            document,
            steps: Vec::new(),
        };
        self.read(&root, usize::MAX, |found, _| {
            let look = found.and_then(|(_, look)| look);
            let kind = look.and_then(|l| l.get("kind")).and_then(Look::text);
            let name = look
                .and_then(|l| l.get("metadata"))
                .and_then(|l| l.get("name"))
                .and_then(Look::text);
            match (kind, name) {
                (Some(kind), Some(name)) => format!("{kind}/{name}"),
                (Some(kind), None) => kind,
                (None, _) => "the document".to_owned(),
            }
        })
    }

    /// Sets the value at `path` below `place`. `own` claims the path even where the value is
    /// equal; without it an equal value is no edit.
    pub(super) fn set(
        &self,
        place: &Place,
        seen: usize,
        path: &[Segment],
        new: &Value,
        own: bool,
    ) -> Result<()> {
        self.writable("set")?;
        let (targets, base) = self.targets(place, seen, path, "set")?;
        for target in targets {
            self.set_one(&base, target, new, own)?;
        }
        Ok(())
    }

    fn targets(
        &self,
        place: &Place,
        seen: usize,
        path: &[Segment],
        operation: &str,
    ) -> Result<(Vec<Vec<Step>>, Place)> {
        self.read(place, seen, |found, _| {
            let Some((at, Some(look))) = found else {
                return Err(removed(operation));
            };
            let found = follow(look, path).map_err(|why| no_way(operation, at, &why))?;
            let targets = found.into_iter().map(|found| {
                let mut steps = at.steps.clone();
                steps.extend(found.steps);
                steps.extend(found.missing.into_iter().map(Step::Key));
                steps
            });
            Ok((targets.collect(), at.clone()))
        })
    }

    fn set_one(&self, at: &Place, steps: Vec<Step>, new: &Value, own: bool) -> Result<()> {
        if steps.is_empty() {
            return Err(misuse(
                "set",
                "a path below the resource",
                "the resource itself",
            ));
        }
        let mut guard = self.state();
        let state = &mut *guard;
        let place = Place {
            document: at.document,
            steps,
        };
        let root = state
            .look(&self.stream, place.document)
            .ok_or_else(|| removed("set"))?;
        for depth in 1..place.steps.len() {
            if let Some(parent) = root.walk(&place.steps[..depth])
                && parent.kind() == Kind::Scalar
                && !parent.is_null()
            {
                let parent = address::plain(&place.steps[..depth]);
                return Err(misuse("set", &format!("a map at `{parent}`"), "a scalar"));
            }
        }
        let path = address::keyed(root, &place.steps);
        let old = root.walk(&place.steps);
        let equal = old.is_some_and(|old| value::same(&old.to_json(), new));
        if own {
            state.owned.push((place.document, path.clone()));
        }
        if equal {
            Ok(())
        } else {
            state.push(place, path, Op::Set(new.clone()))
        }
    }

    /// Removes what is at `path`; whether there was something.
    pub(super) fn remove(&self, place: &Place, seen: usize, path: &[Segment]) -> Result<bool> {
        self.writable("remove")?;
        let (targets, at) = self.read(place, seen, |found, _| {
            let Some((at, Some(look))) = found else {
                return Err(removed("remove"));
            };
            // A path that leads nowhere is what `remove` wants to reach.
            let mut targets = follow(look, path).unwrap_or_default();
            targets.retain(|found| found.missing.is_empty());
            Ok((targets, at.clone()))
        })?;
        let mut guard = self.state();
        let state = &mut *guard;
        let any = !targets.is_empty();
        // From the last one, so that elements of one list keep their index until it is their turn.
        for target in targets.into_iter().rev() {
            let mut steps = at.steps.clone();
            steps.extend(target.steps);
            let place = Place {
                document: at.document,
                steps,
            };
            let root = state
                .look(&self.stream, place.document)
                .ok_or_else(|| removed("remove"))?;
            let path = address::keyed(root, &place.steps);
            state.owned.push((place.document, path.clone()));
            let op = if place.steps.is_empty() {
                Op::RemoveDocument
            } else {
                Op::Remove
            };
            state.shifts.push(Shift::Removed(place.clone()));
            state.push(place, path, op)?;
        }
        Ok(any)
    }

    /// Puts a value into the list at `path`, which may be missing: before `index`, or at the end.
    pub(super) fn insert(
        &self,
        place: &Place,
        seen: usize,
        path: &[Segment],
        index: Option<usize>,
        new: &Value,
    ) -> Result<()> {
        self.writable("append")?;
        let (targets, at) = self.targets(place, seen, path, "append")?;
        for steps in targets {
            self.insert_one(
                Place {
                    document: at.document,
                    steps,
                },
                index,
                new.clone(),
            )?;
        }
        Ok(())
    }

    fn insert_one(&self, place: Place, index: Option<usize>, new: Value) -> Result<()> {
        let mut guard = self.state();
        let state = &mut *guard;
        let document = place.document;
        let root = state
            .look(&self.stream, document)
            .ok_or_else(|| removed("append"))?;
        let length = match root.walk(&place.steps) {
            None => 0,
            Some(list) if list.is_null() => 0,
            Some(list) if list.kind() == Kind::List => list.len(),
            Some(other) => return Err(misuse("append", "a list", other.kind().describe())),
        };
        let path = address::keyed(root, &place.steps);
        let index = index.filter(|index| *index < length);
        let op = match index {
            Some(index) => {
                state.shifts.push(Shift::Inserted {
                    list: place.clone(),
                    index,
                });
                Op::Insert(index, new)
            }
            None => Op::Append(new),
        };
        let element = place.join(Step::Index(index.unwrap_or(length)));
        state.push(place, path.clone(), op)?;
        let root = state
            .look(&self.stream, document)
            .ok_or_else(|| removed("append"))?;
        let own = address::keyed(root, &element.steps);
        // An index is no name that lasts; the list is then what the function claims.
        let own = if matches!(own.last(), Some(Segment::Match(_))) {
            own
        } else {
            path
        };
        state.owned.push((document, own));
        Ok(())
    }

    /// The path of a place that was true after `seen` shifts, and of a key or element below it.
    pub(super) fn address(&self, place: &Place, seen: usize, below: Option<Step>) -> Result<Path> {
        let place = self.read(place, seen, |found, _| {
            found.map(|(place, _)| place.clone())
        });
        let mut place = place.ok_or_else(|| removed("path"))?;
        place.steps.extend(below);
        let mut guard = self.state();
        let root = guard
            .look(&self.stream, place.document)
            .ok_or_else(|| removed("path"))?;
        Ok(address::keyed(root, &place.steps))
    }

    /// Adds a document at the end; its number.
    pub(super) fn add_document(&self, new: Value) -> Result<usize> {
        self.writable("ensure_resource")?;
        let mut guard = self.state();
        let state = &mut *guard;
        let number = state.added;
        state.added += 1;
        state.documents.push(Document {
            number,
            origin: None,
            edited: true,
            value: Some(new.clone()),
            applied: state.log.len() + 1,
        });
        let position = state.documents.len() - 1;
        let place = Place {
            document: number,
            steps: Vec::new(),
        };
        state.log.push(Record {
            place,
            position,
            path: Path::root(),
            op: Op::AddDocument(new),
        });
        Ok(number)
    }

    fn writable(&self, operation: &str) -> Result<()> {
        if self.writable {
            return Ok(());
        }
        Err(misuse(
            operation,
            "a function of kind mutate",
            "one that only reads",
        ))
    }

    pub(super) fn mark(&self) -> Mark {
        let state = self.state();
        Mark {
            log: state.log.len(),
            owned: state.owned.len(),
        }
    }

    /// Forgets what was done since `mark`.
    pub(super) fn rewind(&self, mark: Mark) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.owned.truncate(mark.owned);
        if state.log.len() == mark.log {
            return;
        }
        let mut undone: Vec<Record> = state.log.drain(mark.log..).collect();
        while let Some(record) = undone.pop() {
            match record.op {
                Op::AddDocument(_) => {
                    state
                        .documents
                        .retain(|document| document.number != record.place.document);
                }
                Op::RemoveDocument => {
                    let origin = self
                        .stream
                        .view()
                        .document(record.place.document)
                        .map(|_| record.place.document);
                    state.documents.insert(
                        record.position.min(state.documents.len()),
                        Document {
                            number: record.place.document,
                            origin,
                            edited: true,
                            value: None,
                            applied: 0,
                        },
                    );
                }
                _ => {}
            }
        }
        for document in &mut state.documents {
            let added = state.log.iter().find_map(|record| match &record.op {
                Op::AddDocument(value) if record.place.document == document.number => Some(value),
                _ => None,
            });
            document.value = added.cloned();
            document.applied = 0;
        }
    }

    /// Writes the log into the text.
    pub(super) fn finish(&self) -> Result<Finished> {
        let mut guard = self.state();
        let state = &mut *guard;
        let edits: Vec<Edit> = state.log.drain(..).map(Record::into_edit).collect();
        let stream = if edits.is_empty() {
            self.stream.clone()
        } else {
            self.stream.apply(&edits)?
        };
        let mut owned = Vec::with_capacity(state.owned.len());
        if !state.owned.is_empty() {
            let resources = stream.resources();
            for (number, path) in state.owned.drain(..) {
                let position = state.documents.iter().position(|d| d.number == number);
                if let Some(resource) = position.and_then(|position| resources.get(position))
                    && !owned.iter().any(|(r, p)| r == resource && *p == path)
                {
                    owned.push((resource.clone(), path));
                }
            }
        }
        Ok(Finished {
            stream,
            edits,
            owned,
        })
    }

    /// The text as it would be now.
    pub(super) fn to_stream(&self) -> Result<Stream> {
        let state = self.state();
        if state.log.is_empty() {
            return Ok(self.stream.clone());
        }
        let edits: Vec<Edit> = state.log.iter().cloned().map(Record::into_edit).collect();
        Ok(self.stream.apply(&edits)?)
    }

    /// Position of a document now.
    pub(super) fn position(&self, number: usize) -> Option<usize> {
        self.state()
            .documents
            .iter()
            .position(|document| document.number == number)
    }
}

impl State {
    /// Where a place went since `seen` shifts: none when it was removed, `Some(None)` when it
    /// stayed.
    #[expect(
        clippy::option_option,
        reason = "gone, stayed and moved, without a copy"
    )]
    fn moved(&self, place: &Place, seen: usize) -> Option<Option<Place>> {
        let mut moved: Option<Place> = None;
        for shift in self.shifts.get(seen..).unwrap_or_default() {
            let current = moved.as_ref().unwrap_or(place);
            let (list, index, removed) = match shift {
                Shift::Removed(gone) => {
                    if current.document == gone.document && current.steps.starts_with(&gone.steps) {
                        return None;
                    }
                    let Some((Step::Index(index), list)) = gone.steps.split_last() else {
                        continue;
                    };
                    (list, *index, true)
                }
                Shift::Inserted { list, index } => (list.steps.as_slice(), *index, false),
            };
            let document = match shift {
                Shift::Removed(place) | Shift::Inserted { list: place, .. } => place.document,
            };
            if current.document != document || !current.steps.starts_with(list) {
                continue;
            }
            let depth = list.len();
            if let Some(Step::Index(at)) = current.steps.get(depth)
                && *at >= index
            {
                let at = if removed { at - 1 } else { at + 1 };
                let mut place = current.clone();
                place.steps[depth] = Step::Index(at);
                moved = Some(place);
            }
        }
        Some(moved)
    }

    fn look<'a>(&'a mut self, stream: &'a Stream, number: usize) -> Option<Look<'a>> {
        let Self { documents, log, .. } = self;
        let document = documents
            .iter_mut()
            .find(|document| document.number == number)?;
        if !document.edited {
            let view: TreeView<'a> = stream.view();
            return view.document(document.origin?).map(Look::Tree);
        }
        if document.value.is_none() {
            let node = stream.view().document(document.origin?)?;
            document.value = Some(node.to_value());
            document.applied = 0;
        }
        let value = document.value.as_mut()?;
        for record in log.get(document.applied..).unwrap_or_default() {
            if record.place.document == number {
                record.apply(value);
            }
        }
        document.applied = log.len();
        document.value.as_ref().map(Look::Value)
    }

    fn push(&mut self, place: Place, path: Path, op: Op) -> Result<()> {
        let Some(position) = self
            .documents
            .iter()
            .position(|document| document.number == place.document)
        else {
            return Err(removed("edit"));
        };
        if matches!(op, Op::RemoveDocument) {
            self.documents.remove(position);
        } else {
            self.documents[position].edited = true;
        }
        self.log.push(Record {
            place,
            position,
            path,
            op,
        });
        Ok(())
    }
}

fn removed(operation: &str) -> Error {
    misuse(operation, "a node of the resource", "one that was removed")
}

pub(super) fn misuse(operation: &str, expected: &str, found: &str) -> Error {
    Error::new(Fault::Misuse {
        operation: operation.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}

fn no_way(operation: &str, at: &Place, why: &NoWay) -> Error {
    let mut steps = at.steps.clone();
    steps.extend_from_slice(&why.steps);
    let path = address::plain(&steps);
    let place = if path.is_root() {
        "the document".to_owned()
    } else {
        format!("`{path}`")
    };
    Error::new(Fault::Misuse {
        operation: format!("{operation} at {place}"),
        expected: "a path that leads somewhere".to_owned(),
        found: why.problem.clone(),
    })
}
