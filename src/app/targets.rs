//! Targets and workers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::app::cluster::Slot;
use crate::app::connect::{named, no_such_target, parameter, refuse_unknown_kind};
use crate::app::dispatch::Destination;
use crate::app::outcome::{Outcome, Status as Done, UnitReport};
use crate::app::record::target;
use crate::app::table::{Cell, Table};
use crate::app::worker::listing::condition;
use crate::app::{App, Verb};
use crate::db::Transaction;
use crate::deploy::Fault;
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId};
use crate::model::{Probe, Space, Status, Target, Worker, WorkerMode};

/// The target that `worker install` sets where a space has none.
pub(crate) const SANDBOX: &str = "sandbox";

/// What stands before a worker's name where `cub` means the target that the worker brought.
pub(crate) const ALIAS: &str = "k8s-";

/// The kind of a target that is a cluster.
pub(crate) const KUBERNETES: &str = "kubernetes";

/// Every kind of target.
pub const KINDS: [&str; 2] = [SANDBOX, KUBERNETES];

/// How a worker is installed.
#[derive(Debug, Clone, Default)]
pub struct InstallOptions {
    /// Ask the target for one answer.
    pub wait: bool,
    /// The context of the cluster that the space is to deploy to from now on; the target that it
    /// has, or else the sandbox, where this is none.
    pub kubernetes: Option<String>,
}

/// What a target is to be.
#[derive(Debug, Clone, Default)]
pub struct TargetOptions {
    /// `sandbox` or `kubernetes`; what it is already, else `kubernetes` where a context is given,
    /// else `sandbox`.
    pub kind: Option<String>,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
    /// The context of the kubeconfig.
    pub context: Option<String>,
    /// The kubeconfig, where it is not that of `kubectl`.
    pub kubeconfig: Option<String>,
}

impl TargetOptions {
    fn kind<'a>(&'a self, found: Option<&'a Target>) -> &'a str {
        match (&self.kind, found) {
            (Some(kind), _) => kind,
            (None, Some(found)) => &found.kind,
            (None, None) if self.context.is_some() || self.kubeconfig.is_some() => KUBERNETES,
            (None, None) => SANDBOX,
        }
    }

