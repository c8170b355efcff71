//! Which index keys belong to a record. The only place that says so: writing keeps them by it,
//! verifying makes them anew by it.

use super::key::Key;
use super::{Error, codec};
use crate::model::{Apply, Conflict, Operation, Space, Unit};

/// An index key with its value.
pub(super) type Entry = (Key, Vec<u8>);

pub(super) fn of_space(space: &Space) -> Vec<Entry> {
    let number = space.id.0.to_be_bytes().to_vec();
    vec![(Key::SpaceSlug(space.slug.clone()), number)]
}

pub(super) fn of_unit(unit: &Unit) -> Vec<Entry> {
    let id = unit.id;
    let number = id.0.to_be_bytes().to_vec();
    let mut entries = vec![
        (Key::UnitSlug(unit.space, unit.slug.clone()), number),
        (Key::Slug(unit.slug.clone(), id), Vec::new()),
    ];
    for (key, value) in &unit.labels {
        entries.push((Key::Label(key.clone(), value.clone(), id), Vec::new()));
    }
    if let Some(upstream) = unit.upstream {
        entries.push((Key::Variant(upstream.unit, id), Vec::new()));
    }
    for kind in &unit.kinds {
        entries.push((Key::Kind(kind.clone(), id), Vec::new()));
    }
    entries
}

/// Whether two states of a unit have the same entries, which most writes leave as they are.
pub(super) fn same_of_unit(a: &Unit, b: &Unit) -> bool {
    a.space == b.space
        && a.slug == b.slug
        && a.labels == b.labels
        && a.kinds == b.kinds
        && a.upstream.map(|upstream| upstream.unit) == b.upstream.map(|upstream| upstream.unit)
}

pub(super) fn of_conflict(conflict: &Conflict) -> Vec<Entry> {
    vec![(Key::ConflictOf(conflict.unit, conflict.id), Vec::new())]
}

pub(super) fn of_operation(operation: &Operation) -> Vec<Entry> {
    operation
        .run
        .map(|run| (Key::RunOperation(run, operation.id), Vec::new()))
        .into_iter()
        .collect()
}

pub(super) fn of_apply(apply: &Apply) -> Vec<Entry> {
    match apply.ended {
        None => vec![(Key::OpenApply(apply.id), Vec::new())],
        Some(_) => Vec::new(),
    }
}

/// The entries of a record as it is stored; an error when it is not what its key says.
pub(super) fn of_stored(key: &Key, stored: &[u8]) -> Result<Vec<Entry>, Error> {
    match key {
        Key::Space(id) => Ok(of_space(&codec::decode::<Space>(stored, id)?)),
        Key::Unit(id) => Ok(of_unit(&codec::decode::<Unit>(stored, id)?)),
        Key::Conflict(id) => Ok(of_conflict(&codec::decode::<Conflict>(stored, id)?)),
        Key::Apply(id) => Ok(of_apply(&codec::decode::<Apply>(stored, id)?)),
        _ => Ok(Vec::new()),
    }
}

/// Whether a key is of an index.
pub(super) fn is_entry(key: &Key) -> bool {
    matches!(
        key,
        Key::Text(_)
            | Key::SpaceSlug(_)
            | Key::UnitSlug(..)
            | Key::Slug(..)
            | Key::Label(..)
            | Key::Variant(..)
            | Key::Kind(..)
            | Key::ConflictOf(..)
            | Key::RunOperation(..)
            | Key::OpenApply(_)
    )
}
