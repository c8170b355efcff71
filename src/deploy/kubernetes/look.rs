//! What a cluster has of the objects that are wanted, in as few requests as can be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::deploy::error::Error;
use crate::yaml::ResourceId;

use super::answer::{Failure, Subject};
use super::connect::Api;
use super::discovery::{Resource, Types, escaped};
use super::request::Call;

/// How many objects come with one answer.
const PAGE: usize = 500;
/// In more namespaces than this, a kind is listed for all of them at once.
const NAMESPACES: usize = 8;

/// An object that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) resource: Arc<Resource>,
    pub(super) id: ResourceId,
}

/// An object to look at, where its kind is there.
pub(super) fn wanted(types: &Types, api_version: &str, id: &ResourceId) -> Option<Wanted> {
    types.get(api_version, &id.kind).map(|resource| Wanted {
        resource: Arc::clone(resource),
        id: id.clone(),
    })
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Looked {
    objects: HashMap<String, Value>,
    /// What could not be looked at: the address of the kind in the namespace, and why.
    refused: HashMap<String, Failure>,
}

impl Looked {
    pub(super) fn get(&self, id: &ResourceId) -> Option<&Value> {
        self.objects.get(&id.full())
    }

    /// An object, which is then here no longer.
    pub(super) fn take_out(&mut self, id: &ResourceId) -> Option<Value> {
        self.objects.remove(&id.full())
    }

    /// Why an object could not be looked at, if so.
    pub(super) fn refused(&self, wanted: &Wanted) -> Option<&Failure> {
        if self.refused.is_empty() {
            return None;
        }
        self.refused
            .get(&wanted.resource.collection(&wanted.id.namespace))
    }

    /// An object, where it could be looked at.
    pub(super) fn find(
        &self,
        api: &Api,
        wanted: &Wanted,
        unit: &str,
    ) -> Result<Option<&Value>, Error> {
        match self.refused(wanted) {
            None => Ok(self.get(&wanted.id)),
            Some(failure) => Err(api.error(
                failure.clone(),
                Subject {
                    verb: "get",
                    id: &wanted.id,
                    api_version: &wanted.resource.api_version,
                    unit,
                },
            )),
        }
    }

    fn take(&mut self, answer: Answer) {
        self.objects.extend(
            answer
                .objects
                .into_iter()
                .map(|(id, value)| (id.full(), value)),
        );
        if let Some((collection, failure)) = answer.refused {
            self.refused.insert(collection, failure);
        }
    }
}

/// The objects that are wanted of one kind in one namespace.
struct Group {
    resource: Arc<Resource>,
    namespace: String,
    names: BTreeSet<String>,
}

/// What came of looking at a [`Group`].
#[derive(Default)]
struct Answer {
    objects: Vec<(ResourceId, Value)>,
    refused: Option<(String, Failure)>,
}

/// What part of a list says of itself.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
}

/// What is in it.
#[derive(Deserialize)]
struct PageItems<'a> {
    #[serde(default, borrow)]
    items: Option<Vec<&'a RawValue>>,
}

