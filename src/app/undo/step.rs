//! Taking one operation back: records in an order in which each finds what it refers to.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::app::undo::fields::{Contested, States, changed_field, merge_stored};
use crate::app::undo::known::{Known, Originals, State, name_of, unit_of};
use crate::app::undo::refusal::Refusals;
use crate::db::{Key, Transaction, decode};
use crate::error::{Error, Kind, Result};
use crate::id::{OpId, SpaceId, UnitId};
use crate::model::{Conflict, Hash, Space, Unit};

/// How many units of an operation that deployed are named.
const SHOWN_UNITS: usize = 3;

/// The undo of one or several operations in one transaction.
pub(super) struct Undoing<'a> {
    pub(super) app: &'a App,
    pub(super) transaction: &'a mut Transaction,
    /// The bytes of every record that was changed, as they were when the undo began.
    pub(super) originals: Originals,
    /// What is said of each unit, by its number.
    pub(super) notes: BTreeMap<UnitId, Vec<String>>,
    /// What units are called; those that are gone as well.
    pub(super) references: BTreeMap<UnitId, String>,
    /// What is said of records that are no units.
    pub(super) other_notes: Vec<String>,
    pub(super) refusals: Refusals,
    /// What the revisions that it makes say of themselves.
    pub(super) description: String,
}

impl<'a> Undoing<'a> {
    pub(super) fn new(app: &'a App, transaction: &'a mut Transaction) -> Self {
        Self {
            app,
            transaction,
            originals: Originals::new(),
            notes: BTreeMap::new(),
            references: BTreeMap::new(),
            other_notes: Vec::new(),
            refusals: Refusals::default(),
            description: String::new(),
        }
    }

