//! The connection to Redis: made in the background, watched, given up at the first sign of trouble, made again.
//!
//! One task owns it ([`Link::keep`]). It connects with backoff and proves that scripts can write before anybody uses
//! it. A call that fails, unless it is its script that does, or takes longer than its patience sets Redis aside at once, so that the calls behind it do not
//! wait as well; the task then connects anew. While nobody calls, a PING each second looks after it. Now and then it is asked for
//! its time, by which operators see that its clock is off.
//!
//! Each change of state is one log line, `Redis connection error` when it is lost, so that a night without Redis does
//! not fill the log. Whether the server is a cluster is asked of it; several URLs, separated by commas, are its seeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use penstock_core::backoff::Backoff;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisResult};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, is_of_script};
use super::script::{ScriptCall, Scripts};
use crate::state::RedisState;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const QUIET: Duration = Duration::from_secs(1);
/// Every so many of those it is asked for its time.
const TIME_TICKS: u32 = 30;

/// See the module.
pub struct Link {
    urls: Vec<Secret>,
    timeout: Duration,
    scripts: Arc<Scripts>,
    connection: ArcSwapOption<Connection>,
    /// Counts connections that were made, from 1.
    number: AtomicU64,
    state: watch::Sender<RedisState>,
    /// A call has set it aside.
    lost: Notify,
    /// Calls since it was made: where there are some, nothing else needs to look after it.
    calls: AtomicU64,
    /// What the server's clock said last, and when.
    clock: ArcSwapOption<(UnixMs, Instant)>,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// The Redis URL cannot be used. The text does not contain it, for it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error(
    "the Redis URL is not valid ({problem}); give it as redis://[user:password@]host[:port][/db] or rediss://… for TLS, \
     the nodes of a cluster separated by commas"
)]
pub struct BadRedisUrl {
    problem: String,
}

impl Link {
    /// Does not connect yet. No call waits longer than `timeout` for Redis.
    pub fn new(urls: &Secret, timeout: Duration) -> Result<Self, BadRedisUrl> {
        let urls: Vec<Secret> = urls.expose().split(',').map(Secret::trimmed).collect();
        for url in &urls {
            // The client needs the password in it to sign in.
            Client::open(url.expose()).map_err(|e| BadRedisUrl {
                problem: e.category().to_owned(),
            })?;
        }
        Ok(Self {
            urls,
            timeout,
            scripts: Arc::new(Scripts::new()),
            connection: ArcSwapOption::empty(),
            number: AtomicU64::new(0),
            state: watch::Sender::new(RedisState::Disconnected),
            lost: Notify::new(),
            calls: AtomicU64::new(0),
            clock: ArcSwapOption::empty(),
        })
    }

    pub(super) fn scripts(&self) -> &Arc<Scripts> {
        &self.scripts
    }

    /// The number of the present connection; None while there is none.
    pub fn connection_number(&self) -> Option<u64> {
        let connected = self.connection.load().is_some();
        connected.then(|| self.number.load(Ordering::Acquire))
    }

