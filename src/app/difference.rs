//! What changed in units: for many of them at once, each distinct change shown once.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use serde_json::Value;
use similar::TextDiff;

use crate::app::outcome::plural;
use crate::db::{PackedStream, View};
use crate::error::Result;
use crate::model::Hash;
use crate::path::{Path, Segment};
use crate::script::engine::pool;
use crate::yaml::{ResourceId, Stream, diff};

/// A resource and a path of more characters than this go on a line each.
const MAX_PLACE: usize = 95;

/// How many lines around a change are shown.
const CONTEXT_LINES: usize = 2;

/// How many units are compared at a time.
const CHUNK: usize = 512;

/// A unit whose data changed.
#[derive(Debug, Clone)]
pub(crate) struct UnitChange {
    pub(crate) reference: String,
    pub(crate) before: u32,
    pub(crate) after: u32,
    /// None where the unit is new.
    pub(crate) old: Option<Hash>,
    pub(crate) new: Hash,
}

/// The changes of many units, each distinct change once, with the paths it is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    groups: Vec<Group>,
}

/// Units with the same change: the same lines come and go at the same paths. The lines around
/// them, their numbers and the names of resources may differ.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    members: Vec<Member>,
}

/// A unit of a group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) reference: String,
    pub(crate) before: u32,
    pub(crate) after: u32,
    pub(crate) compared: Arc<Compared>,
}

/// The texts of one unit, compared.
#[derive(Debug)]
pub(crate) struct Compared {
    /// The changed lines with those around them, numbered.
    hunks: String,
    /// Where it differs; nothing for a unit that is new.
    places: Vec<Place>,
    is_new: bool,
    /// The changed lines alone, each behind its sign.
    lines: Vec<String>,
}

/// A path that differs, and whether a scalar was replaced there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) resource: ResourceId,
    /// Whether the unit has only one resource of this kind, so that its name says nothing more.
    is_only: bool,
    pub(crate) path: Path,
    pub(crate) is_replaced: bool,
}

impl Compared {
    pub(crate) fn of(old: Option<&Stream>, new: &Stream) -> Self {
        let (hunks, lines) = hunks(old.map_or("", Stream::text), new.text());
        Self {
            hunks,
            places: old.map_or_else(Vec::new, |old| places(old, new)),
            is_new: old.is_none(),
            lines,
        }
    }

