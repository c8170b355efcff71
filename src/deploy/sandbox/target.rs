//! What the sandbox does as a target.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::deploy::error::Error;
use crate::deploy::image::Image;
use crate::deploy::inventory::Inventory;
use crate::deploy::live::{Drift, LiveState, WaitResult, overall};
use crate::deploy::object::{Object, Owner, UnitObjects, find};
use crate::deploy::plan::{Action, Planned, Present, plan};
use crate::deploy::target::{
    Applied, ApplyOptions, Deployed, Identity, ObjectPlan, ObjectPreview, Sent, TakenObject,
    Takeover, Target, UnitPlan, WaitOptions,
};
use crate::deploy::validate;
use crate::path::Path;
use crate::yaml::ResourceId;

use super::fault::refuse_key;
use super::state::{Held, Remembered, object_key, unit_key};
use super::{Fault, NAME, Sandbox, namespace_id};

/// Refuses an apply that would overwrite what somebody else set.
fn check_managers(object: &Object, held: &Held, options: &ApplyOptions) -> Result<(), Error> {
    for (path, manager) in &held.managers {
        let Ok(place) = Path::parse(path) else {
            continue;
        };
        let (Some(desired), live) = (find(&object.value, &place), find(held.live(), &place)) else {
            continue;
        };
        let forced = options
            .force
            .iter()
            .any(|(id, path)| *id == object.id && place.starts_with(path));
        if live != Some(desired) && !forced {
            return Err(Error::Drifted {
                object: object.id.to_string(),
                path: place,
                live: live.map_or_else(|| "nothing".into(), |live| live.to_string().into()),
                manager: manager.as_str().into(),
                desired: desired.to_string().into(),
            });
        }
    }
    Ok(())
}

fn refused(object: &Object, fault: validate::Fault) -> Error {
    Error::Invalid {
        target: NAME.to_owned(),
        object: object.id.to_string(),
        path: fault.path,
        expected: fault.expected,
        found: fault.found,
    }
}

