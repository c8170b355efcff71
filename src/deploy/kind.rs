//! What is known of each kind of Kubernetes object: its version, its scope, its place in the order, and what
//! waiting for it means. One table.

/// When objects are applied: kinds of a lower rank first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Namespaces.
    Namespace,
    /// Definitions of further kinds.
    Definition,
    /// Who may do what.
    Access,
    /// What workloads read or mount.
    Config,
    /// Names that workloads find each other by.
    Service,
    /// What runs.
    Workload,
    /// What sends traffic to it or scales it, and every kind that is not known.
    Edge,
}

/// When an object counts as ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// As soon as it exists.
    Exists,
    /// When all its pods are ready.
    Pods,
    /// When all its pods have ended well.
    Completion,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct KindRow {
    /// The version of its API that is written where none is said, with the group: `apps/v1`.
    pub api_version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// When it is applied.
    pub rank: Rank,
    /// Whether it is in a namespace.
    pub namespaced: bool,
    /// When it is ready.
    pub readiness: Readiness,
}

const fn row(
    api_version: &'static str,
    kind: &'static str,
    rank: Rank,
    namespaced: bool,
    readiness: Readiness,
) -> KindRow {
    KindRow {
        api_version,
        kind,
        rank,
        namespaced,
        readiness,
    }
}

/// Every kind that is known.
pub const KINDS: &[KindRow] = &[
    row("v1", "Namespace", Rank::Namespace, false, Readiness::Exists),
    row(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        Rank::Definition,
        false,
        Readiness::Exists,
    ),
    row(
        "scheduling.k8s.io/v1",
        "PriorityClass",
        Rank::Definition,
        false,
        Readiness::Exists,
    ),
    row(
        "storage.k8s.io/v1",
        "StorageClass",
        Rank::Definition,
        false,
        Readiness::Exists,
    ),
    row(
        "networking.k8s.io/v1",
        "IngressClass",
        Rank::Definition,
        false,
        Readiness::Exists,
    ),
    row(
        "node.k8s.io/v1",
        "RuntimeClass",
        Rank::Definition,
        false,
        Readiness::Exists,
    ),
    row(
        "apiregistration.k8s.io/v1",
        "APIService",
        Rank::Definition,
        false,
        Readiness::Exists,
    ),
    row(
        "v1",
        "ServiceAccount",
        Rank::Access,
        true,
        Readiness::Exists,
    ),
    row(
        "rbac.authorization.k8s.io/v1",
        "Role",
        Rank::Access,
        true,
        Readiness::Exists,
    ),
    row(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        Rank::Access,
        true,
        Readiness::Exists,
    ),
    row(
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        Rank::Access,
        false,
        Readiness::Exists,
    ),
    row(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        Rank::Access,
        false,
        Readiness::Exists,
    ),
    row(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        Rank::Access,
        true,
        Readiness::Exists,
    ),
    row("v1", "ResourceQuota", Rank::Access, true, Readiness::Exists),
    row("v1", "LimitRange", Rank::Access, true, Readiness::Exists),
    row("v1", "ConfigMap", Rank::Config, true, Readiness::Exists),
    row("v1", "Secret", Rank::Config, true, Readiness::Exists),
    row(
        "v1",
        "PersistentVolume",
        Rank::Config,
        false,
        Readiness::Exists,
    ),
    row(
        "v1",
        "PersistentVolumeClaim",
        Rank::Config,
        true,
        Readiness::Exists,
    ),
    row("v1", "Service", Rank::Service, true, Readiness::Exists),
    row(
        "apps/v1",
        "Deployment",
        Rank::Workload,
        true,
        Readiness::Pods,
    ),
    row(
        "apps/v1",
        "StatefulSet",
        Rank::Workload,
        true,
        Readiness::Pods,
    ),
    row(
        "apps/v1",
        "DaemonSet",
        Rank::Workload,
        true,
        Readiness::Pods,
    ),
    row(
        "apps/v1",
        "ReplicaSet",
        Rank::Workload,
        true,
        Readiness::Pods,
    ),
    row(
        "v1",
        "ReplicationController",
        Rank::Workload,
        true,
        Readiness::Pods,
    ),
    row("v1", "Pod", Rank::Workload, true, Readiness::Pods),
    row(
        "batch/v1",
        "Job",
        Rank::Workload,
        true,
        Readiness::Completion,
    ),
    row(
        "batch/v1",
        "CronJob",
        Rank::Workload,
        true,
        Readiness::Exists,
    ),
    row(
        "networking.k8s.io/v1",
        "Ingress",
        Rank::Edge,
        true,
        Readiness::Exists,
    ),
    row(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        Rank::Edge,
        true,
        Readiness::Exists,
    ),
    row(
        "policy/v1",
        "PodDisruptionBudget",
        Rank::Edge,
        true,
        Readiness::Exists,
    ),
    row(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        Rank::Edge,
        false,
        Readiness::Exists,
    ),
    row(
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        Rank::Edge,
        false,
        Readiness::Exists,
    ),
];

/// What is known of a kind; a kind that is not known is in a namespace, comes last and is ready
/// when it exists.
pub fn kind(name: &str) -> KindRow {
    KINDS
        .iter()
        .find(|row| row.kind == name)
        .copied()
        .unwrap_or(row("", "", Rank::Edge, true, Readiness::Exists))
}

/// The name of a kind in addresses and rules of access: `Deployment` is `deployments`, `Ingress`
/// is `ingresses`. By the rule that API servers guess by where they are not told.
pub fn plural(kind: &str) -> String {
    let name = kind.to_lowercase();
    if name.ends_with(['s', 'x']) || name.ends_with("ch") || name.ends_with("sh") {
        return if name == "endpoints" {
            name
        } else {
            format!("{name}es")
        };
    }
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{name}s"),
    }
}

impl Rank {
    /// When an object of this kind is applied.
    pub fn of(name: &str) -> Self {
        kind(name).rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals() {
        for (kind, expected) in [
            ("Deployment", "deployments"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Gateway", "gateways"),
            ("StorageClass", "storageclasses"),
            ("Endpoints", "endpoints"),
        ] {
            assert_eq!(plural(kind), expected);
        }
    }
}
