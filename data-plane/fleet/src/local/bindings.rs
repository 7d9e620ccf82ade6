//! This node's memory of sticky sessions: all there is without Redis, a cache in front of it with one.
//!
//! Where they are shared, each has a standing: Redis has it; it is on its way there, and then no answer of Redis that
//! may be older changes it; or Redis may not have it, and then the next call that succeeds says it again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use penstock_core::id::ProviderId;
use penstock_core::session::SessionId;
use penstock_core::time::UnixMs;

use super::recent::Recent;
use crate::binding::{Bind, Binding, Bindings, Bound, FRESH_MS};
use crate::counters::Unreachable;
use crate::kick::NO_PROVIDER;

const SHARDS: usize = 32;
/// Of each generation of a shard: 131 072 sessions in all.
const CAPACITY: usize = 2_048;

/// See the module.
pub struct LocalBindings {
    clock: Arc<dyn Fn() -> UnixMs + Send + Sync>,
    shards: Vec<Mutex<Recent<SessionId, Kept>>>,
    spread: RandomState,
    /// Of what was noted last.
    number: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Kept {
    binding: Binding,
    standing: Standing,
    /// When Redis said so, or it was noted.
    since: UnixMs,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Told,
    /// What was noted under this number.
    OnItsWay(u64),
    Untold,
}

/// How a cache in the process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFigures {
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub entries: usize,
    pub capacity: usize,
}

impl LocalBindings {
    pub fn new(clock: impl Fn() -> UnixMs + Send + Sync + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            shards: (0..SHARDS).map(|_| Mutex::new(Recent::new(CAPACITY))).collect(),
            spread: RandomState::new(),
            number: AtomicU64::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        let mut figures = CacheFigures {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            capacity: SHARDS * CAPACITY * 2,
            ..CacheFigures::default()
        };
        for shard in &self.shards {
            let shard = lock(shard);
            figures.entries += shard.len();
            figures.evictions += shard.evicted();
        }
        figures
    }

    /// What is remembered, however old.
    pub(crate) fn recall(&self, session: SessionId) -> Option<Binding> {
        let now = (self.clock)();
        let recalled = self.on(session, |shard| Some(shard.get(&session)?.running(now)?.binding));
        self.count(recalled.is_some());
        recalled
    }

    /// What need not be asked about.
    pub(crate) fn fresh(&self, session: SessionId) -> Option<Binding> {
        let now = (self.clock)();
        let fresh = self.on(session, |shard| {
            let kept = shard.get(&session)?.running(now)?;
            let age = now.0 - kept.since.0;
            let believed = match kept.standing {
                Standing::OnItsWay(_) => true,
                Standing::Told => (0..FRESH_MS).contains(&age),
                Standing::Untold => false,
            };
            believed.then_some(kept.binding)
        });
        if fresh.is_some() {
            self.count(true);
        }
        fresh
    }

    /// Redis says so. What holds, which is what is remembered where Redis has nothing.
    pub(crate) fn learn(&self, session: SessionId, bound: Option<Bound>) -> Option<Binding> {
        self.count(false);
        let now = (self.clock)();
        self.on(session, |shard| {
            let kept = shard.get(&session).and_then(|kept| kept.running(now));
            match (bound, kept) {
                (_, Some(kept)) if matches!(kept.standing, Standing::OnItsWay(_)) => Some(kept.binding),
                (Some(bound), _) => {
                    let kept = Kept::of(bound, Standing::Told, now);
                    let binding = kept.binding;
                    shard.insert(session, kept);
                    Some(binding)
                }
                (None, Some(kept)) => {
                    kept.standing = Standing::Untold;
                    Some(kept.binding)
                }
                (None, None) => None,
            }
        })
    }

    /// Binds it here. Some: Redis must be told, and [`heard`](Self::heard) called with this number.
    pub(crate) fn note(&self, bind: &Bind) -> Option<u64> {
        let now = (self.clock)();
        self.on(bind.session, |shard| {
            let kept = shard.get(&bind.session).and_then(|kept| kept.running(now));
            let held = kept.as_ref().map(|kept| kept.bound(now));
            let number = || self.number.fetch_add(1, Ordering::Relaxed);
            if let Some(written) = bind.over(held) {
                let number = number();
                let kept = Kept::of(written, Standing::OnItsWay(number), now);
                shard.insert(bind.session, kept);
                return Some(number);
            }
            let kept = kept.filter(|kept| kept.standing == Standing::Untold)?;
            if kept.binding.provider != bind.provider {
                return None;
            }
            let number = number();
            kept.standing = Standing::OnItsWay(number);
            Some(number)
        })
    }

    /// Forgets it. To which provider it was bound.
    pub(crate) fn forget(&self, session: SessionId) -> Option<ProviderId> {
        let now = (self.clock)();
        let kept = self.on(session, |shard| shard.remove(&session));
        kept.filter(|kept| kept.binding.expires_at > now)
            .map(|kept| kept.binding.provider)
            .filter(|provider| *provider != NO_PROVIDER)
    }

    /// What Redis says of what was noted under this number. None: it was not told, or does not answer.
    pub(crate) fn heard(&self, session: SessionId, number: u64, bound: Option<Bound>) {
        let now = (self.clock)();
        self.on(session, |shard| {
            let kept = shard.get(&session)?;
            if kept.standing == Standing::OnItsWay(number) {
                match bound {
                    Some(bound) => *kept = Kept::of(bound, Standing::Told, now),
                    None => kept.standing = Standing::Untold,
                }
            }
            Some(())
        });
    }

    fn on<T>(
        &self,
        session: SessionId,
        act: impl FnOnce(&mut Recent<SessionId, Kept>) -> Option<T>,
    ) -> Option<T> {
        let place = usize::try_from(self.spread.hash_one(session) % SHARDS as u64).unwrap_or(0);
        act(&mut lock(self.shards.get(place)?))
    }

    fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Kept {
    fn of(bound: Bound, standing: Standing, now: UnixMs) -> Self {
        Self {
            binding: Binding {
                provider: bound.provider,
                expires_at: UnixMs(now.0.saturating_add(bound.left)),
            },
            standing,
            since: now,
        }
    }

    fn running(&mut self, now: UnixMs) -> Option<&mut Self> {
        (self.binding.expires_at > now).then_some(self)
    }

    fn bound(&self, now: UnixMs) -> Bound {
        Bound {
            provider: self.binding.provider,
            left: self.binding.expires_at.0.saturating_sub(now.0),
        }
    }
}

/// For a node that is its own fleet.
impl Bindings for LocalBindings {
    async fn bound(&self, session: SessionId) -> Result<Option<Bound>, Unreachable> {
        let now = (self.clock)();
        Ok(self.on(session, |shard| {
            Some(shard.get(&session)?.running(now)?.bound(now))
        }))
    }

    async fn bind(&self, bind: &Bind) -> Result<Bound, Unreachable> {
        self.note(bind);
        let bound = self.bound(bind.session).await?;
        bound.ok_or_else(|| Unreachable("a binding of no length".to_owned()))
    }
}

fn lock(shard: &Mutex<Recent<SessionId, Kept>>) -> MutexGuard<'_, Recent<SessionId, Kept>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for LocalBindings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalBindings").finish_non_exhaustive()
    }
}
