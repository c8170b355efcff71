//! Deleting what units have in a cluster, and the namespaces that were created for them.

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::deploy::error::Error;
use crate::deploy::inventory::{AppliedObject, Inventory};
use crate::deploy::kind::Rank;
use crate::deploy::object::Owner;
use crate::deploy::plan::{Action, Planned};
use crate::deploy::target::{Applied, Deployed, Sent};
use crate::yaml::ResourceId;

use super::answer::{Failure, Subject};
use super::connect::Api;
use super::contents::Content;
use super::discovery::{Resource, Types};
use super::look::{Looked, wanted};
use super::mark::{self, Holder};
use super::need::namespace_id;
use super::request::Call;

/// How far the destruction of a unit is.
struct Removal<'a> {
    owner: &'a Owner,
    /// What the unit still has.
    left: Vec<&'a AppliedObject>,
    done: Vec<Planned>,
}

impl Api {
    /// See [`crate::deploy::Target::destroy`].
    pub(super) async fn destroy(&self, units: &[Deployed<'_>]) -> Vec<Sent> {
        let objects = || {
            units
                .iter()
                .filter_map(|unit| unit.inventory.as_ref())
                .flat_map(|unit| &unit.objects)
        };
        let versions = objects().map(|object| (object.api_version.clone(), object.id.kind.clone()));
        let seen = match self.types(versions).await {
            Err(failure) => Err(self.failed(failure)),
            Ok(types) => {
                let found =
                    objects().filter_map(|object| wanted(&types, &object.api_version, &object.id));
                let looked = self.look(&found.collect::<Vec<_>>()).await;
                looked.map(|looked| (types, looked))
            }
        };
        let (types, looked) = match seen {
            Ok(seen) => seen,
            Err(error) => return nothing_done(units, error),
        };
        let has_failed = Cell::new(false);
        let each = units.iter().map(|unit| {
            let (types, looked, has_failed) = (&types, &looked, &has_failed);
            async move {
                if has_failed.get() {
                    return Sent::NotSent;
                }
                let sent = self.destroy_unit(unit, types, looked).await;
                has_failed.set(has_failed.get() || matches!(sent, Sent::Failed { .. }));
                sent
            }
        });
        self.at_once(each).await
    }

    async fn destroy_unit(&self, unit: &Deployed<'_>, types: &Types, looked: &Looked) -> Sent {
        let objects = unit
            .inventory
            .iter()
            .flat_map(|inventory| &inventory.objects);
        let mut removal = Removal {
            owner: unit.owner,
            left: objects.collect(),
            done: Vec::new(),
        };
        let result = self.remove(&mut removal, types, looked).await;
        let inventory = remaining(unit.inventory, &removal);
        match result {
            Ok(()) => Sent::Done(Applied {
                target: self.describe(),
                objects: removal.done,
                namespaces: Vec::new(),
                inventory,
                live: None,
            }),
            Err(error) => Sent::Failed {
                error: Box::new(error),
                inventory,
            },
        }
    }

    async fn remove(
        &self,
        removal: &mut Removal<'_>,
        types: &Types,
        looked: &Looked,
    ) -> Result<(), Error> {
        let owner = removal.owner;
        let unit = owner.name.as_str();
        let mut ours = Vec::new();
        for object in &removal.left {
            let Some(wanted) = wanted(types, &object.api_version, &object.id) else {
                continue;
            };
            let live = looked.find(self, &wanted, unit)?;
            if live.is_some_and(|live| Holder::of(live, removal.owner) == Holder::Ours) {
                ours.push((*object, wanted.resource));
            }
        }
        // What is gone, or somebody else's by now, is no longer the unit's.
        removal
            .left
            .retain(|object| ours.iter().any(|(ours, _)| ours.id == object.id));
        for (object, _) in &ours {
            if object.id.group.is_empty() && object.id.kind == "Namespace" {
                self.check_unoccupied(removal.owner, &object.id).await?;
            }
        }
        let ranks: BTreeSet<Rank> = ours
            .iter()
            .map(|(object, _)| Rank::of(&object.id.kind))
            .collect();
        for rank in ranks.into_iter().rev() {
            let of_rank = ours
                .iter()
                .rev()
                .filter(|(object, _)| Rank::of(&object.id.kind) == rank);
            let each = of_rank.map(|(object, resource)| async move {
                (
                    *object,
                    self.remove_object(owner, &object.id, resource).await,
                )
            });
            let mut failed = None;
            for (object, result) in self.at_once(each).await {
                match result {
                    Ok(()) => removal.take(&object.id),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Refuses to delete a namespace that objects of other units are in.
    async fn check_unoccupied(&self, owner: &Owner, id: &ResourceId) -> Result<(), Error> {
        let contents = self.contents(&id.name, Some(mark::UNIT)).await;
        let contents = contents.map_err(|failure| {
            let about = Subject {
                verb: "list",
                id,
                api_version: "v1",
                unit: &owner.name,
            };
            self.error(failure, about)
        })?;
        let other = contents
            .iter()
            .find_map(|content| match Holder::of(&content.value, owner) {
                Holder::Other(other) if !mark::is_going(&content.value) => Some((content, other)),
                _ => None,
            });
        match other {
            None => Ok(()),
            Some((content, other)) => Err(Error::Occupied {
                namespace: id.name.clone(),
                object: format!("{} of {other}", content.name()),
            }),
        }
    }

    /// See [`crate::deploy::Target::release_namespace`].
    pub(super) async fn release_namespace(&self, name: &str) -> Result<bool, Error> {
        let (resource, id) = (Resource::namespaces(), namespace_id(name));
        let error = |failure: Failure| {
            let about = Subject {
                verb: "delete",
                id: &id,
                api_version: "v1",
                unit: "",
            };
            self.error(failure, about)
        };
        let Some(live) = self.get(&resource, &id).await.map_err(error)? else {
            return Ok(false);
        };
        // A namespace that a unit has adopted since is the unit's.
        let is_created = mark::label(&live, mark::CREATED) == Some("true")
            && mark::label(&live, mark::UNIT).is_none();
        if !is_created || mark::is_going(&live) {
            return Ok(false);
        }
        let contents = self.contents(name, None).await.map_err(error)?;
        if !contents.iter().all(Content::is_incidental) {
            return Ok(false);
        }
        let uid = mark::metadata(&live, "uid");
        match self.call(&Call::delete(resource.object(&id), uid)).await {
            // Another namespace of the name is there by now.
            Err(failure) if failure.code() == Some(409) => return Ok(false),
            Err(failure) if failure.is_not_found() => return Ok(true),
            answer => answer.map_err(error)?,
        };
        self.wait_gone(&resource, &id, uid).await.map_err(error)?;
        Ok(true)
    }
}

impl Removal<'_> {
    fn take(&mut self, id: &ResourceId) {
        self.left.retain(|object| object.id != *id);
        self.done.push(Planned {
            resource: id.clone(),
            action: Action::Delete,
        });
    }
}

/// A whole batch that could not be begun.
fn nothing_done(units: &[Deployed<'_>], error: Error) -> Vec<Sent> {
    let mut error = Some(error);
    let sent = units.iter().map(|unit| match error.take() {
        None => Sent::NotSent,
        Some(error) => Sent::Failed {
            error: Box::new(error),
            inventory: unit.inventory.cloned(),
        },
    });
    sent.collect()
}

fn remaining(inventory: Option<&Inventory>, removal: &Removal<'_>) -> Option<Inventory> {
    let objects: Vec<AppliedObject> = removal
        .left
        .iter()
        .map(|object| (*object).clone())
        .collect();
    (!objects.is_empty()).then(|| Inventory {
        revision: inventory.map_or(0, |inventory| inventory.revision),
        objects,
    })
}
