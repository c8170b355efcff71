//! One writer at a time within a process, and the words for whoever has to wait.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::{Clock, Timestamp};

/// Who holds the write lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// What it does: the verb of the operation.
    pub command: String,
    /// Since when.
    pub since: Timestamp,
}

impl Holder {
    /// This process, from now on.
    pub(super) fn here(command: &str) -> Self {
        Self {
            pid: std::process::id(),
            command: command.to_owned(),
            since: Clock::System.now(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "pid {}, {}, since {}",
            self.pid, self.command, self.since
        )
    }
}

/// Told to the wait callback while a writer waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Who holds the lock, where that is known.
    pub holder: Option<Holder>,
    /// How long the lock timeout is.
    pub limit: Duration,
}

/// Called when a writer has to wait, once for each holder that it waits for.
pub type OnWait = Arc<dyn Fn(&Waiting) + Send + Sync>;

/// How long a lock may be held before the one who waits for it is told; most are gone sooner.
const PATIENCE: Duration = Duration::from_millis(100);

/// A holder that was told of; none if it was not known who.
struct Told(Option<Holder>);

/// One wait, with its deadline and the holder that was last told.
pub(super) struct Patience {
    began: Instant,
    limit: Duration,
    on_wait: Option<OnWait>,
    /// None until somebody was told of.
    told: Option<Told>,
}

impl Patience {
    pub(super) fn new(limit: Duration, on_wait: Option<OnWait>) -> Self {
        Self {
            began: Instant::now(),
            limit,
            on_wait,
            told: None,
        }
    }

    pub(super) fn waited(&self) -> Duration {
        self.began.elapsed()
    }

    /// What is left; none once the limit is reached.
    pub(super) fn left(&self) -> Option<Duration> {
        self.limit
            .checked_sub(self.waited())
            .filter(|left| !left.is_zero())
    }

    /// How long to wait until something is to be said, and no longer than what is left.
    fn pause(&self, left: Duration) -> Duration {
        match PATIENCE.checked_sub(self.waited()) {
            Some(until) if !until.is_zero() => left.min(until),
            _ => left.min(PATIENCE),
        }
    }

    /// Tells the callback for whom this writer waits, unless it knows.
    pub(super) fn tell(&mut self, holder: Option<Holder>) {
        if self.waited() < PATIENCE || self.told.as_ref().is_some_and(|told| told.0 == holder) {
            return;
        }
        if let Some(on_wait) = &self.on_wait {
            on_wait(&Waiting {
                holder: holder.clone(),
                limit: self.limit,
            });
        }
        self.told = Some(Told(holder));
    }
}

/// Lets one writer of this process through at a time.
#[derive(Debug, Default)]
pub(super) struct Gate {
    inside: Mutex<Option<Holder>>,
    left: Condvar,
}

impl Gate {
    /// Waits until nobody is inside; the holder who stayed too long is the error.
    pub(super) fn enter(
        self: &Arc<Self>,
        command: &str,
        patience: &mut Patience,
    ) -> Result<Pass, Option<Holder>> {
        let mut inside = self.lock();
        while let Some(holder) = inside.clone() {
            let Some(left) = patience.left() else {
                return Err(Some(holder));
            };
            // The callback may take its time, or ask this very gate: not under the lock.
            drop(inside);
            patience.tell(Some(holder));
            inside = self.lock();
            if inside.is_some() {
                let pause = patience.pause(left);
                (inside, _) = self
                    .left
                    .wait_timeout(inside, pause)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
        *inside = Some(Holder::here(command));
        Ok(Pass(Arc::clone(self)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Holder>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write, until dropped.
#[derive(Debug)]
pub(super) struct Pass(Arc<Gate>);

impl Drop for Pass {
    fn drop(&mut self) {
        *self.0.lock() = None;
        self.0.left.notify_one();
    }
}
