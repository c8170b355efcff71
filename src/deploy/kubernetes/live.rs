//! How units fare, what changed under them, and waiting until they are ready.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use futures_util::future::try_join3;
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

use crate::clock::{Clock, Timestamp};
use crate::deploy::error::Error;
use crate::deploy::inventory::AppliedObject;
use crate::deploy::kind::{Readiness, kind};
use crate::deploy::live::{Drift, LiveState, ObjectState, Phase, WaitResult, overall};
use crate::deploy::target::{Deployed, WaitOptions};

use super::answer::Failure;
use super::connect::Api;
use super::discovery::{Resource, escaped};
use super::drift::drift_of;
use super::look::{Looked, wanted};
use super::mark;
use super::request::Call;
use super::status::{Around, object_state};

/// How long units are waited for whose workloads do not say.
const DEADLINE: u64 = 600;
/// The first pause between two looks, in milliseconds.
const FIRST_PAUSE: u64 = 250;

impl Api {
    /// See [`crate::deploy::Target::live`].
    pub(super) async fn live(&self, units: &[Deployed<'_>]) -> Result<Vec<LiveState>, Error> {
        let looked = self.look_at_units(units).await?;
        self.states(units, &looked).await
    }

    /// See [`crate::deploy::Target::drift`].
    pub(super) async fn drift(&self, units: &[Deployed<'_>]) -> Result<Vec<Vec<Drift>>, Error> {
        let looked = self.look_at_units(units).await?;
        let drift = units.iter().map(|unit| {
            // What the cluster has not taken yet cannot have changed in it.
            let sent = objects(unit).filter(|object| !object.sent.is_empty());
            sent.flat_map(|object| drift_of(object, looked.get(&object.id)))
                .collect()
        });
        Ok(drift.collect())
    }

    /// Looks at all objects that units have. Not being allowed to is an error: what cannot be seen
    /// must not pass for gone.
    async fn look_at_units(&self, units: &[Deployed<'_>]) -> Result<Looked, Error> {
        let all = || {
            units
                .iter()
                .flat_map(|unit| objects(unit).map(move |object| (unit, object)))
        };
        let versions =
            all().map(|(_, object)| (object.api_version.clone(), object.id.kind.clone()));
        let types = self
            .types(versions)
            .await
            .map_err(|failure| self.failed(failure))?;
        let found = all().filter_map(|(unit, object)| {
            wanted(&types, &object.api_version, &object.id).map(|wanted| (unit, wanted))
        });
        let (units, all): (Vec<&Deployed<'_>>, Vec<_>) = found.unzip();
        let looked = self.look(&all).await?;
        for (unit, wanted) in units.iter().zip(&all) {
            looked.find(self, wanted, &unit.owner.name)?;
        }
        Ok(looked)
    }

    async fn states(
        &self,
        units: &[Deployed<'_>],
        looked: &Looked,
    ) -> Result<Vec<LiveState>, Error> {
        let now = Clock::System.now();
        let nothing = Around {
            now,
            ..Around::default()
        };
        let first =
            |object: &AppliedObject| object_state(&object.id, looked.get(&object.id), &nothing);
        let mut states: Vec<Vec<ObjectState>> = units
            .iter()
            .map(|unit| objects(unit).map(first).collect())
            .collect();
        let namespaces: BTreeSet<String> = states
            .iter()
            .flatten()
            .filter(|state| is_in_doubt(state))
            .map(|state| state.resource.namespace.clone())
            .collect();
        let mut scenes = BTreeMap::new();
        for namespace in namespaces {
            let scene = self
                .scene(&namespace)
                .await
                .map_err(|failure| self.failed(failure))?;
            scenes.insert(namespace, scene);
        }
        for state in states
            .iter_mut()
            .flatten()
            .filter(|state| is_in_doubt(state))
        {
            let live = looked.get(&state.resource);
            if let (Some(scene), Some(live)) = (scenes.get(&state.resource.namespace), live) {
                *state = object_state(&state.resource, Some(live), &scene.around(live, now));
            }
        }
        let states = units.iter().zip(states).map(|(unit, objects)| {
            let revision = unit.inventory.as_ref().map(|inventory| inventory.revision);
            self.live_state(revision, objects)
        });
        Ok(states.collect())
    }

    /// How a unit fares whose objects fare so.
    pub(super) fn live_state(&self, revision: Option<u32>, objects: Vec<ObjectState>) -> LiveState {
        let (status, reason) = overall(&objects);
        LiveState {
            target: self.describe(),
            status,
            reason,
            revision,
            objects,
        }
    }

    /// The pods of a namespace, their owners, and what was told of them. What may not be listed is
    /// left out: it explains a state, and does not make it.
    async fn scene(&self, namespace: &str) -> Result<Surroundings, Failure> {
        let list = |api_version: &str, kind: &str, plural: &str| {
            let [version, kind, plural] = [api_version, kind, plural].map(str::to_owned);
            let address = Resource::planned(version, kind, plural, true).collection(namespace);
            async move {
                match self.list(&address).await {
                    Err(failure) if failure.is_lost() => Err(failure),
                    list => Ok(list.unwrap_or_default()),
                }
            }
        };
        let events = async {
            let address = Resource::planned("v1".into(), "Event".into(), "events".into(), true)
                .collection(namespace);
            let selector = escaped("type!=Normal");
            match self
                .call(&Call::list(format!("{address}?fieldSelector={selector}")))
                .await
            {
                Err(failure) if failure.is_lost() => Err(failure),
                Err(_) => Ok(Vec::new()),
                Ok(mut list) => Ok(match list["items"].take() {
                    Value::Array(items) => items,
                    _ => Vec::new(),
                }),
            }
        };
        let (pods, sets, events) = try_join3(
            list("v1", "Pod", "pods"),
            list("apps/v1", "ReplicaSet", "replicasets"),
            events,
        )
        .await?;
        Ok(Surroundings::new(pods, &sets, events))
    }

    /// See [`crate::deploy::Target::wait`].
    pub(super) async fn wait(
        &self,
        units: &[Deployed<'_>],
        options: &WaitOptions,
        observe: &mut dyn FnMut(usize, &LiveState) -> ControlFlow<()>,
    ) -> Result<Vec<WaitResult>, Error> {
        let begun = Instant::now();
        let mut ended: Vec<Option<WaitResult>> = units.iter().map(|_| None).collect();
        let mut pause = FIRST_PAUSE;
        let mut timeouts: Option<Vec<u64>> =
            options.timeout.map(|timeout| vec![timeout; units.len()]);
        loop {
            let open: Vec<usize> = (0..units.len()).filter(|at| ended[*at].is_none()).collect();
            if open.is_empty() {
                break;
            }
            let waited = || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let asked: Vec<Deployed<'_>> = open.iter().map(|at| units[*at]).collect();
            match self.look_once(&asked).await {
                Ok((states, deadlines)) => {
                    let timeouts = timeouts.get_or_insert(deadlines);
                    for (at, state) in open.into_iter().zip(states) {
                        if observe(at, &state).is_break() {
                            return Err(Error::Stopped);
                        }
                        let timeout = timeouts.get(at).copied().unwrap_or(DEADLINE * 1_000);
                        ended[at] = WaitResult::of(state, waited(), timeout);
                    }
                }
                // A cluster that is away for a moment has not failed the units.
                Err(error @ Error::Unreachable { .. }) => {
                    let timeout = timeouts.iter().flatten().max().copied();
                    if waited() >= timeout.unwrap_or(DEADLINE * 1_000) {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
            if ended.iter().any(Option::is_none) {
                let latest = timeouts
                    .iter()
                    .flatten()
                    .max()
                    .copied()
                    .unwrap_or(DEADLINE * 1_000);
                let step = pause.min(latest.saturating_sub(waited())).max(1);
                sleep(Duration::from_millis(step)).await;
                pause = (pause * 2).min(options.poll.max(1));
            }
        }
        Ok(ended.into_iter().flatten().collect())
    }

    /// The states of units, and how long each may take.
    async fn look_once(&self, units: &[Deployed<'_>]) -> Result<(Vec<LiveState>, Vec<u64>), Error> {
        let looked = self.look_at_units(units).await?;
        let deadlines = units.iter().map(|unit| deadline(unit, &looked)).collect();
        Ok((self.states(units, &looked).await?, deadlines))
    }
}

fn objects<'a>(unit: &Deployed<'a>) -> impl Iterator<Item = &'a AppliedObject> {
    let inventory = unit.inventory.into_iter();
    inventory.flat_map(|inventory| &inventory.objects)
}

/// Whether the pods of an object have to be looked at to say why it fares as it does.
pub(super) fn is_in_doubt(state: &ObjectState) -> bool {
    let readiness = kind(&state.resource.kind).readiness;
    state.status != Phase::Running && matches!(readiness, Readiness::Pods | Readiness::Completion)
}

/// The longest that a workload of the unit says, in milliseconds.
fn deadline(unit: &Deployed<'_>, looked: &Looked) -> u64 {
    let said = objects(unit)
        .filter_map(|object| looked.get(&object.id)?["spec"]["progressDeadlineSeconds"].as_u64());
    said.max().unwrap_or(DEADLINE).saturating_mul(1_000)
}

/// What there is in a namespace to explain how its objects fare.
struct Surroundings {
    pods: Vec<Value>,
    /// The places of the pods that an object, by its uid, has in the end.
    pods_of: HashMap<String, Vec<usize>>,
    /// What was told of an object, by its uid.
    events: HashMap<String, Vec<Value>>,
}

impl Surroundings {
    fn new(pods: Vec<Value>, sets: &[Value], events: Vec<Value>) -> Self {
        let above: HashMap<&str, &str> = sets
            .iter()
            .filter_map(|set| Some((mark::metadata(set, "uid"), controller(set)?)))
            .collect();
        let mut pods_of: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, pod) in pods.iter().enumerate() {
            let set = controller(pod).unwrap_or_default();
            let top = above.get(set).copied().unwrap_or_default();
            for owner in [mark::metadata(pod, "uid"), set, top] {
                if !owner.is_empty() {
                    pods_of.entry(owner.to_owned()).or_default().push(at);
                }
            }
        }
        let mut told: HashMap<String, Vec<Value>> = HashMap::new();
        for event in events {
            if let Some(uid) = event["involvedObject"]["uid"].as_str() {
                told.entry(uid.to_owned()).or_default().push(event);
            }
        }
        Self {
            pods,
            pods_of,
            events: told,
        }
    }

    /// What there is around an object.
    fn around(&self, object: &Value, now: Timestamp) -> Around {
        let uid = mark::metadata(object, "uid");
        let places = self.pods_of.get(uid).map(Vec::as_slice).unwrap_or_default();
        let pods: Vec<Value> = places.iter().map(|at| self.pods[*at].clone()).collect();
        let uids: BTreeSet<&str> = pods
            .iter()
            .map(|pod| mark::metadata(pod, "uid"))
            .chain([uid])
            .collect();
        let events = uids.iter().filter_map(|uid| self.events.get(*uid));
        Around {
            events: events.flatten().cloned().collect(),
            pods,
            now,
        }
    }
}

/// The uid of the object that controls another one.
fn controller(object: &Value) -> Option<&str> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    let controller = owners.iter().find(|owner| owner["controller"] == true)?;
    controller["uid"].as_str()
}
