//! What applying units would do, from one look at the cluster.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};
use serde_json::Value;

use crate::clock::Clock;
use crate::deploy::error::Error;
use crate::deploy::inventory::{AppliedObject, Inventory};
use crate::deploy::kind::Rank;
use crate::deploy::object::{Object, Owner, UnitObjects};
use crate::deploy::plan::Action;
use crate::deploy::target::{ApplyOptions, ObjectPlan, UnitPlan};
use crate::yaml::ResourceId;

use super::answer::Subject;
use super::autoscale::{self, Autoscaled};
use super::connect::Api;
use super::definition::Defined;
use super::discovery::Types;
use super::fields;
use super::live::is_in_doubt;
use super::look::{Looked, Wanted};
use super::mark::{self, Holder};
use super::need::{Units, namespace_id, own_namespaces, versions, wanted};
use super::status::{Around, object_state};

/// What is known of the cluster while a batch is planned.
struct Scene<'a> {
    api: &'a Api,
    types: Types,
    looked: Looked,
    autoscaled: Autoscaled,
    /// The namespaces that are objects of the batch.
    own_namespaces: BTreeSet<String>,
    /// The unit of the batch that wants each object.
    wanted_by: HashMap<String, &'a str>,
    options: &'a ApplyOptions,
    /// The time of the look, for how objects fare.
    around: Around,
}

impl Api {
    /// See [`crate::deploy::Target::plan`].
    pub(super) async fn plan(
        &self,
        units: &Units<'_>,
        options: &ApplyOptions,
    ) -> Result<Vec<Result<UnitPlan, Error>>, Error> {
        let defined = Defined::of(units.iter().flat_map(|(unit, _)| &unit.objects));
        let types = self
            .types(versions(units))
            .await
            .map_err(|failure| self.failed(failure))?;
        let mut cluster_kinds = types.cluster_kinds();
        cluster_kinds.extend(defined.cluster_kinds());
        let placed: Vec<Result<Vec<Object>, Error>> = units
            .par_iter()
            .map(|(unit, _)| {
                let objects = unit.placed(&cluster_kinds)?;
                objects
                    .iter()
                    .try_for_each(|object| self.check_known(object, unit, &types, &defined))?;
                Ok(objects)
            })
            .collect();
        let looked = self.look(&wanted(units, &placed, &types)).await?;
        let mut scene = Scene {
            api: self,
            types,
            looked,
            autoscaled: Autoscaled::default(),
            own_namespaces: own_namespaces(units),
            wanted_by: HashMap::new(),
            options,
            around: Around {
                now: Clock::System.now(),
                ..Around::default()
            },
        };
        scene.find_autoscaled(&placed).await?;
        let plans = units
            .iter()
            .zip(placed)
            .map(|((unit, inventory), objects)| {
                let objects = objects?;
                scene.claim(unit, &objects)?;
                Ok((*unit, *inventory, objects))
            });
        let claimed: Vec<Result<_, Error>> = plans.collect();
        let plans = claimed.into_par_iter().map(|claimed| {
            let (unit, inventory, objects) = claimed?;
            scene.plan_unit(unit, inventory, objects)
        });
        let mut plans: Vec<Result<UnitPlan, Error>> = plans.collect();
        if options.dry_run {
            let planned = plans.iter_mut().flatten();
            for step in planned.flat_map(|plan| &mut plan.steps) {
                if matches!(step.action, Action::Update | Action::Delete) {
                    step.live = scene.looked.take_out(&step.resource);
                }
            }
        }
        Ok(plans)
    }

    /// Refuses an object that cannot be asked for.
    fn check_known(
        &self,
        object: &Object,
        unit: &UnitObjects,
        types: &Types,
        defined: &Defined,
    ) -> Result<(), Error> {
        let (version, kind) = (object.api_version.as_str(), object.id.kind.as_str());
        if types.get(version, kind).is_none() && defined.get(version, kind).is_none() {
            return Err(self.unknown_kind(Subject {
                verb: "get",
                id: &object.id,
                api_version: version,
                unit: &unit.owner.name,
            }));
        }
        if object.id.name.is_empty() {
            return Err(Error::Invalid {
                target: self.describe(),
                object: format!("{} of {}", object.id, unit.owner.name),
                path: "metadata.name".to_owned(),
                expected: "a name".to_owned(),
                found: "none".to_owned(),
            });
        }
        Ok(())
    }
}

