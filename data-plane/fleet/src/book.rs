//! What this data plane knows of accounts by itself: its calls in flight, and what it settled lately.
//!
//! Counters can be lost, and calls to them can fail. Whatever of this node they may not have is kept here until they
//! do, and is said again by id when they were made anew. A settlement is kept until it was delivered, its record is in
//! the ledger, and the counters were the same before and after: from then on any new baseline contains it.
//!
//! Bounded: beyond [`MAX_SETTLED`] settlements in all, the oldest of their account are forgotten and counted.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use penstock_core::id::RequestId;
use penstock_core::time::UnixMs;
use tokio::time::Instant;

use crate::account::{Account, SubjectName};
use crate::counters::{Adopt, Seen, Settle};

/// Settlements that are kept, of all accounts.
pub(crate) const MAX_SETTLED: usize = 200_000;
/// Accounts whose last values are kept though nothing of them is under way.
const MAX_IDLE: usize = 100_000;
/// For a settlement to be delivered.
const ON_ITS_WAY: Duration = Duration::from_secs(3);
const SHARDS: usize = 32;

/// All books.
pub(crate) struct Books {
    shards: Vec<Mutex<HashMap<Account, Book>>>,
    settled: AtomicUsize,
    forgotten: AtomicU64,
}

/// One account's.
#[derive(Default)]
pub(crate) struct Book {
    /// Of the counters when they were last heard of.
    pub(crate) generation: u64,
    /// How often this node had the counters made from the ledger.
    pub(crate) seeds: u64,
    pub(crate) open: HashMap<RequestId, OpenCall>,
    pub(crate) settled: VecDeque<Settled>,
    /// The counters' last values, and when.
    pub(crate) seen: Vec<Seen>,
    pub(crate) seen_at: UnixMs,
}

/// A call in flight.
#[derive(Clone)]
pub(crate) struct OpenCall {
    pub(crate) adopt: Arc<Adopt>,
    /// It is not let in yet: whoever says again what is in flight must not let it in.
    pub(crate) pending: bool,
    /// The shared counters may not have it.
    pub(crate) unshared: bool,
    /// This node's share has it.
    pub(crate) in_share: bool,
}

/// A call that has ended.
pub(crate) struct Settled {
    pub(crate) settle: Arc<Settle>,
    pub(crate) delivered: bool,
    pub(crate) since: Instant,
    /// It was let in without the shared counters.
    pub(crate) unshared: bool,
}

impl Book {
    /// The counters' last values replace older ones of the same dimensions.
    pub(crate) fn remember(&mut self, seen: &[Seen], now: UnixMs) {
        for one in seen {
            let same = |held: &&mut Seen| held.subject == one.subject && held.dimension == one.dimension;
            match self.seen.iter_mut().find(same) {
                Some(held) => *held = *one,
                None => self.seen.push(*one),
            }
        }
        self.seen_at = now;
    }

    pub(crate) fn seen_of(&self, subject: SubjectName) -> Vec<Seen> {
        self.seen
            .iter()
            .filter(|seen| seen.subject == subject)
            .copied()
            .collect()
    }

    /// Calls in flight that were let in.
    pub(crate) fn in_flight(&self) -> Vec<OpenCall> {
        self.open.values().filter(|open| !open.pending).cloned().collect()
    }

    pub(crate) fn unshared(&self) -> Vec<OpenCall> {
        self.open.values().filter(|open| open.unshared).cloned().collect()
    }

    pub(crate) fn settlements(&self) -> Vec<Arc<Settle>> {
        let settled = self.settled.iter();
        settled.map(|settled| Arc::clone(&settled.settle)).collect()
    }

    pub(crate) fn undelivered(&self) -> Vec<Arc<Settle>> {
        let undelivered = self.settled.iter().filter(|settled| !settled.delivered);
        undelivered.map(|settled| Arc::clone(&settled.settle)).collect()
    }

    /// Whether the shared counters may lack something.
    pub(crate) fn has_unsaid(&self) -> bool {
        self.settled.iter().any(Settled::is_overdue) || self.open.values().any(|open| open.unshared)
    }
}

impl Settled {
    /// It got lost on its way.
    fn is_overdue(&self) -> bool {
        !self.delivered && self.since.elapsed() > ON_ITS_WAY
    }
}

