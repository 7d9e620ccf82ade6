//! What others did on this machine while something was measured: what the cores were busy with, less the stand's own part.
//!
//! A share of a hundredth or two is the kernel's. More means that others took cores, or that the host under a virtual
//! machine did, and that latencies of that measurement are theirs as well.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::cpu::{Meter, Reading, TICK};

/// A moment, and what had been used until then.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    at: Instant,
    /// Of all cores together; None where the kernel does not tell.
    idle: Option<Duration>,
    own: Vec<Reading>,
}

impl Activity {
    pub(super) fn now(own: &[&Meter]) -> Result<Self> {
        let own = own.iter().map(|meter| meter.read()).collect::<Result<Vec<_>>>()?;
        let idle = fs::read_to_string("/proc/stat").ok().as_deref().and_then(idle);
        Ok(Self {
            at: Instant::now(),
            idle,
            own,
        })
    }

    /// The share of the whole machine that others used since then, from 0 to 1.
    pub(crate) fn others_since(&self, earlier: &Self) -> Option<f64> {
        let cores = u32::try_from(std::thread::available_parallelism().ok()?.get()).ok()?;
        let all = (self.at - earlier.at) * cores;
        let idle = self.idle?.saturating_sub(earlier.idle?);
        let pairs = self.own.iter().zip(&earlier.own);
        let own: Duration = pairs.map(|(now, then)| now.since(*then)).sum();
        let others = all.saturating_sub(idle).saturating_sub(own);
        Some(others.as_secs_f64() / all.as_secs_f64())
    }
}

/// Idle time and time spent waiting for disks, of the line for all cores.
fn idle(stat: &str) -> Option<Duration> {
    let mut fields = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_ascii_whitespace();
    let idle: u32 = fields.nth(3)?.parse().ok()?;
    let waiting: u32 = fields.next()?.parse().ok()?;
    Some(TICK * idle.checked_add(waiting)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_neither_idle_nor_ours_is_the_others() {
        let cores = u32::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
        let at = Instant::now();
        let second = Duration::from_secs(1);
        let activity = |at, idle| Activity {
            at,
            idle: Some(idle),
            own: Vec::new(),
        };
        let later = activity(at + second, second * cores * 3 / 4);
        assert_eq!(later.others_since(&activity(at, Duration::ZERO)), Some(0.25));
    }

    #[test]
    fn idle_time_is_read_from_the_line_of_all_cores() {
        let text = "cpu  1 2 3 1000 50 6 7 8 0 0\ncpu0 1 2 3 500 25 3 4 4 0 0\n";
        assert_eq!(idle(text), Some(TICK * 1050));
        assert_eq!(idle("intr 5"), None);
    }

    #[test]
    fn a_kernel_that_tells_nothing_gives_no_share() {
        let activity = Activity {
            at: Instant::now(),
            idle: None,
            own: Vec::new(),
        };
        assert_eq!(activity.others_since(&activity), None);
    }
}