/// The items of a part of a list, read on all cores.
fn items_of(page: &[u8]) -> Result<Vec<Value>, serde_json::Error> {
    let page: PageItems = serde_json::from_slice(page)?;
    let read = |item: &&RawValue| serde_json::from_str(item.get());
    page.items
        .unwrap_or_default()
        .par_iter()
        .map(read)
        .collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PageMetadata {
    #[serde(rename = "continue")]
    next: String,
}

impl Api {
    /// Looks at objects. What may not be looked at is told apart from what is not there.
    pub(super) async fn look(&self, wanted: &[Wanted]) -> Result<Looked, Error> {
        let (groups, everywhere) = grouped(wanted);
        let mut looked = Looked::default();
        let mut narrow = groups;
        for groups in everywhere {
            match self.look_everywhere(&groups).await {
                Ok(answer) => looked.take(answer),
                Err(failure) if failure.is_forbidden() => narrow.extend(groups),
                Err(failure) => return Err(self.failed(failure)),
            }
        }
        let mut answers = stream::iter(narrow)
            .map(|group| async move { self.look_at(&group).await })
            .buffer_unordered(self.connections);
        while let Some(answer) = answers.next().await {
            looked.take(answer.map_err(|failure| self.failed(failure))?);
        }
        Ok(looked)
    }

    /// A failure that is of no single object.
    pub(super) fn failed(&self, failure: Failure) -> Error {
        let nothing = ResourceId::default();
        let about = Subject {
            verb: "get",
            id: &nothing,
            api_version: "",
            unit: "",
        };
        self.error(failure, about)
    }

    async fn look_at(&self, group: &Group) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        let collection = group.resource.collection(&group.namespace);
        let listed = match group.names.len() {
            1 => None,
            _ => match self.list(&collection).await {
                Err(failure) if failure.is_forbidden() => None,
                listed => Some(listed),
            },
        };
        match listed {
            Some(Ok(items)) => answer.objects = kept(items, group),
            Some(Err(failure)) if failure.is_not_found() => {}
            Some(Err(failure)) if failure.is_lost() => return Err(failure),
            Some(Err(failure)) => answer.refused = Some((collection, failure)),
            None => match self.get_each(group).await {
                Ok(objects) => answer.objects = objects,
                Err(failure) if failure.is_lost() => return Err(failure),
                Err(failure) => answer.refused = Some((collection, failure)),
            },
        }
        Ok(answer)
    }

    /// Gets objects one by one: where there is only one, or where they may not be listed.
    async fn get_each(&self, group: &Group) -> Result<Vec<(ResourceId, Value)>, Failure> {
        let mut objects = Vec::new();
        for name in &group.names {
            let id = group.id(name);
            if let Some(value) = self.get(&group.resource, &id).await? {
                objects.push((id, value));
            }
        }
        Ok(objects)
    }

    /// One object, if it is there.
    pub(super) async fn get(
        &self,
        resource: &Resource,
        id: &ResourceId,
    ) -> Result<Option<Value>, Failure> {
        match self.call(&Call::get(resource.object(id))).await {
            Ok(value) => Ok(Some(value)),
            Err(failure) if failure.is_not_found() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn look_everywhere(&self, groups: &[Group]) -> Result<Answer, Failure> {
        let mut answer = Answer::default();
        let Some(first) = groups.first() else {
            return Ok(answer);
        };
        let items = match self.list(&first.resource.collection("")).await {
            Err(failure) if failure.is_not_found() => return Ok(answer),
            listed => listed?,
        };
        let by_namespace: HashMap<&str, &Group> = groups
            .iter()
            .map(|group| (group.namespace.as_str(), group))
            .collect();
        for value in items {
            let namespace = super::mark::metadata(&value, "namespace");
            if let Some(group) = by_namespace.get(namespace) {
                answer.objects.extend(kept(vec![value], group));
            }
        }
        Ok(answer)
    }

    /// All objects under an address, page by page: one is read while the server makes the next.
    pub(super) async fn list(&self, address: &str) -> Result<Vec<Value>, Failure> {
        let unread = |error: serde_json::Error| Failure::Lost {
            reason: format!(
                "expected a list as the answer to {address}, found something else: {error}"
            ),
        };
        let mut pages = Vec::new();
        let mut next = String::new();
        loop {
            let mut path = format!("{address}?limit={PAGE}");
            if !next.is_empty() {
                path.push_str("&continue=");
                path.push_str(&escaped(&next));
            }
            let bytes = match self.call_bytes(&Call::list(path)).await {
                // The list is older than the server remembers: from the start again.
                Err(failure) if failure.code() == Some(410) && !next.is_empty() => {
                    pages.clear();
                    next.clear();
                    continue;
                }
                answer => answer?,
            };
            let page: Page = serde_json::from_slice(&bytes).map_err(unread)?;
            let (told, items) = oneshot::channel();
            rayon::spawn(move || {
                // Nobody waits for it where the list is made anew.
                drop(told.send(items_of(&bytes)));
            });
            pages.push(items);
            next = page.metadata.next;
            if next.is_empty() {
                break;
            }
        }
        let mut items = Vec::new();
        for page in pages {
            let read = page.await.map_err(|error| Failure::Lost {
                reason: format!("cannot read the answer to {address}: {error}"),
            })?;
            items.extend(read.map_err(unread)?);
        }
        Ok(items)
    }
}

impl Group {
    fn id(&self, name: &str) -> ResourceId {
        ResourceId {
            group: self.resource.group().to_owned(),
            kind: self.resource.kind().to_owned(),
            namespace: self.namespace.clone(),
            name: name.to_owned(),
        }
    }
}

/// Objects by kind and namespace; those kinds apart that are wanted in many namespaces.
fn grouped(wanted: &[Wanted]) -> (Vec<Group>, Vec<Vec<Group>>) {
    let mut kinds: BTreeMap<(&str, &str), BTreeMap<&str, Group>> = BTreeMap::new();
    for Wanted { resource, id } in wanted {
        let kind = kinds
            .entry((&resource.api_version, &resource.plural))
            .or_default();
        let group = kind.entry(&id.namespace).or_insert_with(|| Group {
            resource: Arc::clone(resource),
            namespace: id.namespace.clone(),
            names: BTreeSet::new(),
        });
        group.names.insert(id.name.clone());
    }
    let (mut narrow, mut everywhere) = (Vec::new(), Vec::new());
    for groups in kinds.into_values() {
        let groups: Vec<Group> = groups.into_values().collect();
        if groups.len() > NAMESPACES {
            everywhere.push(groups);
        } else {
            narrow.extend(groups);
        }
    }
    (narrow, everywhere)
}

/// The objects of a list that are wanted; a list does not say of what kind each is.
fn kept(items: Vec<Value>, group: &Group) -> Vec<(ResourceId, Value)> {
    let kept = items.into_iter().filter_map(|mut value| {
        let name = super::mark::metadata(&value, "name");
        if !group.names.contains(name) {
            return None;
        }
        let id = group.id(name);
        let map = value.as_object_mut()?;
        map.insert(
            "apiVersion".to_owned(),
            group.resource.api_version.as_str().into(),
        );
        map.insert("kind".to_owned(), id.kind.as_str().into());
        Some((id, value))
    });
    kept.collect()
}
