//! Why a value is as it is: the revision that made it so, and where that took it from.
//!
//! Values are compared in the stored trees, from the newest revision to the oldest; what came by a
//! clone, an upgrade or a merge is followed into its source.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;

use serde_json::{Value, json};

use crate::app::App;
use crate::app::history::message_of;
use crate::app::select::Selection;
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::UnitId;
use crate::model::{Hash, Revision, RevisionSource};
use crate::path::{Path, Segment};
use crate::query::nearest;
use crate::yaml::merge::RowState;
use crate::yaml::{NodeRef, ResourceId, diff};

/// How many sources of sources are followed.
const MAX_STEPS: usize = 64;

/// How much of a value is shown in a line, in characters.
const MAX_VALUE: usize = 60;

/// Why some values are as they are.
#[derive(Debug, Clone)]
pub struct Blame {
    path: Path,
    rows: Vec<Row>,
}

/// A value of one resource, and where it came from, the newest step first.
#[derive(Debug, Clone)]
struct Row {
    reference: String,
    resource: ResourceId,
    /// None where it was removed.
    value: Option<Value>,
    trace: Vec<Step>,
}

/// A revision that made a value what it is.
#[derive(Debug, Clone)]
struct Step {
    reference: String,
    revision: Revision,
    through: String,
    message: Option<String>,
    /// What changed below the path that was asked for.
    place: Option<Path>,
}

/// A place as it was asked for.
struct Asked<'a> {
    path: &'a Path,
    resource: Option<&'a str>,
}

/// A resource of a revision, with what it has at the place.
type Held = (ResourceId, Option<Value>);

/// A resource whose value is being followed back.
struct Track {
    /// What it is called in the revision looked at last.
    name: ResourceId,
    shown: ResourceId,
    value: Option<Value>,
    made: Option<Revision>,
}

impl App {
    /// Says for each resource that has a path, or had it, which revision made it what it is.
    ///
    /// A path to a map, or with `*`, means the newest change beneath it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no unit is selected or none ever had the path, with the nearest
    /// key; [`Kind::Usage`] when the path cannot be read.
    pub fn blame(
        &self,
        selection: &Selection,
        path: &str,
        resource: Option<&str>,
    ) -> Result<Blame> {
        let path: Path = path.parse()?;
        if selection.pins().is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                "expected at least one unit, found no match",
            ));
        }
        self.read(|view| {
            let asked = Asked {
                path: &path,
                resource,
            };
            let mut rows = Vec::new();
            for pin in selection.pins() {
                rows.extend(asked.rows(view, pin.unit)?);
            }
            if rows.is_empty() {
                return Err(asked.nowhere(view, selection)?);
            }
            Ok(Blame {
                path: path.clone(),
                rows,
            })
        })
    }
}

/// Who set a value that a unit has at a revision, and where it came from in the end, in a line;
/// none where it has none there.
pub(crate) fn origin(
    view: &View,
    reference: &str,
    num: u32,
    resource: &ResourceId,
    path: &Path,
) -> Result<Option<String>> {
    let Some(unit) = find_by_reference(view, reference)? else {
        return Ok(None);
    };
    let asked = Asked {
        path,
        resource: None,
    };
    let held = asked.held(view, &view.revision(unit, num)?.data)?;
    let Some((name, Some(value))) = find(&held, resource) else {
        return Ok(None);
    };
    let mut found = name.clone();
    let Some(made) = asked.made(view, unit, num, &mut found, Some(value))? else {
        return Ok(None);
    };
    let trace = asked.trace(view, &found, name, Some(value), made)?;
    Ok(trace.last().map(|step| {
        let revision = &step.revision;
        let whose = if step.reference == reference {
            String::new()
        } else {
            format!("{} ", step.reference)
        };
        let why = match &step.message {
            Some(message) => format!("\"{message}\""),
            None => step.through.clone(),
        };
        let (author, num) = (&revision.author, revision.num);
        let day = revision.at.to_day();
        format!("replaced value was set by {author}, {whose}r{num}, {day}, {why}")
    }))
}

/// The unit of this name: `space/unit`.
fn find_by_reference(view: &View, reference: &str) -> Result<Option<UnitId>> {
    let Some((space, unit)) = reference.split_once('/') else {
        return Ok(None);
    };
    let (Ok(space), Ok(unit)) = (space.parse(), unit.parse()) else {
        return Ok(None);
    };
    let Some(space) = view.find_space(&space)? else {
        return Ok(None);
    };
    Ok(view.find_unit(space.id, &unit)?.map(|unit| unit.id))
}

