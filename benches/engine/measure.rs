//! Measuring: wall time and processor time, peak memory, medians.

use std::fs;
use std::time::{Duration, Instant};

use crate::Result;

/// What a piece of work took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Taken {
    pub(crate) wall: Duration,
    /// Of all threads together; none where the system does not say.
    pub(crate) processor: Option<Duration>,
}

impl Taken {
    pub(crate) fn millis(self) -> f64 {
        self.wall.as_secs_f64() * 1e3
    }
}

/// Runs `work` once and says what it took beside what it returned.
pub(crate) fn once<T>(work: impl FnOnce() -> Result<T>) -> Result<(Taken, T)> {
    let processor = processor_time();
    let begun = Instant::now();
    let value = work()?;
    let wall = begun.elapsed();
    let processor = processor_time()
        .zip(processor)
        .map(|(after, before)| after.saturating_sub(before));
    Ok((Taken { wall, processor }, value))
}

/// The median of several runs.
pub(crate) fn median(runs: usize, mut work: impl FnMut(usize) -> Result<()>) -> Result<Taken> {
    let mut taken = Vec::with_capacity(runs);
    for run in 0..runs.max(1) {
        taken.push(once(|| work(run))?.0);
    }
    Ok(middle(taken))
}

/// The median of what several runs took.
pub(crate) fn middle(mut taken: Vec<Taken>) -> Taken {
    taken.sort_unstable();
    taken[taken.len() / 2]
}

/// The processor time that the threads of this process have used, those that ended left out.
fn processor_time() -> Option<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else {
            continue;
        };
        nanoseconds += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

/// Forgets the peak of memory so far, so that the next phase has a peak of its own.
pub(crate) fn forget_peak() {
    // Only Linux can; elsewhere no peak is shown either.
    fs::write("/proc/self/clear_refs", "5").ok();
}

/// The peak of resident memory in MiB since [`forget_peak`]; none where the system does not say.
pub(crate) fn peak() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes / 1024.0)
}
