//! What is known of workers: lists, one of them, and how they do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{MISSED_POLLS, STOPPED};
use crate::app::table::{Cell, Table};
use crate::app::{App, Verb};
use crate::clock::Timestamp;
use crate::db::View;
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId};
use crate::model::{Probe, Space, Worker, WorkerMode};

/// How a worker does that gave no sign of life for too long.
pub(crate) const SILENT: &str = "Silent";

impl App {
    /// The workers of the spaces that a glob matches, as a table.
    ///
    /// # Errors
    /// As [`Self::spaces_matching`].
    pub fn worker_table(&self, pattern: &str) -> Result<Table> {
        let spaces = self.spaces_matching(pattern)?;
        self.read(|view| {
            let mut table = Table::new(["Name", "Condition", "Space", "LastSeen"]);
            for worker in view.workers()? {
                let Some(space) = spaces.iter().find(|space| space.id == worker.space) else {
                    continue;
                };
                let (condition, seen) = seen(view, &worker)?;
                table.push(vec![
                    Cell::text(worker.slug.as_str()),
                    Cell::text(condition),
                    Cell::text(space.slug.as_str()),
                    Cell::text(seen.map(|probe| probe.at.to_minutes()).unwrap_or_default()),
                ]);
            }
            Ok(table)
        })
    }

    /// One worker of a space, as JSON: how it does, when it was seen, and its settings.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the space has no such worker.
    pub fn worker_record(&self, slug: &Slug, space: &Space) -> Result<Value> {
        let worker = self.worker_named(slug, space)?;
        self.read(|view| {
            let (condition, seen) = seen(view, &worker)?;
            Ok(json!({
                "Slug": worker.slug,
                "Space": space.slug,
                "Target": space.target,
                "Condition": condition,
                "LastSeen": seen.as_ref().map(|probe| probe.at.to_minutes()),
                "Message": seen.map(|probe| probe.message).filter(|text| !text.is_empty()),
                "Mode": worker.mode,
                "PollSeconds": worker.poll,
                "AutoApply": worker.auto_apply,
            }))
        })
    }

    /// The worker of this name.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the space has none.
    pub fn worker_named(&self, slug: &Slug, space: &Space) -> Result<Worker> {
        let found = self.read(|view| Ok(view.find_worker(space.id, slug)?))?;
        found.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                format!("expected a worker `{slug}` in {}, found none", space.slug),
            )
            .hint(format!(
                "windlass worker list --space {} shows the workers there are",
                space.slug
            ))
        })
    }

    /// Deletes a worker. The target of its space stays, and so does what is live.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when the space has no such worker.
    pub fn delete_worker(&self, slug: &Slug, space: &Space) -> Result<()> {
        let worker = self.worker_named(slug, space)?;
        let verb = Verb::new(format!("worker delete {slug}"));
        self.write(verb, |transaction| {
            Ok(transaction.delete_worker(worker.space, slug)?)
        })?;
        Ok(())
    }

    /// Whether every one of these spaces has a worker of this name.
    pub(crate) fn all_have_worker(&self, spaces: &BTreeSet<SpaceId>, slug: &Slug) -> Result<bool> {
        self.read(|view| {
            for space in spaces {
                if view.find_worker(*space, slug)?.is_none() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}

fn seen(view: &View, worker: &Worker) -> Result<(&'static str, Option<Probe>)> {
    Ok(match worker.mode {
        WorkerMode::Embedded => (condition(worker), worker.last_probe.clone()),
        WorkerMode::Process => {
            let beat = view.heartbeat(worker.space, &worker.slug)?;
            (beating(worker, beat.as_ref(), view.now()), beat)
        }
    })
}

/// How a worker does that is whoever calls: by the last answer of its target.
pub(crate) fn condition(worker: &Worker) -> &'static str {
    match &worker.last_probe {
        Some(probe) if probe.ok => "Ready",
        Some(_) => "Unreachable",
        None => "Unknown",
    }
}

/// How a worker that is a process does: by its last sign of life.
pub(crate) fn beating(worker: &Worker, beat: Option<&Probe>, now: Timestamp) -> &'static str {
    let Some(beat) = beat else {
        return "Unknown";
    };
    let limit = i64::from(worker.poll.unwrap_or(1).saturating_mul(MISSED_POLLS)) * 1_000_000;
    match beat.ok {
        // A clock elsewhere may be ahead of this one.
        true if now.microseconds() - beat.at.microseconds() <= limit => "Ready",
        true => SILENT,
        false if beat.message == STOPPED => "Stopped",
        false => "Unreachable",
    }
}
