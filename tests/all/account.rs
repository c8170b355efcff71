//! An accountant for merges that knows nothing of how they are made: it takes the values of the
//! three sides and the result apart into leaves and asks of each where it went.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use windlass::path::{Path, Segment};
use windlass::yaml::merge::{ConflictRow, MergeInput, Merged, Prefer, Reason, RowState, merge};
use windlass::yaml::{PathSet, ResourceId, Stream, pair};

type Leaves = BTreeMap<(String, Path), Value>;

/// Fields that tell elements apart, and what the API fills in.
const KEYS: [&[(&str, Option<&str>)]; 7] = [
    &[("containerPort", None), ("protocol", Some("TCP"))],
    &[("mountPath", None)],
    &[("devicePath", None)],
    &[("topologyKey", None), ("whenUnsatisfiable", None)],
    &[("uid", None)],
    &[("port", None), ("protocol", Some("TCP"))],
    &[("name", None)],
];

/// Lists that go by key; all others are leaves.
const LISTS: [&str; 14] = [
    "containers",
    "initContainers",
    "env",
    "volumes",
    "volumeMounts",
    "volumeDevices",
    "ports",
    "imagePullSecrets",
    "topologySpreadConstraints",
    "ownerReferences",
    "webhooks",
    "ephemeralContainers",
    "resourceClaims",
    "secrets",
];

fn element(item: &Value) -> Option<Segment> {
    let map = item.as_object()?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    KEYS.iter().find_map(|keys| {
        let fields: Option<Vec<_>> = keys
            .iter()
            .map(|(name, default)| {
                let value = match map.get(*name) {
                    Some(value) => text(value)?,
                    None => (*default)?.to_owned(),
                };
                Some(((*name).to_owned(), value))
            })
            .collect();
        fields.map(Segment::Match)
    })
}

/// The lists that have no keys on some side, or the same ones twice: leaves on every side.
type Odd = BTreeSet<(String, Path)>;

fn flatten(resource: &str, place: &Path, value: &Value, odd: &mut Odd, out: &mut Leaves) {
    let key = (resource.to_owned(), place.clone());
    let by_key = match place.last() {
        Some(Segment::Key(key)) => LISTS.contains(&key.as_str()),
        _ => false,
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                flatten(resource, &place.key(key), value, odd, out);
            }
        }
        Value::Array(items) if by_key && !items.is_empty() && !odd.contains(&key) => {
            let names: Vec<_> = items.iter().filter_map(element).collect();
            let unique: BTreeSet<_> = names.iter().collect();
            if names.len() == items.len() && unique.len() == items.len() {
                for (name, item) in names.into_iter().zip(items) {
                    flatten(resource, &place.join(name), item, odd, out);
                }
            } else {
                odd.insert(key.clone());
                out.insert(key, value.clone());
            }
        }
        // An empty map says no more than that its parent is there.
        Value::Object(_) => {}
        _ => {
            out.insert(key, value.clone());
        }
    }
}

fn name(id: &ResourceId) -> String {
    format!("{}/{}", id.kind, id.name)
}

/// What each resource of a side is called in base; its own name if base has it not.
fn names(base: &Stream, side: &Stream) -> BTreeMap<String, String> {
    let (before, after) = (base.resources(), side.resources());
    pair(base, side)
        .into_iter()
        .filter_map(|(b, s)| {
            let own = name(&after[s?]);
            let first = b.map_or_else(|| own.clone(), |b| name(&before[b]));
            Some((own, first))
        })
        .collect()
}

fn leaves(stream: &Stream, names: &BTreeMap<String, String>, odd: &mut Odd) -> Leaves {
    let mut out = Leaves::new();
    for root in stream.view().documents() {
        let own = name(&ResourceId::of(root));
        let known = names.get(&own).unwrap_or(&own);
        flatten(known, &Path::root(), &root.to_value(), odd, &mut out);
    }
    out
}