impl Books {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            settled: AtomicUsize::new(0),
            forgotten: AtomicU64::new(0),
        }
    }

    /// Acts on an account's book, which is made when there is none.
    pub(crate) fn on<T>(&self, account: Account, act: impl FnOnce(&mut Book) -> T) -> Option<T> {
        Some(act(self.shard(account)?.entry(account).or_default()))
    }

    fn shard(&self, account: Account) -> Option<MutexGuard<'_, HashMap<Account, Book>>> {
        let shard = self.shards.get(account.spread() % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a settlement. Whether this node's share has its call.
    pub(crate) fn settle(&self, settle: &Arc<Settle>) -> bool {
        let call = &settle.call;
        let full = self.settled.load(Ordering::Relaxed) >= MAX_SETTLED;
        self.on(call.account, |book| {
            let open = book.open.remove(&call.request);
            let (unshared, in_share) = open.map_or((false, false), |open| (open.unshared, open.in_share));
            if full && book.settled.pop_front().is_some() {
                self.forgotten.fetch_add(1, Ordering::Relaxed);
            } else if full {
                self.forgotten.fetch_add(1, Ordering::Relaxed);
                return in_share;
            } else {
                self.settled.fetch_add(1, Ordering::Relaxed);
            }
            book.settled.push_back(Settled {
                settle: Arc::clone(settle),
                delivered: false,
                since: Instant::now(),
                unshared,
            });
            in_share
        })
        .unwrap_or(false)
    }

    /// The counters have it.
    pub(crate) fn delivered(&self, settle: &Settle) {
        self.on(settle.call.account, |book| {
            let of = |settled: &&mut Settled| settled.settle.call.request == settle.call.request;
            if let Some(settled) = book.settled.iter_mut().rev().find(of) {
                settled.delivered = true;
            }
        });
    }

    /// The counters have these.
    pub(crate) fn delivered_all(&self, account: Account, requests: &HashSet<RequestId>) {
        self.on(account, |book| {
            for settled in &mut book.settled {
                settled.delivered |= requests.contains(&settled.settle.call.request);
            }
        });
    }

    /// The counters have a call in flight, as it was then. False: it has ended.
    pub(crate) fn is_said(&self, said: &OpenCall) -> bool {
        let call = &said.adopt.call;
        let open = self.on(call.account, |book| {
            let held = book.open.get_mut(&call.request)?;
            // Unless it holds more by now, which was not said.
            held.unshared &= !Arc::ptr_eq(&held.adopt, &said.adopt);
            Some(())
        });
        open.flatten().is_some()
    }

    /// Forgets settlements that any new baseline contains. `acked`: what the ledger had before any answer of it that is
    /// still on its way into the counters.
    pub(crate) fn retire(&self, account: Account, acked: u64, delivered_only: bool) {
        self.on(account, |book| {
            let before = book.settled.len();
            book.settled.retain(|settled| {
                let in_ledger = settled.settle.record.is_none_or(|record| record.number <= acked);
                !(in_ledger && (settled.delivered || !delivered_only))
            });
            self.settled
                .fetch_sub(before - book.settled.len(), Ordering::Relaxed);
        });
    }

    /// Accounts of which something is under way.
    pub(crate) fn active(&self) -> Vec<Account> {
        let mut active = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let busy = |book: &Book| !book.open.is_empty() || !book.settled.is_empty();
            active.extend(
                shard
                    .iter()
                    .filter(|(_, book)| busy(book))
                    .map(|(account, _)| *account),
            );
        }
        active
    }

    /// Forgets accounts of which nothing is under way: those not seen since, and the rest beyond the bound.
    pub(crate) fn sweep(&self, since: UnixMs) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let mut idle = 0;
            shard.retain(|_, book| {
                let busy = !book.open.is_empty() || !book.settled.is_empty();
                idle += usize::from(!busy);
                busy || (book.seen_at >= since && idle <= MAX_IDLE / SHARDS)
            });
        }
    }

    /// Settlements that were dropped because too many wait.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// The most that strict budgets can have been overspent by what this node let in without the shared counters.
    pub(crate) fn unshared_strict(&self) -> u64 {
        let strict = |call: &crate::counters::Call| {
            let money = call
                .subjects
                .iter()
                .filter(|subject| subject.strict)
                .map(|subject| subject.money);
            money.max().unwrap_or(0)
        };
        let mut sum = 0_u64;
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for book in shard.values() {
                let open = book.open.values().filter(|open| open.unshared);
                let settled = book
                    .settled
                    .iter()
                    .filter(|settled| settled.unshared && !settled.delivered);
                let amounts = open
                    .map(|open| strict(&open.adopt.call))
                    .chain(settled.map(|settled| strict(&settled.settle.call)));
                sum = amounts.fold(sum, u64::saturating_add);
            }
        }
        sum
    }
}
