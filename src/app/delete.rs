//! Deleting units, spaces and targets. What is live is refused, destroyed first, or left behind.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::connect::no_such_target;
use crate::app::dispatch::{Destinations, Dispatch};
use crate::app::outcome::{Outcome, Status as Done, UnitReport, plural};
use crate::app::record::target;
use crate::app::rollout::{namespace, nothing_to_do};
use crate::app::select::Selection;
use crate::app::{App, Verb};
use crate::db::{Transaction, View};
use crate::deploy::{Object, PLACEHOLDER, Target};
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::{Space, Status, Unit};

/// How many names an error or a note lists.
const MAX_NAMES: usize = 5;

/// What deleting may do beyond removing what is named and unused.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeleteOptions {
    /// Delete what is in a space with it.
    pub recursive: bool,
    /// Remove live units from their targets first.
    pub destroy: bool,
    /// Delete live units and leave their objects on the target; delete a space although variants
    /// elsewhere lose their upstream.
    pub force: bool,
}

impl App {
    /// Deletes units from the store; their history stays, and so do variants of them.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when a unit is live and no option says what becomes of its objects, or
    /// the selection moved. The failure of a unit that could not be destroyed; nothing is deleted
    /// then.
    pub fn delete_units(&self, selection: &Selection, options: DeleteOptions) -> Result<Outcome> {
        if options.destroy {
            self.destroy_live(selection)?;
        }
        let (mut outcome, op) = self.write(Verb::new("delete"), |transaction| {
            self.refuse_moved(transaction, selection)?;
            let units: Vec<UnitId> = selection.pins().iter().map(|pin| pin.unit).collect();
            let variants = variants_elsewhere(transaction, &units)?;
            let mut outcome = remove(transaction, &units, options)?;
            "delete".clone_into(&mut outcome.verb);
            outcome.notes.extend(losing(&variants));
            Ok(outcome)
        })?;
        if outcome.reports.is_empty() {
            return Err(outcome.empty().unwrap_or_else(nothing_to_do));
        }
        outcome.op = op;
        outcome.is_preview = self.is_rehearsing();
        Ok(outcome)
    }

    /// Deletes a space: empty, or with what is in it. The namespaces that applies created for it
    /// are deleted on its target.
    ///
    /// # Errors
    /// [`Kind::Conflict`], before anything is done: it is not empty, a unit in it is live, or a
    /// variant in another space would lose its upstream, and no option allows that. The failure of
    /// a unit that could not be destroyed; nothing is deleted then.
    pub fn delete_space(&self, id: SpaceId, options: DeleteOptions) -> Result<Outcome> {
        let (space, selection) = self.read(|view| {
            let space = view.space(id)?;
            let units = view.units(&view.unit_ids_in(id)?)?;
            refuse(view, &space, &units, options)?;
            Ok((space, Selection::of_units(&units)))
        })?;
        if options.destroy {
            self.destroy_live(&selection)?;
        }
        let verb = format!("space delete {}", space.slug);
        let mut made = BTreeMap::new();
        let destinations = self.destinations_of(&selection)?;
        let (mut outcome, op) = self.write_slot(Verb::new(verb.clone()), |slot| {
            let transaction = slot.transaction()?;
            let units = transaction.units(&transaction.unit_ids_in(id)?)?;
            refuse(transaction, &space, &units, options)?;
            let ids: Vec<UnitId> = units.iter().map(|unit| unit.id).collect();
            made.append(&mut namespaces(transaction, &space, &units)?);
            let variants = variants_elsewhere(transaction, &ids)?;
            let mut outcome = remove(transaction, &ids, options)?;
            for (kind, count) in transaction.contents_of(id)? {
                outcome
                    .notes
                    .push(format!("{} deleted", plural(count, kind)));
            }
            transaction.clear_space(id)?;
            transaction.delete_space(id)?;
            outcome.notes.extend(losing(&variants));
            let mut dispatch = Dispatch::Joined(slot);
            release(
                &mut dispatch,
                &made,
                &destinations,
                true,
                &mut outcome.notes,
            )?;
            Ok(outcome)
        })?;
        if !self.is_rehearsing() {
            let mut dispatch = Dispatch::Stepwise(self);
            release(
                &mut dispatch,
                &made,
                &destinations,
                false,
                &mut outcome.notes,
            )?;
        }
        outcome.verb = verb;
        outcome.op = op;
        outcome.is_preview = self.is_rehearsing();
        Ok(outcome)
    }

