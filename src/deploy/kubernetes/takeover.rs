//! Taking over objects that others made, without changing what they are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::deploy::error::Error;
use crate::deploy::inventory::{AppliedObject, Inventory};
use crate::deploy::object::{Owner, UnitObjects, find};
use crate::deploy::target::{TakenObject, Takeover};
use crate::path::{Path, Segment};
use crate::yaml::ResourceId;

use super::answer::Subject;
use super::apply::{Force, Sending};
use super::connect::Api;
use super::definition::Defined;
use super::discovery::Resource;
use super::look::wanted;
use super::mark::{self, Holder};
use super::record::applied;
use super::request::Call;

/// How often an object is tried again that changed meanwhile.
const MEANWHILE: u32 = 3;

impl Api {
    /// See [`crate::deploy::Target::takeover`].
    pub(super) async fn takeover(
        &self,
        unit: &UnitObjects,
        inventory: Option<&Inventory>,
        from: &[String],
        is_dry: bool,
    ) -> Result<Takeover, Error> {
        let versions = unit.objects.iter();
        let versions = versions.map(|object| (object.api_version.clone(), object.id.kind.clone()));
        let types = self
            .types(versions)
            .await
            .map_err(|failure| self.failed(failure))?;
        let mut cluster_kinds = types.cluster_kinds();
        cluster_kinds.extend(Defined::of(&unit.objects).cluster_kinds());
        let placed = unit.placed(&cluster_kinds)?;
        let all = placed
            .iter()
            .filter_map(|object| wanted(&types, &object.api_version, &object.id));
        let looked = self.look(&all.collect::<Vec<_>>()).await?;
        // Everything is checked before anything is taken.
        let mut found = Vec::new();
        for object in &placed {
            let Some(wanted) = wanted(&types, &object.api_version, &object.id) else {
                return Err(self.unknown_kind(Subject {
                    verb: "get",
                    id: &object.id,
                    api_version: &object.api_version,
                    unit: &unit.owner.name,
                }));
            };
            let live = looked.find(self, &wanted, &unit.owner.name)?;
            let live = live.ok_or_else(|| Error::NoObject {
                target: self.describe(),
                object: object.id.to_string(),
            })?;
            check_named(&object.id, live, &unit.owner, from)?;
            found.push((object, wanted.resource, live));
        }
        let had = inventory.iter().flat_map(|inventory| &inventory.objects);
        let mut by_object: BTreeMap<String, AppliedObject> = had
            .map(|object| (object.id.full(), object.clone()))
            .collect();
        let mut objects = Vec::new();
        let mut inventory = Inventory {
            revision: unit.revision,
            objects: Vec::new(),
        };
        for (object, resource, live) in found {
            let desired = mark::marked(object.value.clone(), &unit.owner);
            let sent = mark::hash(&desired);
            let payload = mark::marked(as_live(object.value.clone(), live), &unit.owner);
            objects.push(told(&object.id, live, &payload, from));
            let force = [(object.id.clone(), Path::root())];
            let sending = Sending {
                resource: &resource,
                id: &object.id,
                unit: &unit.owner.name,
                force: Force::Listed(&force),
                is_defined_here: false,
                is_dry,
            };
            let answer = self.apply(&sending, &payload).await;
            let answer = answer.map_err(|failure| self.unsent(&sending, failure).error)?;
            if !is_dry {
                self.release(&resource, &object.id, &answer, from, &unit.owner)
                    .await?;
            }
            by_object.remove(&object.id.full());
            // Where the unit says something else, the next plan must find it.
            let sent = if payload == desired {
                sent
            } else {
                "taken".to_owned()
            };
            inventory.objects.push(applied(
                object.id.clone(),
                &object.api_version,
                sent,
                answer,
            ));
        }
        inventory.objects.extend(by_object.into_values());
        Ok(Takeover {
            objects,
            inventory: Some(inventory),
        })
    }

    /// Takes the fields of an object away from managers.
    async fn release(
        &self,
        resource: &Resource,
        id: &ResourceId,
        object: &Value,
        from: &[String],
        owner: &Owner,
    ) -> Result<(), Error> {
        let mut object = Cow::Borrowed(object);
        for again in 0.. {
            let Some(patch) = removals(&object, from) else {
                return Ok(());
            };
            let call = Call::json_patch(resource.object(id), &patch);
            let Err(failure) = self.call(&call).await else {
                return Ok(());
            };
            let error = |failure| {
                let about = Subject {
                    verb: "patch",
                    id,
                    api_version: &resource.api_version,
                    unit: &owner.name,
                };
                self.error(failure, about)
            };
            // Its controller may write to it at any time, and the patch is of one version only.
            let now = self.get(resource, id).await.map_err(error)?;
            match now {
                Some(now) if again < MEANWHILE && version(&now) != version(&object) => {
                    object = Cow::Owned(now);
                }
                _ => return Err(error(failure)),
            }
        }
        Ok(())
    }
}

