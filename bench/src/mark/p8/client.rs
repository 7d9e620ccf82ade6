//! The product's client: `RedisCounters` on one connection that all calls share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use penstock_core::secret::Secret;
use penstock_fleet::RedisState;
use penstock_fleet::counters::{Admit, Call, Counters, Settle, Verdict};
use penstock_fleet::redis::{Link, RedisCounters};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::accounts::{Accounts, RESERVED, USED, now};

/// Long, so that a disturbed machine does not set Redis aside.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Admit,
    AdmitAndSettle,
}

/// Connected as long as it lives.
pub(super) struct Client {
    counters: Arc<RedisCounters>,
    requests: Arc<AtomicU64>,
    _connection: JoinSet<()>,
}

/// Calls under way, until they are ended.
pub(super) struct Load {
    callers: JoinSet<Result<()>>,
    shared: Arc<Shared>,
}

struct Shared {
    counters: Arc<RedisCounters>,
    accounts: Accounts,
    flow: Flow,
    requests: Arc<AtomicU64>,
    finished: AtomicU64,
    over: AtomicBool,
}

impl Client {
    pub(super) async fn connect(url: &str) -> Result<Self> {
        let link = Arc::new(Link::new(&Secret::new(url), PATIENCE)?);
        let mut connection = JoinSet::new();
        let kept = Arc::clone(&link);
        connection.spawn(async move { kept.keep(|| 0, CancellationToken::new()).await });
        let mut changes = link.changes();
        let connected = changes.wait_for(|state| *state == RedisState::Connected);
        timeout(PATIENCE, connected)
            .await
            .context("Redis is not reached")??;
        Ok(Self {
            counters: Arc::new(RedisCounters::new(link, "bench".to_owned())),
            requests: Arc::default(),
            _connection: connection,
        })
    }

    pub(super) async fn seed(&self, accounts: &Accounts) -> Result<()> {
        for (account, seeds) in accounts.seeds() {
            self.counters.seed(account, &seeds, &[]).await?;
        }
        Ok(())
    }

    /// Admits one request and tells its id.
    pub(super) async fn admit_one(&self, accounts: &Accounts) -> Result<String> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let call = accounts.call(number, RESERVED).context("no user")?;
        let request = call.request.to_string();
        admit(&self.counters, call).await?;
        Ok(request)
    }

    pub(super) fn load(&self, accounts: &Accounts, flow: Flow, in_flight: usize) -> Load {
        let shared = Arc::new(Shared {
            counters: Arc::clone(&self.counters),
            accounts: accounts.clone(),
            flow,
            requests: Arc::clone(&self.requests),
            finished: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        let mut callers = JoinSet::new();
        for _ in 0..in_flight {
            let shared = Arc::clone(&shared);
            callers.spawn(async move { shared.call().await });
        }
        Load { callers, shared }
    }
}

impl Load {
    pub(super) fn finished(&self) -> &AtomicU64 {
        &self.shared.finished
    }

    /// Lets calls under way finish and tells how many requests there were.
    ///
    /// # Errors
    /// A call was not admitted.
    pub(super) async fn end(mut self) -> Result<u64> {
        self.shared.over.store(true, Ordering::Relaxed);
        while let Some(caller) = self.callers.join_next().await {
            caller.context("a caller died")??;
        }
        Ok(self.shared.finished.load(Ordering::Relaxed))
    }
}

impl Shared {
    async fn call(&self) -> Result<()> {
        while !self.over.load(Ordering::Relaxed) {
            let number = self.requests.fetch_add(1, Ordering::Relaxed);
            let call = self.accounts.call(number, RESERVED).context("no user")?;
            let request = call.request;
            admit(&self.counters, call).await?;
            if self.flow == Flow::AdmitAndSettle {
                let mut call = self.accounts.call(number, USED).context("no user")?;
                call.request = request;
                let settle = Settle {
                    call,
                    admitted_at: now(),
                    record: None,
                };
                self.counters.settle(&settle).await?;
            }
            self.finished.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

async fn admit(counters: &RedisCounters, call: Call) -> Result<()> {
    let admit = Admit {
        call,
        session: None,
        enforce: true,
    };
    let verdict = counters.admit(&admit).await?;
    ensure!(
        matches!(verdict, Verdict::Admitted(_)),
        "a call was not admitted: {verdict:?}"
    );
    Ok(())
}
