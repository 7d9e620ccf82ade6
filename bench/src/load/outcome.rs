//! What one measurement gave.

use std::time::Duration;

use anyhow::{Result, bail};

use super::connection::Timing;
use super::sample::Sample;
use crate::stand::Cpu;

/// More failed requests than one in so many, and the figures say nothing.
const TOLERATED: u64 = 1000;

/// One connection's requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Of the requests in the window.
    pub(crate) timings: Vec<Timing>,
    /// Good answers, those of the warm-up too.
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
}

/// All connections' requests, and the CPU time that they took.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Answered in the window.
    pub(crate) requests: usize,
    /// The window's true length.
    pub(crate) time: Duration,
    /// Of the measured processes in the window.
    pub(crate) cpu: Cpu,
    pub(crate) content: Sample,
    pub(crate) whole: Sample,
    /// Good answers, those of the warm-up too.
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
}

impl Tally {
    pub(crate) fn fail(&mut self, error: &anyhow::Error) {
        self.failed += 1;
        self.first_failure.get_or_insert_with(|| format!("{error:#}"));
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.timings.extend(other.timings);
        self.answered += other.answered;
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }

    /// # Errors
    /// Too many requests failed, or none fell into the window.
    pub(crate) fn outcome(self, time: Duration, cpu: Cpu) -> Result<Outcome> {
        let first = self
            .first_failure
            .as_deref()
            .unwrap_or("the system did not answer in time");
        if self.timings.is_empty() || self.failed > self.answered / TOLERATED {
            bail!(
                "{} requests failed, {} were answered; the first: {first}",
                self.failed,
                self.answered
            );
        }
        Ok(Outcome {
            requests: self.timings.len(),
            time,
            cpu,
            content: Sample::new(self.timings.iter().map(|timing| timing.content).collect()),
            whole: Sample::new(self.timings.iter().map(|timing| timing.whole).collect()),
            answered: self.answered,
            failed: self.failed,
            first_failure: self.first_failure,
        })
    }
}

impl Outcome {
    /// CPU microseconds for each request.
    pub(crate) fn cpu_micros(&self) -> Option<f64> {
        Some(self.each(self.cpu.system?))
    }

    /// CPU microseconds of the Redis beside it for each request.
    pub(crate) fn redis_micros(&self) -> Option<f64> {
        Some(self.each(self.cpu.redis?))
    }

    fn each(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.count()
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.count() / self.time.as_secs_f64()
    }

    fn count(&self) -> f64 {
        u32::try_from(self.requests).map_or(f64::MAX, f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(answered: u64, failed: u64) -> Tally {
        let timing = Timing {
            content: Duration::from_millis(1),
            whole: Duration::from_millis(2),
        };
        let count = usize::try_from(answered).unwrap();
        let first_failure = (failed > 0).then(|| "status 500".to_owned());
        Tally {
            timings: vec![timing; count],
            answered,
            failed,
            first_failure,
        }
    }

    #[test]
    fn cpu_is_shared_by_the_requests_of_the_window() {
        let outcome = tally(4, 0)
            .outcome(
                Duration::from_secs(2),
                Cpu {
                    system: Some(Duration::from_micros(100)),
                    redis: Some(Duration::from_micros(20)),
                },
            )
            .unwrap();
        assert_eq!(
            (outcome.cpu_micros(), outcome.redis_micros()),
            (Some(25.0), Some(5.0))
        );
        assert_eq!(outcome.per_second(), 2.0);
    }

    #[test]
    fn a_rare_failure_is_reported_and_many_end_the_bench() {
        let second = Duration::from_secs(1);
        assert_eq!(tally(5000, 5).outcome(second, Cpu::default()).unwrap().failed, 5);
        let error = tally(5000, 6).outcome(second, Cpu::default()).unwrap_err();
        assert!(error.to_string().contains("status 500"), "{error}");
    }

    #[test]
    fn no_answer_in_the_window_is_an_error() {
        assert!(
            tally(0, 0)
                .outcome(Duration::from_secs(1), Cpu::default())
                .is_err()
        );
    }

    #[test]
    fn tallies_add_up_and_keep_the_first_failure() {
        let mut all = tally(1, 0);
        all.add(tally(2, 1));
        all.add(tally(0, 1));
        assert_eq!((all.timings.len(), all.answered, all.failed), (3, 3, 2));
        assert_eq!(all.first_failure.as_deref(), Some("status 500"));
    }
}