impl<'a> Scene<'a> {
    /// Finds out which workloads autoscalers scale, where it matters.
    async fn find_autoscaled(
        &mut self,
        placed: &[Result<Vec<Object>, Error>],
    ) -> Result<(), Error> {
        let objects = || placed.iter().flatten().flatten();
        let in_doubt: BTreeSet<&str> = objects()
            .filter(|object| {
                let live = self.looked.get(&object.id);
                live.is_some_and(|live| autoscale::is_in_doubt(&object.value, live))
            })
            .map(|object| object.id.namespace.as_str())
            .collect();
        if in_doubt.is_empty() {
            return Ok(());
        }
        let found = self.api.autoscaled(&in_doubt).await;
        self.autoscaled = found.map_err(|failure| self.api.failed(failure))?;
        self.autoscaled.extend(objects());
        Ok(())
    }

    /// Refuses an object that another unit of the batch has as well.
    fn claim(&mut self, unit: &'a UnitObjects, objects: &[Object]) -> Result<(), Error> {
        for object in objects {
            if let Some(other) = self.wanted_by.insert(object.id.full(), &unit.owner.name) {
                self.wanted_by.insert(object.id.full(), other);
                return Err(owned(&object.id, unit, other.to_owned()));
            }
        }
        Ok(())
    }

    fn plan_unit(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
        objects: Vec<Object>,
    ) -> Result<UnitPlan, Error> {
        let had: HashMap<String, &AppliedObject> = inventory
            .iter()
            .flat_map(|inventory| &inventory.objects)
            .map(|object| (object.id.full(), object))
            .collect();
        let mut pending = Inventory {
            revision: unit.revision,
            objects: Vec::new(),
        };
        let (mut steps, mut seen) = (Vec::new(), Vec::new());
        let mut desired = HashSet::new();
        for object in objects {
            let key = object.id.full();
            let before = had.get(&key).copied();
            pending.objects.push(before.cloned().unwrap_or_else(|| {
                AppliedObject::expected(object.id.clone(), object.api_version.clone())
            }));
            desired.insert(key);
            let step = self.plan_object(unit, object, before)?;
            if step.action == Action::Keep {
                seen.push(object_state(
                    &step.resource,
                    self.looked.get(&step.resource),
                    &self.around,
                ));
            }
            steps.push(step);
        }
        let gone = inventory.iter().flat_map(|inventory| &inventory.objects);
        let gone = gone.filter(|object| !desired.contains(&object.id.full()));
        pending.objects.extend(gone.clone().cloned());
        steps.extend(self.deletions(unit, gone)?);
        let mut plan = UnitPlan {
            steps,
            pending,
            live: None,
            seen,
        };
        if !plan.is_change() {
            let seen = std::mem::take(&mut plan.seen);
            // Only its pods say why a workload is not ready, and they were not looked at.
            let is_known = !seen.iter().any(is_in_doubt);
            plan.live = is_known.then(|| self.api.live_state(Some(unit.revision), seen));
        }
        Ok(plan)
    }

    fn plan_object(
        &self,
        unit: &UnitObjects,
        object: Object,
        before: Option<&AppliedObject>,
    ) -> Result<ObjectPlan, Error> {
        let owner = &unit.owner;
        let live = self.find(&object.api_version, &object.id, owner)?;
        let value = mark::marked(object.value, owner);
        let Some(live) = live else {
            self.check_namespace(unit, &object.id)?;
            return Ok(ObjectPlan {
                resource: object.id,
                action: Action::Create,
                value: Some(value),
                live: None,
            });
        };
        let holder = Holder::of(live, owner);
        let is_ours = holder == Holder::Ours;
        self.check_holder(unit, &object.id, holder, live, before)?;
        let is_autoscaled = self.autoscaled.contains(&object.id);
        let action = if is_ours
            && !mark::is_going(live)
            && before.is_some_and(|before| is_as_sent(before, &value, live, is_autoscaled))
        {
            Action::Keep
        } else {
            self.check_namespace(unit, &object.id)?;
            Action::Update
        };
        let value = if is_autoscaled && autoscale::replicas(&value).is_some() {
            autoscale::yield_replicas(value, live)
        } else {
            value
        };
        Ok(ObjectPlan {
            resource: object.id,
            action,
            value: Some(value),
            live: None,
        })
    }

