//! What has to be known of a cluster to plan units.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::deploy::error::Error;
use crate::deploy::inventory::Inventory;
use crate::deploy::object::{Object, UnitObjects};
use crate::yaml::ResourceId;

use super::discovery::{Resource, Types};
use super::look::Wanted;

/// Units, each with what the store remembers of it.
pub(super) type Units<'a> = [(&'a UnitObjects, Option<&'a Inventory>)];

/// The versions and kinds of all objects that units have or had.
pub(super) fn versions(units: &Units<'_>) -> Vec<(String, String)> {
    let mut versions = HashSet::new();
    for (unit, inventory) in units {
        let desired = unit
            .objects
            .iter()
            .map(|object| (&object.api_version, &object.id.kind));
        let had = inventory.iter().flat_map(|inventory| &inventory.objects);
        versions.extend(desired.chain(had.map(|object| (&object.api_version, &object.id.kind))));
    }
    let owned = versions
        .into_iter()
        .map(|(version, kind)| (version.clone(), kind.clone()));
    owned.collect()
}

/// The objects to look at: what units want, what they had, and their namespaces.
pub(super) fn wanted(
    units: &Units<'_>,
    placed: &[Result<Vec<Object>, Error>],
    types: &Types,
) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut namespaces = BTreeSet::new();
    for ((_, inventory), objects) in units.iter().zip(placed) {
        let Ok(objects) = objects else { continue };
        let desired = objects
            .iter()
            .map(|object| (&object.api_version, &object.id));
        let had = inventory.iter().flat_map(|inventory| &inventory.objects);
        let had = had.map(|object| (&object.api_version, &object.id));
        for (version, id) in desired.clone().chain(had) {
            if let Some(resource) = types.get(version, &id.kind) {
                wanted.push(Wanted {
                    resource: Arc::clone(resource),
                    id: id.clone(),
                });
            }
        }
        namespaces.extend(desired.map(|(_, id)| id.namespace.as_str()));
    }
    wanted.extend(namespaces_wanted(namespaces));
    wanted
}

/// Namespaces as objects to look at.
pub(super) fn namespaces_wanted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Wanted> {
    let resource = Arc::new(Resource::namespaces());
    let names = names.into_iter().filter(|name| !name.is_empty());
    let wanted = names.map(|name| Wanted {
        resource: Arc::clone(&resource),
        id: namespace_id(name),
    });
    wanted.collect()
}

pub(super) fn namespace_id(name: &str) -> ResourceId {
    ResourceId {
        kind: "Namespace".to_owned(),
        name: name.to_owned(),
        ..ResourceId::default()
    }
}

pub(super) fn own_namespaces(units: &Units<'_>) -> BTreeSet<String> {
    let objects = units.iter().flat_map(|(unit, _)| &unit.objects);
    let namespaces =
        objects.filter(|object| object.id.group.is_empty() && object.id.kind == "Namespace");
    namespaces.map(|object| object.id.name.clone()).collect()
}