    /// Deletes a target that nothing deploys to.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is none of that name; [`Kind::Conflict`] when a space or a
    /// unit uses it.
    pub fn delete_target(&self, slug: &Slug) -> Result<()> {
        let verb = Verb::new(format!("target delete {slug}"));
        self.write(verb, |transaction| {
            if transaction.find_target(slug)?.is_none() {
                return Err(no_such_target(slug));
            }
            let mut users: Vec<String> = Vec::new();
            for space in transaction.spaces()? {
                if space.target.as_ref() == Some(slug) {
                    users.push(format!("space {}", space.slug));
                }
                for unit in transaction.units_in(space.id)? {
                    if unit.target.as_ref() == Some(slug) {
                        users.push(format!("unit {}/{}", space.slug, unit.slug));
                    }
                }
            }
            if users.is_empty() {
                return Ok(transaction.delete_target(slug)?);
            }
            Err(Error::new(
                Kind::Conflict,
                format!(
                    "expected target `{slug}` to be unused, found it in {}",
                    some(&users)
                ),
            ))
        })?;
        Ok(())
    }

    /// Removes the units that are live from their targets.
    fn destroy_live(&self, selection: &Selection) -> Result<()> {
        let live = self.read(|view| {
            let mut live = Selection::default();
            for pin in selection.pins() {
                if view.unit(pin.unit)?.status != Status::NoLive {
                    live.push(*pin);
                }
            }
            Ok(live)
        })?;
        if live.pins().is_empty() {
            return Ok(());
        }
        match self.destroy(&live)?.failure() {
            None => Ok(()),
            Some(error) => Err(error.context("nothing was deleted")),
        }
    }
}

/// Refuses to delete a space where an option would have to allow it.
fn refuse(view: &View, space: &Space, units: &[Unit], options: DeleteOptions) -> Result<()> {
    let slug = &space.slug;
    if !options.recursive {
        let mut found = view.contents_of(space.id)?;
        if !units.is_empty() {
            found.insert(0, ("unit", units.len()));
        }
        if !found.is_empty() {
            let found: Vec<String> = found
                .into_iter()
                .map(|(kind, count)| plural(count, kind))
                .collect();
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "expected space `{slug}` to be empty, found {}",
                    found.join(" and ")
                ),
            )
            .hint(format!(
                "windlass space delete {slug} --recursive deletes them with it"
            )));
        }
    }
    if options.force {
        return Ok(());
    }
    let live: Vec<String> = units
        .iter()
        .filter(|unit| unit.status != Status::NoLive)
        .map(|unit| format!("{slug}/{}", unit.slug))
        .collect();
    if !options.destroy && !live.is_empty() {
        return Err(Error::new(
            Kind::Conflict,
            format!(
                "expected no live unit in space `{slug}`, found {}",
                some(&live)
            ),
        )
        .hint(format!(
            "windlass space delete {slug} --recursive --destroy removes them from their target \
             first"
        )));
    }
    let ids: Vec<UnitId> = units.iter().map(|unit| unit.id).collect();
    let variants = variants_elsewhere(view, &ids)?;
    if variants.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        format!(
            "expected no variants of the units of `{slug}` elsewhere, found {}",
            some(&variants)
        ),
    )
    .hint(format!(
        "windlass space delete {slug} --recursive --force deletes it; they keep their data and \
         have no upstream any more"
    )))
}