    /// Takes one operation back.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it deployed, or something later overlaps with it.
    pub(super) fn step(&mut self, op: OpId, description: String) -> Result<()> {
        let known = Known::read(self.transaction, op, &self.originals)?;
        if known.deploys {
            return Err(self.deployed(&known)?);
        }
        self.description = description;
        for state in &known.changes {
            self.remember(&state.key)?;
        }
        let made: BTreeSet<UnitId> = known
            .changes
            .iter()
            .filter(|state| state.before.is_none() && state.after.is_some())
            .filter_map(|state| match state.key {
                Key::Unit(unit) => Some(unit),
                _ => None,
            })
            .collect();
        self.put_records_back(&known)?;
        self.put_rows_back(&known, &made)?;
        self.put_units_back(&known)?;
        if let Some(error) = self.refusals.error() {
            return Err(error);
        }
        self.delete_made(&known)?;
        match self.refusals.error() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Why what deployed is not undone, and what to run for its units.
    fn deployed(&mut self, known: &Known) -> Result<Error> {
        let operation = &known.operation;
        let error = Error::new(
            Kind::Conflict,
            format!(
                "expected an operation on desired state alone, found {} ({}), which deployed",
                operation.id, operation.verb
            ),
        )
        .hint("an undo never touches a cluster");
        let mut references = Vec::new();
        for unit in operation.units.iter().take(SHOWN_UNITS) {
            references.push(self.reference(*unit)?);
        }
        if references.is_empty() {
            return Ok(error);
        }
        let more = match operation.units.len() - references.len() {
            0 => String::new(),
            more => format!(", and so for {more} more"),
        };
        Ok(error.hint(format!(
            "windlass rollback --unit {} puts store and cluster back together{more}",
            references.join(",")
        )))
    }

    /// Keeps the bytes of a record before it is changed first.
    pub(super) fn remember(&mut self, key: &Key) -> Result<()> {
        if !self.originals.contains_key(key) {
            let stored = self.transaction.stored(key)?;
            self.originals.insert(key.clone(), stored);
        }
        Ok(())
    }

    /// Spaces, targets, workers and what there is beside units and rows: those that were changed
    /// or deleted; and units that were deleted.
    fn put_records_back(&mut self, known: &Known) -> Result<()> {
        for state in &known.changes {
            let Some(before) = &state.before else {
                continue;
            };
            match (&state.key, &state.after) {
                (Key::Unit(_) | Key::Conflict(_), _) => {}
                (_, None) => self.bring_back(known, state, before)?,
                (_, Some(after)) => self.change_back(known, state, before, after)?,
            }
        }
        for state in &known.changes {
            if let (Key::Unit(id), Some(before), None) = (&state.key, &state.before, &state.after) {
                self.revive(known, state, *id, before)?;
            }
        }
        Ok(())
    }

    fn bring_back(&mut self, known: &Known, state: &State, before: &[u8]) -> Result<()> {
        let name = name_of(&state.key, before)?;
        if self.transaction.stored(&state.key)?.is_some() {
            let by = state.last_changed_by();
            self.refusals.changed(&name, known.operation.id, by);
            return Ok(());
        }
        if let Key::Space(id) = state.key {
            let space: Space = decode(before, id)?;
            if self.transaction.find_space(&space.slug)?.is_some() {
                self.refusals.other(
                    format!("expected no space `{}`, found another one", space.slug),
                    None,
                );
                return Ok(());
            }
        }
        if let Key::Worker(space, _) | Key::Filter(Some(space), _) = state.key
            && self.transaction.find_space_by_id(space)?.is_none()
        {
            self.refusals.other(
                format!("expected the space of {name}, found it deleted as well"),
                Some("windlass log shows which operation deleted it: undo that first".to_owned()),
            );
            return Ok(());
        }
        self.transaction.restore(&state.key, Some(before))?;
        self.other_notes.push(format!("{name} is back"));
        Ok(())
    }

    fn change_back(
        &mut self,
        known: &Known,
        state: &State,
        before: &[u8],
        after: &[u8],
    ) -> Result<()> {
        let op = known.operation.id;
        let name = name_of(&state.key, after)?;
        let Some(present) = self.transaction.stored(&state.key)? else {
            self.refusals.gone(&name, op, state.last_changed_by());
            return Ok(());
        };
        let back = if present == after {
            before.to_vec()
        } else {
            let states = States {
                before,
                after,
                present: &present,
            };
            match merge_stored(&state.key, states)? {
                Ok(merged) => merged,
                Err(Contested(field)) => {
                    let by =
                        state.changed_by(|one, other| differ(&state.key, &field, one, other))?;
                    let what = match field.as_str() {
                        "" => name,
                        field => format!("{field} of {name}"),
                    };
                    self.refusals.changed(&what, op, by);
                    return Ok(());
                }
            }
        };
        if let Key::Space(id) = state.key
            && self.loses_target(id, &present, &back)?
        {
            return Ok(());
        }
        if self.transaction.restore(&state.key, Some(&back))? {
            self.other_notes.push(format!("{name} is as before"));
        }
        Ok(())
    }

    /// Refuses to take a space's target away from what runs there.
    fn loses_target(&mut self, id: SpaceId, present: &[u8], back: &[u8]) -> Result<bool> {
        let (present, back): (Space, Space) = (decode(present, id)?, decode(back, id)?);
        if present.target == back.target {
            return Ok(false);
        }
        for unit in self.transaction.unit_ids_in(id)? {
            let unit = self.transaction.unit(unit)?;
            if let (Some(live), None) = (unit.live, &unit.target) {
                let reference = format!("{}/{}", present.slug, unit.slug);
                self.refusals.other(
                    format!(
                        "expected nothing to run on the target of the space `{}`, found \
                         `{reference}` r{live} live there",
                        present.slug
                    ),
                    Some(format!("windlass unit destroy {reference}")),
                );
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The rows of conflicts: exactly as they were, or refused.
    fn put_rows_back(&mut self, known: &Known, made: &BTreeSet<UnitId>) -> Result<()> {
        let mut counted = BTreeSet::new();
        for state in &known.changes {
            let (Key::Conflict(id), Some(known_bytes)) =
                (&state.key, state.before.as_ref().or(state.after.as_ref()))
            else {
                continue;
            };
            let row: Conflict = decode(known_bytes, id)?;
            let is_there = self.transaction.find_unit_by_id(row.unit)?.is_some();
            if made.contains(&row.unit) || !is_there {
                // It goes with its unit, and what is said of that unit says it of the row.
                continue;
            }
            let present = self.transaction.stored(&state.key)?;
            if present == state.before {
                continue;
            }
            if present != state.after {
                let reference = self.reference(row.unit)?;
                let what = format!(
                    "the conflict {id} of `{reference}` at {} `{}`",
                    row.row.resource, row.row.path
                );
                let by = state.last_changed_by();
                self.refusals.changed(&what, known.operation.id, by);
                continue;
            }
            self.remember(&Key::Unit(row.unit))?;
            self.transaction
                .restore(&state.key, state.before.as_deref())?;
            counted.insert(row.unit);
        }
        for unit in counted {
            let unit = self.transaction.unit(unit)?;
            self.transaction.put_unit_counted(&unit)?;
        }
        Ok(())
    }

    fn put_units_back(&mut self, known: &Known) -> Result<()> {
        for state in &known.changes {
            if let (Key::Unit(id), Some(before), Some(after)) =
                (&state.key, &state.before, &state.after)
            {
                let before: Unit = decode(before, id)?;
                let after: Unit = decode(after, id)?;
                self.change_unit_back(known, state, &before, &after)?;
            }
        }
        Ok(())
    }

    /// What the operation made goes: variants before their upstream units, spaces last.
    fn delete_made(&mut self, known: &Known) -> Result<()> {
        let made = |state: &&State| state.before.is_none();
        for state in known.changes.iter().filter(made).rev() {
            if let (Key::Unit(id), Some(after)) = (&state.key, &state.after) {
                let after: Unit = decode(after, id)?;
                self.delete_unit(known, state, &after)?;
            }
        }
        for is_space in [false, true] {
            for state in known.changes.iter().filter(made) {
                match (&state.key, &state.after) {
                    (Key::Unit(_) | Key::Conflict(_), _) | (_, None) => {}
                    (key, Some(after)) if matches!(key, Key::Space(_)) == is_space => {
                        self.delete_record(known, state, after)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn delete_record(&mut self, known: &Known, state: &State, after: &[u8]) -> Result<()> {
        let op = known.operation.id;
        let name = name_of(&state.key, after)?;
        let Some(present) = self.transaction.stored(&state.key)? else {
            self.refusals.gone(&name, op, state.last_changed_by());
            return Ok(());
        };
        if present != after {
            let field = changed_field(&state.key, after, &present)?;
            let by = state.changed_by(|one, other| differ(&state.key, &field, one, other))?;
            let what = match field.as_str() {
                "" => name,
                field => format!("{field} of {name}"),
            };
            self.refusals.changed(&what, op, by);
            return Ok(());
        }
        if let Some(user) = self.user_of(&state.key)? {
            self.refusals.other(
                format!("expected {name} that {op} made to be in use nowhere, found {user}"),
                None,
            );
            return Ok(());
        }
        if let Key::Space(id) = state.key {
            // It also refuses where something else is still in the space.
            self.transaction.delete_space(id)?;
        } else {
            self.transaction.restore(&state.key, None)?;
        }
        self.other_notes.push(format!("{name} is gone"));
        Ok(())
    }

    /// Who needs a record that is to be deleted.
    fn user_of(&self, key: &Key) -> Result<Option<String>> {
        match key {
            Key::Space(id) => {
                let Some(unit) = self.transaction.unit_ids_in(*id)?.into_iter().next() else {
                    return Ok(None);
                };
                let made = self.transaction.revision(unit, 1)?.op;
                let unit = self.transaction.unit(unit)?;
                Ok(Some(format!("the unit `{}`, made by {made}", unit.slug)))
            }
            Key::Target(slug) => {
                let spaces = self.transaction.spaces()?.into_iter();
                let mut using = spaces.filter(|space| space.target.as_ref() == Some(slug));
                if let Some(space) = using.next() {
                    return Ok(Some(format!("the space `{}` on it", space.slug)));
                }
                let mut user = None;
                self.transaction.scan_units(|unit| {
                    if unit.target.as_ref() == Some(slug) {
                        user = Some(format!("the unit `{}` on it", unit.slug));
                        return Ok::<_, Error>(std::ops::ControlFlow::Break(()));
                    }
                    Ok(std::ops::ControlFlow::Continue(()))
                })?;
                Ok(user)
            }
            _ => Ok(None),
        }
    }

    /// What a unit is called, as `space/unit`.
    pub(super) fn reference(&mut self, unit: UnitId) -> Result<String> {
        if let Some(reference) = self.references.get(&unit) {
            return Ok(reference.clone());
        }
        let Some(found) = self.transaction.find_unit_by_id(unit)? else {
            return Ok(unit.to_string());
        };
        let space = self.transaction.space(found.space)?;
        let reference = format!("{}/{}", space.slug, found.slug);
        self.references.insert(unit, reference.clone());
        Ok(reference)
    }

    /// Every unit that was touched, or whose rows were.
    pub(super) fn touched(&self) -> Result<BTreeSet<UnitId>> {
        let mut touched = BTreeSet::new();
        for (key, stored) in &self.originals {
            let unit = match (key, stored) {
                (Key::Unit(unit), _) => Some(*unit),
                (_, Some(stored)) => unit_of(key, stored)?,
                _ => None,
            };
            touched.extend(unit);
        }
        Ok(touched)
    }
}

/// Whether two states of a record differ in a field; with no field, at all.
fn differ(key: &Key, field: &str, one: Option<&[u8]>, other: Option<&[u8]>) -> Result<bool> {
    let (Some(one), Some(other)) = (one, other) else {
        return Ok(one.map(Hash::of) != other.map(Hash::of));
    };
    if field.is_empty() {
        return Ok(one != other);
    }
    let changed = changed_field(key, one, other)?;
    Ok(changed == field || changed.starts_with(&format!("{field}.")))
}
