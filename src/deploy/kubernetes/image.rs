//! Keeping what a cluster has of a unit's objects, and putting it back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::deploy::error::Error;
use crate::deploy::image::{Captured, Image};
use crate::deploy::inventory::{AppliedObject, Inventory};
use crate::deploy::kind::Rank;
use crate::deploy::object::{Owner, UnitObjects};
use crate::yaml::ResourceId;

use super::answer::Subject;
use super::apply::{Force, Sending};
use super::connect::Api;
use super::definition::Defined;
use super::discovery::Resource;
use super::fields;
use super::look::wanted;
use super::mark::Holder;
use super::need::namespaces_wanted;
use super::record::applied;

/// What is kept of an object.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The object as it was.
    live: Value,
    /// What the store remembered of it, if it was the unit's.
    applied: Option<AppliedObject>,
}

impl Api {
    /// See [`crate::deploy::Target::capture`].
    pub(super) async fn capture(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
    ) -> Result<Image, Error> {
        let had: Vec<&AppliedObject> = inventory
            .iter()
            .flat_map(|inventory| &inventory.objects)
            .collect();
        let desired = unit
            .objects
            .iter()
            .map(|object| (&object.api_version, &object.id.kind));
        let versions = desired.chain(
            had.iter()
                .map(|object| (&object.api_version, &object.id.kind)),
        );
        let versions = versions.map(|(version, kind)| (version.clone(), kind.clone()));
        let types = self
            .types(versions)
            .await
            .map_err(|failure| self.failed(failure))?;
        let mut cluster_kinds = types.cluster_kinds();
        cluster_kinds.extend(Defined::of(&unit.objects).cluster_kinds());
        let placed = unit.placed(&cluster_kinds)?;
        let mut touched: Vec<(&str, &ResourceId)> = placed
            .iter()
            .map(|object| (object.api_version.as_str(), &object.id))
            .collect();
        for object in &had {
            if !touched.iter().any(|(_, id)| **id == object.id) {
                touched.push((&object.api_version, &object.id));
            }
        }
        let mut all: Vec<_> = touched
            .iter()
            .filter_map(|(version, id)| wanted(&types, version, id))
            .collect();
        let namespaces: BTreeSet<&str> = touched
            .iter()
            .map(|(_, id)| id.namespace.as_str())
            .collect();
        let namespaces = namespaces_wanted(namespaces);
        all.extend(namespaces.iter().cloned());
        let looked = self.look(&all).await?;
        let mut image = Image {
            revision: inventory.map(|inventory| inventory.revision),
            inventory: had.iter().map(|object| object.id.clone()).collect(),
            cluster: inventory.cloned(),
            ..Image::default()
        };
        for (version, id) in touched {
            if let Some(wanted) = wanted(&types, version, id) {
                looked.find(self, &wanted, &unit.owner.name)?;
            }
            let applied = had
                .iter()
                .find(|object| object.id == *id)
                .map(|object| (*object).clone());
            let state = looked
                .get(id)
                .map(|live| serde_json::json!({"live": live, "applied": applied}));
            image.objects.push(Captured {
                id: id.clone(),
                state,
            });
        }
        let missing = namespaces
            .iter()
            .filter(|wanted| looked.refused(wanted).is_none() && looked.get(&wanted.id).is_none());
        image.missing_namespaces = missing.map(|wanted| wanted.id.name.clone()).collect();
        Ok(image)
    }

    /// See [`crate::deploy::Target::put_back`].
    pub(super) async fn put_back(
        &self,
        owner: &Owner,
        image: &Image,
    ) -> Result<Option<Inventory>, Error> {
        let mut inventory = image.cluster.clone();
        let mut objects: Vec<&Captured> = image.objects.iter().collect();
        objects.sort_by_key(|captured| Rank::of(&captured.id.kind));
        // What was there comes first, as objects may stand on it; what was not goes last.
        let (there, absent): (Vec<_>, Vec<_>) = objects
            .into_iter()
            .partition(|captured| captured.state.is_some());
        for captured in there {
            let Some(restored) = self.restore(owner, captured).await? else {
                continue;
            };
            let objects = inventory
                .iter_mut()
                .flat_map(|inventory| &mut inventory.objects);
            for object in objects.filter(|object| object.id == captured.id) {
                object.clone_from(&restored);
            }
        }
        for captured in absent.into_iter().rev() {
            self.remove_created(owner, &captured.id).await?;
        }
        for namespace in &image.missing_namespaces {
            self.release_namespace(namespace).await?;
        }
        Ok(inventory)
    }

    /// Brings an object back that was there. None where it was not the unit's, or is as it was.
    async fn restore(
        &self,
        owner: &Owner,
        captured: &Captured,
    ) -> Result<Option<AppliedObject>, Error> {
        let kept = captured.state.clone().map(serde_json::from_value::<Kept>);
        let Some(Ok(Kept {
            live: former,
            applied: Some(before),
        })) = kept
        else {
            return Ok(None);
        };
        let id = &captured.id;
        let version = before.api_version.as_str();
        let about = |verb| Subject {
            verb,
            id,
            api_version: version,
            unit: &owner.name,
        };
        let resource = self.resource(id, version, owner).await?;
        let live = self
            .get(&resource, id)
            .await
            .map_err(|failure| self.error(failure, about("get")))?;
        let held = fields::owned(&former).unwrap_or(&before.fields);
        if let Some(live) = &live
            && let Holder::Other(other) = Holder::of(live, owner)
        {
            return Err(Error::Owned {
                object: id.to_string(),
                unit: owner.name.clone(),
                owner: other,
            });
        }
        let is_as_it_was = live.as_ref().is_some_and(|live| {
            fields::owned(live) == Some(held)
                && fields::project(live, held) == fields::project(&former, held)
        });
        if is_as_it_was {
            return Ok(None);
        }
        let mut value = fields::project(&former, held);
        value["apiVersion"] = version.into();
        value["kind"] = id.kind.as_str().into();
        value["metadata"]["name"] = id.name.as_str().into();
        if !id.namespace.is_empty() {
            value["metadata"]["namespace"] = id.namespace.as_str().into();
        }
        let sending = Sending {
            resource: &resource,
            id,
            unit: &owner.name,
            // What others changed since then is theirs.
            force: Force::Held(live.as_ref()),
            is_defined_here: false,
            is_dry: false,
        };
        let answer = self.apply(&sending, &value).await;
        let answer = answer.map_err(|failure| self.unsent(&sending, failure).error)?;
        Ok(Some(applied(id.clone(), version, before.sent, answer)))
    }

    /// Deletes an object that was not there, if it is the unit's.
    async fn remove_created(&self, owner: &Owner, id: &ResourceId) -> Result<(), Error> {
        let Some(resource) = self.any_version(id).await? else {
            return Ok(());
        };
        self.remove_object(owner, id, &resource).await
    }

    async fn resource(
        &self,
        id: &ResourceId,
        version: &str,
        owner: &Owner,
    ) -> Result<Resource, Error> {
        let types = self.types([(version.to_owned(), id.kind.clone())]).await;
        let types = types.map_err(|failure| self.failed(failure))?;
        let found = types
            .get(version, &id.kind)
            .map(|resource| resource.as_ref().clone());
        found.ok_or_else(|| {
            self.unknown_kind(Subject {
                verb: "get",
                id,
                api_version: version,
                unit: &owner.name,
            })
        })
    }
}