impl Asked<'_> {
    fn rows(&self, view: &View, unit: UnitId) -> Result<Vec<Row>> {
        let reference = reference_of(view, unit)?;
        let mut rows = Vec::new();
        for track in self.tracks(view, unit)? {
            let Some(made) = track.made else {
                continue;
            };
            let trace = self.trace(view, &track.name, &track.shown, track.value.as_ref(), made)?;
            rows.push(Row {
                reference: reference.clone(),
                resource: track.shown,
                value: track.value,
                trace,
            });
        }
        Ok(rows)
    }

    /// Every resource that has the path or had it, with the revision that made it so.
    fn tracks(&self, view: &View, unit: UnitId) -> Result<Vec<Track>> {
        let mut tracks: Vec<Track> = Vec::new();
        let mut known: BTreeSet<ResourceId> = BTreeSet::new();
        let mut newer: Option<Revision> = None;
        view.scan_revisions(unit, |revision| {
            let same = newer.as_ref().map(|newer| newer.data) == Some(revision.data);
            if !same {
                let held = self.held(view, &revision.data)?;
                follow(&mut tracks, &mut known, newer.as_ref(), held);
            }
            newer = Some(revision);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        for track in &mut tracks {
            if track.made.is_none() {
                track.made.clone_from(&newer);
            }
        }
        tracks.retain(|track| {
            self.resource
                .is_none_or(|wanted| track.shown.is_named(wanted))
        });
        Ok(tracks)
    }

    /// What each resource of a text has at the place.
    fn held(&self, view: &View, data: &Hash) -> Result<Vec<Held>> {
        let is_pattern = self.path.segments().contains(&Segment::Any);
        Ok(view.tree(data, |tree| {
            let value = |root: NodeRef<'_>| {
                let mut found = Vec::new();
                root.select(self.path, &mut |node| {
                    if is_pattern || found.is_empty() {
                        found.push(node.to_value());
                    }
                });
                match (is_pattern, found.len()) {
                    (_, 0) => None,
                    (true, _) => Some(Value::Array(found)),
                    (false, _) => found.pop(),
                }
            };
            tree.documents()
                .map(|root| (ResourceId::of(root), value(root)))
                .collect()
        })?)
    }

    /// The revision that made a value, and those in other units and times that it came from.
    fn trace(
        &self,
        view: &View,
        name: &ResourceId,
        shown: &ResourceId,
        value: Option<&Value>,
        made: Revision,
    ) -> Result<Vec<Step>> {
        let mut trace = Vec::new();
        let mut name = name.clone();
        let mut at = Some(made);
        while let Some(revision) = at.take().filter(|_| trace.len() < MAX_STEPS) {
            trace.push(Step {
                reference: reference_of(view, revision.unit)?,
                through: through(view, &revision)?,
                message: message_of(view, revision.op)?,
                place: self.place(view, shown, &revision)?,
                revision: revision.clone(),
            });
            if let Some((unit, num)) = self.source(view, &revision, &name, value)? {
                at = self.made(view, unit, num, &mut name, value)?;
            }
        }
        Ok(trace)
    }

    /// The revision from which another one took its value, if it holds the same.
    fn source(
        &self,
        view: &View,
        revision: &Revision,
        name: &ResourceId,
        value: Option<&Value>,
    ) -> Result<Option<(UnitId, u32)>> {
        let own = revision.unit;
        let candidate = match &revision.source {
            RevisionSource::Clone { unit, revision } | RevisionSource::Copy { unit, revision } => {
                Some((*unit, *revision))
            }
            RevisionSource::Upgrade { to, .. } => {
                let link = view.find_unit_by_id(own)?.and_then(|unit| unit.upstream);
                link.map(|link| (link.unit, *to))
            }
            RevisionSource::Merge { unit, end, .. } => Some((*unit, *end)),
            RevisionSource::Restore { revision } => Some((own, *revision)),
            RevisionSource::Undo { .. } => {
                for num in (1..revision.num.saturating_sub(1)).rev() {
                    if self.has(view, own, num, name, value)? {
                        return Ok(Some((own, num)));
                    }
                }
                None
            }
            RevisionSource::Resolve => self.taken(view, revision)?,
            _ => None,
        };
        match candidate {
            Some((unit, num)) if self.has(view, unit, num, name, value)? => Ok(candidate),
            _ => Ok(None),
        }
    }

    /// Where the conflict that a revision decided took its value from.
    fn taken(&self, view: &View, revision: &Revision) -> Result<Option<(UnitId, u32)>> {
        let rows = view.conflicts_of(revision.unit)?;
        let row = rows.iter().rev().find(|conflict| {
            conflict.row.state == RowState::Taken
                && (conflict.row.path.starts_with(self.path)
                    || self.path.starts_with(&conflict.row.path))
        });
        let side = row.and_then(|row| row.incoming_by.as_ref());
        Ok(side.map(|side| (side.unit, side.revision)))
    }

    fn has(
        &self,
        view: &View,
        unit: UnitId,
        num: u32,
        name: &ResourceId,
        value: Option<&Value>,
    ) -> Result<bool> {
        let held = self.held(view, &view.revision(unit, num)?.data)?;
        Ok(find(&held, name).and_then(|(_, value)| value.as_ref()) == value)
    }

    /// The revision, not after `num`, that made a value which revision `num` has.
    fn made(
        &self,
        view: &View,
        unit: UnitId,
        num: u32,
        name: &mut ResourceId,
        value: Option<&Value>,
    ) -> Result<Option<Revision>> {
        let mut made = None;
        for num in (1..=num).rev() {
            let revision = view.revision(unit, num)?;
            let held = self.held(view, &revision.data)?;
            match find(&held, name) {
                Some((found, held)) if held.as_ref() == value => *name = found.clone(),
                None if value.is_none() => {}
                _ => break,
            }
            made = Some(revision);
        }
        // A value that was never there was removed by nobody.
        let is_absent_from_the_start =
            value.is_none() && made.as_ref().is_some_and(|made: &Revision| made.num == 1);
        Ok(made.filter(|_| !is_absent_from_the_start))
    }

    /// The first place below the path that a revision changed.
    fn place(
        &self,
        view: &View,
        resource: &ResourceId,
        revision: &Revision,
    ) -> Result<Option<Path>> {
        if revision.num == 1 {
            return Ok(None);
        }
        let before = view.revision(revision.unit, revision.num - 1)?;
        let (before, after) = (view.stream(&before.data)?, view.stream(&revision.data)?);
        let changed = diff(&before, &after).into_iter().find(|difference| {
            (difference.resource == *resource || difference.resource.kind == resource.kind)
                && self.path.matches(&difference.path)
        });
        Ok(changed
            .map(|difference| difference.path)
            .filter(|path| path != self.path))
    }

    /// The error for a path that no revision has, with the nearest there is.
    fn nowhere(&self, view: &View, selection: &Selection) -> Result<Error> {
        let on = self
            .resource
            .map_or_else(String::new, |on| format!(" of {on}"));
        let mut suggestion = None;
        let mut keys = BTreeSet::new();
        for pin in selection.pins() {
            let unit = view.unit(pin.unit)?;
            view.tree(&unit.data, |tree| {
                for root in tree.documents() {
                    let id = ResourceId::of(root);
                    if self.resource.is_none_or(|wanted| id.is_named(wanted)) {
                        let (near, here) = near(root, self.path);
                        if suggestion.is_none() {
                            suggestion = near;
                        }
                        keys.extend(here);
                    }
                }
            })?;
        }
        let error = Error::new(
            Kind::NotFound,
            format!(
                "expected `{}`{on} in some revision, found it in none",
                self.path
            ),
        );
        Ok(match suggestion {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if keys.is_empty() => error,
            None => {
                let keys: Vec<String> = keys.into_iter().take(8).collect();
                error.hint(format!("there is {}", keys.join(", ")))
            }
        })
    }
}

