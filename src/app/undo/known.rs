//! What an operation did, and what became of it since: the states of every record it changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::app::undo::fields::as_json;
use crate::db::{Change, Key, Role, View, decode};
use crate::error::{Error, Kind, Result};
use crate::id::{OpId, UnitId};
use crate::model::{Conflict, Hash, Operation, Space, Unit};

/// What of a unit's record a target answers for.
const DEPLOYED: [&str; 6] = [
    "Live",
    "Lived",
    "LastApplied",
    "PreviousLive",
    "Status",
    "StatusReason",
];

/// What of a unit's record is made from its data and rows, or grows whatever happens.
const DERIVED: [&str; 7] = [
    "Updated",
    "Head",
    "Data",
    "Bookkeeping",
    "OpenConflicts",
    "Kinds",
    "LastChange",
];

/// The bytes of records when nothing of this undo was written yet.
pub(super) type Originals = BTreeMap<Key, Option<Vec<u8>>>;

/// One operation with what is needed to take it back.
pub(super) struct Known {
    pub(super) operation: Operation,
    /// What it made of each record of desired state, sorted by key.
    pub(super) changes: Vec<State>,
    /// Whether it changed what a target runs, or what is said of that.
    pub(super) deploys: bool,
}

/// A record that the operation changed, as it was at different times.
pub(super) struct State {
    pub(super) key: Key,
    pub(super) before: Option<Vec<u8>>,
    pub(super) after: Option<Vec<u8>>,
    /// What it was before each later operation that changed it, oldest first.
    later: Vec<(OpId, Option<Vec<u8>>)>,
    /// What it was when the undo began.
    original: Option<Vec<u8>>,
}

impl State {
    /// The newest later operation that changed something about the record, told by `differs`.
    pub(super) fn changed_by(
        &self,
        differs: impl Fn(Option<&[u8]>, Option<&[u8]>) -> Result<bool>,
    ) -> Result<Option<OpId>> {
        let mut next = self.original.as_deref();
        for (op, before) in self.later.iter().rev() {
            if differs(before.as_deref(), next)? {
                return Ok(Some(*op));
            }
            next = before.as_deref();
        }
        Ok(None)
    }

    /// The newest later operation that touched the record at all.
    pub(super) fn last_changed_by(&self) -> Option<OpId> {
        self.later.last().map(|(op, _)| *op)
    }
}

impl Known {
    /// Looks an operation up. `originals` has the records that this undo changed already.
    pub(super) fn read(view: &View, op: OpId, originals: &Originals) -> Result<Self> {
        let operation = view.operation(op)?;
        let changes = view.net_changes(op)?;
        let mut original: BTreeMap<Key, Option<Vec<u8>>> = BTreeMap::new();
        let mut moved = BTreeSet::new();
        for change in changes
            .iter()
            .filter(|change| change.key.role() == Role::Record)
        {
            let stored = match originals.get(&change.key) {
                Some(stored) => stored.clone(),
                None => view.stored(&change.key)?,
            };
            if stored.as_deref().map(Hash::of) != change.after {
                moved.insert(change.key.clone());
            }
            original.insert(change.key.clone(), stored);
        }
        let mut later = later(view, &operation, &moved)?;
        let mut known = Self {
            operation,
            changes: Vec::new(),
            deploys: changes
                .iter()
                .any(|change| change.key.role() == Role::Cluster),
        };
        for Change { key, before, after } in changes {
            if key.role() != Role::Record {
                continue;
            }
            let later = later.remove(&key).unwrap_or_default();
            let original = original.remove(&key).flatten();
            let before = before.bytes(&key)?.map(<[u8]>::to_vec);
            let left = later
                .first()
                .map_or_else(|| original.clone(), |(_, was)| was.clone());
            if left.as_deref().map(Hash::of) != after {
                return Err(Error::new(
                    Kind::Internal,
                    format!("{key:?} is not what {op} and later operations say"),
                )
                .hint("windlass log verify says what is wrong in the store"));
            }
            known.deploys |= is_deployment(&key, before.as_deref(), left.as_deref())?;
            known.changes.push(State {
                key,
                before,
                after: left,
                later,
                original,
            });
        }
        Ok(known)
    }

