//! The use cases: the only place that knows store, scripts and targets together.
//!
//! [`App`] is one open project. Every use case reads through one snapshot or writes through one
//! transaction; inside [`App::atomic`] and [`App::preview`] they all share the one that is open.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{RunId, Slug, UnitId};
use crate::model::{Hash, Process};
use crate::runtime::{Interrupt, Runtime};
use crate::script::Runner;
use crate::store::{Embedded, Waiting};

mod audit;
pub mod authoring;
pub mod backup;
pub mod blame;
mod catalogue;
pub mod change;
pub mod changeset;
mod clone_all;
mod cluster;
pub mod complete;
pub mod conflict;
pub mod conflict_edit;
mod conflict_text;
mod connect;
mod contest;
pub mod create;
mod current;
pub mod delete;
mod difference;
mod dispatch;
pub mod doctor;
pub mod drift;
pub mod dry_run;
pub mod edit;
pub mod export;
mod failure;
mod files;
pub mod filter;
pub mod function_template;
pub mod functions;
pub mod gate;
pub mod group;
mod history;
mod hold;
pub mod import;
pub mod installed;
mod json_patch;
pub mod labels;
pub mod lateral;
pub mod lease;
pub mod merge_report;
pub mod outcome;
mod prefix;
pub mod preview;
pub mod progress;
pub mod project;
pub mod project_files;
mod record;
mod related;
pub mod rollback;
pub mod rollback_target;
pub mod rollout;
pub mod saved_preview;
mod scope;
pub mod select;
pub mod show;
pub mod skeleton;
mod sort;
pub mod spaces;
pub mod status;
pub mod style;
pub mod table;
mod takeover;
pub mod targets;
pub mod undo;
mod unit_record;
mod unit_target;
pub mod upgrade;
pub mod why;
pub mod worker;

use project::Project;

/// What an [`App`] is opened with.
pub struct Settings {
    /// The project: its root is as far as scripts reach.
    pub project: Project,
    /// The store's file.
    pub store: PathBuf,
    /// Who does what is done, asked for at the first write.
    pub actor: Arc<dyn Fn() -> String + Send + Sync>,
    /// Where the time comes from.
    pub clock: Clock,
    /// How long a writer waits for another.
    pub lock_timeout: Duration,
    /// Why it is done, kept with every operation.
    pub message: Option<String>,
    /// The command, as other writers that wait for this one see it.
    pub command: String,
    /// What [`App::new_prefix`] is made from where its caller gives no seed; chance where neither
    /// does.
    pub seed: Option<u64>,
    /// Where lines for a person go: a store that was made, a writer that waits.
    pub notify: Arc<dyn Fn(&str) + Send + Sync>,
    /// Who is told how far long work is.
    pub progress: Arc<progress::Observer>,
    /// This process, by which others can tell whether it still runs.
    pub process: Process,
}

/// One open project: store, functions and targets.
///
/// Cheap to clone; clones share everything, an open transaction included.
#[derive(Clone)]
pub struct App(Arc<Inner>, Option<Arc<changeset::Staging>>);

struct Inner {
    settings: Settings,
    db: Db,
    actor: OnceLock<String>,
    functions: Mutex<catalogue::Kept>,
    runner: Runner,
    scope: Mutex<Scope>,
    connections: Mutex<BTreeMap<Slug, connect::Connection>>,
    runtime: OnceLock<Arc<Runtime>>,
    /// What asks this session to stop, where somebody can.
    interrupt: OnceLock<Interrupt>,
}

/// What changes while a session runs.
#[derive(Default)]
struct Scope {
    open: Option<Open>,
    actors: Vec<String>,
    message: Option<String>,
    run: Option<RunId>,
    /// Where names that say no space are looked for.
    current: Option<Slug>,
    /// Whether a call has the open transaction in its hands just now.
    is_lent: bool,
    /// The changeset that is being applied just now.
    applying: Option<Slug>,
    /// Changesets that a process left half applied and whose cluster could not be asked: once a
    /// session is enough.
    unsettled: BTreeSet<Slug>,
    /// The heads that this session wrote: its own writes never make its selections refuse.
    own_heads: BTreeMap<UnitId, u32>,
    /// Units that selections leave out, while a preview is committed without them.
    excepted: BTreeSet<UnitId>,
    /// The units that the open transaction touched, as they were before.
    touched: BTreeMap<UnitId, Touched>,
}

/// How a unit was before a transaction touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) head: u32,
    pub(crate) data: Hash,
}

