//! What a unit has in a cluster, as the store remembers it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::yaml::ResourceId;

/// The objects that a unit had in a cluster after it was last sent there.
///
/// A cluster says of every object whose it is, but not which kinds of objects a unit has; this is
/// how those are found again that the unit no longer holds. It is written before anything is sent
/// as well, so that it always names at least what is there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Inventory {
    /// The revision last sent.
    pub revision: u32,
    /// The objects, in the order of applying.
    pub objects: Vec<AppliedObject>,
}

/// One object of an [`Inventory`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AppliedObject {
    /// Which object.
    pub id: ResourceId,
    /// Version of the API that it was sent for, with the group: `apps/v1`.
    pub api_version: String,
    /// Hash of the object as it was sent; empty until the cluster has taken it.
    pub sent: String,
    /// The fields that we own, in the form of `metadata.managedFields[].fieldsV1`.
    pub fields: Value,
    /// The values of those fields as the cluster answered: it normalises what it is sent.
    pub applied: Value,
}

impl AppliedObject {
    /// An object that is about to be sent for the first time.
    pub fn expected(id: ResourceId, api_version: String) -> Self {
        Self {
            id,
            api_version,
            sent: String::new(),
            fields: Value::Null,
            applied: Value::Null,
        }
    }
}