    /// Whether it changed desired state.
    pub(super) fn is_desired(&self) -> Result<bool> {
        for state in &self.changes {
            if is_desired(&state.key, state.before.as_deref(), state.after.as_deref())? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A walk through the log from its end: what each operation left is what the next newer one found.
#[derive(Default)]
pub(super) struct Backwards {
    found: BTreeMap<Key, Option<Vec<u8>>>,
}

impl Backwards {
    /// Whether the operation, the next older one, changed what a target runs and nothing else.
    pub(super) fn only_deploys(&mut self, view: &View, op: OpId) -> Result<bool> {
        let (mut deploys, mut is_desired_too) = (false, false);
        for Change { key, before, .. } in view.net_changes(op)? {
            if key.role() != Role::Record {
                deploys = true;
                continue;
            }
            let before = before.bytes(&key)?.map(<[u8]>::to_vec);
            let after = match self.found.remove(&key) {
                Some(found) => found,
                None => view.stored(&key)?,
            };
            deploys |= is_deployment(&key, before.as_deref(), after.as_deref())?;
            is_desired_too |= is_desired(&key, before.as_deref(), after.as_deref())?;
            self.found.insert(key, before);
        }
        Ok(deploys && !is_desired_too)
    }
}

/// Whether what became of a record is more than what a target answers for.
fn is_desired(key: &Key, before: Option<&[u8]>, after: Option<&[u8]>) -> Result<bool> {
    let (Key::Unit(id), Some(before), Some(after)) = (key, before, after) else {
        return Ok(true);
    };
    let (before, after): (Unit, Unit) = (decode(before, id)?, decode(after, id)?);
    Ok(!is_same_desired(&before, &after)?)
}

/// What some records were before each later operation that changed them, oldest first.
type Later = BTreeMap<Key, Vec<(OpId, Option<Vec<u8>>)>>;

fn later(view: &View, operation: &Operation, wanted: &BTreeSet<Key>) -> Result<Later> {
    let mut found = Later::new();
    let (Some(last), false) = (view.last_operation()?, wanted.is_empty()) else {
        return Ok(found);
    };
    let units: BTreeSet<UnitId> = operation.units.iter().copied().collect();
    // A change of a unit or of its rows is in the list of the operation's units.
    let only_units = wanted
        .iter()
        .all(|key| matches!(key, Key::Unit(_) | Key::Conflict(_)));
    for op in (operation.id.0 + 1..=last.0).map(OpId) {
        if only_units {
            let other = view.operation(op)?;
            if !other.units.iter().any(|unit| units.contains(unit)) {
                continue;
            }
        }
        for change in view.net_changes(op)? {
            if wanted.contains(&change.key) && change.key.role() == Role::Record {
                let before = change.before.bytes(&change.key)?.map(<[u8]>::to_vec);
                found.entry(change.key).or_default().push((op, before));
            }
        }
    }
    Ok(found)
}

fn is_deployment(key: &Key, before: Option<&[u8]>, after: Option<&[u8]>) -> Result<bool> {
    let (Key::Unit(id), Some(before), Some(after)) = (key, before, after) else {
        return Ok(false);
    };
    let (before, after): (Unit, Unit) = (decode(before, id)?, decode(after, id)?);
    Ok(deployed_fields(&before)? != deployed_fields(&after)?)
}

/// The fields of a unit's record that a target answers for.
fn deployed_fields(unit: &Unit) -> Result<Value> {
    let mut fields = as_json(unit)?;
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|name, _| DEPLOYED.contains(&name.as_str()));
    }
    Ok(fields)
}

/// The fields of a unit's record that people decide on; data, bookkeeping and rows are apart.
pub(super) fn desired_fields(unit: &Unit) -> Result<Value> {
    let mut fields = as_json(unit)?;
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|name, _| {
            !DEPLOYED.contains(&name.as_str()) && !DERIVED.contains(&name.as_str())
        });
        // Bookkeeping has it.
        if let Some(Value::Object(link)) = fields.get_mut("Upstream") {
            link.remove("Revision");
        }
    }
    Ok(fields)
}

/// A unit's record with other fields that people decide on.
pub(super) fn with_fields(unit: &Unit, fields: Value, upstream_revision: u32) -> Result<Unit> {
    let mut whole = as_json(unit)?;
    let mut fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    if let Some(Value::Object(link)) = fields.get_mut("Upstream") {
        link.insert("Revision".to_owned(), upstream_revision.into());
    }
    if let Some(whole) = whole.as_object_mut() {
        whole.retain(|name, _| {
            DEPLOYED.contains(&name.as_str()) || DERIVED.contains(&name.as_str())
        });
        whole.extend(fields);
    }
    super::fields::from_json(whole)
}

/// Whether two states of a unit agree in all that people decide on, open rows apart.
pub(super) fn is_same_desired(one: &Unit, other: &Unit) -> Result<bool> {
    Ok(one.data == other.data
        && one.bookkeeping == other.bookkeeping
        && desired_fields(one)? == desired_fields(other)?)
}

/// The unit that a record belongs to, if it does to one.
pub(super) fn unit_of(key: &Key, stored: &[u8]) -> Result<Option<UnitId>> {
    match key {
        Key::Unit(unit) => Ok(Some(*unit)),
        Key::Conflict(id) => {
            let conflict: Conflict = decode(stored, id)?;
            Ok(Some(conflict.unit))
        }
        _ => Ok(None),
    }
}

/// What a record that is no unit is called.
pub(crate) fn name_of(key: &Key, stored: &[u8]) -> Result<String> {
    Ok(match key {
        Key::Space(id) => format!("the space `{}`", decode::<Space>(stored, id)?.slug),
        Key::Target(slug) => format!("the target `{slug}`"),
        Key::Filter(_, slug) => format!("the filter `{slug}`"),
        Key::Function(name) => format!("the function `{name}`"),
        Key::Worker(_, slug) => format!("the worker `{slug}`"),
        Key::Conflict(id) => format!("the conflict {id}"),
        other => format!("{other:?}"),
    })
}
