//! Whose CPU time one measurement reads, and what it was.

use std::time::Duration;

use anyhow::Result;

use super::cpu::{Meter, Reading};

/// The system that is measured, and the Redis that works for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watched<'a> {
    pub(crate) system: Option<&'a Meter>,
    pub(crate) redis: Option<&'a Meter>,
}

/// Their CPU time until a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readings {
    system: Option<Reading>,
    redis: Option<Reading>,
}

/// Their CPU time in a measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cpu {
    pub(crate) system: Option<Duration>,
    pub(crate) redis: Option<Duration>,
}

impl Watched<'_> {
    pub(crate) fn read(self) -> Result<Readings> {
        Ok(Readings {
            system: self.system.map(Meter::read).transpose()?,
            redis: self.redis.map(Meter::read).transpose()?,
        })
    }
}

impl Readings {
    pub(crate) fn since(self, earlier: Self) -> Cpu {
        let since = |(now, then): (Reading, Reading)| now.since(then);
        Cpu {
            system: self.system.zip(earlier.system).map(since),
            redis: self.redis.zip(earlier.redis).map(since),
        }
    }
}
