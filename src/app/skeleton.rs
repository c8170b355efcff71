//! The smallest object of a kind, to be filled in.

use crate::deploy::{KINDS, PLACEHOLDER};
use crate::error::{Error, Kind, Result};
use crate::id::Slug;
use crate::yaml::Stream;

/// A kind of Kubernetes object, as a type names it: `k8s/Deployment`,
/// `kubernetes/networking.k8s.io/v1/Ingress`, `apps/v1/Deployment` or `Deployment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectType {
    /// With the group: `apps/v1`; none where the type does not name it.
    pub api_version: Option<String>,
    /// The kind.
    pub kind: String,
}

impl std::str::FromStr for ObjectType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let plain = ["k8s/", "kubernetes/", "Kubernetes/"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .unwrap_or(text);
        let (version, kind) = match plain.rsplit_once('/') {
            Some((version, kind)) => (Some(version.to_owned()), kind),
            None => (None, plain),
        };
        let is_kind = kind.starts_with(|c: char| c.is_ascii_uppercase())
            && kind.chars().all(|c| c.is_ascii_alphanumeric());
        if is_kind && version.as_deref().is_none_or(|version| !version.is_empty()) {
            return Ok(Self {
                api_version: version,
                kind: kind.to_owned(),
            });
        }
        Err(Error::new(
            Kind::Usage,
            format!(
                "expected a kind such as `k8s/Deployment` or `apps/v1/Deployment`, found `{text}`"
            ),
        ))
    }
}

impl ObjectType {
    /// Refuses data without an object of this type.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when there is none, or the data cannot be read.
    pub fn check(&self, text: &str) -> Result<()> {
        let stream = Stream::parse(text)?;
        let resources = stream.resources();
        let mut found = resources.iter();
        if found.any(|resource| resource.kind == self.kind) {
            return Ok(());
        }
        let kinds: Vec<&str> = resources.iter().map(|found| found.kind.as_str()).collect();
        Err(Error::new(
            Kind::Invalid,
            format!(
                "expected an object of kind {}, found {}",
                self.kind,
                kinds.join(", ")
            ),
        ))
    }

    /// The smallest object of this type. What has to be filled in before it can be deployed holds
    /// the placeholder, which every target refuses.
    ///
    /// # Errors
    /// [`Kind::Usage`] when the type names no version and its kind is none of Kubernetes' own.
    pub fn skeleton(&self, name: &Slug) -> Result<String> {
        let version = self.version()?;
        let kind = &self.kind;
        let head = format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n");
        Ok(head + &self.body(name))
    }

    fn version(&self) -> Result<&str> {
        let own = || {
            let row = KINDS.iter().find(|row| row.kind == self.kind);
            row.map(|row| row.api_version)
        };
        self.api_version.as_deref().or_else(own).ok_or_else(|| {
            let kind = &self.kind;
            Error::new(
                Kind::Usage,
                format!("expected the version of `{kind}` as well, which is no kind of Kubernetes itself"),
            )
            .hint(format!("--type example.com/v1/{kind}"))
        })
    }

    fn body(&self, name: &Slug) -> String {
        let container = format!(
            "    spec:\n      containers:\n      - name: {name}\n        image: {PLACEHOLDER}\n"
        );
        let template = format!(
            "  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      \
             labels:\n        app: {name}\n{container}"
        );
        match self.kind.as_str() {
            "Deployment" | "ReplicaSet" => format!("spec:\n  replicas: 1\n{template}"),
            "StatefulSet" => format!("spec:\n  replicas: 1\n  serviceName: {name}\n{template}"),
            "DaemonSet" => format!("spec:\n{template}"),
            "Job" => format!("spec:\n  template:\n{container}      restartPolicy: Never\n"),
            "Pod" => format!("spec:\n  containers:\n  - name: {name}\n    image: {PLACEHOLDER}\n"),
            "Service" => format!("spec:\n  selector:\n    app: {name}\n  ports:\n  - port: 80\n"),
            "ConfigMap" | "Secret" => "data: {}\n".to_owned(),
            "Namespace" | "ServiceAccount" => String::new(),
            "Role" | "ClusterRole" => "rules: []\n".to_owned(),
            _ => format!("spec: {PLACEHOLDER}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_in_the_spellings_of_the_field() {
        let of = |text: &str| text.parse::<ObjectType>();
        for text in ["k8s/Deployment", "Deployment"] {
            assert_eq!(of(text).unwrap().api_version, None, "{text}");
        }
        let ingress = of("kubernetes/networking.k8s.io/v1/Ingress").unwrap();
        assert_eq!(ingress.api_version.as_deref(), Some("networking.k8s.io/v1"));
        for text in ["", "k8s/", "deployment", "/Deployment", "k8s/De ployment"] {
            assert_eq!(of(text).unwrap_err().kind(), Kind::Usage, "{text}");
        }
    }

    #[test]
    fn every_skeleton_is_an_object_of_its_type() {
        let name: Slug = "x".parse().unwrap();
        for kind in KINDS.iter().map(|row| row.kind) {
            let wanted: ObjectType = kind.parse().unwrap();
            let text = wanted.skeleton(&name).unwrap();
            wanted.check(&text).unwrap();
        }
        let custom: ObjectType = "Widget".parse().unwrap();
        assert_eq!(custom.skeleton(&name).unwrap_err().kind(), Kind::Usage);
    }
}
