//! Targets and workers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::app::cluster::Slot;
use crate::app::table::{Cell, Table};
use crate::app::{App, Verb};
use crate::deploy::{Fault, Target as _};
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId};
use crate::model::{Probe, Space, Target, Worker, WorkerMode};

/// The target that `worker install` sets where a space has none.
const SANDBOX: &str = "sandbox";

/// How many names a cell of a table shows.
const MAX_NAMES: usize = 3;

/// A worker as people see it.
#[derive(Debug, Clone)]
pub struct InstalledWorker {
    worker: Worker,
    space: Slug,
    target: Slug,
}

impl InstalledWorker {
    /// As `--json` shows it.
    pub fn to_json(&self) -> Value {
        json!({
            "Name": self.worker.slug,
            "Space": self.space,
            "Target": self.target,
            "Condition": condition(&self.worker),
        })
    }
}

impl fmt::Display for InstalledWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            worker,
            space,
            target,
        } = self;
        write!(
            f,
            "worker {} of {space} on {target}: {}",
            worker.slug,
            condition(worker)
        )
    }
}

impl App {
    /// Makes sure of a target.
    ///
    /// # Errors
    /// [`Kind::Usage`] when there is no such kind of target, [`Kind::Exists`] when the name
    /// stands for a target of another kind.
    pub fn ensure_target(&self, slug: &Slug, kind: &str, namespace: Option<&str>) -> Result<Value> {
        if kind != SANDBOX {
            return Err(Error::new(
                Kind::Usage,
                format!("expected the kind of a target, `sandbox`, found `{kind}`"),
            ));
        }
        let verb = Verb::new(format!("target ensure {slug}"));
        let (target, _) = self.write(verb, |transaction| {
            let found = transaction.find_target(slug)?;
            if let Some(found) = &found
                && found.kind != kind
            {
                return Err(Error::new(
                    Kind::Exists,
                    format!("expected `{slug}` to be a {kind}, found a {}", found.kind),
                ));
            }
            let mut target = found.clone().unwrap_or_else(|| sandbox(slug));
            if let Some(namespace) = namespace {
                target
                    .parameters
                    .insert("namespace".to_owned(), namespace.to_owned());
            }
            if found.as_ref() != Some(&target) {
                transaction.put_target(&target)?;
            }
            Ok(target)
        })?;
        Ok(json!(target))
    }

    /// Makes sure of a space's worker, and of a target for its units: the sandbox where the space
    /// has none. With `wait`, asks the target for one answer.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the target does not answer.
    pub fn install_worker(
        &self,
        slug: &Slug,
        space: SpaceId,
        wait: bool,
    ) -> Result<InstalledWorker> {
        let verb = Verb::new(format!("worker install {slug}"));
        let (worker, _) = self.write_slot(verb, |slot| {
            let transaction = slot.transaction()?;
            let mut space = transaction.space(space)?;
            let target = if let Some(target) = &space.target {
                target.clone()
            } else {
                let target: Slug = SANDBOX.parse()?;
                if transaction.find_target(&target)?.is_none() {
                    transaction.put_target(&sandbox(&target))?;
                }
                space.target = Some(target.clone());
                transaction.put_space(&space)?;
                target
            };
            let at = transaction.at();
            let found = transaction.find_worker(space.id, slug)?;
            let mut worker = found.clone().unwrap_or_else(|| Worker {
                slug: slug.clone(),
                space: space.id,
                mode: WorkerMode::Embedded,
                last_probe: None,
            });
            if wait && !worker.last_probe.as_ref().is_some_and(|probe| probe.ok) {
                let message = slot.with_sandbox(|sandbox| Ok(sandbox.probe()?))?;
                worker.last_probe = Some(Probe {
                    at,
                    ok: true,
                    message,
                });
            }
            if found.as_ref() != Some(&worker) {
                slot.transaction()?.put_worker(&worker)?;
            }
            Ok(InstalledWorker {
                worker,
                space: space.slug,
                target,
            })
        })?;
        Ok(worker)
    }

