//! What there is in a namespace, whatever its kind.

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;

use super::answer::Failure;
use super::connect::Api;
use super::discovery::{Resource, escaped};
use super::mark;
use super::request::Call;

/// The form of discovery that tells all kinds at once.
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// An object in a namespace.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) kind: String,
    pub(super) value: Value,
}

impl Content {
    /// The object for people.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.kind, mark::metadata(&self.value, "name"))
    }

    /// Whether the namespace keeps it without anybody's doing: what every namespace has, and what
    /// goes by itself when something else is gone.
    pub(super) fn is_incidental(&self) -> bool {
        let name = mark::metadata(&self.value, "name");
        let is_owned = self.value["metadata"]["ownerReferences"].is_array();
        let is_default = matches!(
            (self.kind.as_str(), name),
            ("ServiceAccount", "default") | ("ConfigMap", "kube-root-ca.crt")
        );
        let is_token =
            self.kind == "Secret" && self.value["type"] == "kubernetes.io/service-account-token";
        let is_derived = matches!(self.kind.as_str(), "Endpoints" | "EndpointSlice" | "Lease");
        is_owned || is_default || is_token || is_derived || mark::is_going(&self.value)
    }
}

impl Api {
    /// The objects of every kind in a namespace; those with a label if one is named.
    pub(super) async fn contents(
        &self,
        namespace: &str,
        label: Option<&str>,
    ) -> Result<Vec<Content>, Failure> {
        let kinds = self.listable().await?;
        let selector = label.map_or_else(String::new, |label| {
            format!("?labelSelector={}", escaped(label))
        });
        let lists = kinds.into_iter().map(|resource| {
            let address = format!("{}{selector}", resource.collection(namespace));
            async move { (resource, self.call(&Call::list(address)).await) }
        });
        let mut lists = stream::iter(lists).buffer_unordered(self.connections);
        let mut contents = Vec::new();
        while let Some((resource, list)) = lists.next().await {
            let mut list = match list {
                // A kind that went meanwhile, or one that is not for listing after all.
                Err(failure) if matches!(failure.code(), Some(404 | 405)) => continue,
                list => list?,
            };
            let Some(items) = list.get_mut("items").and_then(Value::as_array_mut) else {
                continue;
            };
            contents.extend(items.drain(..).map(|value| Content {
                kind: resource.kind().to_owned(),
                value,
            }));
        }
        Ok(contents)
    }

    /// The kinds that objects in a namespace may be of.
    async fn listable(&self) -> Result<Vec<Resource>, Failure> {
        let mut kinds = Vec::new();
        for root in ["/api", "/apis"] {
            let answer = match self
                .call(&Call::get(root.to_owned()).accept(AGGREGATED))
                .await
            {
                Err(failure) if failure.is_not_found() => continue,
                answer => answer?,
            };
            if answer["kind"] == "APIGroupDiscoveryList" {
                kinds.extend(aggregated(&answer));
            } else {
                for version in preferred(&answer) {
                    kinds.extend(self.all_of(&version).await?);
                }
            }
        }
        kinds.retain(|resource| {
            resource.namespaced
                && resource.verbs.iter().any(|verb| verb == "list")
                && resource.kind() != "Event"
                && resource.group() != "metrics.k8s.io"
        });
        Ok(kinds)
    }
}

/// The kinds of each group in its preferred version, which is the first.
fn aggregated(answer: &Value) -> Vec<Resource> {
    let mut kinds = Vec::new();
    let groups = answer["items"].as_array();
    for group in groups.into_iter().flatten() {
        let name = mark::metadata(group, "name");
        let first = &group["versions"][0];
        let version = first["version"].as_str().unwrap_or_default();
        let api_version = match name {
            "" => version.to_owned(),
            name => format!("{name}/{version}"),
        };
        for resource in first["resources"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let verbs = resource["verbs"].as_array().into_iter().flatten();
            kinds.push(Resource {
                verbs: verbs.map(text).collect(),
                ..Resource::planned(
                    api_version.clone(),
                    text(&resource["responseKind"]["kind"]),
                    text(&resource["resource"]),
                    resource["scope"] == "Namespaced",
                )
            });
        }
    }
    kinds
}

/// The versions that a server without that form of discovery prefers.
fn preferred(answer: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let core = answer["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(text);
    let groups = answer["groups"].as_array().into_iter().flatten();
    let groups = groups.filter_map(|group| text(&group["preferredVersion"]["groupVersion"]));
    core.chain(groups).collect()
}
