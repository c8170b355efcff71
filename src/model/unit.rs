//! Units.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Hash, Hold, Labels, Tolerance};
use crate::clock::Timestamp;
use crate::id::{Slug, SpaceId, UnitId};

/// One configuration item: labels, YAML data, history, an upstream, a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Unit {
    /// Its number.
    pub id: UnitId,
    /// The space it is in.
    pub space: SpaceId,
    /// Its name, unique in the space.
    pub slug: Slug,
    /// Its labels.
    pub labels: Labels,
    /// When it was made.
    pub created: Timestamp,
    /// When its record last changed with its data or bookkeeping.
    pub updated: Timestamp,
    /// Number of its newest revision; 0 until the first is written.
    pub head: u32,
    /// Hash of the newest revision's text.
    pub data: Hash,
    /// Hash of what it has beside its data.
    pub bookkeeping: Hash,
    /// What it was cloned from.
    pub upstream: Option<Upstream>,
    /// The revision last applied with success.
    pub live: Option<u32>,
    /// The revision last sent to the target.
    pub last_applied: Option<u32>,
    /// The revision that was live before this one.
    pub previous_live: Option<u32>,
    /// How it does where it is deployed.
    pub status: Status,
    /// Why, in words.
    pub status_reason: Option<String>,
    /// Where it deploys; the space's target if none.
    pub target: Option<Slug>,
    /// How many of its conflicts are open; counted by the database.
    pub open_conflicts: u32,
    /// The kinds of its resources, such as `Deployment`: sorted, each once.
    pub kinds: Vec<String>,
    /// What the newest revision's description says.
    pub last_change: String,
    /// Revisions that were live before the present one: the latest first, each once, at most
    /// [`Unit::MAX_LIVED`].
    pub lived: Vec<u32>,
    /// Why it is not to be deployed for now.
    pub held: Option<Hold>,
    /// Fields that may differ in the cluster.
    pub tolerated: Vec<Tolerance>,
}

impl Unit {
    /// How many of the revisions that were live are kept in mind.
    pub const MAX_LIVED: usize = 32;

    /// A unit without revisions.
    pub fn new(id: UnitId, space: SpaceId, slug: Slug, at: Timestamp) -> Self {
        Self {
            id,
            space,
            slug,
            labels: Labels::new(),
            created: at,
            updated: at,
            head: 0,
            data: Hash::ZERO,
            bookkeeping: Hash::ZERO,
            upstream: None,
            live: None,
            last_applied: None,
            previous_live: None,
            status: Status::NoLive,
            status_reason: None,
            target: None,
            open_conflicts: 0,
            kinds: Vec::new(),
            last_change: String::new(),
            lived: Vec::new(),
            held: None,
            tolerated: Vec::new(),
        }
    }

    /// Says which revision is live from now on; none where nothing is.
    pub fn set_live(&mut self, revision: Option<u32>) {
        if self.live == revision {
            return;
        }
        if let Some(before) = self.live {
            self.previous_live = Some(before);
            self.lived.retain(|lived| *lived != before);
            self.lived.insert(0, before);
            self.lived.truncate(Self::MAX_LIVED);
        }
        self.live = revision;
    }

    /// Whether its upstream has a newer revision than the one it took last.
    pub fn needs_upgrade(&self, upstream: &Self) -> bool {
        let link = self.upstream.as_ref();
        link.is_some_and(|link| link.revision < upstream.head)
    }

    /// Whether its head is not what was applied last with success.
    pub fn is_unapplied(&self) -> bool {
        self.live != Some(self.head)
    }

    /// Says how it does where it is deployed, and why; without words where there are none.
    pub fn set_status(&mut self, status: Status, why: &str) {
        self.status = status;
        self.status_reason = (!why.is_empty()).then(|| why.to_owned());
    }

    /// Whether a revision is live or is known to have been.
    pub fn was_live(&self, revision: u32) -> bool {
        self.live == Some(revision) || self.lived.contains(&revision)
    }
}

/// The upstream of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Upstream {
    /// The unit it was cloned from.
    pub unit: UnitId,
    /// The revision of it last taken.
    pub revision: u32,
}

/// How a unit does where it is deployed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Status {
    /// Not deployed.
    #[default]
    NoLive,
    /// Sent, and not yet what it is to be.
    Progressing,
    /// As it is to be.
    Ready,
    /// Was ready and is no longer.
    Degraded,
    /// Could not be brought there.
    Failed,
}

impl Status {
    /// The status as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoLive => "NoLive",
            Self::Progressing => "Progressing",
            Self::Ready => "Ready",
            Self::Degraded => "Degraded",
            Self::Failed => "Failed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