    /// How long a call may wait.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    pub fn state(&self) -> RedisState {
        *self.state.borrow()
    }

    /// Resolves when the state differs from the one last seen here.
    pub fn changes(&self) -> watch::Receiver<RedisState> {
        self.state.subscribe()
    }

    /// By the server's clock as it was seen within [`TIME_TICKS`] seconds; None: it is away, or was never asked.
    pub fn time(&self) -> Option<UnixMs> {
        let (said, at) = *self.clock.load_full()?;
        let since = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.connection.load().is_some().then(|| said.plus_ms(since))
    }

    /// Calls a script. Fails at once while Redis is set aside.
    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        call: &ScriptCall<'_>,
        patience: Duration,
    ) -> Result<T, Failure> {
        let Some(connection) = self.connection.load_full() else {
            return Err(Failure::Away("Redis is set aside".to_owned()));
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        let failed = match tokio::time::timeout(patience, connection.invoke(call)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if is_of_script(&error) => return Err(Failure::OfScript(error.to_string())),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} ms", patience.as_millis()),
        };
        self.set_aside(&connection, &failed);
        Err(Failure::Away(failed))
    }

    /// Asks a command that is no script. A failure of it does not set Redis aside: operators ask these, not calls.
    pub(super) async fn query<T: FromRedisValue>(
        &self,
        command: &Cmd,
        patience: Duration,
    ) -> Result<T, Failure> {
        let connection = self.connected()?;
        within(patience, connection.query(command)).await
    }

    /// The same of several.
    pub(super) async fn pipeline(
        &self,
        pipeline: &redis::Pipeline,
        patience: Duration,
    ) -> Result<Vec<redis::Value>, Failure> {
        let connection = self.connected()?;
        within(patience, connection.pipeline(pipeline)).await
    }

    pub(super) fn is_cluster(&self) -> bool {
        let connection = self.connection.load();
        matches!(connection.as_deref(), Some(Connection::Cluster(_)))
    }

    fn connected(&self) -> Result<Arc<Connection>, Failure> {
        let connection = self.connection.load_full();
        connection.ok_or_else(|| Failure::Away("Redis is set aside".to_owned()))
    }

    /// Lets nobody use this connection any more.
    fn set_aside(&self, connection: &Arc<Connection>, why: &str) {
        let held = self.connection.load();
        if !held.as_ref().is_some_and(|held| Arc::ptr_eq(held, connection)) {
            return;
        }
        self.connection.store(None);
        self.say_lost(why);
        self.lost.notify_one();
    }

    fn say_lost(&self, why: &str) {
        let was = self.state.send_replace(RedisState::Disconnected);
        if was == RedisState::Connected {
            tracing::warn!(error = why, "Redis connection error");
        }
    }

    /// Keeps the connection until shutdown. `random` makes waits differ between nodes.
    pub async fn keep(&self, random: impl Fn() -> u32 + Send, shutdown: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        let mut said = false;
        let keep = async {
            loop {
                match self.connect().await {
                    Ok(connection) => {
                        said = false;
                        self.number.fetch_add(1, Ordering::AcqRel);
                        self.connection.store(Some(Arc::new(connection)));
                        self.state.send_replace(RedisState::Connected);
                        tracing::info!("Redis connected");
                        let since = Instant::now();
                        self.watch().await;
                        if since.elapsed() > Duration::from_secs(5) {
                            backoff.reset();
                        }
                    }
                    Err(error) if !said => {
                        said = true;
                        tracing::warn!(error, "Redis connection error");
                    }
                    Err(_) => {}
                }
                tokio::time::sleep(backoff.next(random())).await;
            }
        };
        shutdown.run_until_cancelled(keep).await;
    }

    /// Until the connection is set aside, by a call or because nothing answers while nobody calls.
    async fn watch(&self) {
        let (mut calls, mut ticks) = (0, 0);
        loop {
            if tokio::time::timeout(QUIET, self.lost.notified()).await.is_ok() {
                return;
            }
            let Some(connection) = self.connection.load_full() else {
                return;
            };
            let now = self.calls.load(Ordering::Relaxed);
            ticks = (ticks + 1) % TIME_TICKS;
            let asked = match (ticks, std::mem::replace(&mut calls, now) != now) {
                (0, _) => self.ask_time(&connection).await,
                (_, true) => Ok(()),
                (_, false) => bounded(connection.query(&redis::cmd("PING"))).await,
            };
            if let Err(error) = asked {
                self.set_aside(&connection, &error);
            }
        }
    }

    async fn ask_time(&self, connection: &Connection) -> Result<(), String> {
        let began = Instant::now();
        let (seconds, micros): (i64, i64) = bounded(connection.query(&redis::cmd("TIME"))).await?;
        let said = UnixMs(seconds.saturating_mul(1000).saturating_add(micros / 1000));
        self.clock
            .store(Some(Arc::new((said, began + began.elapsed() / 2))));
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, String> {
        let mut problem = String::new();
        for url in &self.urls {
            match self.connect_to(url).await {
                Ok(connection) => return Ok(connection),
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }

    async fn connect_to(&self, url: &Secret) -> Result<Connection, String> {
        let client = Client::open(url.expose()).map_err(|e| e.to_string())?;
        // How long an answer may take is for whoever asks to say.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let single = bounded(client.get_multiplexed_async_connection_with_config(&config)).await?;
        let mut connection = Connection::Single(single);
        let info: String = bounded(connection.query(redis::cmd("INFO").arg("cluster"))).await?;
        if info.contains("cluster_enabled:1") {
            let seeds: Vec<&str> = self.urls.iter().map(Secret::expose).collect();
            let client = ClusterClient::new(seeds).map_err(|e| e.to_string())?;
            connection = Connection::Cluster(bounded(client.get_async_connection()).await?);
        }
        for script in self.scripts.all() {
            bounded(connection.query::<()>(redis::cmd("SCRIPT").arg("LOAD").arg(script))).await?;
        }
        // A server that answers but takes no writes (a replica, a full one) is of no use.
        let mut probe = ScriptCall::new(&self.scripts.count, &["penstock:1:probe".to_owned()]);
        probe.arg("").arg(i64::MAX);
        bounded(connection.invoke::<i64>(&probe)).await?;
        self.ask_time(&connection).await?;
        Ok(connection)
    }
}

impl Connection {
    async fn invoke<T: FromRedisValue>(&self, call: &ScriptCall<'_>) -> RedisResult<T> {
        match self {
            Self::Single(connection) => call.ask(&mut connection.clone()).await,
            Self::Cluster(connection) => call.ask(&mut connection.clone()).await,
        }
    }

    async fn pipeline(&self, pipeline: &redis::Pipeline) -> RedisResult<Vec<redis::Value>> {
        match self {
            Self::Single(connection) => pipeline.query_async(&mut connection.clone()).await,
            Self::Cluster(connection) => pipeline.query_async(&mut connection.clone()).await,
        }
    }

    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::Single(connection) => command.query_async(&mut connection.clone()).await,
            Self::Cluster(connection) => command.query_async(&mut connection.clone()).await,
        }
    }
}

async fn within<T>(patience: Duration, asking: impl Future<Output = RedisResult<T>>) -> Result<T, Failure> {
    match tokio::time::timeout(patience, asking).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::OfScript(error.to_string())),
        Err(_) => Err(Failure::Away(format!(
            "no answer within {} ms",
            patience.as_millis()
        ))),
    }
}

async fn bounded<T>(asking: impl Future<Output = RedisResult<T>>) -> Result<T, String> {
    match tokio::time::timeout(CONNECT_TIMEOUT, asking).await {
        Ok(answer) => answer.map_err(|e| e.to_string()),
        Err(_) => Err(format!("no answer within {} ms", CONNECT_TIMEOUT.as_millis())),
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_redis_url_is_explained_without_its_password() {
        for url in ["http://user:hunter2@host", "redis://a,http://user:hunter2@b"] {
            let error = Link::new(&Secret::new(url), QUIET).err().unwrap().to_string();
            assert!(
                error.contains("redis://") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn d05_an_absent_redis_is_a_state_and_not_a_failure() {
        let link = Link::new(&Secret::new("redis://127.0.0.1:1"), QUIET).unwrap();
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        link.keep(|| 0, shutdown).await;
        assert_eq!(link.state(), RedisState::Disconnected);
    }
}
