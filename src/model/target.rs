//! Where units deploy, and who deploys them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{Slug, SpaceId};

/// A place to deploy to. Belongs to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Target {
    /// Its name.
    pub slug: Slug,
    /// What it is: `sandbox`, `kubernetes` or `directory`.
    pub kind: String,
    /// What its kind needs to know.
    pub parameters: BTreeMap<String, String>,
}

/// A worker of a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Worker {
    /// Its name, unique in the space.
    pub slug: Slug,
    /// The space.
    pub space: SpaceId,
    /// How it works.
    pub mode: WorkerMode,
    /// How the target answered last.
    pub last_probe: Option<Probe>,
    /// Seconds between two looks of a process; none where it never ran.
    pub poll: Option<u32>,
    /// Whether a process applies every new head.
    pub auto_apply: bool,
}

/// How a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerMode {
    /// Whoever calls apply does the work.
    Embedded,
    /// A process of its own.
    Process,
}

/// An answer of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Probe {
    /// When it came.
    pub at: Timestamp,
    /// Whether the target is there and usable.
    pub ok: bool,
    /// What it said.
    pub message: String,
}
