//! Operators' accounts in memory, so that a call costs no question to the database.
//!
//! A change anywhere is here at once where it was made, on other replicas within milliseconds (the database tells of it) and
//! within [`POLL`] when that news is lost. A token that is not known here is looked for once in the database before it is
//! refused, a few times a second at most, so that a new one works on every replica at once.
//!
//! While the database is away, what is known goes on being accepted for [`GRACE`]; after that only the admin token is,
//! since a revocation could have been missed. When an account was used is kept to the nearest five minutes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use penstock_core::api_key::KeyHash;
use penstock_core::id::OperatorId;
use penstock_core::operator::{OperatorDenied, TOKEN_PREFIX};
use penstock_core::time::UnixMs;
use penstock_metrics::CacheFigures;
use penstock_store::{Error, Operators as Stored, Store, StoredOperator};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Beneath notifications. A lost one costs this much.
const POLL: Duration = Duration::from_secs(1);
/// How long accounts are accepted without a sign of the database.
pub const GRACE: Duration = Duration::from_secs(15 * 60);
/// Between two questions to the database for tokens that nobody knows.
const LOOK: Duration = Duration::from_millis(100);
const COARSE_MS: i64 = 5 * 60 * 1000;
/// A longer token is none of ours.
const MAX_TOKEN: usize = 128;

/// See the module.
#[expect(missing_debug_implementations, reason = "holds token hashes")]
pub struct Operators {
    store: Arc<dyn Store>,
    known: RwLock<Known>,
    looked: tokio::sync::Mutex<Option<Instant>>,
    used: Mutex<HashMap<OperatorId, UnixMs>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Known {
    generation: Option<u64>,
    by_hash: HashMap<KeyHash, Held>,
    /// The last sign of the database that this is how it is.
    confirmed: Instant,
}

#[derive(Clone)]
struct Held {
    stored: Arc<StoredOperator>,
    /// Of a token from before a rotation.
    until: Option<UnixMs>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Admitted(Arc<StoredOperator>),
    /// The token is right, its account is not let in.
    Denied(Arc<StoredOperator>, OperatorDenied),
    Unknown,
    /// It may have been revoked; the database cannot be asked.
    Unsure,
}

impl Operators {
    /// Knows nobody until the first [`Operators::refresh`].
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            known: RwLock::new(Known {
                generation: None,
                by_hash: HashMap::new(),
                confirmed: Instant::now(),
            }),
            looked: tokio::sync::Mutex::default(),
            used: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Whose token it is.
    pub async fn find(&self, token: &str, now: UnixMs) -> Verdict {
        if !token.starts_with(TOKEN_PREFIX) || token.len() > MAX_TOKEN {
            return Verdict::Unknown;
        }
        let hash = KeyHash::of(token);
        let mut held = self.held(&hash, now);
        let asks = held.is_none() || self.is_old();
        let count = if asks { &self.misses } else { &self.hits };
        count.fetch_add(1, Ordering::Relaxed);
        if asks {
            self.look_again().await;
            held = self.held(&hash, now);
        }
        let Some(stored) = held else {
            return Verdict::Unknown;
        };
        if self.is_old() {
            return Verdict::Unsure;
        }
        match stored.operator.check(now) {
            Ok(()) => {
                self.note_use(&stored, now);
                Verdict::Admitted(stored)
            }
            Err(denied) => Verdict::Denied(stored, denied),
        }
    }

    /// How the accounts in memory do as a cache of the database. All there are are held.
    pub fn figures(&self) -> CacheFigures {
        CacheFigures {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: u64::try_from(self.read().by_hash.len()).unwrap_or(u64::MAX),
            ..CacheFigures::default()
        }
    }

    /// Reads what changed.
    pub async fn refresh(&self) -> Result<(), Error> {
        let mut looked = self.looked.lock().await;
        let read = self.read_again().await;
        *looked = Some(Instant::now());
        read
    }

    /// Under the lock, so that of two that read at once the older does not win.
    async fn read_again(&self) -> Result<(), Error> {
        let generation = self.store.operator_generation().await?;
        if self.read().generation != Some(generation) {
            let stored = self.store.operators().await?;
            self.replace(stored);
        }
        self.write().confirmed = Instant::now();
        Ok(())
    }

    /// Once for all who wait, and not too often: whoever guesses must not keep the database busy.
    async fn look_again(&self) {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|at| at.elapsed() < LOOK) {
            return;
        }
        if let Err(error) = self.read_again().await {
            tracing::debug!(%error, "operators are looked up later");
        }
        // Of those who wait for a database that is away only the first does.
        *looked = Some(Instant::now());
    }

    /// The account of a token that was found before, while it is let in and that is sure.
    pub fn again(&self, hash: &KeyHash, now: UnixMs) -> Option<Arc<StoredOperator>> {
        let stored = self.held(hash, now).filter(|_| !self.is_old())?;
        stored.operator.check(now).is_ok().then_some(stored)
    }

    fn held(&self, hash: &KeyHash, now: UnixMs) -> Option<Arc<StoredOperator>> {
        let known = self.read();
        let held = known.by_hash.get(hash)?;
        held.until
            .is_none_or(|until| now < until)
            .then(|| Arc::clone(&held.stored))
    }

    fn is_old(&self) -> bool {
        self.read().confirmed.elapsed() > GRACE
    }

    fn replace(&self, stored: Stored) {
        let mut by_hash = HashMap::new();
        for operator in stored.operators {
            let (token, stored) = (operator.token.clone(), Arc::new(operator));
            if let Some(previous) = token.previous {
                let held = Held {
                    stored: Arc::clone(&stored),
                    until: Some(previous.valid_until),
                };
                by_hash.insert(previous.hash, held);
            }
            by_hash.insert(token.hash, Held { stored, until: None });
        }
        let mut known = self.write();
        (known.generation, known.by_hash) = (Some(stored.generation), by_hash);
    }

    fn note_use(&self, stored: &StoredOperator, now: UnixMs) {
        if stored
            .last_used_at
            .is_some_and(|at| now.0.saturating_sub(at.0) < COARSE_MS)
        {
            return;
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.entry(stored.id).or_insert(now);
    }

    /// Writes who was used, and remembers it here without a change of the generation.
    async fn save_uses(&self) -> Result<(), Error> {
        let used: Vec<_> = {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            used.drain().collect()
        };
        if used.is_empty() {
            return Ok(());
        }
        self.store.operators_used(&used).await?;
        let mut known = self.write();
        for held in known.by_hash.values_mut() {
            if let Some((_, at)) = used.iter().find(|(id, _)| *id == held.stored.id) {
                Arc::make_mut(&mut held.stored).last_used_at = Some(*at);
            }
        }
        Ok(())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the store until told to stop. That the store is away is said by the index.
pub async fn follow(operators: Arc<Operators>, stop: CancellationToken) {
    let mut news = operators.store.notifications();
    loop {
        let step = async {
            operators.refresh().await?;
            operators.save_uses().await
        };
        let result = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            result = step => result,
        };
        if let Err(error) = result {
            tracing::debug!(%error, "operators are read later");
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Ok(()) = news.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

#[cfg(test)]
mod tests;