/// Deletes units that are live nowhere, or whose objects may stay behind.
fn remove(
    transaction: &mut Transaction,
    units: &[UnitId],
    options: DeleteOptions,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for unit in transaction.units(units)? {
        let space = transaction.space(unit.space)?;
        let reference = format!("{}/{}", space.slug, unit.slug);
        let is_live = unit.status != Status::NoLive;
        if is_live && !options.force {
            return Err(still_live(&reference, unit.status));
        }
        for target in transaction.inventoried(unit.id)? {
            transaction.put_inventory(unit.id, &target, None)?;
        }
        transaction.delete_unit(unit.id)?;
        let note = if is_live {
            "deleted; its objects stay on the target, and nobody owns them"
        } else {
            "deleted"
        };
        outcome.reports.push(UnitReport {
            unit: unit.id,
            reference,
            before: unit.head,
            after: 0,
            status: Done::Changed,
            note: note.to_owned(),
            conflicts: Vec::new(),
        });
    }
    Ok(outcome)
}

fn still_live(reference: &str, status: Status) -> Error {
    Error::new(
        Kind::Conflict,
        format!("expected `{reference}` to be live nowhere, found it {status:?}"),
    )
    .hint(format!(
        "windlass unit destroy {reference} removes it from its target; unit delete --destroy does \
         both"
    ))
}

/// The units that were cloned from `units` and are not among them.
fn variants_elsewhere(view: &View, units: &[UnitId]) -> Result<Vec<String>> {
    let going: BTreeSet<UnitId> = units.iter().copied().collect();
    let mut variants = Vec::new();
    for unit in units {
        for variant in view.units(&view.by_upstream(*unit)?)? {
            if !going.contains(&variant.id) {
                let space = view.space(variant.space)?;
                variants.push(format!("{}/{}", space.slug, variant.slug));
            }
        }
    }
    Ok(variants)
}

/// What is said of variants that lose their upstream.
fn losing(variants: &[String]) -> Option<String> {
    let lose = match variants {
        [] => return None,
        [_] => "variant loses its",
        _ => "variants lose their",
    };
    Some(format!(
        "{} {lose} upstream, and keep what they hold: {}",
        variants.len(),
        some(variants)
    ))
}

/// The namespaces that applies of these units may have created, by target.
fn namespaces(
    view: &View,
    space: &Space,
    units: &[Unit],
) -> Result<BTreeMap<Slug, BTreeSet<String>>> {
    let mut found: BTreeMap<Slug, BTreeSet<String>> = BTreeMap::new();
    for unit in units {
        let Some(slug) = target(unit, space) else {
            continue;
        };
        let names = found.entry(slug.parse()?).or_default();
        names.insert(namespace(view, slug, space)?);
        let mut texts = vec![unit.data];
        if let Some(sent) = unit.last_applied.filter(|sent| *sent != unit.head) {
            texts.push(view.revision(unit.id, sent)?.data);
        }
        for text in texts {
            let objects = Object::all(&view.stream(&text)?);
            names.extend(objects.into_iter().map(|object| object.id.namespace));
        }
    }
    for names in found.values_mut() {
        names.retain(|name| !name.is_empty() && name != PLACEHOLDER);
    }
    Ok(found)
}

/// Deletes namespaces on the sandbox, or on every other target.
fn release(
    dispatch: &mut Dispatch<'_>,
    namespaces: &BTreeMap<Slug, BTreeSet<String>>,
    destinations: &Destinations,
    is_sandbox: bool,
    notes: &mut Vec<String>,
) -> Result<()> {
    for (slug, names) in namespaces {
        let destination = destinations.get(slug)?;
        if destination.is_sandbox() != is_sandbox {
            continue;
        }
        for namespace in names {
            let release = |target: &dyn Target| Ok(target.release_namespace(namespace)?);
            if dispatch.with(destination, "", release)? {
                notes.push(format!("namespace {namespace} deleted on the target"));
            }
        }
    }
    Ok(())
}

/// The first few names, and how many more there are.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>();
    let shown = shown.join(", ");
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
