//! What has to be done to bring a unit's objects to what they are to be. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::yaml::ResourceId;

use super::error::Error;
use super::kind::Rank;
use super::object::{Object, Owner};

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// It is not there and will be created.
    Create,
    /// It is there and differs.
    Update,
    /// It is there and needs nothing.
    Keep,
    /// It is there and is to go.
    Delete,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The object.
    pub resource: ResourceId,
    /// What is done with it.
    pub action: Action,
}

/// All steps for a unit, in their order: first what is created and changed, then, the other way
/// round, what is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Planned>,
}

/// An object as it is in the cluster.
#[derive(Debug, Clone)]
pub struct Present {
    /// The object as it would be had only its owner touched it.
    pub applied: Object,
    /// Whose it is, if it was made by a unit.
    pub owner: Option<Owner>,
    /// Whether it is no longer what was applied.
    pub drifted: bool,
}

/// Plans the objects of a unit.
///
/// `desired` are its objects in the order of applying; `present` what the cluster has of them and
/// of what the unit held before, by [`ResourceId::full`]; `before` what the unit held before.
///
/// # Errors
/// [`Error::Owned`] when an object is another unit's and `takeover` is not set.
pub fn plan(
    owner: &Owner,
    desired: &[Object],
    present: &BTreeMap<String, Present>,
    before: &[ResourceId],
    takeover: bool,
) -> Result<Plan, Error> {
    let mut steps = Vec::new();
    for object in desired {
        let action = match present.get(&object.id.full()) {
            None => Action::Create,
            Some(found) => {
                let other = found.owner.as_ref().filter(|other| !other.is_same(owner));
                if let Some(other) = other.filter(|_| !takeover) {
                    return Err(Error::Owned {
                        object: object.id.to_string(),
                        unit: owner.name.clone(),
                        owner: if other.store == owner.store {
                            other.name.clone()
                        } else {
                            format!("{} of store {}", other.name, other.store)
                        },
                    });
                }
                let same = found.applied.value == object.value;
                if same && found.owner.is_some() && other.is_none() && !found.drifted {
                    Action::Keep
                } else {
                    Action::Update
                }
            }
        };
        steps.push(Planned {
            resource: object.id.clone(),
            action,
        });
    }
    let mut gone: Vec<&ResourceId> = before
        .iter()
        .filter(|id| desired.iter().all(|object| object.id != **id))
        .filter(|id| {
            let found = present
                .get(&id.full())
                .and_then(|found| found.owner.as_ref());
            found.is_some_and(|found| found.is_same(owner))
        })
        .collect();
    gone.sort_by_key(|id| std::cmp::Reverse(Rank::of(&id.kind)));
    steps.extend(gone.into_iter().map(|id| Planned {
        resource: id.clone(),
        action: Action::Delete,
    }));
    Ok(Plan { steps })
}
