//! A cluster simulated in records: deterministic, with a clock that only waiting moves on.

mod fault;
mod state;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::Status;
use crate::path::Path;
use crate::yaml::ResourceId;

use super::error::Error;
use super::live::{Drift, LiveState, ObjectState, Phase, WaitResult, overall};
use super::object::{Object, Owner, UnitObjects, cluster_kind, find, set};
use super::plan::{Action, Planned, Present, plan};
use super::validate;
use super::{Applied, ApplyOptions, Target, WaitOptions};

pub use fault::Fault;
pub use state::{ClusterState, MemoryState};

use fault::{CONNECTION, never_ready_key, refuse_key};
use state::{CLOCK, Held, Inventory, Records, object_key, unit_key};
use workload::Pods;

/// How the sandbox is named wherever a target is: nobody may take it for a real cluster.
const NAME: &str = "the sandbox (a simulated cluster in this store)";

/// The embedded sandbox cluster. There is one a store.
///
/// ```
/// use std::sync::Arc;
/// use windlass::deploy::{ApplyOptions, MemoryState, Object, Owner, Sandbox, Target, UnitObjects};
/// use windlass::deploy::WaitOptions;
/// use windlass::id::UnitId;
/// use windlass::model::Status;
/// use windlass::yaml::Stream;
///
/// let stream = Stream::parse(
///     "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: a\n    image: a:1\n",
/// )
/// .unwrap();
/// let owner = Owner { unit: UnitId(1), store: "s".into(), name: "dev/a".into() };
/// let unit = UnitObjects {
///     owner: owner.clone(),
///     revision: 1,
///     namespace: "dev".into(),
///     objects: Object::all(&stream),
/// };
/// let sandbox = Sandbox::new(Arc::new(MemoryState::default()));
/// sandbox.apply(&unit, &ApplyOptions::default()).unwrap();
/// assert_eq!(sandbox.live(&owner).unwrap().status, Status::Progressing);
/// let end = sandbox.wait(&owner, &WaitOptions::default(), &mut |_| {}).unwrap();
/// assert_eq!(end.status, Status::Ready);
/// ```
#[derive(Clone)]
pub struct Sandbox {
    state: Arc<dyn ClusterState>,
}

impl Sandbox {
    /// The sandbox whose cluster is kept in `state`.
    pub fn new(state: Arc<dyn ClusterState>) -> Self {
        Self { state }
    }

    /// The sandbox's clock: milliseconds since its cluster was made, counting only what was
    /// waited.
    ///
    /// # Errors
    /// When its records cannot be read.
    pub fn now(&self) -> Result<u64, Error> {
        self.records().now()
    }

    /// Moves the sandbox's clock on.
    ///
    /// # Errors
    /// When its records cannot be written.
    pub fn advance(&self, milliseconds: u64) -> Result<u64, Error> {
        let records = self.records();
        let now = records.now()?.saturating_add(milliseconds);
        records.put(CLOCK, &now)?;
        Ok(now)
    }

    /// Sets up a failure.
    ///
    /// # Errors
    /// When the records cannot be written.
    pub fn inject(&self, fault: &Fault) -> Result<(), Error> {
        self.records().put(&fault.key(), fault)
    }

    /// Ends a failure; nothing if it was not set up.
    ///
    /// # Errors
    /// When the records cannot be written.
    pub fn clear(&self, fault: &Fault) -> Result<(), Error> {
        self.records().delete(&fault.key())
    }

