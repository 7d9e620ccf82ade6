//! The CPU time of a process: user and system time of all of its threads. And its memory.
//!
//! Two sources. `/proc/PID/task/*/schedstat` counts nanoseconds, but forgets threads that have ended; `/proc/PID/stat`
//! forgets nothing, but counts in hundredths of a second. The fine one is used; when the coarse one is ahead by more than
//! its own grain, threads have ended meanwhile, and then the coarse one is.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// `USER_HZ` is 100 wherever Linux runs today.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// Both ends of a span may be off by a tick of user and one of system time, and by what the kernel has not added yet.
const GRAIN: Duration = Duration::from_millis(50);

/// Reads the CPU time of some processes.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    processes: Vec<u32>,
}

/// CPU time since the processes began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    fine: Duration,
    coarse: Duration,
}

/// What this bench needs of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    ticks: u32,
}

impl Meter {
    pub(crate) fn of(process: u32) -> Self {
        Self {
            processes: vec![process],
        }
    }

    /// The process and those that it has started.
    pub(crate) fn of_family(process: u32) -> Result<Self> {
        let mut processes = vec![process];
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            // Processes come and go while this looks.
            if Stat::of(id).is_ok_and(|stat| stat.parent == process) {
                processes.push(id);
            }
        }
        Ok(Self { processes })
    }

    /// Bytes that are resident; what processes share counts for each.
    pub(crate) fn memory(&self) -> Result<u64> {
        let resident = |process: &u32| {
            let path = format!("/proc/{process}/status");
            let text = fs::read_to_string(&path).with_context(|| format!("process {process} has ended"))?;
            resident(&text).with_context(|| format!("{path} tells no VmRSS"))
        };
        self.processes.iter().map(resident).sum()
    }

    pub(crate) fn read(&self) -> Result<Reading> {
        let mut sum = Reading::default();
        for process in &self.processes {
            sum.fine += threads(*process)?;
            sum.coarse += TICK * Stat::of(*process)?.ticks;
        }
        Ok(sum)
    }
}

impl Reading {
    pub(crate) fn since(&self, earlier: Self) -> Duration {
        let fine = self.fine.saturating_sub(earlier.fine);
        let coarse = self.coarse.saturating_sub(earlier.coarse);
        if coarse > fine + GRAIN { coarse } else { fine }
    }
}

impl Stat {
    fn of(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/stat");
        let text = fs::read_to_string(&path).with_context(|| format!("process {process} has ended"))?;
        Self::parse(&text).with_context(|| format!("{path} cannot be read: {text}"))
    }

    /// The name in parentheses may hold anything, so fields are counted from its end.
    fn parse(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        let parent = fields.nth(1)?.parse().ok()?;
        let user: u32 = fields.nth(9)?.parse().ok()?;
        let system: u32 = fields.next()?.parse().ok()?;
        Some(Self {
            parent,
            ticks: user + system,
        })
    }
}

/// Bytes, of `VmRSS:     1234 kB`.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Zero on a kernel that does not count.
fn threads(process: u32) -> Result<Duration> {
    let folder = format!("/proc/{process}/task");
    let entries = fs::read_dir(&folder).with_context(|| format!("process {process} has ended"))?;
    let time = |text: String| {
        text.split_ascii_whitespace()
            .next()?
            .parse()
            .ok()
            .map(Duration::from_nanos)
    };
    let read = entries
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("schedstat")).ok());
    Ok(read.filter_map(time).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(fine_ms: u64, coarse_ms: u64) -> Reading {
        Reading {
            fine: Duration::from_millis(fine_ms),
            coarse: Duration::from_millis(coarse_ms),
        }
    }

    #[test]
    fn fields_are_found_behind_a_strange_name() {
        let text = "77 (a) R 5 x) S 42 31560 25411 0 -1 4194304 100 0 0 0 30 12 0 0 20 0 1 0";
        assert_eq!(
            Stat::parse(text),
            Some(Stat {
                parent: 42,
                ticks: 42
            })
        );
        assert_eq!(Stat::parse("nonsense"), None);
    }

    #[test]
    fn the_fine_clock_is_used_while_it_agrees() {
        assert_eq!(
            reading(1_234, 1_240).since(reading(1_000, 1_000)),
            Duration::from_millis(234)
        );
    }

    #[test]
    fn time_of_threads_that_have_ended_is_not_lost() {
        assert_eq!(
            reading(1_100, 1_900).since(reading(1_000, 1_000)),
            Duration::from_millis(900)
        );
    }

    #[test]
    fn memory_is_what_is_resident() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1236 kB\n"), Some(1236 * 1024));
        assert_eq!(resident("Name:\tx\n"), None);
        assert!(Meter::of(std::process::id()).memory().unwrap() > 1024 * 1024);
    }

    #[test]
    fn work_of_this_process_is_seen() {
        let meter = Meter::of(std::process::id());
        let before = meter.read().unwrap();
        let mut x = 1_u64;
        while meter.read().unwrap().since(before) < Duration::from_millis(20) {
            x = std::hint::black_box(x.wrapping_mul(31));
        }
        assert!(meter.read().unwrap().coarse >= before.coarse);
    }

    #[test]
    fn a_process_that_has_ended_is_an_error() {
        assert!(Meter::of(u32::MAX).read().is_err());
    }
}
