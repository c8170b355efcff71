//! Which kinds a cluster has, and where they are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::Value;

use crate::deploy::error::Error;
use crate::yaml::ResourceId;

use super::answer::Failure;
use super::connect::Api;
use super::request::Call;

/// Where a kind is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Resource {
    /// Its name in addresses: `deployments`.
    #[serde(rename = "name")]
    pub(super) plural: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    #[serde(default)]
    pub(super) verbs: Vec<String>,
    /// The version of the API that was asked, with the group.
    #[serde(skip)]
    pub(super) api_version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    resources: Vec<Resource>,
}

type Kinds = Arc<BTreeMap<String, Arc<Resource>>>;

/// What has been asked already, by the version of the API.
#[derive(Default)]
pub(super) struct Discovered(Mutex<BTreeMap<String, Kinds>>);

impl Discovered {
    fn get(&self, api_version: &str) -> Option<Kinds> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(api_version).cloned()
    }

    fn set(&self, api_version: &str, kinds: Kinds) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(api_version.to_owned(), kinds);
    }
}

/// The kinds of a cluster that a piece of work has to do with, by version of the API and kind.
#[derive(Debug, Default, Clone)]
pub(super) struct Types(BTreeMap<(String, String), Arc<Resource>>);

impl Types {
    pub(super) fn get(&self, api_version: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.0.get(&(api_version.to_owned(), kind.to_owned()))
    }

    /// The kinds that have no namespace, as `group/Kind`.
    pub(super) fn cluster_kinds(&self) -> BTreeSet<String> {
        let kinds = self.0.values().filter(|resource| !resource.namespaced);
        kinds.map(|resource| resource.group_kind()).collect()
    }
}

impl Api {
    /// Finds out about kinds, each given as version of the API and kind. Those that the cluster
    /// does not have are left out.
    pub(super) async fn types(
        &self,
        wanted: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Types, Failure> {
        let mut by_version: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (api_version, kind) in wanted {
            by_version.entry(api_version).or_default().insert(kind);
        }
        let each = by_version.iter().map(|(api_version, kinds)| async {
            let all = self.kinds(api_version, kinds).await?;
            let found = kinds.iter().filter_map(|kind| {
                let key = (api_version.clone(), kind.clone());
                all.get(kind).map(|resource| (key, Arc::clone(resource)))
            });
            Ok(found.collect::<Vec<_>>())
        });
        let mut types = Types::default();
        for found in join_all(each).await {
            types.0.extend(found?);
        }
        Ok(types)
    }

    /// All kinds of one version of the API.
    pub(super) async fn all_of(&self, api_version: &str) -> Result<Vec<Resource>, Failure> {
        let kinds = self.kinds(api_version, &BTreeSet::new()).await?;
        Ok(kinds
            .values()
            .map(|resource| resource.as_ref().clone())
            .collect())
    }

    /// A kind in the version that the cluster prefers.
    pub(super) async fn any_version(&self, id: &ResourceId) -> Result<Option<Resource>, Error> {
        let version = if id.group.is_empty() {
            "v1".to_owned()
        } else {
            let group = Call::get(format!("/apis/{}", escaped(&id.group)));
            match self.call(&group).await {
                Ok(group) => group["preferredVersion"]["groupVersion"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                Err(failure) if failure.is_not_found() => return Ok(None),
                Err(failure) => return Err(self.failed(failure)),
            }
        };
        let types = self.types([(version.clone(), id.kind.clone())]).await;
        let types = types.map_err(|failure| self.failed(failure))?;
        Ok(types
            .get(&version, &id.kind)
            .map(|resource| resource.as_ref().clone()))
    }

    /// The kinds of one version of the API; asked for anew when one that is wanted is not known,
    /// since its definition may just have come.
    async fn kinds(&self, api_version: &str, wanted: &BTreeSet<String>) -> Result<Kinds, Failure> {
        if let Some(held) = self.discovered.get(api_version)
            && wanted.iter().all(|kind| held.contains_key(kind))
        {
            return Ok(held);
        }
        let found = match self.call(&Call::get(base(api_version))).await {
            Ok(answer) => read(api_version, answer),
            Err(failure) if failure.is_not_found() => BTreeMap::new(),
            Err(failure) => return Err(failure),
        };
        let found = Arc::new(found);
        self.discovered.set(api_version, Arc::clone(&found));
        Ok(found)
    }
}

fn read(api_version: &str, answer: Value) -> BTreeMap<String, Arc<Resource>> {
    let list = serde_json::from_value(answer).unwrap_or(ResourceList {
        resources: Vec::new(),
    });
    let named = list
        .resources
        .into_iter()
        .filter(|resource| !resource.plural.contains('/'))
        .map(|resource| {
            let resource = Resource {
                api_version: api_version.to_owned(),
                ..resource
            };
            (resource.kind.clone(), Arc::new(resource))
        });
    named.collect()
}

/// The address of a version of the API.
fn base(api_version: &str) -> String {
    match api_version.split_once('/') {
        None => format!("/api/{}", escaped(api_version)),
        Some((group, version)) => format!("/apis/{}/{}", escaped(group), escaped(version)),
    }
}

impl Resource {
    /// A kind that a definition among the objects of a plan brings.
    pub(super) fn planned(
        api_version: String,
        kind: String,
        plural: String,
        namespaced: bool,
    ) -> Self {
        Self {
            plural,
            kind,
            namespaced,
            verbs: Vec::new(),
            api_version,
        }
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// The group of the API; empty for the core group.
    pub(super) fn group(&self) -> &str {
        let parts = self.api_version.split_once('/');
        parts.map_or("", |(group, _)| group)
    }

    /// The kind as `group/Kind`.
    pub(super) fn group_kind(&self) -> String {
        format!("{}/{}", self.group(), self.kind)
    }

    /// Namespaces, which every cluster has.
    pub(super) fn namespaces() -> Self {
        let [version, kind, plural] = ["v1", "Namespace", "namespaces"].map(str::to_owned);
        Self::planned(version, kind, plural, false)
    }

    /// The address of all objects of this kind, in a namespace or in all of them.
    pub(super) fn collection(&self, namespace: &str) -> String {
        let base = base(&self.api_version);
        let plural = escaped(&self.plural);
        if self.namespaced && !namespace.is_empty() {
            format!("{base}/namespaces/{}/{plural}", escaped(namespace))
        } else {
            format!("{base}/{plural}")
        }
    }

    /// The address of an object.
    pub(super) fn object(&self, id: &ResourceId) -> String {
        format!("{}/{}", self.collection(&id.namespace), escaped(&id.name))
    }
}

/// Text as a part of an address.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' | b':' => {
                escaped.push(char::from(byte));
            }
            // Writing to a string does not fail.
            _ => write!(escaped, "%{byte:02X}").unwrap_or_default(),
        }
    }
    // A dot alone would be another place.
    if escaped.chars().all(|letter| letter == '.') {
        return escaped.replace('.', "%2E");
    }
    escaped
}
