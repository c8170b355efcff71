//! Where the pods of a workload are described.

use super::tree::{NodeRef, Scalar};

/// Kinds that describe pods, and the keys that lead from the root to the map with the pods'
/// metadata and spec.
///
/// From the Kubernetes API reference, "Workload resources".
pub const POD_TEMPLATES: [(&str, &[&str]); 9] = [
    ("Deployment", &["spec", "template"]),
    ("StatefulSet", &["spec", "template"]),
    ("DaemonSet", &["spec", "template"]),
    ("ReplicaSet", &["spec", "template"]),
    ("ReplicationController", &["spec", "template"]),
    ("Job", &["spec", "template"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("PodTemplate", &["template"]),
    ("Pod", &[]),
];

/// The map with the pods' metadata and spec; none for what has no pods.
///
/// ```
/// use windlass::yaml::{Stream, pod_template};
///
/// let text = "kind: Job\nmetadata: {name: seed}\nspec:\n  template:\n    spec: {restartPolicy: Never}\n";
/// let stream = Stream::parse(text).unwrap();
/// let pods = pod_template(stream.view().document(0).unwrap()).unwrap();
/// assert!(pods.get("spec").is_some());
/// ```
pub fn pod_template(root: NodeRef<'_>) -> Option<NodeRef<'_>> {
    let Some(Scalar::Str(kind)) = root.get("kind")?.scalar() else {
        return None;
    };
    let (_, keys) = POD_TEMPLATES.iter().find(|(known, _)| *known == kind)?;
    keys.iter().try_fold(root, |node, key| node.get(key))
}
