//! What is known of each kind of Kubernetes object: its scope, its place in the order, and what
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
    /// The kind.
    pub kind: &'static str,
    /// When it is applied.
    pub rank: Rank,
    /// Whether it is in a namespace.
    pub namespaced: bool,
    /// When it is ready.
    pub readiness: Readiness,
}

const fn row(kind: &'static str, rank: Rank, namespaced: bool, readiness: Readiness) -> KindRow {
    KindRow {
        kind,
        rank,
        namespaced,
        readiness,
    }
}

const KINDS: &[KindRow] = &[
    row("Namespace", Rank::Namespace, false, Readiness::Exists),
    row(
        "CustomResourceDefinition",
        Rank::Definition,
        false,
        Readiness::Exists,
    ),
    row("PriorityClass", Rank::Definition, false, Readiness::Exists),
    row("StorageClass", Rank::Definition, false, Readiness::Exists),
    row("IngressClass", Rank::Definition, false, Readiness::Exists),
    row("RuntimeClass", Rank::Definition, false, Readiness::Exists),
    row("APIService", Rank::Definition, false, Readiness::Exists),
    row("ServiceAccount", Rank::Access, true, Readiness::Exists),
    row("Role", Rank::Access, true, Readiness::Exists),
    row("RoleBinding", Rank::Access, true, Readiness::Exists),
    row("ClusterRole", Rank::Access, false, Readiness::Exists),
    row("ClusterRoleBinding", Rank::Access, false, Readiness::Exists),
    row("NetworkPolicy", Rank::Access, true, Readiness::Exists),
    row("ResourceQuota", Rank::Access, true, Readiness::Exists),
    row("LimitRange", Rank::Access, true, Readiness::Exists),
    row("ConfigMap", Rank::Config, true, Readiness::Exists),
    row("Secret", Rank::Config, true, Readiness::Exists),
    row("PersistentVolume", Rank::Config, false, Readiness::Exists),
    row(
        "PersistentVolumeClaim",
        Rank::Config,
        true,
        Readiness::Exists,
    ),
    row("Service", Rank::Service, true, Readiness::Exists),
    row("Deployment", Rank::Workload, true, Readiness::Pods),
    row("StatefulSet", Rank::Workload, true, Readiness::Pods),
    row("DaemonSet", Rank::Workload, true, Readiness::Pods),
    row("ReplicaSet", Rank::Workload, true, Readiness::Pods),
    row(
        "ReplicationController",
        Rank::Workload,
        true,
        Readiness::Pods,
    ),
    row("Pod", Rank::Workload, true, Readiness::Pods),
    row("Job", Rank::Workload, true, Readiness::Completion),
    row("CronJob", Rank::Workload, true, Readiness::Exists),
    row("Ingress", Rank::Edge, true, Readiness::Exists),
    row(
        "HorizontalPodAutoscaler",
        Rank::Edge,
        true,
        Readiness::Exists,
    ),
    row("PodDisruptionBudget", Rank::Edge, true, Readiness::Exists),
    row(
        "ValidatingWebhookConfiguration",
        Rank::Edge,
        false,
        Readiness::Exists,
    ),
    row(
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
        .unwrap_or(row("", Rank::Edge, true, Readiness::Exists))
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
