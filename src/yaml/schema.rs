//! What the Kubernetes API says about the lists and maps of its objects: which fields tell the
//! elements of a list apart, and which fields exclude one another.
//!
//! The tables follow `x-kubernetes-list-map-keys`, `patchMergeKey` and the unions of the API's own
//! schemas. Pod templates stand in many kinds, also in those of custom resources, so most rows go
//! by the name of the field; a row only counts where the elements look the part.

use crate::path::Segment;

/// One of the fields by which the elements of a list are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyField {
    /// Name of the field in the element.
    pub(crate) name: &'static str,
    /// What the API fills in where the field is missing.
    pub(crate) default: Option<&'static str>,
}

const fn field(name: &'static str) -> KeyField {
    KeyField {
        name,
        default: None,
    }
}

const PROTOCOL: KeyField = KeyField {
    name: "protocol",
    default: Some("TCP"),
};

const NAME: &[KeyField] = &[field("name")];
const TYPE: &[KeyField] = &[field("type")];
const CONTAINER_PORT: &[KeyField] = &[field("containerPort"), PROTOCOL];
const SERVICE_PORT: &[KeyField] = &[field("port"), PROTOCOL];

/// Where a row of the table holds.
#[derive(Clone, Copy)]
enum Within {
    /// In every kind.
    Any,
    /// In kinds whose name begins so.
    Kind(&'static str),
    /// Right below a field of this name.
    Parent(&'static str),
}

/// Field that holds the list, where, and the fields that tell its elements apart.
const MERGE_KEYS: &[(&str, Within, &[KeyField])] = &[
    ("auditAnnotations", Within::Any, &[field("key")]),
    ("claims", Within::Parent("resources"), NAME),
    ("conditions", Within::Parent("status"), TYPE),
    ("containers", Within::Any, NAME),
    ("drivers", Within::Kind("CSINode"), NAME),
    ("env", Within::Any, NAME),
    ("ephemeralContainers", Within::Any, NAME),
    ("hostAliases", Within::Any, &[field("ip")]),
    ("imagePullSecrets", Within::Any, NAME),
    ("initContainers", Within::Any, NAME),
    ("listeners", Within::Kind("Gateway"), NAME),
    ("matchConditions", Within::Any, NAME),
    ("ownerReferences", Within::Any, &[field("uid")]),
    ("ports", Within::Kind("Service"), SERVICE_PORT),
    ("ports", Within::Any, CONTAINER_PORT),
    ("resourceClaims", Within::Any, NAME),
    ("schedulingGates", Within::Any, NAME),
    ("secrets", Within::Kind("ServiceAccount"), NAME),
    (
        "topologySpreadConstraints",
        Within::Any,
        &[field("topologyKey"), field("whenUnsatisfiable")],
    ),
    ("variables", Within::Kind("MutatingAdmissionPolicy"), NAME),
    ("variables", Within::Kind("ValidatingAdmissionPolicy"), NAME),
    ("volumeDevices", Within::Any, &[field("devicePath")]),
    ("volumeMounts", Within::Any, &[field("mountPath")]),
    ("volumes", Within::Any, NAME),
    ("webhooks", Within::Any, NAME),
];

/// The merge keys that the list at `place` of a `kind` may have, the likeliest first.
pub(crate) fn merge_keys<'p>(
    kind: &'p str,
    place: &'p [Segment],
) -> impl Iterator<Item = &'static [KeyField]> + 'p {
    let name = key(place, 0);
    MERGE_KEYS
        .iter()
        .filter(move |(list, within, _)| {
            name == Some(*list)
                && match within {
                    Within::Any => true,
                    Within::Kind(prefix) => kind.starts_with(prefix),
                    Within::Parent(parent) => key(place, 1) == Some(*parent),
                }
        })
        .map(|(_, _, keys)| *keys)
}

/// Fields of one map that exclude one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Union {
    /// At most one of these fields may be there.
    OneOf(&'static [&'static str]),
    /// The field `by` (or its default) says whether `field` may be there.
    Chosen {
        /// The field that chooses.
        by: &'static str,
        /// What the API fills in where `by` is missing.
        default: &'static str,
        /// The field that is only valid with one choice.
        field: &'static str,
    },
}

impl Union {
    /// The fields that belong to the union.
    pub(crate) fn members(&self) -> Vec<&'static str> {
        match self {
            Self::OneOf(members) => members.to_vec(),
            Self::Chosen { by, field, .. } => vec![by, field],
        }
    }
}

