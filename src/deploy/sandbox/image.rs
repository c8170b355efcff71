//! Keeping what the sandbox has of a unit's objects, and putting it back.

use serde_json::Value;

use crate::deploy::error::Error;
use crate::deploy::image::{Captured, Image};
use crate::deploy::object::{Owner, UnitObjects};
use crate::yaml::ResourceId;

use super::state::{Remembered, object_key, unit_key};
use super::{Sandbox, namespace_id};

impl Sandbox {
    pub(super) fn capture_unit(&self, unit: &UnitObjects) -> Result<Image, Error> {
        let records = self.records();
        let inventory = self.inventory(&unit.owner)?;
        let mut image = Image {
            revision: inventory.as_ref().map(|inventory| inventory.revision),
            inventory: inventory.map_or_else(Vec::new, |inventory| inventory.objects),
            ..Image::default()
        };
        let desired = unit.placed(&self.cluster_kinds()?)?;
        let mut ids: Vec<ResourceId> = desired.into_iter().map(|object| object.id).collect();
        for id in &image.inventory {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        for id in ids {
            let namespace = object_key(&namespace_id(&id.namespace));
            let is_listed = image.missing_namespaces.contains(&id.namespace);
            if !id.namespace.is_empty() && !is_listed && records.get::<Value>(&namespace)?.is_none()
            {
                image.missing_namespaces.push(id.namespace.clone());
            }
            let state = records.get::<Value>(&object_key(&id))?;
            image.objects.push(Captured { id, state });
        }
        Ok(image)
    }

    pub(super) fn put_back_unit(&self, owner: &Owner, image: &Image) -> Result<(), Error> {
        let records = self.records();
        let total = image.objects.len();
        for (done, captured) in image.objects.iter().rev().enumerate() {
            let key = object_key(&captured.id);
            if records.get::<Value>(&key)? == captured.state {
                continue;
            }
            self.send(done, total)?;
            match &captured.state {
                Some(state) => records.put(&key, state)?,
                None => self.remove(&captured.id)?,
            }
        }
        for namespace in &image.missing_namespaces {
            if self.inside(namespace)?.is_empty() {
                records.delete(&object_key(&namespace_id(namespace)))?;
            }
        }
        match image.revision {
            None => records.delete(&unit_key(owner)),
            Some(revision) => records.put(
                &unit_key(owner),
                &Remembered {
                    revision,
                    objects: image.inventory.clone(),
                },
            ),
        }
    }
}