    pub(crate) fn hunks(&self) -> &str {
        &self.hunks
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// How many lines come, and how many go.
    pub(crate) fn line_counts(&self) -> (usize, usize) {
        let added = self.lines.iter().filter(|line| line.starts_with('+'));
        let added = added.count();
        (added, self.lines.len() - added)
    }

    /// The resources and paths, a line each.
    pub(crate) fn place_lines(&self) -> Vec<String> {
        if self.is_new {
            return vec!["new".to_owned()];
        }
        let line = |place: &Place| {
            let (resource, path) = (place.resource.to_string(), place.path.to_string());
            let is_wide = resource.chars().count() + path.chars().count() > MAX_PLACE;
            let gap = if is_wide { "\n    " } else { "   " };
            format!("{resource}{gap}{path}")
        };
        self.places.iter().map(line).collect()
    }

    /// The names of the containers in which it makes the change that `other` makes in one container;
    /// none where it is no such change.
    pub(crate) fn as_in_one(&self, other: &Self) -> Option<Vec<String>> {
        let (mine, theirs) = (self.by_container()?, other.by_container()?);
        let [(_, once)] = theirs.as_slice() else {
            return None;
        };
        let is_same = mine.len() > 1
            && mine.iter().all(|(_, paths)| paths == once)
            && self.lines.len() == mine.len() * other.lines.len()
            && self
                .lines
                .chunks(other.lines.len().max(1))
                .all(|lines| lines == other.lines);
        is_same.then(|| mine.into_iter().map(|(name, _)| name).collect())
    }

    /// The paths below each container that changes; none where something else changes as well.
    fn by_container(&self) -> Option<Vec<(String, Vec<Path>)>> {
        let mut found: Vec<(String, Vec<Path>)> = Vec::new();
        for place in &self.places {
            let segments = place.path.segments();
            let at = segments
                .iter()
                .position(|segment| matches!(segment, Segment::Key(key) if key == "containers"))?;
            let Segment::Match(fields) = segments.get(at + 1)? else {
                return None;
            };
            let (_, value) = fields.first()?;
            let mut below = Path::root();
            for segment in segments[at + 2..].iter().cloned() {
                below.push(segment);
            }
            match found.iter_mut().find(|(name, _)| name == value) {
                Some((_, paths)) => paths.push(below),
                None => found.push((value.clone(), vec![below])),
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// What units of one group have in common.
    fn key(&self) -> String {
        let mut key = String::new();
        for place in &self.places {
            let name = if place.is_only {
                place.resource.kind.clone()
            } else {
                place.resource.to_string()
            };
            let path = without_own_name(&place.path, &place.resource.name);
            let _ = writeln!(key, "{name} {path} {}", place.is_replaced);
        }
        for line in &self.lines {
            key.push_str(line);
            key.push('\n');
        }
        key
    }
}

/// A path without the name of its own resource: the container of most workloads is called as they
/// are, and the same change in each is one change.
fn without_own_name(path: &Path, own: &str) -> String {
    let mut general = Path::root();
    for segment in path.segments() {
        let is_own = |fields: &[(String, String)]| matches!(fields, [(field, value)] if field == "name" && value == own);
        general.push(match segment {
            Segment::Match(fields) if is_own(fields) => Segment::Any,
            other => other.clone(),
        });
    }
    general.to_string()
}

/// Puts units with the same change together.
#[derive(Default)]
pub(crate) struct Grouping {
    groups: Vec<Group>,
    known: BTreeMap<String, usize>,
}

/// A group, and a change as one of its units makes it.
#[derive(Debug, Clone)]
pub(crate) struct Grouped {
    group: usize,
    compared: Arc<Compared>,
}

impl Grouping {
    /// Adds what changed in a unit between two of its revisions.
    pub(crate) fn add(&mut self, reference: String, revisions: (u32, u32), compared: Compared) {
        let grouped = self.group_of(compared);
        self.join(&grouped, reference, revisions);
    }

    /// The group of units with this change.
    pub(crate) fn group_of(&mut self, compared: Compared) -> Grouped {
        let group = *self.known.entry(compared.key()).or_insert_with(|| {
            self.groups.push(Group {
                members: Vec::new(),
            });
            self.groups.len() - 1
        });
        let first = self.groups[group].members.first();
        let is_like = |first: &&Member| {
            first.compared.hunks == compared.hunks && first.compared.places == compared.places
        };
        let compared = match first.filter(is_like) {
            Some(first) => Arc::clone(&first.compared),
            None => Arc::new(compared),
        };
        Grouped { group, compared }
    }

    /// Adds a unit to a group, with its revisions before and after.
    pub(crate) fn join(&mut self, to: &Grouped, reference: String, revisions: (u32, u32)) {
        let (before, after) = revisions;
        self.groups[to.group].members.push(Member {
            reference,
            before,
            after,
            compared: Arc::clone(&to.compared),
        });
    }

    pub(crate) fn finish(self) -> Changes {
        Changes {
            groups: self.groups,
        }
    }
}

impl Changes {
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }
}

impl Group {
    /// The units with this change, the one that is shown first.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The one that is shown.
    pub(crate) fn shown(&self) -> Option<&Member> {
        self.members.first()
    }
}

/// Compares the texts and puts units with the same change together.
pub(crate) fn group(view: &View, changes: &[UnitChange]) -> Result<Changes> {
    let mut grouping = Grouping::default();
    for (change, compared) in changes.iter().zip(compare(view, changes)?) {
        let revisions = (change.before, change.after);
        grouping.add(change.reference.clone(), revisions, compared);
    }
    Ok(grouping.finish())
}

/// Compares the texts of units, on all cores.
pub(crate) fn compare(view: &View, changes: &[UnitChange]) -> Result<Vec<Compared>> {
    let mut all = Vec::with_capacity(changes.len());
    for chunk in changes.chunks(CHUNK) {
        all.extend(compare_chunk(view, chunk)?);
    }
    Ok(all)
}

fn compare_chunk(view: &View, changes: &[UnitChange]) -> Result<Vec<Compared>> {
    let old: Vec<Hash> = changes.iter().filter_map(|change| change.old).collect();
    let new: Vec<Hash> = changes.iter().map(|change| change.new).collect();
    let mut old = view.packed(&old)?.into_iter();
    let pairs: Vec<(Option<PackedStream>, PackedStream)> = changes
        .iter()
        .zip(view.packed(&new)?)
        .map(|(change, new)| (change.old.and_then(|_| old.next()), new))
        .collect();
    pool().install(|| {
        pairs
            .into_par_iter()
            .map(|(old, new)| {
                let old = old.map(PackedStream::unpack).transpose()?;
                Ok(Compared::of(old.as_ref(), &new.unpack()?))
            })
            .collect()
    })
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            let Some((shown, others)) = group.members.split_first() else {
                continue;
            };
            if !others.is_empty() {
                let count = plural(group.members.len(), "unit");
                write!(f, "{count}, identical change; shown: ")?;
            }
            write!(f, "{shown}")?;
            for other in others {
                let (reference, before, after) = (&other.reference, other.before, other.after);
                writeln!(f, "  as well: {reference}  r{before} → r{after}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Member {
    /// The unit, its revisions, the places and the lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reference, before, after) = (&self.reference, self.before, self.after);
        writeln!(f, "{reference}  r{before} → r{after}")?;
        for line in self.compared.place_lines() {
            writeln!(f, "  {line}")?;
        }
        f.write_str(&self.compared.hunks)
    }
}

fn places(old: &Stream, new: &Stream) -> Vec<Place> {
    let resources = new.resources();
    let is_only = |resource: &ResourceId| {
        let same = resources.iter().filter(|other| other.kind == resource.kind);
        same.count() < 2
    };
    let is_scalar = |value: &Option<Value>| {
        value
            .as_ref()
            .is_some_and(|value| !value.is_object() && !value.is_array())
    };
    let differences = diff(old, new).into_iter();
    differences
        .map(|difference| Place {
            is_only: is_only(&difference.resource),
            is_replaced: is_scalar(&difference.before) && difference.after.is_some(),
            resource: difference.resource,
            path: difference.path,
        })
        .collect()
}

/// The changed lines with their numbers in the new text and those around them, and the changed
/// lines alone.
fn hunks(old: &str, new: &str) -> (String, Vec<String>) {
    let diff = TextDiff::from_lines(old, new);
    let mut text = String::new();
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if at > 0 {
            text.push_str("     ⋮\n");
        }
        for line in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match line.tag() {
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
                similar::ChangeTag::Equal => ' ',
            };
            let number = line
                .new_index()
                .or(line.old_index())
                .map_or(0, |index| index + 1);
            let content = line.value().trim_end_matches(['\n', '\r']);
            let _ = writeln!(text, "{number:>6} {sign} {content}");
            if sign != ' ' {
                lines.push(format!("{sign} {content}"));
            }
        }
    }
    (text, lines)
}