const ENV: Union = Union::OneOf(&["value", "valueFrom"]);
const VALUE_FROM: Union = Union::OneOf(&[
    "configMapKeyRef",
    "fieldRef",
    "fileKeyRef",
    "resourceFieldRef",
    "secretKeyRef",
]);
const HANDLER: Union = Union::OneOf(&["exec", "grpc", "httpGet", "sleep", "tcpSocket"]);
const BACKEND: Union = Union::OneOf(&["resource", "service"]);
const DISRUPTION: Union = Union::OneOf(&["maxUnavailable", "minAvailable"]);
const ENV_FROM: Union = Union::OneOf(&["configMapRef", "secretRef"]);
const VOLUME: Union = Union::OneOf(&[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "local",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
]);
const STRATEGY: Union = Union::Chosen {
    by: "type",
    default: "RollingUpdate",
    field: "rollingUpdate",
};
const ROLLOUT: Union = Union::OneOf(&["blueGreen", "canary"]);
const SECCOMP: Union = Union::Chosen {
    by: "type",
    default: "RuntimeDefault",
    field: "localhostProfile",
};

/// The union that the map at `place` of a `kind` holds, if it holds one.
pub(crate) fn union(kind: &str, place: &[Segment]) -> Option<Union> {
    let Some(name) = key(place, 0).filter(|_| place.last().and_then(Segment::index).is_none())
    else {
        return match key(place, 1)? {
            "env" => Some(ENV),
            "envFrom" => Some(ENV_FROM),
            "volumes" => Some(VOLUME),
            _ => None,
        };
    };
    match name {
        "valueFrom" => Some(VALUE_FROM),
        "livenessProbe" | "postStart" | "preStop" | "readinessProbe" | "startupProbe" => {
            Some(HANDLER)
        }
        "backend" | "defaultBackend" => Some(BACKEND),
        "strategy" if kind == "Rollout" => Some(ROLLOUT),
        "strategy" | "updateStrategy" => Some(STRATEGY),
        "appArmorProfile" | "seccompProfile" => Some(SECCOMP),
        "spec" if kind == "PodDisruptionBudget" => Some(DISRUPTION),
        "spec" if kind == "PersistentVolume" => Some(VOLUME),
        _ => None,
    }
}

/// The key that stands `back` steps before the end of `place`.
fn key(place: &[Segment], back: usize) -> Option<&str> {
    match place.len().checked_sub(back + 1).map(|at| &place[at]) {
        Some(Segment::Key(key)) => Some(key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Path;

    fn names(kind: &str, place: &str) -> Vec<Vec<&'static str>> {
        let place = Path::parse(place).unwrap();
        merge_keys(kind, place.segments())
            .map(|keys| keys.iter().map(|k| k.name).collect())
            .collect()
    }

    #[test]
    fn keys_go_by_field_and_kind() {
        assert_eq!(
            names("Deployment", "spec.template.spec.containers"),
            [["name"]]
        );
        assert_eq!(
            names("Service", "spec.ports"),
            [["port", "protocol"], ["containerPort", "protocol"]]
        );
        assert_eq!(
            names("Pod", "spec.containers.?name=a.ports"),
            [["containerPort", "protocol"]]
        );
        assert!(names("Deployment", "spec.template.spec.containers.?name=a.args").is_empty());
        assert!(names("ConfigMap", "data.secrets").is_empty());
        assert!(names("Widget", "spec.conditions").is_empty());
        assert_eq!(names("Widget", "status.conditions"), [["type"]]);
    }

    #[test]
    fn unions_go_by_the_map_that_holds_them() {
        let at = |kind: &str, place: &str| union(kind, Path::parse(place).unwrap().segments());
        assert_eq!(at("Pod", "spec.containers.?name=a.env.?name=B"), Some(ENV));
        assert_eq!(at("Pod", "spec.containers.?name=a.env.3"), Some(ENV));
        assert_eq!(at("Pod", "spec.volumes.?name=a"), Some(VOLUME));
        assert_eq!(at("Deployment", "spec.strategy"), Some(STRATEGY));
        assert_eq!(at("Rollout", "spec.strategy"), Some(ROLLOUT));
        assert_eq!(at("Deployment", "spec"), None);
        assert_eq!(at("ConfigMap", "data"), None);
    }
}
