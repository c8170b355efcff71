//! Workers that are processes of their own: they look at their spaces again and again, tell what
//! they see, and bring new heads to the targets where they are asked to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::app::App;
use crate::app::dispatch::Destination;
use crate::app::drift::UnitDrift;
use crate::app::gate::GatePolicy;
use crate::app::outcome::{Outcome, Status as Done, plural};
use crate::app::rollout::ApplyOptions;
use crate::app::select::Selection;
use crate::error::{Error, Kind, Result};
use crate::id::{Slug, SpaceId, UnitId};
use crate::model::{Probe, Space, Status, Unit, Worker, WorkerMode};
use crate::runtime::Interrupt;

pub mod export;
mod health;
pub(crate) mod listing;
mod settings;

pub use health::Health;
pub use settings::WorkerSettings;

/// The longest pause of a worker whose targets do not answer.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How long a unit that failed is left alone at first; each failure of the same head doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(10);

/// How often a sleeping worker looks whether it is to stop.
const BLINK: Duration = Duration::from_millis(100);

/// What the last sign of life of a worker says that has ended as it was told to.
pub(crate) const STOPPED: &str = "stopped";

/// A heartbeat older than so many polls is none.
pub(crate) const MISSED_POLLS: u32 = 3;

/// What a worker does.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Its name in each of its spaces.
    pub slug: Slug,
    /// A glob of the spaces that it serves; asked anew at every look.
    pub spaces: String,
    /// How long between two looks.
    pub poll: Duration,
    /// Whether it applies every new head.
    pub auto_apply: bool,
    /// Look once, and end.
    pub once: bool,
}

/// What a worker keeps in mind from look to look.
#[derive(Debug, Default)]
pub struct Memory {
    /// Units that failed: which head, how often, and when it is tried again, by the clock of looks.
    failures: BTreeMap<UnitId, Failure>,
    /// Drift that was told already.
    told: BTreeMap<UnitId, usize>,
    /// Targets that did not answer at the last look.
    away: BTreeMap<Slug, u32>,
}

#[derive(Debug, Clone, Copy)]
struct Failure {
    head: u32,
    times: u32,
    /// When it is tried again, in microseconds.
    next: i64,
}

/// What one look came to.
#[derive(Debug, Default)]
pub struct Look {
    /// What is worth telling, a line each.
    pub lines: Vec<String>,
    /// Whether every target answered.
    pub is_well: bool,
    /// How many units were applied.
    pub applied: usize,
}

impl App {
    /// Runs a worker until the process is asked to stop, and tells the person at the terminal what
    /// it sees.
    ///
    /// # Errors
    /// As [`Self::run_worker`].
    pub fn serve(&self, options: &WorkerOptions, health: Option<&Health>) -> Result<()> {
        let stop = self.runtime()?.interrupt_on_stop();
        if let Some(health) = health {
            self.notify(&format!("health on http://{}/healthz", health.address()));
        }
        self.run_worker(options, health, &stop, &mut |line| self.notify(line))?;
        Ok(())
    }

