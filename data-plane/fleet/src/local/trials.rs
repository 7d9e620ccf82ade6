//! This node's trials: all there are without Redis; with one, those that it has or was refused.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use penstock_core::time::UnixMs;

use crate::counters::Unreachable;
use crate::trial::{TrialName, Trials};

/// From so many on, those that ended by themselves are looked for.
const MANY: usize = 1_024;

/// See the module.
pub struct LocalTrials {
    clock: Box<dyn Fn() -> UnixMs + Send + Sync>,
    out: Mutex<HashMap<TrialName, Out>>,
    /// Of the last trial.
    number: AtomicU64,
}

/// A trial that nobody else here may have until then.
struct Out {
    /// None: it is another node's.
    number: Option<u64>,
    ends: UnixMs,
}

impl LocalTrials {
    pub fn new(clock: impl Fn() -> UnixMs + Send + Sync + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            out: Mutex::default(),
            number: AtomicU64::new(1),
        }
    }

    /// Takes it here. None: it is out.
    pub(crate) fn begin(&self, name: &TrialName, lease: Duration) -> Option<u64> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        (self.take_as(name, number, lease) == 0).then_some(number)
    }

    /// Redis says that it is another node's, and will for so long.
    pub(crate) fn refused(&self, name: &TrialName, number: u64, left: i64) {
        if let Some(out) = self.out().get_mut(name).filter(|out| out.number == Some(number)) {
            let ends = UnixMs((self.clock)().0.saturating_add(left));
            *out = Out { number: None, ends };
        }
    }

    /// Whether it was still this one's.
    pub(crate) fn finish(&self, name: &TrialName, number: u64) -> bool {
        let mut all = self.out();
        let is_ours = all.get(name).is_some_and(|out| out.number == Some(number));
        is_ours && all.remove(name).is_some()
    }

    /// If it is still this one's.
    pub(crate) fn renew(&self, name: &TrialName, number: u64, lease: Duration) {
        self.take_as(name, number, lease);
    }

    pub(crate) fn is_out(&self, name: &TrialName) -> bool {
        let now = (self.clock)();
        self.out().get(name).is_some_and(|out| out.ends > now)
    }

    fn take_as(&self, name: &TrialName, number: u64, lease: Duration) -> i64 {
        let now = (self.clock)();
        let mut all = self.out();
        let others = |out: &&Out| out.ends > now && out.number != Some(number);
        if let Some(out) = all.get(name).filter(others) {
            return out.ends.0 - now.0;
        }
        if all.len() >= MANY {
            all.retain(|_, out| out.ends > now);
        }
        let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX).max(1);
        let out = Out {
            number: Some(number),
            ends: UnixMs(now.0.saturating_add(lease)),
        };
        all.insert(name.clone(), out);
        0
    }

    fn out(&self) -> MutexGuard<'_, HashMap<TrialName, Out>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For a node that is its own fleet.
impl Trials for LocalTrials {
    async fn take(&self, name: &TrialName, number: u64, lease: Duration) -> Result<i64, Unreachable> {
        Ok(self.take_as(name, number, lease))
    }

    async fn left(&self, name: &TrialName) -> Result<i64, Unreachable> {
        let now = (self.clock)();
        Ok(self.out().get(name).map_or(0, |out| (out.ends.0 - now.0).max(0)))
    }

    async fn end(&self, name: &TrialName, number: u64) -> Result<bool, Unreachable> {
        Ok(self.finish(name, number))
    }
}

impl std::fmt::Debug for LocalTrials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalTrials").finish_non_exhaustive()
    }
}