/// Whether a row speaks of a leaf: it is at the leaf, around it or inside of it; a rename, of
/// every element of its list.
fn speaks(row: &ConflictRow, row_of: &str, resource: &str, path: &Path) -> bool {
    if row_of != resource {
        return false;
    }
    let parent = row.path.parent().unwrap_or_default();
    let element = matches!(parent.last(), Some(Segment::Match(_)));
    let place = match (row.reason, row.path.last()) {
        (Reason::Renamed, _) => parent,
        // Both sides renamed the element.
        (_, Some(Segment::Key(key))) if key == "name" && element => {
            parent.parent().unwrap_or_default()
        }
        _ => row.path.clone(),
    };
    // A row about an element speaks of the names that it has on each side.
    let parent = row.path.parent().unwrap_or_default();
    if let (Some(Segment::Match(_)), Some(Segment::Match(fields))) =
        (row.path.last(), path.segments().get(parent.len()))
        && parent.matches(path)
    {
        let texts = [&row.base, &row.incoming, &row.local];
        let named = |text: &String| {
            fields
                .iter()
                .all(|(_, value)| text.contains(value.as_str()))
        };
        if texts.into_iter().flatten().any(named) {
            return true;
        }
    }
    let by_index = |place: &Path| place.segments().iter().any(|s| s.index().is_some());
    place.matches(path) || path.matches(&place) || by_index(&place)
}

/// The leaves of an element, each with the keys that lead to it.
fn parts_of(value: &Value, place: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                parts_of(value, &format!("{place}.{key}"), out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                parts_of(item, place, out);
            }
        }
        Value::String(text) => {
            for line in text.split_inclusive('\n') {
                out.push(format!("{place}={line}"));
            }
        }
        _ => out.push(format!("{place}={value}")),
    }
}

/// Whether a merged list or text holds what both sides added, and lacks nothing that neither
/// removed.
fn holds_both(base: Option<&Value>, sides: [&Value; 2], result: &Value, deep: bool) -> bool {
    let parts = |value: Option<&Value>| -> Option<Vec<String>> {
        match value {
            None => Some(Vec::new()),
            Some(Value::Array(items)) if !deep => {
                Some(items.iter().map(ToString::to_string).collect())
            }
            Some(Value::Array(items)) => {
                let mut out = Vec::new();
                for item in items {
                    parts_of(item, "", &mut out);
                }
                Some(out)
            }
            Some(Value::String(text)) => {
                Some(text.split_inclusive('\n').map(ToOwned::to_owned).collect())
            }
            _ => None,
        }
    };
    // A base of another kind has no parts.
    let (base, Some(result)) = (parts(base).unwrap_or_default(), parts(Some(result))) else {
        return false;
    };
    let sides: Option<Vec<_>> = sides.into_iter().map(|side| parts(Some(side))).collect();
    sides.is_some_and(|sides| {
        let all_there = sides
            .iter()
            .flatten()
            .filter(|part| !base.contains(part))
            .all(|part| result.contains(part));
        let nothing_lost = base
            .iter()
            .filter(|part| sides.iter().all(|side| side.contains(part)))
            .all(|part| result.contains(part));
        let nothing_invented = result
            .iter()
            .all(|part| base.contains(part) || sides.iter().any(|side| side.contains(part)));
        all_there && nothing_lost && nothing_invented
    })
}

