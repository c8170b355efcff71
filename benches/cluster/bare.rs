//! The baseline: server-side apply by nothing but requests, eight of them at once.

use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use http::{Method, Request, header};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use windlass::runtime::Runtime;

use crate::Result;
use crate::manifest;

/// As many requests at once as Windlass has.
const CONNECTIONS: usize = 8;

/// The cluster, reached as Windlass reaches it.
#[derive(Clone)]
pub(crate) struct Cluster {
    runtime: Arc<Runtime>,
    client: Client,
}

impl Cluster {
    pub(crate) fn connect(kubeconfig: &Path) -> Result<Self> {
        // Whoever was first has installed a provider; either will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let runtime = Arc::new(Runtime::start()?);
        let read = Kubeconfig::read_from(kubeconfig)?;
        let options = KubeConfigOptions::default();
        let client = runtime.wait_for(async {
            let mut config = Config::from_custom_kubeconfig(read, &options).await?;
            config.default_retry = false;
            Ok::<_, Box<dyn std::error::Error>>(Client::try_from(config)?)
        })?;
        let cluster = Self { runtime, client };
        cluster.ask(Method::GET, "/version", Vec::new())?;
        Ok(cluster)
    }

    fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<()> {
        self.runtime.wait_for(async {
            let sent = self.send(method, path, "application/json", body);
            Ok(sent.await?)
        })
    }

    /// Sends a request and drops the answer, unless that is a refusal.
    async fn send(
        &self,
        method: Method,
        path: &str,
        content: &str,
        body: Vec<u8>,
    ) -> std::result::Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("{path}: {error}");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, content)
            .body(Body::from(body))
            .map_err(|error| failed(&error))?;
        let answer = self.client.send(request).await;
        let (head, body) = answer.map_err(|error| failed(&error))?.into_parts();
        let bytes = body.collect_bytes().await;
        let bytes = bytes.map_err(|error| failed(&error))?;
        if head.status.is_success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes);
        Err(failed(&format!("{} {text}", head.status)))
    }
}

/// A namespace of its own, deleted with all that is in it.
pub(crate) struct Room {
    pub(crate) cluster: Cluster,
    pub(crate) namespace: String,
}

impl Room {
    pub(crate) fn furnish(cluster: &Cluster, namespace: String) -> Result<Self> {
        let body = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace },
        });
        let body = body.to_string().into_bytes();
        cluster.ask(Method::POST, "/api/v1/namespaces", body)?;
        Ok(Self {
            cluster: cluster.clone(),
            namespace,
        })
    }

    fn deployments(&self) -> String {
        format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace)
    }

    /// Sends every Deployment, whether it has changed or not.
    pub(crate) fn apply(&self, prepared: Vec<Prepared>, is_dry: bool) -> Result<()> {
        let (collection, dry) = (self.deployments(), if is_dry { "&dryRun=All" } else { "" });
        let requests = prepared.into_iter().map(|Prepared { name, body }| {
            let path =
                format!("{collection}/{name}?fieldManager=bench&fieldValidation=Strict{dry}");
            async move {
                let content = "application/apply-patch+yaml";
                self.cluster.send(Method::PATCH, &path, content, body).await
            }
        });
        let all = stream::iter(requests)
            .buffer_unordered(CONNECTIONS)
            .try_collect::<()>();
        Ok(self.cluster.runtime.wait_for(all)?)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // An API server without controllers deletes a namespace, and leaves what is in it.
        for path in [
            self.deployments(),
            format!("/api/v1/namespaces/{}", self.namespace),
        ] {
            drop(self.cluster.ask(Method::DELETE, &path, Vec::new()));
        }
    }
}

/// A request that is ready to be sent.
pub(crate) struct Prepared {
    name: String,
    body: Vec<u8>,
}

/// The requests for all Deployments. Making them is not part of the work.
pub(crate) fn prepare(units: usize, value: u32) -> Result<Vec<Prepared>> {
    let bodies = manifest::all(units, value, None).enumerate();
    let prepared = bodies.map(|(at, text)| {
        let object: Value = serde_saphyr::from_str(&text)?;
        Ok(Prepared {
            name: crate::corpus::name(at),
            body: object.to_string().into_bytes(),
        })
    });
    prepared.collect()
}