impl Target for Sandbox {
    fn kind(&self) -> &'static str {
        "sandbox"
    }

    fn describe(&self) -> String {
        NAME.to_owned()
    }

    fn probe(&self) -> Result<String, Error> {
        self.probe()
    }

    fn identity(&self) -> Result<Identity, Error> {
        Ok(Identity {
            server: NAME.to_owned(),
            cluster: "sandbox".to_owned(),
        })
    }

    fn plan(
        &self,
        units: &[(&UnitObjects, Option<&Inventory>)],
        options: &ApplyOptions,
    ) -> Result<Vec<Result<UnitPlan, Error>>, Error> {
        let options = ApplyOptions {
            dry_run: true,
            ..options.clone()
        };
        let plans = units.iter().map(|(unit, _)| {
            let planned = self.apply(unit, &options)?;
            let desired = unit.placed(&self.cluster_kinds()?)?;
            let value = |id: &ResourceId| {
                let found = desired.iter().find(|object| object.id == *id);
                found.map(|object| object.value.clone())
            };
            let steps = planned.objects.into_iter().map(|step| ObjectPlan {
                value: value(&step.resource),
                live: None,
                resource: step.resource,
                action: step.action,
            });
            Ok(UnitPlan {
                steps: steps.collect(),
                ..UnitPlan::default()
            })
        });
        Ok(plans.collect())
    }

    fn preview(
        &self,
        units: &[(&UnitObjects, &UnitPlan)],
        _: &ApplyOptions,
    ) -> Result<Vec<Result<Vec<ObjectPreview>, Error>>, Error> {
        let of_step = |step: &ObjectPlan| {
            let held = self.records().get::<Held>(&object_key(&step.resource))?;
            Ok(ObjectPreview {
                resource: step.resource.clone(),
                action: step.action,
                before: held.map(|held| held.live().clone()),
                after: step.value.clone(),
                unchecked: None,
            })
        };
        Ok(units
            .iter()
            .map(|(_, plan)| plan.steps.iter().map(of_step).collect())
            .collect())
    }

    fn send(&self, units: &[(&UnitObjects, &UnitPlan)], options: &ApplyOptions) -> Vec<Sent> {
        one_by_one(units, |(unit, _)| self.apply(unit, options))
    }

    fn destroy(&self, units: &[Deployed<'_>]) -> Vec<Sent> {
        one_by_one(units, |unit| self.destroy(unit.owner))
    }

    fn release_namespace(&self, namespace: &str) -> Result<bool, Error> {
        self.release_namespace(namespace)
    }

    fn takeover(
        &self,
        unit: &UnitObjects,
        _: Option<&Inventory>,
        from: &[String],
        dry_run: bool,
    ) -> Result<Takeover, Error> {
        self.take_over(unit, from, dry_run)
    }

    fn capture(&self, unit: &UnitObjects, _: Option<&Inventory>) -> Result<Image, Error> {
        self.capture_unit(unit)
    }

    fn put_back(&self, owner: &Owner, image: &Image) -> Result<Option<Inventory>, Error> {
        self.put_back_unit(owner, image).map(|()| None)
    }

    fn live(&self, units: &[Deployed<'_>]) -> Result<Vec<LiveState>, Error> {
        units.iter().map(|unit| self.live(unit.owner)).collect()
    }

    fn drift(&self, units: &[Deployed<'_>]) -> Result<Vec<Vec<Drift>>, Error> {
        units.iter().map(|unit| self.drift(unit.owner)).collect()
    }

    fn wait(
        &self,
        units: &[Deployed<'_>],
        options: &WaitOptions,
        observe: &mut dyn FnMut(usize, &LiveState) -> ControlFlow<()>,
    ) -> Result<Vec<WaitResult>, Error> {
        let waits = units.iter().enumerate();
        waits
            .map(|(at, unit)| {
                // Nothing sleeps here, so that there is nothing to break off.
                self.wait(unit.owner, options, &mut |state| {
                    let _: ControlFlow<()> = observe(at, state);
                })
            })
            .collect()
    }
}

/// Does units one after the other until one fails.
fn one_by_one<U>(units: &[U], work: impl Fn(&U) -> Result<Applied, Error>) -> Vec<Sent> {
    let mut has_failed = false;
    let done = units.iter().map(|unit| {
        if has_failed {
            return Sent::NotSent;
        }
        match work(unit) {
            Ok(applied) => Sent::Done(applied),
            Err(error) => {
                has_failed = true;
                Sent::Failed {
                    error: Box::new(error),
                    inventory: None,
                }
            }
        }
    });
    done.collect()
}

impl Sandbox {
    /// What there is, in words.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn probe(&self) -> Result<String, Error> {
        let now = self.now()?;
        let objects = self.state.scan("object/")?.len();
        Ok(format!(
            "{NAME} holds {objects} objects at {}.{:03} s",
            now / 1_000,
            now % 1_000
        ))
    }

    /// Makes the objects of a unit true: creates, changes, and deletes what the unit held when it
    /// was applied before and holds no longer.
    ///
    /// # Errors
    /// Before anything is sent: an object is invalid, is another unit's, or was changed by somebody
    /// else. While sending: a failure that was set up; what was sent stays.
    pub fn apply(&self, unit: &UnitObjects, options: &ApplyOptions) -> Result<Applied, Error> {
        let records = self.records();
        let owner = &unit.owner;
        let desired = unit.placed(&self.cluster_kinds()?)?;
        let before = self
            .inventory(owner)?
            .map_or_else(Vec::new, |unit| unit.objects);
        let mut held: BTreeMap<String, Held> = BTreeMap::new();
        for id in desired.iter().map(|object| &object.id).chain(&before) {
            if let Some(found) = records.get(&object_key(id))? {
                held.insert(id.full(), found);
            }
        }
        for object in &desired {
            validate::validate(object).map_err(|fault| refused(object, fault))?;
            if let Some(found) = held.get(&object.id.full()) {
                validate::validate_update(&found.applied, object)
                    .map_err(|fault| refused(object, fault))?;
                check_managers(object, found, options)?;
            }
        }
        let present: BTreeMap<String, Present> = held
            .iter()
            .map(|(key, held)| {
                let present = Present {
                    applied: held.applied.clone(),
                    owner: held.owner.clone(),
                    drifted: held.changed.is_some(),
                };
                (key.clone(), present)
            })
            .collect();
        let planned = plan(owner, &desired, &present, &before, options.takeover)?;
        let mut applied = Applied {
            target: NAME.to_owned(),
            objects: Vec::new(),
            namespaces: Vec::new(),
            inventory: None,
            live: None,
        };
        if options.dry_run {
            applied.objects = planned.steps;
            return Ok(applied);
        }
        // Until all went well, the unit has what it had and what it is to have.
        let objects: Vec<ResourceId> = desired.iter().map(|object| object.id.clone()).collect();
        let mut inventory = Remembered {
            revision: unit.revision,
            objects: objects.clone(),
        };
        inventory
            .objects
            .extend(before.into_iter().filter(|id| !objects.contains(id)));
        records.put(&unit_key(owner), &inventory)?;
        let total = planned.steps.len();
        for (sent, step) in planned.steps.into_iter().enumerate() {
            if step.action != Action::Keep {
                self.send(sent, total)?;
            }
            self.step(owner, &desired, &step, &mut held, &mut applied)?;
            applied.objects.push(step);
        }
        inventory.objects = objects;
        records.put(&unit_key(owner), &inventory)?;
        Ok(applied)
    }

    /// Deletes the objects of a unit, the last applied first.
    ///
    /// # Errors
    /// When a namespace of the unit holds objects of others, or the connection is lost.
    pub fn destroy(&self, owner: &Owner) -> Result<Applied, Error> {
        let records = self.records();
        let mut applied = Applied {
            target: NAME.to_owned(),
            objects: Vec::new(),
            namespaces: Vec::new(),
            inventory: None,
            live: None,
        };
        let Some(mut inventory) = self.inventory(owner)? else {
            return Ok(applied);
        };
        let total = inventory.objects.len();
        while let Some(id) = inventory.objects.last().cloned() {
            self.send(applied.objects.len(), total)?;
            let held: Option<Held> = records.get(&object_key(&id))?;
            let mine = held
                .and_then(|held| held.owner)
                .is_some_and(|other| other.is_same(owner));
            if mine {
                self.delete(owner, &id)?;
                applied.objects.push(Planned {
                    resource: id,
                    action: Action::Delete,
                });
            }
            inventory.objects.pop();
            records.put(&unit_key(owner), &inventory)?;
        }
        records.delete(&unit_key(owner))?;
        Ok(applied)
    }

    /// See [`Target::release_namespace`].
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn release_namespace(&self, namespace: &str) -> Result<bool, Error> {
        let (key, records) = (object_key(&namespace_id(namespace)), self.records());
        let created = records
            .get::<Held>(&key)?
            .is_some_and(|held| held.owner.is_none());
        if !created || !self.inside(namespace)?.is_empty() {
            return Ok(false);
        }
        records.delete(&key)?;
        Ok(true)
    }

    /// How the objects of a unit fare now.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn live(&self, owner: &Owner) -> Result<LiveState, Error> {
        let now = self.now()?;
        let inventory = self.inventory(owner)?;
        let mut objects = Vec::new();
        for id in inventory.iter().flat_map(|unit| &unit.objects) {
            objects.push(self.object_state(owner, id, now)?);
        }
        let (status, reason) = overall(&objects);
        Ok(LiveState {
            target: NAME.to_owned(),
            status,
            reason,
            revision: inventory.map(|unit| unit.revision),
            objects,
        })
    }

    /// Which fields of a unit's objects are no longer what was applied.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn drift(&self, owner: &Owner) -> Result<Vec<Drift>, Error> {
        let mut drift = Vec::new();
        for id in self
            .inventory(owner)?
            .into_iter()
            .flat_map(|unit| unit.objects)
        {
            let Some(held) = self.records().get::<Held>(&object_key(&id))? else {
                drift.push(Drift {
                    resource: id,
                    path: Path::root(),
                    applied: None,
                    live: None,
                });
                continue;
            };
            for path in held.managers.keys() {
                let Ok(path) = Path::parse(path) else {
                    continue;
                };
                let applied = find(&held.applied.value, &path).cloned();
                let live = find(held.live(), &path).cloned();
                if applied != live {
                    drift.push(Drift {
                        resource: id.clone(),
                        path,
                        applied,
                        live,
                    });
                }
            }
        }
        Ok(drift)
    }

    /// Waits until a unit is ready; see [`Target::wait`].
    ///
    /// # Errors
    /// When the records cannot be written. Not becoming ready is a result, not an error.
    pub fn wait(
        &self,
        owner: &Owner,
        options: &WaitOptions,
        observe: &mut dyn FnMut(&LiveState),
    ) -> Result<WaitResult, Error> {
        let timeout = match options.timeout {
            Some(timeout) => timeout,
            None => self.deadline(owner)?,
        };
        let mut waited = 0;
        loop {
            let state = self.live(owner)?;
            observe(&state);
            if let Some(end) = WaitResult::of(state, waited, timeout) {
                return Ok(end);
            }
            let step = options.poll.max(1).min(timeout - waited);
            self.advance(step)?;
            waited += step;
        }
    }
}