/// The leaves whose fate is none of: kept local, took incoming, told in a row.
pub(crate) fn lost(input: MergeInput<'_>, merged: &Merged) -> Vec<String> {
    let mut known = names(input.base, input.incoming);
    known.extend(names(input.base, input.local));
    let mut odd = Odd::new();
    let sides = [input.base, input.incoming, input.local, &merged.stream];
    for _ in 0..4 {
        // Once for each level at which an odd list can hide behind another.
        for side in sides {
            leaves(side, &known, &mut odd);
        }
    }
    let [base, incoming, local, result] = sides.map(|side| leaves(side, &known, &mut odd));
    let all: BTreeSet<_> = [&base, &incoming, &local, &result]
        .into_iter()
        .flat_map(BTreeMap::keys)
        .collect();
    let mut lost = Vec::new();
    for key in all {
        // So does an empty list, unless it meets one that is not.
        let filled = |value: &&Value| !value.as_array().is_some_and(Vec::is_empty);
        let [b, i, l, r] =
            [&base, &incoming, &local, &result].map(|side| side.get(key).filter(filled));
        let told = |wanted: &dyn Fn(RowState) -> bool| {
            merged.conflicts.iter().any(|row| {
                let own = name(&row.resource);
                let row_of = known.get(&own).unwrap_or(&own);
                wanted(row.state) && speaks(row, row_of, &key.0, &key.1)
            })
        };
        let all = [incoming.get(key), local.get(key), result.get(key)];
        let merged_parts = || match all {
            [Some(i), Some(l), Some(r)] => {
                // By whole elements, or by what is in them: of a list with keys, too.
                [false, true]
                    .into_iter()
                    .any(|deep| holds_both(b, [i, l], r, deep))
            }
            _ => false,
        };
        let fine = if r == l && r == i {
            true
        } else if r == l {
            i == b
                || merged_parts()
                || told(&|state| state != RowState::Taken)
                || renamed(merged)
                || was(&base, key, i)
        } else if r == i {
            l == b
                || was(&base, key, l)
                || told(&|state| state == RowState::Taken)
                || merged_parts()
                || renamed(merged)
        } else {
            merged_parts() || told(&|_| true)
        };
        if !fine {
            lost.push(format!(
                "{} {}: {b:?} | {i:?} | {l:?} => {r:?}",
                key.0, key.1
            ));
        }
    }
    lost
}

/// Whether a leaf of an element that base has not had this value in another element of that list:
/// both sides renamed the element alike.
fn was(base: &Leaves, (resource, path): &(String, Path), value: Option<&Value>) -> bool {
    let steps = path.segments();
    let renamed = |found: &[Segment], at: usize| {
        found.len() == steps.len()
            && found[..at] == steps[..at]
            && found[at + 1..] == steps[at + 1..]
    };
    let elements: Vec<usize> = (0..steps.len())
        .filter(|at| matches!(steps[*at], Segment::Match(_)))
        .collect();
    !base.contains_key(&(resource.clone(), path.clone()))
        && value.is_some()
        && base.iter().any(|((other, found), there)| {
            let same_place = |at: &usize| renamed(found.segments(), *at);
            other == resource && Some(there) == value && elements.iter().any(same_place)
        })
}

fn renamed(merged: &Merged) -> bool {
    merged
        .conflicts
        .iter()
        .any(|row| row.reason == Reason::Renamed)
}

/// The laws of a merge, beside accounting for every place.
pub(crate) fn laws(input: MergeInput<'_>, merged: &Merged) -> Result<(), String> {
    let none = PathSet::default();
    let with = |base, incoming, local| {
        merge(MergeInput {
            base,
            incoming,
            local,
            owned: &none,
            protected: &none,
            ..input
        })
        .map_err(|e| e.to_string())
    };
    let check = |law: &str, found: &str, wanted: &str| {
        if found == wanted {
            Ok(())
        } else {
            Err(format!("{law}\n--- found\n{found}\n--- wanted\n{wanted}"))
        }
    };
    let MergeInput {
        base,
        incoming,
        local,
        ..
    } = input;
    let text = with(base, incoming, base)?;
    check("merge(b, x, b) = x", text.stream.text(), incoming.text())?;
    let text = with(base, base, local)?;
    check("merge(b, b, y) = y", text.stream.text(), local.text())?;
    let text = with(incoming, incoming, &merged.stream)?;
    check(
        "again, base moved",
        text.stream.text(),
        merged.stream.text(),
    )?;
    // With the old base, local's own undoing of the change would be undone: the text is base's.
    // Where incoming is preferred, an element that it removed can make another one look renamed.
    if input.prefer == Prefer::Local && merged.stream.text() != base.text() {
        let again = merge(MergeInput {
            local: &merged.stream,
            ..input
        });
        let again = again.map_err(|e| e.to_string())?;
        check(
            "again, same base",
            again.stream.text(),
            merged.stream.text(),
        )?;
    }
    if !merged.taken.is_empty() && merged.stream.text() == local.text() {
        return Err("took something, and the text is local's".to_owned());
    }
    Ok(())
}
