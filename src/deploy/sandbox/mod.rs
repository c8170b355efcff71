//! A cluster simulated in records: deterministic, with a clock that only waiting moves on.

mod fault;
mod image;
mod state;
mod target;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::path::Path;
use crate::yaml::ResourceId;

use super::error::Error;
use super::live::{ObjectState, Phase};
use super::object::{Object, Owner, cluster_kind, find, set};

pub use fault::Fault;
pub use state::{ClusterState, MemoryState};

use fault::{CONNECTION, never_ready_key};
use state::{CLOCK, Held, Records, Remembered, object_key, unit_key};
use workload::Pods;

/// How the sandbox is named wherever a target is: nobody may take it for a real cluster.
const NAME: &str = "the sandbox (a simulated cluster in this store)";

/// The embedded sandbox cluster. There is one a store.
///
/// ```
/// use std::sync::Arc;
/// use windlass::deploy::{ApplyOptions, MemoryState, Object, Owner, Sandbox, UnitObjects};
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

    /// Sets up a failure, or makes it happen where it happens at once.
    ///
    /// # Errors
    /// [`Error::NoObject`] when something is to happen to an object that is not there, and when
    /// the records cannot be written.
    pub fn inject(&self, fault: &Fault) -> Result<(), Error> {
        match fault {
            Fault::Drift {
                object,
                path,
                value,
                manager,
            } => return self.change(object, path, value.clone(), manager),
            Fault::Delete { object } => return self.remove(object),
            _ => {}
        }
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

    fn inventory(&self, owner: &Owner) -> Result<Option<Remembered>, Error> {
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
            pods: Vec::new(),
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