/// Takes an older revision into account.
fn follow(
    tracks: &mut Vec<Track>,
    known: &mut BTreeSet<ResourceId>,
    newer: Option<&Revision>,
    held: Vec<Held>,
) {
    for track in tracks.iter_mut() {
        let found = find(&held, &track.name);
        let value = found.and_then(|(_, value)| value.as_ref());
        if track.made.is_none() && value != track.value.as_ref() {
            track.made = newer.cloned();
        }
        if let Some((name, _)) = found {
            if track.made.is_none() {
                track.name = name.clone();
            }
            known.insert(name.clone());
        }
    }
    for (name, value) in held {
        if value.is_none() || known.contains(&name) {
            continue;
        }
        known.insert(name.clone());
        // At the head it is there; before that, the next revision removed it.
        tracks.push(Track {
            name: name.clone(),
            shown: name,
            value: value.filter(|_| newer.is_none()),
            made: newer.cloned(),
        });
    }
}

/// The resource of this identity, of this kind and name, or the only one of its kind.
fn find<'a>(held: &'a [Held], name: &ResourceId) -> Option<&'a Held> {
    let exact = held.iter().find(|(id, _)| id == name);
    let of_kind = || {
        held.iter()
            .filter(|(id, _)| id.kind == name.kind && id.group == name.group)
    };
    exact
        .or_else(|| of_kind().find(|(id, _)| id.name == name.name))
        .or_else(|| {
            let mut all = of_kind();
            all.next().filter(|_| all.next().is_none())
        })
}

