//! What changed in units: for many of them at once, each distinct change shown once.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use similar::TextDiff;

use crate::app::outcome::plural;
use crate::db::{PackedStream, View};
use crate::error::Result;
use crate::model::Hash;
use crate::script::engine::pool;
use crate::yaml::{Difference, Stream, diff};

/// A resource and a path of more characters than this go on a line each.
const MAX_PLACE: usize = 95;

/// How many lines around a change are shown.
const CONTEXT_LINES: usize = 1;

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

/// Units with the same change.
#[derive(Debug, Clone)]
struct Group {
    hunks: Arc<str>,
    /// Of the first unit.
    paths: Vec<String>,
    /// Each with its revisions before and after.
    members: Vec<(String, u32, u32)>,
}

/// The texts of one unit, compared.
pub(crate) struct Compared {
    hunks: String,
    old: Option<Stream>,
    new: Stream,
}

impl Compared {
    pub(crate) fn of(old: Option<Stream>, new: Stream) -> Self {
        Self {
            hunks: hunks(old.as_ref().map_or("", Stream::text), new.text()),
            old,
            new,
        }
    }
}

/// Puts units with the same change together, and keeps no text of them.
#[derive(Default)]
pub(crate) struct Grouping {
    groups: Vec<Group>,
    known: BTreeMap<Arc<str>, usize>,
}

impl Grouping {
    /// Adds what changed in a unit between two of its revisions.
    pub(crate) fn add(&mut self, reference: String, revisions: (u32, u32), compared: Compared) {
        let group = self.group_of(compared);
        self.join(group, reference, revisions);
    }

    /// The group of units with this change.
    pub(crate) fn group_of(&mut self, compared: Compared) -> usize {
        if let Some(at) = self.known.get(compared.hunks.as_str()) {
            return *at;
        }
        let at = self.groups.len();
        let hunks: Arc<str> = compared.hunks.into();
        self.known.insert(Arc::clone(&hunks), at);
        self.groups.push(Group {
            hunks,
            paths: paths(compared.old.as_ref(), &compared.new),
            members: Vec::new(),
        });
        at
    }

    /// Adds a unit to a group, with its revisions before and after.
    pub(crate) fn join(&mut self, group: usize, reference: String, revisions: (u32, u32)) {
        let (before, after) = revisions;
        self.groups[group].members.push((reference, before, after));
    }

    pub(crate) fn finish(self) -> Changes {
        Changes {
            groups: self.groups,
        }
    }
}

/// Compares the texts and puts units with the same change together.
pub(crate) fn group(view: &View, changes: &[UnitChange]) -> Result<Changes> {
    let mut grouping = Grouping::default();
    for chunk in changes.chunks(CHUNK) {
        for (change, compared) in chunk.iter().zip(compare(view, chunk)?) {
            let revisions = (change.before, change.after);
            grouping.add(change.reference.clone(), revisions, compared);
        }
    }
    Ok(grouping.finish())
}

fn compare(view: &View, changes: &[UnitChange]) -> Result<Vec<Compared>> {
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
                Ok(Compared::of(old, new.unpack()?))
            })
            .collect()
    })
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            let Some(((reference, before, after), others)) = group.members.split_first() else {
                continue;
            };
            if !others.is_empty() {
                let count = plural(group.members.len(), "unit");
                write!(f, "{count}, identical change; shown: ")?;
            }
            writeln!(f, "{reference}  r{before} → r{after}")?;
            for line in &group.paths {
                writeln!(f, "  {line}")?;
            }
            f.write_str(&group.hunks)?;
            for (reference, before, after) in others {
                writeln!(f, "  as well: {reference}  r{before} → r{after}")?;
            }
        }
        Ok(())
    }
}

fn paths(old: Option<&Stream>, new: &Stream) -> Vec<String> {
    let Some(old) = old else {
        return vec!["new".to_owned()];
    };
    let line = |difference: Difference| {
        let (resource, path) = (difference.resource.to_string(), difference.path.to_string());
        let is_wide = resource.chars().count() + path.chars().count() > MAX_PLACE;
        let gap = if is_wide { "\n    " } else { "   " };
        format!("{resource}{gap}{path}")
    };
    diff(old, new).into_iter().map(line).collect()
}

/// The changed lines with their numbers in the new text.
fn hunks(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut text = String::new();
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
        }
    }
    text
}
