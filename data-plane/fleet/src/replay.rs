//! Keeping the counters and this node's books together: leases, losses, returns.
//!
//! Every [`TICK`] the lease is renewed on each account of which something is under way. The answer says whether the
//! counters are still the ones that have it: if not, what is in flight is adopted and what was settled lately is
//! settled again, by id. If so, settlements that were in the ledger at the renewal before are forgotten: any later
//! baseline contains them, and so does one that is on its way, since no answer of the ledger is under way for so long.
//!
//! When Redis was away, the same is done for all accounts before calls are asked there again.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use penstock_core::time::UnixMs;
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::counters::{Counters, LEASE_MS, Noted, Renewed, Settle, Unreachable};
use crate::fleet::{Backend, Fleet, Shared};
use crate::state::RedisState;

/// Between two renewals; a lease outlives three of them.
pub(crate) const TICK: Duration = Duration::from_millis(LEASE_MS / 4);
/// Until a Redis that was not reached since the start is said to be away.
const FIRST_CONNECTION: Duration = Duration::from_secs(1);
/// Calls to Redis under way at once, each for settlements and for what is said again.
const AT_ONCE: usize = 64;
/// And of one account.
const AT_ONCE_OF_ONE: usize = 8;
/// For what was settled last, when this node ends.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Of accounts of which nothing is under way.
const KEEP_SEEN_MS: i64 = 6 * 3_600_000;

/// What is said of an account.
#[derive(Clone, Copy)]
enum Saying {
    All,
    /// What the counters cannot have.
    Unsaid,
}

impl Fleet {
    /// Keeps the fleet until shutdown.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        match &self.backend {
            Backend::Alone(_) => {
                let fleet = Arc::clone(&self);
                shutdown.run_until_cancelled(fleet.tick_alone()).await;
            }
            Backend::Shared(shared) => {
                let random = || self.node.get().map_or(0, |node| node.random());
                let stop = shutdown.clone();
                let working = async {
                    tokio::join!(
                        self.settle_queue(shared),
                        self.follow(shared),
                        self.tick(shared),
                        self.say_stale(shared),
                        self.tell_notes(shared)
                    )
                };
                tokio::join!(
                    shared.link.keep(random, shutdown.clone()),
                    stop.run_until_cancelled(working)
                );
                drop(tokio::time::timeout(LAST_WORDS, self.say_the_rest(shared)).await);
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Settlements that were on their way when this node was told to end.
    async fn say_the_rest(self: &Arc<Self>, shared: &Shared) {
        if !shared.is_joined() {
            return;
        }
        let undelivered = |account| {
            self.books
                .on(account, |book| book.undelivered())
                .unwrap_or_default()
        };
        let rest = self.books.active().into_iter().flat_map(undelivered);
        futures::stream::iter(rest)
            .for_each_concurrent(AT_ONCE, |settle| async move { self.deliver(&settle).await })
            .await;
    }

    async fn tick_alone(self: Arc<Self>) {
        let mut acked = 0;
        loop {
            tokio::time::sleep(TICK).await;
            let before = std::mem::replace(&mut acked, self.acked());
            for account in self.books.active() {
                self.books.retire(account, before, true);
            }
            self.sweep();
            if let Backend::Alone(local) = &self.backend {
                local.sweep();
            }
        }
    }

    fn acked(&self) -> u64 {
        self.node.get().map_or(0, |node| node.acknowledged())
    }

    fn sweep(&self) {
        self.books.sweep(UnixMs(self.windows.now().0 - KEEP_SEEN_MS));
    }

    /// Settlements, as they come.
    async fn settle_queue(self: &Arc<Self>, shared: &Shared) {
        let queue = shared
            .settled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut queue) = queue else { return };
        let settlements = futures::stream::poll_fn(move |cx| queue.poll_recv(cx));
        settlements
            .for_each_concurrent(AT_ONCE, |settle| async move { self.deliver(&settle).await })
            .await;
    }

