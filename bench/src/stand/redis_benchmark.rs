//! `redis-benchmark`, which comes with Redis: the reference for what a Redis can be asked in a second.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::cpu::Meter;
use super::process::Process;
use super::redis::Redis;

/// More than any measurement has: it is ended from outside.
const REQUESTS: &str = "2000000000";
/// Numbers for `__rand_int__`, the most that it takes.
const NUMBERS: &str = "2147483647";

/// A running one; ends when dropped.
#[derive(Debug)]
pub(crate) struct RedisBenchmark {
    _process: Process,
    meter: Meter,
}

impl RedisBenchmark {
    /// Gives one command again and again, on so many connections, one at a time on each. Its numbers are taken from
    /// the Redis and not from what it prints.
    pub(super) fn start(
        program: &Path,
        folder: &Path,
        redis: &Redis,
        connections: usize,
        words: &[String],
    ) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .env_clear()
            .args(["-p", &redis.port().to_string(), "-c", &connections.to_string()])
            .args(["-P", "1", "-n", REQUESTS, "-r", NUMBERS, "-q"])
            .args(words);
        let process = Process::start("redis-benchmark", command, folder)?;
        Ok(Self {
            meter: Meter::of(process.id()),
            _process: process,
        })
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }
}
