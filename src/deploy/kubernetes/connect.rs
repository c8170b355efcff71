//! How a cluster is reached: which configuration, which context.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::sync::Semaphore;

use crate::deploy::error::Error;
use crate::runtime::Runtime;

use super::Kubernetes;
use super::discovery::Discovered;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Which cluster is meant, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// The configuration file; that of `kubectl` if none, else what a pod finds in its cluster.
    pub kubeconfig: Option<PathBuf>,
    /// The context in that file; its current context if none.
    pub context: Option<String>,
    /// How many requests may be in flight at once; at least 1.
    pub connections: usize,
    /// How long it is waited for.
    pub timeouts: KubernetesTimeouts,
}

/// How long a cluster is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KubernetesTimeouts {
    /// The answer to a single request.
    pub request: Duration,
    /// The answer to a request for a list.
    pub list: Duration,
    /// A request that is tried again, in all.
    pub retries: Duration,
    /// An object that was deleted, to be gone.
    pub deletion: Duration,
    /// A definition that was sent, to be in force.
    pub definition: Duration,
}

impl Default for KubernetesTimeouts {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            list: Duration::from_mins(1),
            retries: Duration::from_secs(15),
            deletion: Duration::from_mins(1),
            definition: Duration::from_secs(15),
        }
    }
}

impl Default for KubernetesSettings {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            connections: 8,
            timeouts: KubernetesTimeouts::default(),
        }
    }
}

/// A connection to one cluster.
pub(super) struct Api {
    pub(super) client: Client,
    /// The name of the context, or `in-cluster`.
    pub(super) name: String,
    /// The address of the API server.
    pub(super) server: String,
    /// Hash of the authority that the server is checked against.
    pub(super) authority: String,
    /// How many requests may be in flight.
    pub(super) connections: usize,
    pub(super) permits: Semaphore,
    pub(super) timeouts: KubernetesTimeouts,
    pub(super) discovered: Discovered,
}

impl Api {
    /// The cluster for people.
    pub(super) fn describe(&self) -> String {
        format!("{} ({})", self.name, self.server)
    }
}

impl Kubernetes {
    /// Reads how the cluster is reached. No request is made.
    ///
    /// # Errors
    /// [`Error::Config`] when there is no configuration, it cannot be read, or it has no such
    /// context.
    pub fn connect(runtime: Arc<Runtime>, settings: &KubernetesSettings) -> Result<Self, Error> {
        // Whoever was first has installed a provider; either will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (name, mut config) = runtime.wait_for(configuration(settings))?;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = None;
        config.write_timeout = None;
        // One place decides what is tried again: `request`.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let server = server.trim_end_matches('/').to_owned();
        let mut authority = blake3::Hasher::new();
        for certificate in config.root_cert.iter().flatten() {
            authority.update(certificate);
        }
        authority.update(server.as_bytes());
        let client = runtime
            .wait_for(async move { Client::try_from(config) })
            .map_err(|error| {
                wrong(format!(
                    "context `{name}` cannot be used: {}",
                    chain(&error)
                ))
            })?;
        let connections = settings.connections.max(1);
        Ok(Self {
            runtime,
            api: Arc::new(Api {
                client,
                name,
                server,
                authority: format!("ca:{}", authority.finalize().to_hex()),
                connections,
                permits: Semaphore::new(connections),
                timeouts: settings.timeouts,
                discovered: Discovered::default(),
            }),
        })
    }
}

async fn configuration(settings: &KubernetesSettings) -> Result<(String, Config), Error> {
    let read = match &settings.kubeconfig {
        Some(file) => Kubeconfig::read_from(file).map_err(|error| {
            wrong(format!(
                "expected a kubeconfig in `{}`: {}",
                file.display(),
                chain(&error)
            ))
        })?,
        None => match Kubeconfig::read() {
            Ok(read) if !read.contexts.is_empty() => read,
            found => return in_cluster(found.err(), settings),
        },
    };
    let Some(name) = settings
        .context
        .clone()
        .or_else(|| read.current_context.clone().filter(|name| !name.is_empty()))
    else {
        return Err(wrong(format!(
            "expected a current context in the kubeconfig, found none; it has {}",
            listed(&read)
        )));
    };
    if !read.contexts.iter().any(|context| context.name == name) {
        let names = read.contexts.iter().map(|context| context.name.as_str());
        let hint =
            nearest(&name, names).map_or_else(String::new, |near| format!("; is `{near}` meant?"));
        return Err(wrong(format!(
            "expected a context of the kubeconfig ({}), found `{name}`{hint}",
            listed(&read)
        )));
    }
    let options = KubeConfigOptions {
        context: Some(name.clone()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(read, &options)
        .await
        .map_err(|error| {
            wrong(format!(
                "context `{name}` cannot be used: {}",
                chain(&error)
            ))
        })?;
    Ok((name, config))
}

/// Without a kubeconfig, a pod is told by its cluster.
fn in_cluster(
    unread: Option<kube::config::KubeconfigError>,
    settings: &KubernetesSettings,
) -> Result<(String, Config), Error> {
    let why = unread.map_or_else(|| "it has no context".to_owned(), |error| chain(&error));
    if let Some(context) = &settings.context {
        return Err(wrong(format!(
            "expected a kubeconfig with the context `{context}` in $KUBECONFIG or ~/.kube/config: {why}"
        )));
    }
    let config = Config::incluster().map_err(|_| {
        wrong(format!(
            "expected a kubeconfig in $KUBECONFIG or ~/.kube/config, or to run in a pod: {why}"
        ))
    })?;
    Ok(("in-cluster".to_owned(), config))
}

fn wrong(reason: String) -> Error {
    Error::Config { reason }
}

fn listed(read: &Kubeconfig) -> String {
    let names = read
        .contexts
        .iter()
        .map(|context| format!("`{}`", context.name));
    match names.collect::<Vec<_>>() {
        names if names.is_empty() => "none".to_owned(),
        names => names.join(", "),
    }
}

/// The name that differs in the fewest letters, if it is few.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|other| (distance(name, other), other))
        .filter(|(apart, other)| *apart <= (name.len().max(other.len()) / 3).max(1))
        .min()
        .map(|(_, other)| other)
}

/// How many letters have to be put in, left out or changed to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names() {
        for (name, expected) in [
            ("prod-eu", Some("prod-eu")),
            ("prod-uE", Some("prod-eu")),
            ("stagin", Some("staging")),
            ("prod", None),
            ("kind", None),
            ("", None),
        ] {
            let found = nearest(name, ["prod-eu", "staging"].into_iter());
            assert_eq!(found, expected, "{name}");
        }
    }
}
