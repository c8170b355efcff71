//! What a script may use, and the meter that stops it when it wants more.
//!
//! Rhai counts operations, depth and the size of single values. Time and memory it does not
//! bound, so a meter looks at both from the progress callback: the clock every 64 operations,
//! resident memory every few milliseconds and only in calls that last that long.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use rhai::{Dynamic, Engine};

/// Allowance of one run. The same in debug and release builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps of the interpreter.
    pub operations: u64,
    /// Script functions that may be open at once.
    pub call_levels: usize,
    /// Nesting of an expression.
    pub expression_depth: usize,
    /// Variables in one function at once.
    pub variables: usize,
    /// Functions and closures in one file.
    pub functions: usize,
    /// Files imported.
    pub modules: usize,
    /// Bytes of one string, and of all strings inside one value.
    pub string_bytes: usize,
    /// Elements of one array, nested ones included.
    pub array_items: usize,
    /// Entries of one object map, nested ones included.
    pub map_entries: usize,
    /// Wall-clock time; `None` is unlimited.
    pub time: Option<Duration>,
    /// By how much the process may grow while the run lasts, in bytes.
    pub memory_bytes: u64,
}

impl Limits {
    /// Allowance of a function called on one unit.
    ///
    /// Rhai walks a value after every change while a size limit is set, so building an array of
    /// n elements costs n²/2 visits: at 10,000 elements less than a second, and the only bound
    /// that also stops nested and shared growth.
    pub const FUNCTION: Self = Self {
        operations: 5_000_000,
        call_levels: 64,
        expression_depth: 64,
        variables: 256,
        functions: 512,
        modules: 0,
        string_bytes: 1 << 20,
        array_items: 10_000,
        map_entries: 10_000,
        time: Some(Duration::from_millis(1_500)),
        memory_bytes: 96 << 20,
    };

    /// Allowance of a session script or the REPL.
    pub const SESSION: Self = Self {
        operations: 2_000_000_000,
        call_levels: 128,
        expression_depth: 128,
        variables: 4_096,
        functions: 4_096,
        modules: 256,
        string_bytes: 64 << 20,
        array_items: 50_000,
        map_entries: 50_000,
        time: None,
        memory_bytes: 1 << 30,
    };

    /// Sets every limit of `engine` and makes the meter its progress callback.
    pub(super) fn impose(&self, engine: &mut Engine) {
        engine
            .set_max_operations(self.operations)
            .set_max_call_levels(self.call_levels)
            .set_max_expr_depths(self.expression_depth, self.expression_depth)
            .set_max_variables(self.variables)
            .set_max_functions(self.functions)
            .set_max_modules(self.modules)
            .set_max_string_size(self.string_bytes)
            .set_max_array_size(self.array_items)
            .set_max_map_size(self.map_entries);
        engine.on_progress(|operations| {
            if operations.is_multiple_of(64) {
                check()
            } else {
                None
            }
        });
    }
}

/// Why the meter stopped a run; the token of `EvalAltResult::ErrorTerminated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Out of time.
    Time(Duration),
    /// The process grew too much.
    Memory(u64),
}

const SAMPLE_EVERY: Duration = Duration::from_millis(4);
const PRINTED_BYTES: usize = 64 << 10;

struct Gauge {
    started: Instant,
    limits: Limits,
    next_sample: Instant,
    resident_at_first: Option<u64>,
    printed: Vec<String>,
    printed_bytes: usize,
}

thread_local! {
    static GAUGES: RefCell<Vec<Gauge>> = const { RefCell::new(Vec::new()) };
}

/// Measures one run on this thread until it is dropped. Runs may nest; the innermost counts.
#[derive(Debug)]
pub struct Meter(());

impl Meter {
    /// Starts the clock.
    pub fn start(limits: Limits) -> Self {
        let started = Instant::now();
        GAUGES.with_borrow_mut(|gauges| {
            gauges.push(Gauge {
                started,
                limits,
                next_sample: started + SAMPLE_EVERY,
                resident_at_first: None,
                printed: Vec::new(),
                printed_bytes: 0,
            });
        });
        Self(())
    }

    /// Whether the innermost run on this thread is out of its allowance: what a progress callback
    /// of an engine gives back to stop it.
    pub fn stop() -> Option<Dynamic> {
        check()
    }

    /// What `print` and `debug` said so far; at most 64 KiB are kept.
    pub fn take_printed(&self) -> Vec<String> {
        GAUGES.with_borrow_mut(|gauges| {
            gauges
                .last_mut()
                .map(|gauge| std::mem::take(&mut gauge.printed))
                .unwrap_or_default()
        })
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        GAUGES.with_borrow_mut(|gauges| {
            let _ended = gauges.pop();
        });
    }
}

/// Keeps a line that a script printed while a meter runs.
pub(super) fn keep_printed(line: &str) {
    GAUGES.with_borrow_mut(|gauges| {
        if let Some(gauge) = gauges.last_mut()
            && gauge.printed_bytes + line.len() <= PRINTED_BYTES
        {
            gauge.printed_bytes += line.len();
            gauge.printed.push(line.to_owned());
        }
    });
}

/// Whether the running script has to stop; the answer that Rhai's progress callback gives.
fn check() -> Option<Dynamic> {
    GAUGES.with_borrow_mut(|gauges| {
        let gauge = gauges.last_mut()?;
        let now = Instant::now();
        if let Some(time) = gauge.limits.time
            && now.duration_since(gauge.started) > time
        {
            return Some(Dynamic::from(Stop::Time(time)));
        }
        if now < gauge.next_sample {
            return None;
        }
        gauge.next_sample = now + SAMPLE_EVERY;
        let resident = resident_bytes()?;
        let first = *gauge.resident_at_first.get_or_insert(resident);
        (resident.saturating_sub(first) > gauge.limits.memory_bytes)
            .then(|| Dynamic::from(Stop::Memory(gauge.limits.memory_bytes)))
    })
}

/// Resident bytes of this process; `None` where the system does not say.
///
/// Elsewhere than on Linux the size limits of single values bound a script alone.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_stopped_while_no_meter_runs() {
        assert!(check().is_none());
    }

    #[test]
    fn meters_nest_and_the_innermost_counts() {
        let _outer = Meter::start(Limits {
            time: Some(Duration::ZERO),
            ..Limits::FUNCTION
        });
        std::thread::sleep(Duration::from_millis(1));
        assert!(check().is_some());
        {
            let _inner = Meter::start(Limits::FUNCTION);
            assert!(check().is_none());
        }
        assert!(check().is_some());
    }
}