    /// Accounts whose counters were made anew.
    async fn say_stale(self: &Arc<Self>, shared: &Shared) {
        let queue = shared
            .stales
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut queue) = queue else { return };
        while let Some(account) = queue.recv().await {
            self.say_again(account).await;
        }
    }

    /// Joins each time that Redis is back.
    async fn follow(self: &Arc<Self>, shared: &Shared) {
        let mut states = shared.link.changes();
        let mut was_joined = None;
        // At the start nothing is lost yet.
        drop(tokio::time::timeout(FIRST_CONNECTION, states.changed()).await);
        loop {
            let state = *states.borrow_and_update();
            if state == RedisState::Connected {
                if let Some(connection) = shared.link.connection_number()
                    && self.rejoin(shared, connection).await.is_ok()
                {
                    shared.joined.store(connection, Ordering::Release);
                    shared.degraded.clear();
                    self.say_what_came_meanwhile();
                    if was_joined == Some(false) {
                        tracing::info!("Rate limit enforcement is shared again");
                    }
                    was_joined = Some(true);
                }
            } else if was_joined != Some(false) {
                let mode = self.node.get().map(|node| node.degraded()).unwrap_or_default();
                tracing::warn!("Rate limit degraded: {}", mode.as_str());
                was_joined = Some(false);
                // Shares begin with what was seen last, not with those of an earlier time.
                shared.degraded.clear();
            }
            if states.changed().await.is_err() {
                return;
            }
        }
    }

    async fn rejoin(self: &Arc<Self>, shared: &Shared, connection: u64) -> Result<(), Unreachable> {
        let accounts = futures::stream::iter(self.books.active());
        let said = accounts.map(|account| async move { self.say_again(account).await });
        let said: Vec<bool> = said.buffer_unordered(AT_ONCE).collect().await;
        // Counters of an account on which scripts fail hold up nobody else.
        match said.into_iter().all(|done| done) || shared.link.connection_number() == Some(connection) {
            true => Ok(()),
            false => Err(Unreachable("Redis went away again".to_owned())),
        }
    }

    /// Calls that were let in by this node's share after their account was said.
    fn say_what_came_meanwhile(&self) {
        for account in self.books.active() {
            if self.books.on(account, |book| book.has_unsaid()) == Some(true) {
                self.is_stale(account);
            }
        }
    }

    async fn tick(self: &Arc<Self>, shared: &Shared) {
        let mut acked = 0;
        loop {
            tokio::time::sleep(TICK).await;
            let before = std::mem::replace(&mut acked, self.acked());
            if !shared.is_joined() {
                continue;
            }
            let accounts = futures::stream::iter(self.books.active());
            accounts
                .for_each_concurrent(AT_ONCE, |account| async move {
                    self.renew(shared, account, before).await
                })
                .await;
            self.sweep();
        }
    }

    async fn renew(self: &Arc<Self>, shared: &Shared, account: Account, acked: u64) {
        match shared.counters.renew(account).await {
            Ok(Renewed::At {
                generation,
                was_running,
            }) => {
                let (known, waiting) = self
                    .books
                    .on(account, |book| (book.generation, book.has_unsaid()))
                    .unwrap_or_default();
                let lapsed =
                    !was_running && self.books.on(account, |book| !book.open.is_empty()) == Some(true);
                if generation != known || lapsed {
                    self.say_again(account).await;
                } else if waiting {
                    // The next time does, when this does not arrive.
                    drop(self.say_to(&shared.counters, account, Saying::Unsaid).await);
                } else {
                    self.books.retire(account, acked, true);
                }
            }
            Ok(Renewed::Gone) => {
                // Whatever the ledger has by now, the counters will be made with it.
                self.books.retire(account, acked, false);
                self.say_again(account).await;
            }
            Err(_) => {}
        }
    }

    /// Says again what this node has of an account. False: the counters could not be reached.
    pub(crate) async fn say_again(self: &Arc<Self>, account: Account) -> bool {
        match &self.backend {
            Backend::Alone(local) => self.say_to(local, account, Saying::All).await.is_ok(),
            Backend::Shared(shared) => self.say_to(&shared.counters, account, Saying::All).await.is_ok(),
        }
    }

    async fn say_to<C: Counters>(
        &self,
        counters: &C,
        account: Account,
        what: Saying,
    ) -> Result<(), Unreachable> {
        let (open, settled) = self
            .books
            .on(account, |book| match what {
                Saying::All => (book.in_flight(), book.settlements()),
                Saying::Unsaid => (book.unshared(), book.undelivered()),
            })
            .unwrap_or_default();
        let mut generation = None;
        for open in open {
            if let Noted::At(heard) = counters.adopt(&open.adopt).await? {
                generation = Some(heard);
                if !self.books.is_said(&open) {
                    // It ended meanwhile, perhaps before it was adopted: what was adopted is settled again.
                    let request = open.adopt.call.request;
                    self.settle_again(counters, account, request).await?;
                }
            }
        }
        let heard = self.say_settled(counters, account, settled).await?;
        if let Some(generation) = heard.or(generation) {
            self.books.on(account, |book| book.generation = generation);
        }
        Ok(())
    }

    /// The generation that was heard of.
    async fn say_settled<C: Counters>(
        &self,
        counters: &C,
        account: Account,
        settled: Vec<Arc<Settle>>,
    ) -> Result<Option<u64>, Unreachable> {
        let saying = futures::stream::iter(settled).map(|settle| async move {
            let noted = counters.settle(&settle).await?;
            Ok((settle.call.request, noted))
        });
        let mut saying = saying.buffer_unordered(AT_ONCE_OF_ONE);
        let (mut generation, mut delivered, mut failed) = (None, HashSet::new(), None);
        while let Some(said) = saying.next().await {
            match said {
                Ok((request, Noted::At(heard))) => {
                    generation = Some(heard);
                    delivered.insert(request);
                }
                Ok((_, Noted::Gone)) => {}
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        self.books.delivered_all(account, &delivered);
        failed.map_or(Ok(generation), Err)
    }

    async fn settle_again<C: Counters>(
        &self,
        counters: &C,
        account: Account,
        request: penstock_core::id::RequestId,
    ) -> Result<(), Unreachable> {
        let settle = self.books.on(account, |book| {
            let of = |settled: &&crate::book::Settled| settled.settle.call.request == request;
            book.settled
                .iter()
                .rev()
                .find(of)
                .map(|settled| Arc::clone(&settled.settle))
        });
        if let Some(settle) = settle.flatten() {
            counters.settle(&settle).await?;
        }
        Ok(())
    }
}
