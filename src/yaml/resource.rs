//! Which Kubernetes resource a document is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::tree::{NodeRef, Scalar};

/// The identity of a resource: everything but the version of its API.
///
/// Shown as `Kind/name`; [`ResourceId::full`] also tells group and namespace.
///
/// ```
/// let stream = windlass::yaml::Stream::parse("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\n").unwrap();
/// let id = &stream.resources()[0];
/// assert_eq!(id.to_string(), "Deployment/api");
/// assert_eq!(id.full(), "apps/Deployment//api");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ResourceId {
    /// The group of the API; empty for the core group.
    pub group: String,
    /// The kind; empty for a document that has none.
    pub kind: String,
    /// The namespace; empty if the document names none.
    pub namespace: String,
    /// The name; empty for a document that has none.
    pub name: String,
}

impl ResourceId {
    /// The identity of the document with this root.
    pub fn of(root: NodeRef<'_>) -> Self {
        let text = |node: Option<NodeRef<'_>>| match node.and_then(|node| node.scalar()) {
            Some(Scalar::Str(text)) => text.to_owned(),
            Some(Scalar::Null) | None => String::new(),
            Some(other) => other.to_value().to_string(),
        };
        let metadata = root.get("metadata");
        let version = text(root.get("apiVersion"));
        Self {
            group: version
                .split_once('/')
                .map_or("", |(group, _)| group)
                .to_owned(),
            kind: text(root.get("kind")),
            namespace: text(metadata.and_then(|m| m.get("namespace"))),
            name: text(metadata.and_then(|m| m.get("name"))),
        }
    }

    /// All parts, `group/Kind/namespace/name`; the form to store and to sort by.
    pub fn full(&self) -> String {
        let Self {
            group,
            kind,
            namespace,
            name,
        } = self;
        format!("{group}/{kind}/{namespace}/{name}")
    }

    /// Whether `text` names this resource: `Kind/name`, or the full form.
    pub fn is_named(&self, text: &str) -> bool {
        self.to_string() == text || self.full() == text
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.kind, self.name))
    }
}
