//! Which cluster it is, and whether it is there.

use serde_json::Value;
use tokio::time::Instant;

use crate::deploy::error::Error;
use crate::deploy::target::Identity;

use super::connect::Api;
use super::discovery::Resource;
use super::mark;
use super::need::namespace_id;
use super::request::Call;

impl Api {
    /// See [`crate::deploy::Target::probe`].
    pub(super) async fn probe(&self) -> Result<String, Error> {
        let begun = Instant::now();
        let answer = self.call(&Call::get("/version".to_owned())).await;
        let answer = answer.map_err(|failure| self.failed(failure))?;
        let version = answer
            .get("gitVersion")
            .and_then(Value::as_str)
            .unwrap_or("of unknown version");
        Ok(format!(
            "Kubernetes {version} at {}, {} ms",
            self.server,
            begun.elapsed().as_millis()
        ))
    }

    /// See [`crate::deploy::Target::identity`].
    pub(super) async fn identity(&self) -> Result<Identity, Error> {
        let found = self
            .get(&Resource::namespaces(), &namespace_id("kube-system"))
            .await;
        let cluster = match found {
            Ok(Some(namespace)) => mark::metadata(&namespace, "uid").to_owned(),
            Ok(None) => self.authority.clone(),
            Err(failure) if failure.is_forbidden() => self.authority.clone(),
            Err(failure) => return Err(self.failed(failure)),
        };
        Ok(Identity {
            server: self.server.clone(),
            cluster,
        })
    }
}