/// The nearest path to one that is not there, and the paths there are at the place where it ends.
fn near(root: NodeRef<'_>, path: &Path) -> (Option<Path>, Vec<String>) {
    let mut prefix = Path::root();
    for segment in path.segments() {
        let next = prefix.join(segment.clone());
        if root.at(&next).is_some() {
            prefix = next;
            continue;
        }
        let Some(node) = root.at(&prefix) else {
            break;
        };
        let keys: Vec<&str> = node.entries().map(|(key, _)| key).collect();
        let suggestion = match segment {
            Segment::Key(key) => nearest(key, keys.iter().copied()).map(|near| prefix.key(near)),
            _ => None,
        };
        let here = keys.into_iter().map(|key| prefix.key(key).to_string());
        return (suggestion, here.collect());
    }
    (None, Vec::new())
}

/// A unit as people name it; one that is gone by its number.
pub(crate) fn reference_of(view: &View, unit: UnitId) -> Result<String> {
    let Some(found) = view.find_unit_by_id(unit)? else {
        return Ok(format!("{unit} (deleted)"));
    };
    let space = view.space(found.space)?;
    Ok(format!("{}/{}", space.slug, found.slug))
}

/// What made a revision, in words.
fn through(view: &View, revision: &Revision) -> Result<String> {
    let described = |word: &str| match revision.description.as_str() {
        "" => word.to_owned(),
        description => description.to_owned(),
    };
    Ok(match &revision.source {
        RevisionSource::Merge { unit, base, end } => {
            format!("merge from {} r{base}..r{end}", reference_of(view, *unit)?)
        }
        RevisionSource::Ensure { source } if revision.num == 1 => {
            format!("create from the text of `{source}`")
        }
        RevisionSource::Import { file } => format!("import {file}"),
        RevisionSource::Restore { revision } => format!("restore r{revision}"),
        RevisionSource::Undo { op } => described(&format!("undo {op}")),
        RevisionSource::Upgrade { from, to } => described(&format!("upgrade r{from} → r{to}")),
        RevisionSource::Function { name, args } => described(&format!("{name} {args}")),
        RevisionSource::Clone { .. } => described("clone"),
        RevisionSource::Copy { .. } => described("copy"),
        RevisionSource::Create => described("create"),
        RevisionSource::Patch => described("patch"),
        RevisionSource::Update => described("update"),
        RevisionSource::Ensure { .. } => described("ensure"),
        RevisionSource::MergeText { .. } => described("merge text"),
        RevisionSource::Resolve => described("conflict"),
    })
}

impl Blame {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none, which no call returns.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// As `--json` shows it.
    pub fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let trace = row.trace.iter().map(|step| {
                json!({
                    "Unit": step.reference,
                    "Num": step.revision.num,
                    "Time": step.revision.at.to_minutes(),
                    "User": step.revision.author,
                    "Through": step.through,
                    "Message": step.message,
                    "Operation": step.revision.op.to_string(),
                    "Place": step.place.as_ref().map(ToString::to_string),
                })
            });
            json!({
                "Unit": row.reference,
                "Resource": row.resource.to_string(),
                "Path": self.path.to_string(),
                "Value": row.value,
                "Removed": row.value.is_none(),
                "Trace": trace.collect::<Vec<_>>(),
            })
        });
        rows.collect()
    }
}

impl fmt::Display for Blame {
    /// A line for each value, and below it where it came from, the newest first, each source one
    /// step further in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let value = match &row.value {
                None => "(removed)".to_owned(),
                Some(value) => brief(value),
            };
            let (reference, resource, path) = (&row.reference, &row.resource, &self.path);
            writeln!(f, "{reference}  {resource}  {path} = {value}")?;
            for (depth, step) in row.trace.iter().enumerate() {
                let indent = "  ".repeat(depth + 1);
                let whose = if step.reference == *reference {
                    String::new()
                } else {
                    format!("{} ", step.reference)
                };
                let Step {
                    revision, through, ..
                } = step;
                let (num, at) = (revision.num, revision.at.to_minutes());
                let (author, op) = (&revision.author, revision.op);
                write!(f, "{indent}{whose}r{num}  {at}  {author}  {through}  {op}")?;
                if let Some(message) = &step.message {
                    write!(f, "  \"{message}\"")?;
                }
                if let Some(place) = &step.place {
                    write!(f, "  at {place}")?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_VALUE) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
