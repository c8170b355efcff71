//! Settings of a worker that are kept in the store.

use std::time::Duration;

use crate::app::targets::ensure_target_of;
use crate::app::{App, Verb};
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId};
use crate::model::{Worker, WorkerMode};

/// Between two looks, where nothing else is said.
const POLL: Duration = Duration::from_secs(10);

/// How a worker works, where whoever runs it does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerSettings {
    /// How long between two looks; whole seconds, at least one.
    pub poll: Duration,
    /// Whether it applies every new head.
    pub auto_apply: bool,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            poll: POLL,
            auto_apply: false,
        }
    }
}

/// An interval as a worker's record has it: whole seconds, at least one.
pub(super) fn seconds(poll: Duration) -> Option<u32> {
    u32::try_from(poll.as_secs().max(1)).ok()
}

impl App {
    /// Makes a worker of a space, and the sandbox the space's target where it has none. With `allow_exists`, one that is there stays as it is. Says
    /// whether it is new.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the space has a worker of that name.
    pub fn create_worker(
        &self,
        slug: &Slug,
        space: SpaceId,
        settings: &WorkerSettings,
        allow_exists: bool,
    ) -> Result<bool> {
        let verb = Verb::new(format!("worker create {slug}"));
        let (is_new, _) = self.write(verb, |transaction| {
            if transaction.find_worker(space, slug)?.is_some() {
                let name = transaction.space(space)?.slug;
                return if allow_exists {
                    Ok(false)
                } else {
                    Err(exists(slug, &name))
                };
            }
            transaction.put_worker(&Worker {
                slug: slug.clone(),
                space,
                mode: WorkerMode::Process,
                last_probe: None,
                poll: seconds(settings.poll),
                auto_apply: settings.auto_apply,
            })?;
            let space = transaction.space(space)?;
            ensure_target_of(transaction, &space)?;
            Ok(true)
        })?;
        Ok(is_new)
    }

    /// The settings of a worker, from the first of its spaces that has them.
    ///
    /// # Errors
    /// When the store cannot be read, or `spaces` is no glob.
    pub fn worker_settings(&self, slug: &Slug, spaces: &str) -> Result<Option<WorkerSettings>> {
        let spaces = self.spaces_matching(spaces)?;
        self.read(|view| {
            for space in &spaces {
                if let Some(worker) = view.find_worker(space.id, slug)?
                    && let Some(seconds) = worker.poll
                {
                    return Ok(Some(WorkerSettings {
                        poll: Duration::from_secs(seconds.into()),
                        auto_apply: worker.auto_apply,
                    }));
                }
            }
            Ok(None)
        })
    }
}

fn exists(slug: &Slug, space: &Slug) -> Error {
    Error::new(
        Kind::Exists,
        format!("expected no worker `{slug}` in {space}, found one"),
    )
    .hint("--allow-exists leaves it as it is")
    .hint(format!(
        "windlass worker run {slug} --space {space} runs it"
    ))
}
