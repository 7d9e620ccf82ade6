//! Access tokens that the control plane obtains for providers: OAuth, and Google service accounts (behaviour F3).
//!
//! ```text
//!  clock, data planes (401), operators ──▶ refresh ──lease──▶ exchange ──proxy──▶ token endpoint
//!                                             │
//!                                           store (compare-and-swap, a revision) ──▶ index ──▶ data planes
//! ```
//!
//! # Rules
//! * One refresh at a time for each provider in the whole fleet: a lock in this process, then a lease in the store, whose
//!   fence rises with each holder. Whoever has the lease reads the token again, and uses a newer one if there is one.
//! * A new token is in the store before anybody uses it. While the store is away it is kept here and written as soon as
//!   it is back; nobody else can refresh meanwhile, since nobody can take the lease.
//! * The outcome of a request that was sent and not answered is unknown: the refresh token may be used up. It is asked
//!   once more with the same one, then an operator must log in.
//! * A refused refresh token, or a client that is not accepted, stops refreshing: asking again would only make it worse.
//!   Whatever passes (429, 5xx, the network) is tried again with growing waits, and the old token serves until it is over.
//! * Refresh tokens, private keys and clients' secrets never leave the control plane; none of them, no code and no
//!   verifier is ever in a log, an error or an answer.
//!
//! Where token endpoints may be is [`address`]'s rule: the public web, unless the operator trusts a host by name.

mod address;
mod exchange;
mod fault;
mod follow;
mod keep;
mod lease;
mod login;
#[cfg(test)]
mod mishap_tests;
mod refresh;
mod schedule;
mod shown;
mod subject;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use penstock_core::id::ProviderId;
use penstock_outbound::{Clients, TlsError, Tracked};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use address::{Purpose, check as check_address};
pub(crate) use exchange::{Grant, Granted, exchange, reach};
pub(crate) use fault::Fault;
pub(crate) use follow::follow;
pub(crate) use keep::write;
pub(crate) use lease::{cut_off, give_back, login_lease};
pub(crate) use login::{Login, LoginError, Pasted};
pub(crate) use refresh::{Outcome, Why, refresh};
pub(crate) use schedule::refresh_at;
#[cfg(test)]
pub(crate) use subject::subject;
pub(crate) use subject::{Subject, SubjectError};

/// More than are ever configured.
const MAX_PROVIDERS: usize = 10_000;

/// What the parts of this module share.
#[expect(missing_debug_implementations, reason = "locks say nothing")]
pub struct Tokens {
    clients: Clients,
    connections: TaskTracker,
    stop: CancellationToken,
    /// Refreshes and logins, which are finished whoever goes away meanwhile.
    running: TaskTracker,
    /// Hosts, perhaps with a port, that may be inside and without TLS.
    trusted: Vec<String>,
    /// This process, among those that may hold a lease.
    owner: String,
    flights: Mutex<HashMap<ProviderId, Arc<tokio::sync::Mutex<()>>>>,
    /// Tokens that providers refused, by version.
    refused: Mutex<BTreeMap<ProviderId, u64>>,
    /// The same, whose refresh waits for another one of that provider.
    waiting: Arc<Mutex<HashSet<(ProviderId, u64)>>>,
    demanded: Notify,
}

impl Tokens {
    /// `name`: this replica's.
    pub fn new(name: &str, trusted: &[String]) -> Result<Self, TlsError> {
        let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
        let tasks = Tracked::new(connections.clone(), stop.clone());
        Ok(Self {
            clients: Clients::new(tasks)?,
            connections,
            stop,
            running: TaskTracker::new(),
            trusted: trusted.iter().map(|host| host.to_ascii_lowercase()).collect(),
            owner: format!("{name} {}", uuid::Uuid::now_v7().simple()),
            flights: Mutex::default(),
            refused: Mutex::default(),
            waiting: Arc::default(),
            demanded: Notify::new(),
        })
    }

    /// A provider refused the token of this version. Never waits.
    pub(crate) fn refused(&self, provider: ProviderId, version: u64) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < MAX_PROVIDERS || refused.contains_key(&provider) {
            let known = refused.entry(provider).or_default();
            *known = version.max(*known);
        }
        drop(refused);
        self.demanded.notify_one();
    }

    /// Runs something to its end, also when its caller goes away: what was obtained must be kept. None: it panicked.
    pub(crate) async fn to_its_end<T>(&self, task: impl Future<Output = T> + Send + 'static) -> Option<T>
    where
        T: Send + 'static,
    {
        self.running.spawn(task).await.ok()
    }

    pub(crate) fn trusted(&self) -> &[String] {
        &self.trusted
    }

    /// Whoever holds it refreshes that provider's token in this process.
    fn flight(&self, provider: ProviderId) -> Arc<tokio::sync::Mutex<()>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.len() >= MAX_PROVIDERS {
            flights.retain(|_, flight| Arc::strong_count(flight) > 1);
        }
        Arc::clone(flights.entry(provider).or_default())
    }

    /// None: a refresh for the same token waits already.
    fn wait_for(&self, provider: ProviderId, version: u64) -> Option<Waiting> {
        let token = (provider, version);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(token).then(|| Waiting {
            token,
            all: Arc::clone(&self.waiting),
        })
    }

    fn take_refused(&self) -> BTreeMap<ProviderId, u64> {
        std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A refresh that waits for its turn. Dropped: it has begun, or never will.
struct Waiting {
    token: (ProviderId, u64),
    all: Arc<Mutex<HashSet<(ProviderId, u64)>>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.token);
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