/// A transaction that several calls share.
struct Open {
    slot: cluster::Slot,
    is_preview: bool,
    /// Whether every call makes revisions of its own, as it would outside.
    is_stepwise: bool,
    since: Timestamp,
    /// How long it may stay open.
    limit: Option<Duration>,
    calls: Vec<Verb>,
    /// What the operation is to be called, where it is one use case of several calls.
    title: Option<String>,
    /// Of a group: how many of its calls have written so far.
    layers: Option<usize>,
    /// Of a group: the heads that this session had written before it.
    heads_before: BTreeMap<UnitId, u32>,
    /// Why the transaction cannot be committed any more.
    broken: Option<Error>,
}

/// Why a script was stopped that kept the transaction of `atomic` open.
pub(crate) const ATOMIC_TOOK_TOO_LONG: &str =
    "expected atomic to end within 10 s, found it still open; nothing was written";

/// What a write says of itself in the operation log.
#[derive(Debug, Clone)]
pub struct Verb {
    /// What is done: `set-replicas 3`.
    pub text: String,
    /// The arguments.
    pub args: serde_json::Value,
}

impl Verb {
    /// A verb without arguments worth keeping.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            args: serde_json::Value::Null,
        }
    }

    /// A verb with its arguments.
    pub fn with(text: impl Into<String>, args: serde_json::Value) -> Self {
        Self {
            text: text.into(),
            args,
        }
    }
}

fn describe(waiting: &Waiting) -> String {
    let holder = waiting.holder.as_ref();
    let holder = holder.map_or_else(|| "another process".to_owned(), ToString::to_string);
    format!(
        "waiting for {holder}, at most {} s",
        waiting.limit.as_secs()
    )
}

impl App {
    /// Opens a project. Touches no file: the store is made by the first write.
    ///
    /// # Errors
    /// When the store exists and cannot be opened.
    pub fn open(settings: Settings) -> Result<Self> {
        let notify = Arc::clone(&settings.notify);
        let told = Arc::clone(&settings.notify);
        let root = settings.project.root().to_path_buf();
        let store = Embedded::new(&settings.store)
            .with_lock_timeout(settings.lock_timeout)
            .with_on_wait(Arc::new(move |waiting| notify(&describe(waiting))))
            .with_on_create(Arc::new(move |path| {
                let shown = path.strip_prefix(&root).unwrap_or(path);
                told(&format!("created {}", shown.display()));
            }));
        let db = Db::new(Arc::new(store), settings.clock);
        Ok(Self::over(db, settings))
    }

    /// An application over a database that is open already, such as one in memory.
    pub fn over(db: Db, settings: Settings) -> Self {
        let inner = Inner {
            scope: Mutex::new(Scope {
                message: settings.message.clone(),
                ..Scope::default()
            }),
            settings,
            db,
            actor: OnceLock::new(),
            functions: Mutex::default(),
            runner: Runner::new(),
            connections: Mutex::default(),
            runtime: OnceLock::new(),
            interrupt: OnceLock::new(),
        };
        Self(Arc::new(inner), None)
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.0.settings.project
    }

    /// The store's file, which is not there before the first write.
    pub fn store_path(&self) -> &Path {
        &self.0.settings.store
    }

    /// Where its changes are staged, rather than written.
    pub(crate) fn staging(&self) -> Option<&changeset::Staging> {
        self.1.as_deref()
    }

    /// Ends waiting for units once `interrupt` is set; what was sent stays sent. The first one that
    /// is given counts.
    pub fn stop_on(&self, interrupt: Interrupt) {
        self.0.interrupt.get_or_init(|| interrupt);
    }

    /// Whether waiting goes on.
    pub(crate) fn goes_on(&self) -> ControlFlow<()> {
        match self.0.interrupt.get() {
            Some(interrupt) if interrupt.is_set() => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Who does what is done.
    pub fn actor(&self) -> String {
        let stacked = self.scope().actors.last().cloned();
        // Asking may start a process, so it is done once.
        stacked.unwrap_or_else(|| self.0.actor.get_or_init(&*self.0.settings.actor).clone())
    }

    /// Tells the person at the terminal something.
    pub(crate) fn notify(&self, line: &str) {
        (self.0.settings.notify)(line);
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    /// The clusters that this process is connected to.
    fn connections(&self) -> MutexGuard<'_, BTreeMap<Slug, connect::Connection>> {
        // Each use leaves the map whole, so a panic of another thread does no harm.
        self.0
            .connections
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn scope(&self) -> MutexGuard<'_, Scope> {
        // A panic while the lock was held left nothing half done: the transaction inside is
        // dropped, not committed, by whoever asks for it next.
        self.0
            .scope
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