    /// The targets as a table, with the spaces that deploy to each and who serves those.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn target_table(&self) -> Result<Table> {
        self.read(|view| {
            let columns = ["Name", "Worker", "ProviderType", "Parameters", "Space"];
            let mut table = Table::new(columns);
            let (spaces, workers) = (view.spaces()?, view.workers()?);
            for target in view.targets()? {
                let users: Vec<&Space> = spaces
                    .iter()
                    .filter(|space| space.target.as_ref() == Some(&target.slug))
                    .collect();
                let served = workers
                    .iter()
                    .filter(|worker| users.iter().any(|space| space.id == worker.space))
                    .map(|worker| worker.slug.to_string());
                let served: BTreeSet<String> = served.collect();
                let served: Vec<String> = served.into_iter().collect();
                let users: Vec<String> = users.iter().map(|space| space.slug.to_string()).collect();
                let parameters: Vec<String> = target
                    .parameters
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                table.push(vec![
                    Cell::text(target.slug.as_str()),
                    names(&served),
                    Cell::text(target.kind),
                    Cell::text(parameters.join(" ")),
                    names(&users),
                ]);
            }
            Ok(table)
        })
    }

    /// The workers as a table.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn worker_table(&self) -> Result<Table> {
        self.read(|view| {
            let mut table = Table::new(["Name", "Condition", "Space", "LastSeen"]);
            for worker in view.workers()? {
                let seen = worker
                    .last_probe
                    .as_ref()
                    .map(|probe| probe.at.to_minutes());
                table.push(vec![
                    Cell::text(worker.slug.as_str()),
                    Cell::text(condition(&worker)),
                    Cell::text(view.space(worker.space)?.slug.as_str()),
                    Cell::text(seen.unwrap_or_default()),
                ]);
            }
            Ok(table)
        })
    }

    /// Sets up a failure of the sandbox, to rehearse what to do about it.
    ///
    /// # Errors
    /// [`Kind::Usage`] when it is none of the failures there are.
    pub fn inject_fault(&self, fault: &Value) -> Result<()> {
        let fault: Fault = serde_json::from_value(fault.clone()).map_err(|error| {
            Error::new(
                Kind::Usage,
                format!("expected a fault of the sandbox: {error}"),
            )
            .hint(
                "#{ NeverReady: #{ object: #{ group: \"apps\", kind: \"Deployment\", \
                 namespace: \"prod\", name: \"web\" } } }, Refuse with a reason, or \
                 LoseConnection with after",
            )
        })?;
        let verb = Verb::new("inject a fault");
        self.write_slot(verb, |slot| {
            slot.with_sandbox(|sandbox| Ok(sandbox.inject(&fault)?))
        })?;
        Ok(())
    }

    /// Ends every failure that was set up.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn clear_faults(&self) -> Result<()> {
        self.write_slot(Verb::new("clear faults"), |slot: &mut Slot| {
            slot.with_sandbox(|sandbox| {
                for fault in sandbox.faults()? {
                    sandbox.clear(&fault)?;
                }
                Ok(())
            })
        })?;
        Ok(())
    }
}

/// A list of names: the first few for people, all of them for programs.
fn names(all: &[String]) -> Cell {
    let shown: Vec<&str> = all.iter().take(MAX_NAMES).map(String::as_str).collect();
    let mut text = shown.join(", ");
    if all.len() > MAX_NAMES {
        let _ = write!(text, " and {} more", all.len() - MAX_NAMES);
    }
    Cell {
        value: json!(all),
        text,
    }
}

fn sandbox(slug: &Slug) -> Target {
    Target {
        slug: slug.clone(),
        kind: SANDBOX.to_owned(),
        parameters: BTreeMap::new(),
    }
}

fn condition(worker: &Worker) -> &'static str {
    match &worker.last_probe {
        Some(probe) if probe.ok => "Ready",
        Some(_) => "Unreachable",
        None => "Unknown",
    }
}