    /// Runs a worker until `stop` says so; the look that goes on is finished first.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no space matches at the start. What goes wrong later is told, and
    /// tried again.
    pub fn run_worker(
        &self,
        options: &WorkerOptions,
        health: Option<&Health>,
        stop: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Memory> {
        let spaces = self.served(options)?;
        if spaces.is_empty() {
            return Err(Error::new(
                Kind::NotFound,
                format!(
                    "expected spaces that match `{}`, found none",
                    options.spaces
                ),
            )
            .hint("windlass space list shows the spaces there are"));
        }
        self.register_worker(options, &spaces)?;
        tell(&format!(
            "worker {} serves {}, looks every {} s{}",
            options.slug,
            plural(spaces.len(), "space"),
            options.poll.as_secs_f64(),
            if options.auto_apply {
                ", applies new heads"
            } else {
                ""
            }
        ));
        let mut memory = Memory::default();
        let mut missed = 0;
        while !stop.is_set() {
            let is_well = match self.look_after(options, &mut memory) {
                Ok(look) => {
                    look.lines.iter().for_each(|line| tell(line));
                    look.is_well
                }
                Err(error) => {
                    tell(&format!("error: {error}"));
                    false
                }
            };
            missed = if is_well { 0 } else { missed + 1 };
            if let Some(health) = health {
                health.note(is_well);
            }
            if options.once {
                break;
            }
            pause(backed_off(options.poll, missed), stop);
        }
        self.beat(options, &self.served(options)?, false, STOPPED)?;
        tell("worker stopped");
        Ok(memory)
    }

    /// One look of a worker: which targets answer, how units fare, what has drifted, and what is
    /// new.
    ///
    /// # Errors
    /// When the store cannot be read or written. A target that does not answer is part of the
    /// result.
    pub fn look_after(&self, options: &WorkerOptions, memory: &mut Memory) -> Result<Look> {
        let mut look = Look {
            is_well: true,
            ..Look::default()
        };
        let spaces = self.served(options)?;
        self.register_worker(options, &spaces)?;
        let reachable = self.reachable(&spaces, memory, &mut look)?;
        let message = match look.lines.first() {
            _ if look.is_well => "every target answers",
            Some(line) => line,
            None => "a target does not answer",
        };
        self.beat(options, &spaces, look.is_well, message)?;
        let units = self.units_at(&spaces, &reachable)?;
        self.refresh(&units, &mut look)?;
        self.tell_drift(&units, memory, &mut look);
        if options.auto_apply {
            self.apply_new(&units, memory, &mut look);
        }
        Ok(look)
    }

    fn served(&self, options: &WorkerOptions) -> Result<Vec<Space>> {
        self.spaces_matching(&options.spaces)
    }

    /// Makes sure of the worker's record in each of its spaces.
    fn register_worker(&self, options: &WorkerOptions, spaces: &[Space]) -> Result<()> {
        let record = |space: &Space, found: Option<&Worker>| Worker {
            slug: options.slug.clone(),
            space: space.id,
            mode: WorkerMode::Process,
            last_probe: found.and_then(|found| found.last_probe.clone()),
            poll: settings::seconds(options.poll),
            auto_apply: options.auto_apply,
        };
        let missing = self.read(|view| {
            let mut missing = Vec::new();
            for space in spaces {
                let found = view.find_worker(space.id, &options.slug)?;
                let wanted = record(space, found.as_ref());
                if found.as_ref() != Some(&wanted) {
                    missing.push(wanted);
                }
            }
            Ok(missing)
        })?;
        if missing.is_empty() {
            return Ok(());
        }
        let verb = crate::app::Verb::new(format!("worker run {}", options.slug));
        self.write(verb, |transaction| {
            for worker in &missing {
                transaction.put_worker(worker)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The targets of spaces that answer.
    fn reachable(
        &self,
        spaces: &[Space],
        memory: &mut Memory,
        look: &mut Look,
    ) -> Result<Vec<Slug>> {
        let mut targets: Vec<Slug> = self.read(|view| {
            let mut targets: Vec<Slug> = spaces
                .iter()
                .filter_map(|space| space.target.clone())
                .collect();
            for space in spaces {
                targets.extend(
                    view.units_in(space.id)?
                        .into_iter()
                        .filter_map(|unit| unit.target),
                );
            }
            Ok(targets)
        })?;
        targets.sort();
        targets.dedup();
        let mut reachable = Vec::new();
        for slug in targets {
            let answer = self.destination_named(&slug).and_then(|found| match found {
                Destination::Sandbox => Ok(()),
                Destination::Cluster(target) => Ok(target.probe().map(drop)?),
            });
            match answer {
                Ok(()) => {
                    if memory.away.remove(&slug).is_some() {
                        look.lines.push(format!("target {slug} answers again"));
                    }
                    reachable.push(slug);
                }
                Err(error) => {
                    look.is_well = false;
                    let times = memory.away.entry(slug.clone()).or_insert(0);
                    *times += 1;
                    // Once is told; then only now and then.
                    if times.is_power_of_two() {
                        look.lines.push(format!("target {slug}: {error}"));
                    }
                }
            }
        }
        Ok(reachable)
    }

    /// Leaves a sign of life, whether all is well, and in words how it is.
    fn beat(
        &self,
        options: &WorkerOptions,
        spaces: &[Space],
        ok: bool,
        message: &str,
    ) -> Result<()> {
        let heartbeat = Probe {
            at: self.now(),
            ok,
            message: message.to_owned(),
        };
        let workers: Vec<(SpaceId, Slug)> = spaces
            .iter()
            .map(|space| (space.id, options.slug.clone()))
            .collect();
        Ok(self.db().note_heartbeats(&workers, &heartbeat)?)
    }

    /// The units of spaces that deploy to one of some targets.
    fn units_at(&self, spaces: &[Space], targets: &[Slug]) -> Result<Vec<Unit>> {
        self.read(|view| {
            let mut units = Vec::new();
            for space in spaces {
                for unit in view.units_in(space.id)? {
                    let target = unit.target.as_ref().or(space.target.as_ref());
                    if target.is_some_and(|target| targets.contains(target)) {
                        units.push(unit);
                    }
                }
            }
            Ok(units)
        })
    }

    /// Brings the status of live units up to date.
    fn refresh(&self, units: &[Unit], look: &mut Look) -> Result<()> {
        let live = Selection::of_units(units.iter().filter(|unit| unit.live.is_some()));
        if live.pins().is_empty() {
            return Ok(());
        }
        match self.refresh_status(&live) {
            Ok(changed) => look.lines.extend(changed),
            Err(error) if error.kind() == Kind::Unavailable => {
                look.is_well = false;
                look.lines.push(error.to_string());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Tells drift, each once until it changes.
    fn tell_drift(&self, units: &[Unit], memory: &mut Memory, look: &mut Look) {
        let live = Selection::of_units(units.iter().filter(|unit| unit.live.is_some()));
        if live.pins().is_empty() {
            return;
        }
        let found: Vec<UnitDrift> = match self.drift(&live) {
            Ok(found) => found,
            Err(error) => {
                look.is_well = false;
                look.lines.push(error.to_string());
                return;
            }
        };
        for unit in &found {
            let open = unit.open().count();
            let told = memory.told.insert(unit.unit, open).unwrap_or(0);
            if open > 0 && open != told {
                look.lines.push(format!(
                    "drift {}: {}; windlass drift show {0}",
                    unit.reference,
                    plural(open, "field")
                ));
            }
        }
    }

    /// Applies heads that are not live, but for those that failed a moment ago.
    fn apply_new(&self, units: &[Unit], memory: &mut Memory, look: &mut Look) {
        let now = self.now().microseconds();
        let fresh = Selection::of_units(units.iter().filter(|unit| is_new(unit, memory, now)));
        if fresh.pins().is_empty() {
            return;
        }
        let options = ApplyOptions {
            gates: GatePolicy {
                skip: true,
                ..GatePolicy::default()
            },
            allow_empty: true,
            title: Some("auto-apply".to_owned()),
            ..ApplyOptions::default()
        };
        let outcome = match self.apply(&fresh, &options) {
            Ok(outcome) => outcome,
            // Somebody else has the units, or has changed them: the next look sees.
            Err(error) if error.kind() == Kind::Conflict => {
                look.lines.push(format!("left for the next look: {error}"));
                return;
            }
            Err(error) => {
                look.is_well &= error.kind() != Kind::Unavailable;
                look.lines.push(format!("auto-apply: {error}"));
                return;
            }
        };
        note_failures(&outcome, units, memory, now);
        for report in &outcome.reports {
            match &report.status {
                Done::Changed | Done::Created => {
                    look.applied += 1;
                    look.lines.push(format!(
                        "applied {} {}: {}",
                        report.reference,
                        report.revisions(),
                        report.note
                    ));
                }
                Done::Failed(error) => look
                    .lines
                    .push(format!("failed {}: {error}", report.reference)),
                Done::Skipped(_) | Done::Unchanged => {}
            }
        }
    }
}

/// Whether a worker is to apply a unit. One that was destroyed stays so until its head changes.
fn is_new(unit: &Unit, memory: &Memory, now: i64) -> bool {
    if unit.head == 0 || unit.live == Some(unit.head) {
        return false;
    }
    let was_destroyed = unit.live.is_none()
        && unit.status == Status::NoLive
        && unit.last_applied == Some(unit.head);
    let is_resting = memory
        .failures
        .get(&unit.id)
        .is_some_and(|failure| failure.head == unit.head && now < failure.next);
    !was_destroyed && !is_resting
}

fn note_failures(outcome: &Outcome, units: &[Unit], memory: &mut Memory, now: i64) {
    for report in &outcome.reports {
        let head = units
            .iter()
            .find(|unit| unit.id == report.unit)
            .map_or(0, |unit| unit.head);
        if !matches!(report.status, Done::Failed(_)) {
            if !matches!(report.status, Done::Skipped(_)) {
                memory.failures.remove(&report.unit);
            }
            continue;
        }
        let before = memory
            .failures
            .get(&report.unit)
            .filter(|failure| failure.head == head);
        let times = before.map_or(1, |failure| failure.times + 1);
        let rest = FIRST_RETRY
            .saturating_mul(1 << (times - 1).min(5))
            .min(LONGEST_PAUSE);
        memory.failures.insert(
            report.unit,
            Failure {
                head,
                times,
                next: now.saturating_add(i64::try_from(rest.as_micros()).unwrap_or(i64::MAX)),
            },
        );
    }
}

/// The pause after so many looks at which not every target answered.
fn backed_off(poll: Duration, missed: u32) -> Duration {
    let longest = poll.max(LONGEST_PAUSE);
    poll.saturating_mul(1 << missed.min(10))
        .min(longest)
        .max(poll)
}

fn pause(length: Duration, stop: &Interrupt) {
    let end = std::time::Instant::now() + length;
    while !stop.is_set() {
        let left = end.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(BLINK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn pauses_double_while_targets_are_away_and_end_somewhere() {
        let seconds = |missed| backed_off(Duration::from_secs(10), missed).as_secs();
        assert_eq!(
            [0, 1, 2, 4, 5, 30].map(seconds),
            [10, 20, 40, 160, 300, 300]
        );
        let slow = backed_off(Duration::from_mins(10), 3);
        assert_eq!(slow.as_secs(), 600);
    }

    #[test]
    fn what_is_new_is_applied_and_what_was_destroyed_or_failed_just_now_is_not() {
        let slug = "a".parse().expect("a slug");
        let mut unit = Unit::new(UnitId(1), SpaceId(1), slug, Timestamp::default());
        let mut memory = Memory::default();
        let check = |unit: &Unit, memory: &Memory, expected: bool, why: &str| {
            assert_eq!(is_new(unit, memory, 100), expected, "{why}");
        };
        check(&unit, &memory, false, "without a revision");
        unit.head = 2;
        check(&unit, &memory, true, "never applied");
        unit.live = Some(1);
        check(&unit, &memory, true, "an older revision is live");
        unit.live = Some(2);
        check(&unit, &memory, false, "the head is live");
        unit.live = None;
        unit.last_applied = Some(2);
        check(&unit, &memory, false, "destroyed");
        unit.head = 3;
        check(&unit, &memory, true, "destroyed, and changed since");
        for (head, next, expected) in [(3, 101, false), (3, 100, true), (2, 101, true)] {
            let failure = Failure {
                head,
                times: 1,
                next,
            };
            memory.failures.insert(unit.id, failure);
            check(&unit, &memory, expected, "failed before");
        }
    }
}