    /// The failures that are set up, sorted by sort and object.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn faults(&self) -> Result<Vec<Fault>, Error> {
        self.records().scan("fault/")
    }

    /// Changes a field of a live object, as `manager` who is not us would do it.
    ///
    /// # Errors
    /// [`Error::NoObject`] when there is no such object, or no such place in it.
    pub fn change(
        &self,
        id: &ResourceId,
        path: &Path,
        value: Value,
        manager: &str,
    ) -> Result<(), Error> {
        let (key, records) = (object_key(id), self.records());
        let missing = || Error::NoObject {
            target: NAME.to_owned(),
            object: id.full(),
        };
        let mut held: Held = records.get(&key)?.ok_or_else(missing)?;
        let mut live = held.live().clone();
        if !set(&mut live, path, value) {
            return Err(missing());
        }
        held.pods = Pods::applied(held.pods.as_ref(), &held.applied, &live, records.now()?);
        held.changed = (live != held.applied.value).then_some(live);
        held.managers.insert(path.to_string(), manager.to_owned());
        records.put(&key, &held)
    }

    /// Deletes a live object, as somebody else would do it. A namespace takes all it holds along.
    ///
    /// # Errors
    /// [`Error::NoObject`] when there is no such object.
    pub fn remove(&self, id: &ResourceId) -> Result<(), Error> {
        let (key, records) = (object_key(id), self.records());
        if records.get::<Held>(&key)?.is_none() {
            return Err(Error::NoObject {
                target: NAME.to_owned(),
                object: id.full(),
            });
        }
        if id.kind == "Namespace" {
            for held in self.inside(&id.name)? {
                records.delete(&object_key(&held.applied.id))?;
            }
        }
        records.delete(&key)
    }

    /// All objects of the cluster as they are, sorted by group, kind, namespace and name. They
    /// carry the marks of their owners: label `windlass.dev/unit`, annotations `windlass.dev/name`
    /// and `windlass.dev/store`.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn objects(&self) -> Result<Vec<Object>, Error> {
        let held: Vec<Held> = self.records().scan("object/")?;
        let objects = held.into_iter().map(|held| {
            let mut value = held.live().clone();
            if let Some(owner) = &held.owner {
                mark(&mut value, owner);
            }
            Object::new(held.applied.id, value)
        });
        Ok(objects.collect())
    }

    fn records(&self) -> Records<'_> {
        Records(&*self.state)
    }

    fn inside(&self, namespace: &str) -> Result<Vec<Held>, Error> {
        let all: Vec<Held> = self.records().scan("object/")?;
        let inside = all
            .into_iter()
            .filter(|held| held.applied.id.namespace == namespace);
        Ok(inside.collect())
    }

    fn cluster_kinds(&self) -> Result<BTreeSet<String>, Error> {
        let prefix = "object/apiextensions.k8s.io/CustomResourceDefinition/";
        let definitions: Vec<Held> = self.records().scan(prefix)?;
        Ok(definitions
            .iter()
            .filter_map(|held| cluster_kind(&held.applied))
            .collect())
    }

    fn inventory(&self, owner: &Owner) -> Result<Option<Inventory>, Error> {
        self.records().get(&unit_key(owner))
    }

    /// Counts an object that is about to be sent against a connection that will be lost.
    fn send(&self, sent: usize, total: usize) -> Result<(), Error> {
        let records = self.records();
        match records.get(CONNECTION)? {
            Some(Fault::LoseConnection { after: 0 }) => {
                records.delete(CONNECTION)?;
                Err(Error::Disconnected {
                    target: NAME.to_owned(),
                    sent,
                    total,
                })
            }
            Some(Fault::LoseConnection { after }) => {
                records.put(CONNECTION, &Fault::LoseConnection { after: after - 1 })
            }
            _ => Ok(()),
        }
    }

    /// Deletes one object of a unit.
    fn delete(&self, owner: &Owner, id: &ResourceId) -> Result<(), Error> {
        if id.kind == "Namespace" {
            let other = self.inside(&id.name)?.into_iter().find(|held| {
                held.owner
                    .as_ref()
                    .is_some_and(|other| !other.is_same(owner))
            });
            if let Some(held) = other {
                let name = held.owner.map_or_else(String::new, |owner| owner.name);
                return Err(Error::Occupied {
                    namespace: id.name.clone(),
                    object: format!("{} of {name}", held.applied.id),
                });
            }
        }
        self.remove(id)
    }

    /// Creates the namespace of an object if it is missing; its name if it was.
    fn ensure_namespace(&self, namespace: &str) -> Result<Option<String>, Error> {
        let id = namespace_id(namespace);
        let (key, records) = (object_key(&id), self.records());
        // `default` is there in every cluster.
        if namespace.is_empty() || namespace == "default" || records.get::<Held>(&key)?.is_some() {
            return Ok(None);
        }
        let value = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": { "name": namespace, "labels": { "windlass.dev/created": "true" } },
        });
        let held = Held {
            applied: Object::new(id, value),
            changed: None,
            managers: BTreeMap::new(),
            owner: None,
            pods: None,
        };
        records.put(&key, &held)?;
        Ok(Some(namespace.to_owned()))
    }

    /// Stores an object as its owner applied it, with the fields that others set and it leaves
    /// alone.
    fn put(&self, owner: &Owner, object: &Object, before: Option<Held>) -> Result<(), Error> {
        let records = self.records();
        let mut value = object.value.clone();
        let mut managers = BTreeMap::new();
        if let Some(before) = &before {
            for (path, manager) in &before.managers {
                let Ok(place) = Path::parse(path) else {
                    continue;
                };
                let foreign = find(before.live(), &place);
                if find(&object.value, &place).is_none()
                    && let Some(foreign) = foreign
                    && set(&mut value, &place, foreign.clone())
                {
                    managers.insert(path.clone(), manager.clone());
                }
            }
        }
        let pods = before.as_ref().and_then(|before| before.pods.as_ref());
        let held = Held {
            pods: Pods::applied(pods, object, &value, records.now()?),
            changed: (value != object.value).then_some(value),
            applied: object.clone(),
            managers,
            owner: Some(owner.clone()),
        };
        records.put(&object_key(&object.id), &held)
    }

    fn object_state(&self, owner: &Owner, id: &ResourceId, now: u64) -> Result<ObjectState, Error> {
        let records = self.records();
        let state = |status, reason: String| ObjectState {
            resource: id.clone(),
            status,
            reason,
            replicas: None,
            ready_replicas: None,
            updated_replicas: None,
            conditions: Vec::new(),
            hopeless: status == Phase::Failed,
        };
        let Some(held) = records.get::<Held>(&object_key(id))? else {
            return Ok(state(Phase::Failed, "not in the cluster".to_owned()));
        };
        if let Some(other) = held.owner.as_ref().filter(|other| !other.is_same(owner)) {
            return Ok(state(Phase::Failed, format!("taken over by {other}")));
        }
        if let Some(pods) = &held.pods {
            let stuck = records.get::<Fault>(&never_ready_key(id))?.is_some();
            return Ok(pods.state(id, now, stuck));
        }
        let reason = match id.kind.as_str() {
            "Namespace" => "active",
            _ => "exists",
        };
        Ok(state(Phase::Running, reason.to_owned()))
    }

    /// The longest time limit among the unit's own workloads, in milliseconds.
    fn deadline(&self, owner: &Owner) -> Result<u64, Error> {
        let mut longest = None;
        for id in self
            .inventory(owner)?
            .into_iter()
            .flat_map(|unit| unit.objects)
        {
            let held: Option<Held> = self.records().get(&object_key(&id))?;
            let pods = held.and_then(|held| held.pods);
            longest = longest.max(pods.map(|pods| pods.deadline()));
        }
        Ok(longest.unwrap_or(600_000))
    }
}

