//! What changed in units: for many of them at once, each distinct change shown once.

use std::collections::BTreeMap;
use std::fmt;
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

/// What was compared for one unit.
struct Compared {
    hunks: String,
    old: Option<Stream>,
    new: Stream,
}

/// Compares the texts and puts units with the same change together.
pub(crate) fn group(view: &View, changes: &[UnitChange]) -> Result<Changes> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for chunk in changes.chunks(CHUNK) {
        for (change, compared) in chunk.iter().zip(compare(view, chunk)?) {
            let at = match known.get(compared.hunks.as_str()) {
                Some(at) => *at,
                None => {
                    let hunks: Arc<str> = compared.hunks.into();
                    known.insert(Arc::clone(&hunks), groups.len());
                    groups.push(Group {
                        hunks,
                        paths: paths(compared.old.as_ref(), &compared.new),
                        members: Vec::new(),
                    });
                    groups.len() - 1
                }
            };
            groups[at]
                .members
                .push((change.reference.clone(), change.before, change.after));
        }
    }
    Ok(Changes { groups })
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
                let new = new.unpack()?;
                let hunks = hunks(old.as_ref().map_or("", Stream::text), new.text());
                Ok(Compared { hunks, old, new })
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
            text.push_str(&format!("{number:>6} {sign} {content}\n"));
        }
    }
    text
}
