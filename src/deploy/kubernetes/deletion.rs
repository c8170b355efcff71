//! Deleting one object, and waiting until it is gone.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::deploy::error::Error;
use crate::deploy::object::Owner;
use crate::yaml::ResourceId;

use super::answer::{Failure, Subject};
use super::connect::Api;
use super::discovery::Resource;
use super::mark::{self, Holder};
use super::request::Call;

/// The longest pause between two looks.
const POLL: Duration = Duration::from_millis(500);
/// How often an object is tried again that changed meanwhile.
const MEANWHILE: u32 = 3;

impl Api {
    /// Deletes an object if it is the unit's, and waits until it is gone.
    pub(super) async fn remove_object(
        &self,
        owner: &Owner,
        id: &ResourceId,
        resource: &Resource,
    ) -> Result<(), Error> {
        let error = |failure, verb| {
            let about = Subject {
                verb,
                id,
                api_version: &resource.api_version,
                unit: &owner.name,
            };
            self.error(failure, about)
        };
        let deleted = self.delete(resource, id, owner).await;
        let Some(uid) = deleted.map_err(|failure| error(failure, "delete"))? else {
            return Ok(());
        };
        let gone = self.wait_gone(resource, id, &uid).await;
        gone.map_err(|failure| error(failure, "get"))
    }

    /// Asks for the deletion of an object that is a unit's. Says with which uid; none where it is
    /// not there, or not the unit's and stays.
    async fn delete(
        &self,
        resource: &Resource,
        id: &ResourceId,
        owner: &Owner,
    ) -> Result<Option<String>, Failure> {
        let mut again = 0;
        loop {
            let live = self.get(resource, id).await?;
            let Some(live) = live.filter(|live| Holder::of(live, owner) == Holder::Ours) else {
                return Ok(None);
            };
            let uid = mark::metadata(&live, "uid");
            match self.call(&Call::delete(resource.object(id), uid)).await {
                Ok(_) => return Ok(Some(uid.to_owned())),
                Err(failure) if failure.is_not_found() => return Ok(Some(uid.to_owned())),
                // Another object has the name by now.
                Err(failure) if failure.code() == Some(409) && again < MEANWHILE => again += 1,
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Waits until an object is gone; that it is not is a failure.
    pub(super) async fn wait_gone(
        &self,
        resource: &Resource,
        id: &ResourceId,
        uid: &str,
    ) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut pause = POLL / 10;
        loop {
            let live = self.get(resource, id).await?;
            let Some(live) = live.filter(|live| mark::metadata(live, "uid") == uid) else {
                return Ok(());
            };
            if begun.elapsed() >= self.timeouts.deletion {
                return Err(Failure::Stays {
                    seconds: begun.elapsed().as_secs(),
                    reason: kept_by(&live),
                });
            }
            sleep(pause).await;
            pause = (pause * 2).min(POLL);
        }
    }
}

/// What keeps an object that was deleted.
fn kept_by(live: &Value) -> String {
    let names = |list: &Value| {
        let names = list
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut finalizers = names(&live["metadata"]["finalizers"]);
    finalizers.extend(names(&live["spec"]["finalizers"]));
    let conditions = live["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten();
    let told = conditions
        .filter(|condition| condition["status"] == "True")
        .filter_map(|condition| condition["message"].as_str());
    let mut reason = if finalizers.is_empty() {
        "its deletion goes on".to_owned()
    } else {
        format!("it is kept by finalizer {}", finalizers.join(", "))
    };
    if live["kind"] == "Namespace" {
        for message in told {
            reason.push_str("; ");
            reason.push_str(message);
        }
    }
    reason
}
