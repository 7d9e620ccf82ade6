//! Counters in the process, for a data plane that is its own fleet and for one that lost Redis.
//!
//! What is counted is lost with the process; the money is then made from the ledger again. Time is the caller's clock,
//! held so that it does not go back.

mod account;
mod bindings;
mod check;
mod flight;
mod free_calls;
mod money;
mod reading;
mod recent;
mod ring;
mod subject;
mod trials;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;

use crate::account::{Account, SubjectName};
use crate::counters::{
    Admit, Adopt, Call, Counters, Noted, RecordNumber, Renewed, Seed, Seeded, Settle, TopUp, Unreachable,
    Usage, Verdict,
};
use account::AccountState;
pub use bindings::{CacheFigures, LocalBindings};
pub(crate) use free_calls::FreeCalls;
pub use trials::LocalTrials;

const SHARDS: usize = 64;

/// See the module.
pub struct Local {
    clock: Box<dyn Fn() -> UnixMs + Send + Sync>,
    shards: Vec<Mutex<HashMap<Account, AccountState>>>,
}

impl Local {
    pub fn new(clock: impl Fn() -> UnixMs + Send + Sync + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        for shard in &self.shards {
            lock(shard).clear();
        }
    }

    /// Forgets accounts in which nothing happened for long.
    pub fn sweep(&self) {
        let now = (self.clock)();
        for shard in &self.shards {
            lock(shard).retain(|_, state| !state.is_stale(now));
        }
    }

    /// Takes a session out of a subject's concurrent ones. Whether it was one.
    pub(crate) fn free(&self, account: Account, subject: SubjectName, session: SessionId) -> bool {
        let Some(shard) = self.shards.get(account.spread() % SHARDS) else {
            return false;
        };
        let mut shard = lock(shard);
        shard
            .get_mut(&account)
            .is_some_and(|state| state.free(subject, session))
    }

    fn on<T>(&self, account: Account, act: impl FnOnce(&mut AccountState, UnixMs) -> T) -> T {
        let shard = self.shards.get(account.spread() % SHARDS);
        let now = (self.clock)();
        match shard {
            Some(shard) => act(lock(shard).entry(account).or_default(), now),
            None => act(&mut AccountState::default(), now),
        }
    }
}

fn lock(shard: &Mutex<HashMap<Account, AccountState>>) -> MutexGuard<'_, HashMap<Account, AccountState>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Counters for Local {
    async fn admit(&self, admit: &Admit) -> Result<Verdict, Unreachable> {
        Ok(self.on(admit.call.account, |state, now| state.admit(admit, now)))
    }

    async fn settle(&self, settle: &Settle) -> Result<Noted, Unreachable> {
        Ok(self.on(settle.call.account, |state, now| state.settle(settle, now)))
    }

    async fn adopt(&self, adopt: &Adopt) -> Result<Noted, Unreachable> {
        Ok(self.on(adopt.call.account, |state, now| state.adopt(adopt, now)))
    }

    async fn top_up(&self, call: &Call, enforce: bool) -> Result<TopUp, Unreachable> {
        Ok(self.on(call.account, |state, now| state.top_up(call, enforce, now)))
    }

    async fn renew(&self, account: Account) -> Result<Renewed, Unreachable> {
        Ok(self.on(account, |state, _| state.renew()))
    }

    async fn seed(
        &self,
        account: Account,
        seeds: &[Seed],
        marks: &[RecordNumber],
    ) -> Result<Seeded, Unreachable> {
        Ok(self.on(account, |state, now| state.seed(seeds, marks, now)))
    }

    async fn read(&self, call: &Call) -> Result<Option<Vec<Usage>>, Unreachable> {
        Ok(self.on(call.account, |state, now| state.read(call, now)))
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}
