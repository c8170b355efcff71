//! Whether a process that began something still runs.
//!
//! A process of the same machine is asked for by its number and the time of its start (the
//! 22nd field of `/proc/PID/stat`, see `proc_pid_stat(5)`); about others only a lease tells, which
//! ends by itself.

use std::fs;

use crate::clock::Timestamp;
use crate::model::Process;

/// How long after its last sign of life a process elsewhere is believed to run, in microseconds.
pub(crate) const LEASE: i64 = 60_000_000;

/// This process.
pub fn here() -> Process {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let host = match boot.trim() {
        "" => String::new(),
        boot => format!("{boot} {}", namespace.display()),
    };
    let pid = std::process::id();
    Process {
        host,
        pid,
        started: started(pid).unwrap_or_default(),
    }
}

/// Whether `process` is known to have ended, as `here` sees it.
pub(crate) fn has_ended(
    process: &Process,
    until: Timestamp,
    here: &Process,
    now: Timestamp,
) -> bool {
    if process == here {
        return false;
    }
    if process.host.is_empty() || process.host != here.host {
        return until <= now;
    }
    started(process.pid) != Some(process.started)
}

/// When a process of this machine started, in ticks since the machine did.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets, which may hold spaces and brackets itself.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_ended_when_its_number_or_its_start_is_another() {
        let here = here();
        if here.host.is_empty() {
            return;
        }
        let other = Process {
            pid: 1,
            started: started(1).unwrap_or_default(),
            ..here.clone()
        };
        let late = Timestamp::from_microseconds(i64::MAX);
        let ended = |process: &Process| has_ended(process, Timestamp::default(), &here, late);
        assert!(!ended(&here));
        assert!(!ended(&other));
        assert!(ended(&Process {
            started: u64::MAX,
            ..other.clone()
        }));
        assert!(ended(&Process {
            pid: u32::MAX,
            ..other.clone()
        }));
    }

    #[test]
    fn of_another_machine_only_the_lease_tells() {
        let here = here();
        let elsewhere = Process {
            host: "elsewhere".to_owned(),
            ..here.clone()
        };
        let at = Timestamp::from_microseconds;
        assert!(!has_ended(&elsewhere, at(10), &here, at(9)));
        assert!(has_ended(&elsewhere, at(10), &here, at(10)));
    }
}