    fn parameters(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [
            (parameter::NAMESPACE, &self.namespace),
            (parameter::CONTEXT, &self.context),
            (parameter::KUBECONFIG, &self.kubeconfig),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| (name, value)))
    }
}

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
    /// Makes sure of a target. A cluster is asked which one it is, and the target keeps that.
    ///
    /// # Errors
    /// [`Kind::Usage`] when there is no such kind of target, or the sandbox is given a context;
    /// [`Kind::Exists`] when the name stands for a target of another kind; [`Kind::NotFound`] when
    /// there is no such context; [`Kind::Conflict`] when the context leads to another cluster than
    /// the target is; [`Kind::Unavailable`] when the cluster does not answer.
    pub fn ensure_target(&self, slug: &Slug, options: &TargetOptions) -> Result<Value> {
        let found = self.read(|view| Ok(view.find_target(slug)?))?;
        let kind = options.kind(found.as_ref());
        refuse_unknown_kind(kind)?;
        if let Some(found) = found.as_ref().filter(|found| found.kind != kind) {
            return Err(Error::new(
                Kind::Exists,
                format!("expected `{slug}` to be a {kind}, found a {}", found.kind),
            ));
        }
        if kind == SANDBOX && (options.context.is_some() || options.kubeconfig.is_some()) {
            return Err(
                Error::new(Kind::Usage, "expected no context for a sandbox, found one")
                    .hint("--kind kubernetes makes a target of a cluster"),
            );
        }
        let mut target = found.clone().unwrap_or_else(|| Target {
            slug: slug.clone(),
            kind: kind.to_owned(),
            parameters: BTreeMap::new(),
        });
        for (name, value) in options.parameters() {
            target.parameters.insert(name.to_owned(), value.clone());
        }
        if found.as_ref() == Some(&target) {
            return Ok(json!(target));
        }
        if kind == KUBERNETES {
            let (connection, recognised) = self.recognised(&target)?;
            self.remember(recognised.clone(), connection);
            target = recognised;
        }
        let verb = Verb::new(format!("target ensure {slug}"));
        self.write(verb, |transaction| Ok(transaction.put_target(&target)?))?;
        Ok(json!(target))
    }

    /// Makes a target the cluster that it now leads to. What is live on the cluster it was before
    /// stays there; on this one nothing is.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such target, [`Kind::Usage`] when it is the sandbox,
    /// [`Kind::Unavailable`] when the cluster does not answer.
    pub fn rebind_target(&self, slug: &Slug, options: &TargetOptions) -> Result<Outcome> {
        let found = self.read(|view| Ok(view.find_target(slug)?))?;
        let mut target = found.ok_or_else(|| no_such_target(slug))?;
        if target.kind == SANDBOX {
            return Err(Error::new(
                Kind::Usage,
                format!("expected `{slug}` to be a cluster, found the sandbox"),
            ));
        }
        for (name, value) in options.parameters() {
            target.parameters.insert(name.to_owned(), value.clone());
        }
        let identity = self.connect(&target)?.identity();
        let identity = identity.map_err(|error| named(Error::from(error), slug))?;
        let is_same = target.parameters.get(parameter::CLUSTER) == Some(&identity.cluster);
        let parameters = &mut target.parameters;
        parameters.insert(parameter::SERVER.to_owned(), identity.server);
        parameters.insert(parameter::CLUSTER.to_owned(), identity.cluster);
        let text = format!("target rebind {slug}");
        let (mut outcome, op) = self.write(Verb::new(text.clone()), |transaction| {
            if transaction.find_target(slug)?.as_ref() != Some(&target) {
                transaction.put_target(&target)?;
            }
            let mut outcome = Outcome {
                verb: text,
                ..Outcome::default()
            };
            if !is_same {
                outcome.reports = forget(transaction, slug)?;
            }
            Ok(outcome)
        })?;
        outcome.op = op;
        Ok(outcome)
    }

    /// Whether any target is more than the sandbox.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_clusters(&self) -> Result<bool> {
        self.read(|view| {
            let targets = view.targets()?;
            Ok(targets.iter().any(|target| target.kind != SANDBOX))
        })
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
        options: &InstallOptions,
    ) -> Result<InstalledWorker> {
        let wait = options.wait;
        if let Some(context) = &options.kubernetes {
            self.deploy_to(space, context)?;
        }
        let probed = if wait {
            self.probe_cluster(slug, space)?
        } else {
            None
        };
        let verb = Verb::new(format!("worker install {slug}"));
        let (worker, _) = self.write_slot(verb, |slot| {
            let transaction = slot.transaction()?;
            let space = transaction.space(space)?;
            let target = ensure_target_of(transaction, &space)?;
            let at = transaction.at();
            let found = transaction.find_worker(space.id, slug)?;
            let mut worker = found.clone().unwrap_or_else(|| Worker {
                slug: slug.clone(),
                space: space.id,
                mode: WorkerMode::Embedded,
                last_probe: None,
                poll: None,
                auto_apply: false,
            });
            if wait && !worker.last_probe.as_ref().is_some_and(|probe| probe.ok) {
                let message = match probed {
                    Some(message) => message,
                    None => slot.with_sandbox(|sandbox| Ok(sandbox.probe()?))?,
                };
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

    /// Makes a cluster the target of a space: the target that has this context, else a new one of
    /// its name.
    fn deploy_to(&self, space: SpaceId, context: &str) -> Result<()> {
        let found = self.read(|view| {
            let mut targets = view.targets()?.into_iter();
            let is_meant = |target: &Target| {
                target
                    .parameters
                    .get(parameter::CONTEXT)
                    .map(String::as_str)
                    == Some(context)
            };
            Ok(targets.find(is_meant).map(|target| target.slug))
        })?;
        let slug = match found {
            Some(slug) => slug,
            None => slug_of(context)?,
        };
        let options = TargetOptions {
            kind: Some(KUBERNETES.to_owned()),
            context: Some(context.to_owned()),
            ..TargetOptions::default()
        };
        self.ensure_target(&slug, &options)?;
        let verb = Verb::new(format!("deploy to {slug}"));
        self.write(verb, |transaction| {
            let mut space = transaction.space(space)?;
            if space.target.as_ref() != Some(&slug) {
                space.target = Some(slug);
                transaction.put_space(&space)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The answer of a space's target, where that is a cluster and the worker has none yet.
    fn probe_cluster(&self, worker: &Slug, space: SpaceId) -> Result<Option<String>> {
        let target = self.read(|view| {
            let is_answered = view
                .find_worker(space, worker)?
                .is_some_and(|worker| worker.last_probe.is_some_and(|probe| probe.ok));
            let target = view.space(space)?.target;
            Ok(target.filter(|_| !is_answered))
        })?;
        let Some(slug) = target else {
            return Ok(None);
        };
        match self.destination_named(&slug)? {
            Destination::Sandbox => Ok(None),
            Destination::Cluster(target) => {
                let answer = target.probe();
                Ok(Some(
                    answer.map_err(|error| named(Error::from(error), &slug))?,
                ))
            }
        }
    }

    /// The targets as a table, with the spaces that deploy to each and who serves those; of a glob
    /// of spaces alone, with the names by which `cub` calls the targets of their workers.
    ///
    /// # Errors
    /// As [`Self::spaces_matching`].
    pub fn target_table(&self, pattern: Option<&str>) -> Result<Table> {
        let spaces = self.spaces_matching(pattern.unwrap_or("*"))?;
        self.read(|view| {
            let mut columns = vec!["Name", "Worker", "ProviderType", "Parameters", "Space"];
            columns.extend(pattern.map(|_| "Aliases"));
            let mut table = Table::new(columns);
            let workers = view.workers()?;
            for target in view.targets()? {
                let users: Vec<&Space> = spaces
                    .iter()
                    .filter(|space| space.target.as_ref() == Some(&target.slug))
                    .collect();
                if pattern.is_some() && users.is_empty() {
                    continue;
                }
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
                let mut row = vec![
                    Cell::text(target.slug.as_str()),
                    names(&served),
                    Cell::text(target.kind),
                    Cell::text(parameters.join(" ")),
                    names(&users),
                ];
                if pattern.is_some() {
                    let aliases = served.iter().map(|worker| format!("{ALIAS}{worker}"));
                    row.push(names(&aliases.collect::<Vec<_>>()));
                }
                table.push(row);
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
                 namespace: \"prod\", name: \"web\" } } }, Refuse with a reason, Drift with path, \
                 value and manager, Delete, or LoseConnection with after",
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

/// Makes the units of a target not live, for it is another cluster now.
fn forget(transaction: &mut Transaction, slug: &Slug) -> Result<Vec<UnitReport>> {
    let mut reports = Vec::new();
    for space in transaction.spaces()? {
        for mut unit in transaction.units_in(space.id)? {
            if target(&unit, &space) != Some(slug.as_str()) || unit.last_applied.is_none() {
                continue;
            }
            let reference = format!("{}/{}", space.slug, unit.slug);
            let before = unit.live.unwrap_or(0);
            unit.set_live(None);
            unit.last_applied = None;
            unit.set_status(Status::NoLive, "");
            transaction.put_unit(&unit)?;
            transaction.put_inventory(unit.id, slug, None)?;
            reports.push(UnitReport {
                before,
                after: 0,
                status: Done::Changed,
                ..UnitReport::unchanged(&unit, reference)
            });
        }
    }
    Ok(reports)
}

/// The target of a space; the sandbox becomes it where there is none.
pub(crate) fn ensure_target_of(transaction: &mut Transaction, space: &Space) -> Result<Slug> {
    if let Some(target) = &space.target {
        return Ok(target.clone());
    }
    let slug: Slug = SANDBOX.parse()?;
    if transaction.find_target(&slug)?.is_none() {
        transaction.put_target(&Target {
            slug: slug.clone(),
            kind: SANDBOX.to_owned(),
            parameters: BTreeMap::new(),
        })?;
    }
    transaction.put_space(&Space {
        target: Some(slug.clone()),
        ..space.clone()
    })?;
    Ok(slug)
}

/// A name for the target of a context: `arn:aws:eks:eu-west-1:1:cluster/prod` is
/// `arn-aws-eks-eu-west-1-1-cluster-prod`.
fn slug_of(context: &str) -> Result<Slug> {
    let letters = context.to_lowercase();
    let letters = letters.chars().map(|letter| match letter {
        'a'..='z' | '0'..='9' | '.' | '_' => letter,
        _ => '-',
    });
    let letters: String = letters.take(Slug::MAX_CHARS).collect();
    Ok(letters.trim_start_matches(['-', '.', '_']).parse()?)
}