impl Sandbox {
    /// See [`Target::takeover`].
    fn take_over(
        &self,
        unit: &UnitObjects,
        from: &[String],
        dry_run: bool,
    ) -> Result<Takeover, Error> {
        let records = self.records();
        let desired = unit.placed(&self.cluster_kinds()?)?;
        let mut held = Vec::with_capacity(desired.len());
        for object in &desired {
            let found: Held =
                records
                    .get(&object_key(&object.id))?
                    .ok_or_else(|| Error::NoObject {
                        target: NAME.to_owned(),
                        object: object.id.to_string(),
                    })?;
            if let Some(other) = found
                .owner
                .as_ref()
                .filter(|other| !other.is_same(&unit.owner))
                && !from.contains(&format!("unit:{}", other.name))
                && !from.contains(&format!("store:{}", other.store))
            {
                return Err(Error::Owned {
                    object: object.id.to_string(),
                    unit: unit.owner.name.clone(),
                    owner: other.name.clone(),
                });
            }
            held.push(found);
        }
        let mut objects = Vec::with_capacity(desired.len());
        for (object, mut held) in desired.iter().zip(held) {
            let all = held.managers.values();
            let managers: Vec<String> = all.filter(|by| from.contains(by)).cloned().collect();
            held.managers.retain(|_, by| !from.contains(by));
            held.owner = Some(unit.owner.clone());
            if !dry_run {
                records.put(&object_key(&object.id), &held)?;
            }
            objects.push(TakenObject {
                resource: object.id.clone(),
                managers,
                extra: Vec::new(),
            });
        }
        if !dry_run {
            let inventory = Remembered {
                revision: unit.revision,
                objects: desired.into_iter().map(|object| object.id).collect(),
            };
            records.put(&unit_key(&unit.owner), &inventory)?;
        }
        Ok(Takeover {
            objects,
            inventory: None,
        })
    }

    /// Does one step of a plan.
    fn step(
        &self,
        owner: &Owner,
        desired: &[Object],
        step: &Planned,
        held: &mut BTreeMap<String, Held>,
        applied: &mut Applied,
    ) -> Result<(), Error> {
        let refusal = self.records().get(&refuse_key(&step.resource))?;
        if let Some(Fault::Refuse { reason, .. }) = refusal
            && step.action != Action::Keep
        {
            return Err(Error::Refused {
                target: NAME.to_owned(),
                object: step.resource.to_string(),
                sent: applied.objects.len(),
                reason,
            });
        }
        match step.action {
            Action::Keep => Ok(()),
            Action::Delete => self.delete(owner, &step.resource),
            Action::Create | Action::Update => {
                let wanted = desired.iter().find(|object| object.id == step.resource);
                let object = wanted.expect("a plan creates and updates only what is desired");
                applied
                    .namespaces
                    .extend(self.ensure_namespace(&object.id.namespace)?);
                self.put(owner, object, held.remove(&object.id.full()))
            }
        }
    }
}