    fn find(
        &self,
        api_version: &str,
        id: &ResourceId,
        owner: &Owner,
    ) -> Result<Option<&Value>, Error> {
        let Some(resource) = self.types.get(api_version, &id.kind) else {
            return Ok(None);
        };
        let wanted = Wanted {
            resource: Arc::clone(resource),
            id: id.clone(),
        };
        self.looked.find(self.api, &wanted, &owner.name)
    }

    /// Refuses an object whose namespace is being deleted, unless the batch makes it anew.
    fn check_namespace(&self, unit: &UnitObjects, id: &ResourceId) -> Result<(), Error> {
        let namespace = &id.namespace;
        if namespace.is_empty() || self.own_namespaces.contains(namespace) {
            return Ok(());
        }
        match self.looked.get(&namespace_id(namespace)) {
            Some(found) if mark::is_going(found) => Err(Error::Terminating {
                target: self.api.describe(),
                namespace: namespace.clone(),
                unit: unit.owner.name.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Refuses an object that is somebody else's.
    fn check_holder(
        &self,
        unit: &UnitObjects,
        id: &ResourceId,
        holder: Holder,
        live: &Value,
        before: Option<&AppliedObject>,
    ) -> Result<(), Error> {
        if self.options.takeover {
            return Ok(());
        }
        match holder {
            Holder::Ours => Ok(()),
            Holder::Other(other) => Err(owned(id, unit, other)),
            Holder::Nobody(managers) => {
                let is_namespace = id.group.is_empty() && id.kind == "Namespace";
                // Our mark may have been taken away by hand; the fields are still ours.
                let was_sent = before.is_some_and(|before| !before.sent.is_empty());
                let is_known = was_sent && fields::owned(live).is_some();
                if is_namespace || is_known || mark::is_only_ours(&managers) {
                    return Ok(());
                }
                let by = if managers.is_empty() {
                    "nobody".to_owned()
                } else {
                    managers.join(", ")
                };
                Err(owned(id, unit, format!("{by} (not made by Windlass)")))
            }
        }
    }

    /// What the unit had and holds no longer, the last applied first. What has another mark by now
    /// is somebody else's.
    fn deletions<'b>(
        &self,
        unit: &UnitObjects,
        gone: impl Iterator<Item = &'b AppliedObject>,
    ) -> Result<Vec<ObjectPlan>, Error> {
        let mut steps = Vec::new();
        for object in gone {
            if self.wanted_by.contains_key(&object.id.full()) {
                continue;
            }
            let live = self.find(&object.api_version, &object.id, &unit.owner)?;
            if live.is_some_and(|live| Holder::of(live, &unit.owner) == Holder::Ours) {
                steps.push(ObjectPlan {
                    resource: object.id.clone(),
                    action: Action::Delete,
                    value: None,
                    live: None,
                });
            }
        }
        steps.reverse();
        steps.sort_by_key(|step| Reverse(Rank::of(&step.resource.kind)));
        Ok(steps)
    }
}

fn owned(id: &ResourceId, unit: &UnitObjects, owner: String) -> Error {
    Error::Owned {
        object: id.to_string(),
        unit: unit.owner.name.clone(),
        owner,
    }
}

/// Whether sending an object again would change nothing: it is what was sent last, and the cluster
/// has what it answered then.
fn is_as_sent(before: &AppliedObject, value: &Value, live: &Value, is_autoscaled: bool) -> bool {
    if before.sent != mark::hash(value) {
        return false;
    }
    if !is_autoscaled {
        // The number of pods was left to an autoscaler that is gone.
        let is_left_out =
            autoscale::replicas(value).is_some() && !autoscale::has_replicas(&before.fields);
        return !is_left_out && fields::matches(&before.fields, &before.applied, live);
    }
    let owned = autoscale::without_replicas(&before.fields, "f:replicas");
    let applied = autoscale::without_replicas(&before.applied, "replicas");
    fields::matches(&owned, &applied, live)
}