fn version(object: &Value) -> &Value {
    &object["metadata"]["resourceVersion"]
}

/// The patch that takes the fields of an object, as it is in this version, away from managers;
/// none where they have none.
fn removals(object: &Value, from: &[String]) -> Option<Value> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    let named = entries.iter().enumerate().rev();
    // From the last on, so that the places of the others stay what they are.
    let mut removals = named
        .filter(|(_, entry)| is_named(entry, from))
        .map(|(at, _)| json!({"op": "remove", "path": format!("/metadata/managedFields/{at}")}))
        .peekable();
    removals.peek()?;
    let test = json!({"op": "test", "path": "/metadata/resourceVersion", "value": version(object)});
    Some(std::iter::once(test).chain(removals).collect())
}

fn is_named(entry: &Value, from: &[String]) -> bool {
    let is_status = entry["subresource"] == "status";
    !is_status
        && from
            .iter()
            .any(|name| entry["manager"] == name.as_str() && name != super::fields::MANAGER)
}

/// Refuses an object of another unit that is not named.
fn check_named(id: &ResourceId, live: &Value, owner: &Owner, from: &[String]) -> Result<(), Error> {
    let Holder::Other(other) = Holder::of(live, owner) else {
        return Ok(());
    };
    let store = mark::annotation(live, mark::STORE).unwrap_or_default();
    let name = mark::annotation(live, mark::NAME).unwrap_or_default();
    let is_meant = from.iter().any(|from| {
        from.strip_prefix("unit:") == Some(name) || from.strip_prefix("store:") == Some(store)
    });
    if is_meant {
        return Ok(());
    }
    Err(Error::Owned {
        object: id.to_string(),
        unit: owner.name.clone(),
        owner: other,
    })
}

fn told(id: &ResourceId, live: &Value, payload: &Value, from: &[String]) -> TakenObject {
    let mut taken = TakenObject {
        resource: id.clone(),
        managers: Vec::new(),
        extra: Vec::new(),
    };
    let entries = live["metadata"]["managedFields"].as_array();
    for entry in entries
        .into_iter()
        .flatten()
        .filter(|entry| is_named(entry, from))
    {
        let manager = entry["manager"].as_str().unwrap_or_default().to_owned();
        if !taken.managers.contains(&manager) {
            taken.managers.push(manager);
        }
        leaves(&entry["fieldsV1"], &Path::root(), &mut |path| {
            if find(payload, &path).is_none() && !taken.extra.contains(&path) {
                taken.extra.push(path);
            }
        });
    }
    taken
}

/// The fields of a set of fields. An element of a list of plain values has no path of its own.
fn leaves(fields: &Value, path: &Path, found: &mut dyn FnMut(Path)) {
    let inner = fields.as_object().into_iter().flatten();
    let mut is_leaf = true;
    for (key, fields) in inner {
        let segment = if let Some(name) = key.strip_prefix("f:") {
            Segment::Key(name.to_owned())
        } else if let Some(Ok(Value::Object(names))) =
            key.strip_prefix("k:").map(serde_json::from_str)
        {
            let text = |value: &Value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            };
            Segment::Match(
                names
                    .iter()
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
            )
        } else {
            continue;
        };
        is_leaf = false;
        leaves(fields, &path.join(segment), found);
    }
    if is_leaf && !path.is_root() {
        found(path.clone());
    }
}

/// An object with the values that the cluster has, where it has any.
fn as_live(desired: Value, live: &Value) -> Value {
    match (desired, live) {
        (Value::Object(mut map), Value::Object(live)) => {
            for (key, value) in &mut map {
                if let Some(live) = live.get(key) {
                    *value = as_live(value.take(), live);
                }
            }
            Value::Object(map)
        }
        (Value::Array(items), Value::Array(live)) => elements_as_live(items, live),
        (_, live) => live.clone(),
    }
}

/// The elements of a list: by their names where they have some, else by their places.
fn elements_as_live(items: Vec<Value>, live: &[Value]) -> Value {
    let is_named = |items: &[Value]| items.iter().all(|item| item["name"].is_string());
    if is_named(&items) && is_named(live) {
        let each = items.into_iter().map(|item| {
            let same = live.iter().find(|live| live["name"] == item["name"]);
            same.map_or_else(|| item.clone(), |live| as_live(item.clone(), live))
        });
        return Value::Array(each.collect());
    }
    let is_maps = items.iter().all(Value::is_object);
    if is_maps && items.len() == live.len() {
        let each = items.into_iter().zip(live);
        return Value::Array(each.map(|(item, live)| as_live(item, live)).collect());
    }
    if is_maps {
        Value::Array(items)
    } else {
        Value::Array(live.to_vec())
    }
}