fn namespace_id(name: &str) -> ResourceId {
    ResourceId {
        kind: "Namespace".to_owned(),
        name: name.to_owned(),
        ..ResourceId::default()
    }
}

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

/// Writes on an object whose it is.
fn mark(value: &mut Value, owner: &Owner) {
    let unit = owner.unit.to_string();
    let marks = [
        ("labels", "windlass.dev/unit", unit),
        ("annotations", "windlass.dev/name", owner.name.clone()),
        ("annotations", "windlass.dev/store", owner.store.clone()),
    ];
    for (map, key, text) in marks {
        let path = Path::root().key("metadata").key(map).key(key);
        set(value, &path, text.into());
    }
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
        let now = self.now()?;
        let objects = self.state.scan("object/")?.len();
        Ok(format!(
            "{NAME} holds {objects} objects at {}.{:03} s",
            now / 1_000,
            now % 1_000
        ))
    }

    fn apply(&self, unit: &UnitObjects, options: &ApplyOptions) -> Result<Applied, Error> {
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
        };
        if options.dry_run {
            applied.objects = planned.steps;
            return Ok(applied);
        }
        // Until all went well, the unit has what it had and what it is to have.
        let objects: Vec<ResourceId> = desired.iter().map(|object| object.id.clone()).collect();
        let mut inventory = Inventory {
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

    fn destroy(&self, owner: &Owner) -> Result<Applied, Error> {
        let records = self.records();
        let mut applied = Applied {
            target: NAME.to_owned(),
            objects: Vec::new(),
            namespaces: Vec::new(),
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

    fn release_namespace(&self, namespace: &str) -> Result<bool, Error> {
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

    fn live(&self, owner: &Owner) -> Result<LiveState, Error> {
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

    fn drift(&self, owner: &Owner) -> Result<Vec<Drift>, Error> {
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

    fn wait(
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
            let hopeless = state.objects.iter().find(|object| object.hopeless);
            let end = match state.status {
                Status::Ready | Status::NoLive => Some((state.status, state.reason.clone())),
                _ => hopeless.map(|object| {
                    let reason = format!(
                        "{} will not become ready: {}",
                        object.resource, object.reason
                    );
                    (Status::Failed, reason)
                }),
            };
            let late = || {
                let seconds = timeout / 1_000;
                let reason = format!("not ready after {seconds} s: {}", state.reason);
                (Status::Failed, reason)
            };
            if let Some((status, reason)) = end.or_else(|| (waited >= timeout).then(late)) {
                return Ok(WaitResult {
                    status,
                    reason,
                    waited,
                    state,
                });
            }
            let step = options.poll.max(1).min(timeout - waited);
            self.advance(step)?;
            waited += step;
        }
    }
}

impl Sandbox {
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
