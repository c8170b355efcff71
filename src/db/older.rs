//! Forms of entities that older versions wrote; they are read for ever.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::clock::Timestamp;
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::{Hash, Hold, Labels, Probe, Space, Status, Unit, Upstream, Worker, WorkerMode};

/// A space before it had gates.
#[derive(Deserialize)]
pub(super) struct Space1 {
    id: SpaceId,
    slug: Slug,
    labels: Labels,
    target: Option<Slug>,
    created: Timestamp,
}

impl From<Space1> for Space {
    fn from(old: Space1) -> Self {
        Self {
            id: old.id,
            slug: old.slug,
            labels: old.labels,
            target: old.target,
            created: old.created,
            gates: BTreeSet::new(),
        }
    }
}

/// A worker before it could be a process.
#[derive(Deserialize)]
pub(super) struct Worker1 {
    slug: Slug,
    space: SpaceId,
    mode: WorkerMode,
    last_probe: Option<Probe>,
}

impl From<Worker1> for Worker {
    fn from(old: Worker1) -> Self {
        Self {
            slug: old.slug,
            space: old.space,
            mode: old.mode,
            last_probe: old.last_probe,
            poll: None,
            auto_apply: false,
        }
    }
}

/// A unit before it could be held and knew which revisions had been live.
#[derive(Deserialize)]
pub(super) struct Unit1 {
    id: UnitId,
    space: SpaceId,
    slug: Slug,
    labels: Labels,
    created: Timestamp,
    updated: Timestamp,
    head: u32,
    data: Hash,
    bookkeeping: Hash,
    upstream: Option<Upstream>,
    live: Option<u32>,
    last_applied: Option<u32>,
    previous_live: Option<u32>,
    status: Status,
    status_reason: Option<String>,
    target: Option<Slug>,
    open_conflicts: u32,
    kinds: Vec<String>,
    last_change: String,
}

impl From<Unit1> for Unit {
    fn from(old: Unit1) -> Self {
        Self {
            id: old.id,
            space: old.space,
            slug: old.slug,
            labels: old.labels,
            created: old.created,
            updated: old.updated,
            head: old.head,
            data: old.data,
            bookkeeping: old.bookkeeping,
            upstream: old.upstream,
            live: old.live,
            last_applied: old.last_applied,
            previous_live: old.previous_live,
            status: old.status,
            status_reason: old.status_reason,
            target: old.target,
            open_conflicts: old.open_conflicts,
            kinds: old.kinds,
            last_change: old.last_change,
            lived: old.previous_live.into_iter().collect(),
            held: None,
            tolerated: Vec::new(),
        }
    }
}

/// A unit before drift of it could be tolerated. What was added to a record stands behind what it
/// had, so the older form is its beginning.
#[derive(Deserialize)]
pub(super) struct Unit2 {
    beginning: Unit1,
    lived: Vec<u32>,
    held: Option<Hold>,
}

impl From<Unit2> for Unit {
    fn from(old: Unit2) -> Self {
        Self {
            lived: old.lived,
            held: old.held,
            ..old.beginning.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{decode, encode};

    /// A record as the version before wrote it: without its last bytes, which are empty fields.
    fn older(mut stored: Vec<u8>, version: u8, added: usize) -> Vec<u8> {
        stored.truncate(stored.len() - added);
        stored[0] = version;
        stored
    }

    #[test]
    fn what_the_version_before_wrote_reads_as_what_it_was() {
        let slug: Slug = "web".parse().expect("a slug");
        let mut unit = Unit::new(UnitId(7), SpaceId(3), slug.clone(), Timestamp::default());
        unit.head = 5;
        unit.set_live(Some(4));
        unit.set_live(Some(5));
        unit.held = Some(Hold {
            by: "sam".to_owned(),
            at: Timestamp::default(),
            until: None,
            why: Some("INC-1".to_owned()),
        });
        let read: Unit = decode(&older(encode(&unit), 2, 1), "unit").expect("a unit");
        assert_eq!(read, unit);
        let worker = Worker {
            slug,
            space: SpaceId(3),
            mode: WorkerMode::Embedded,
            last_probe: None,
            poll: None,
            auto_apply: false,
        };
        let read: Worker = decode(&older(encode(&worker), 1, 2), "worker").expect("a worker");
        assert_eq!(read, worker);
    }
}
