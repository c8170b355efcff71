//! What a target has of a unit's objects, kept so that it can be put back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::yaml::ResourceId;

use super::inventory::Inventory;

/// Every object that applying or destroying a unit would touch, as it is before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Image {
    /// The revision that was sent last; none where the unit had nothing there.
    pub revision: Option<u32>,
    /// The objects that the unit had, in the order of applying.
    pub inventory: Vec<ResourceId>,
    /// The objects that are touched.
    pub objects: Vec<Captured>,
    /// Namespaces that are not there.
    pub missing_namespaces: Vec<String>,
    /// What the store remembered of the unit; none where the target remembers by itself.
    #[serde(default)]
    pub cluster: Option<Inventory>,
}

/// One object of an [`Image`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    /// Which object.
    pub id: ResourceId,
    /// The object in the target's own form; none where there was none.
    pub state: Option<Value>,
}
