//! The connection to Redis: made in the background, watched, made again.
//!
//! One task owns it ([`Fleet::watch`]). It connects with backoff, then asks for a PING each second; an answer that
//! takes over [`TIMEOUT`] counts as none. Each change of state is one log line, `Redis connection error` when it is
//! lost, so that a night without Redis does not fill the log. Nothing on the request path waits for it.

use std::time::Duration;

use penstock_core::backoff::Backoff;
use penstock_core::secret::Secret;
use redis::Client;
use redis::aio::MultiplexedConnection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::RedisState;

const TIMEOUT: Duration = Duration::from_secs(1);
const PING_INTERVAL: Duration = Duration::from_secs(1);

/// The data planes that share their state, this one included.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the client holds the Redis password")]
pub struct Fleet {
    client: Option<Client>,
    state: watch::Sender<RedisState>,
}

/// The Redis URL cannot be used. The text does not contain it, for it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error(
    "the Redis URL is not valid ({problem}); give it as redis://[user:password@]host[:port][/db] or rediss://… for TLS"
)]
pub struct BadRedisUrl {
    problem: String,
}

impl Fleet {
    /// A fleet of one.
    pub fn alone() -> Self {
        Self {
            client: None,
            state: watch::Sender::new(RedisState::None),
        }
    }

    /// A fleet that meets at this Redis. Does not connect yet.
    pub fn at(url: &Secret) -> Result<Self, BadRedisUrl> {
        // The client needs the password in it to sign in.
        let client = Client::open(url.expose()).map_err(|e| BadRedisUrl {
            problem: e.category().to_owned(),
        })?;
        Ok(Self {
            client: Some(client),
            state: watch::Sender::new(RedisState::Disconnected),
        })
    }

    pub fn state(&self) -> RedisState {
        *self.state.borrow()
    }

    /// Resolves when the state differs from the one last seen here.
    pub fn changes(&self) -> watch::Receiver<RedisState> {
        self.state.subscribe()
    }

    /// Keeps the connection until shutdown. `random` makes waits differ between nodes.
    pub async fn watch(&self, random: impl Fn() -> u32 + Send, shutdown: CancellationToken) {
        let Some(client) = &self.client else {
            return;
        };
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let mut reported = false;
        let keep = async {
            loop {
                let error = match connect(client).await {
                    Ok(connection) => {
                        backoff.reset();
                        reported = false;
                        tracing::info!("Redis connected");
                        self.state.send_replace(RedisState::Connected);
                        lost(connection).await
                    }
                    Err(error) => error,
                };
                self.state.send_replace(RedisState::Disconnected);
                if !reported {
                    tracing::warn!(error = %error, "Redis connection error");
                    reported = true;
                }
                tokio::time::sleep(backoff.next(random())).await;
            }
        };
        tokio::select! {
            () = keep => {}
            () = shutdown.cancelled() => {}
        }
    }
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, String> {
    let connecting = client.get_multiplexed_async_connection();
    let mut connection = match tokio::time::timeout(TIMEOUT, connecting).await {
        Ok(connected) => connected.map_err(|e| e.to_string())?,
        Err(_) => return Err(format!("no connection within {} ms", TIMEOUT.as_millis())),
    };
    ping(&mut connection).await?;
    Ok(connection)
}

/// Asks until no answer comes; returns why.
async fn lost(mut connection: MultiplexedConnection) -> String {
    loop {
        tokio::time::sleep(PING_INTERVAL).await;
        if let Err(error) = ping(&mut connection).await {
            return error;
        }
    }
}

async fn ping(connection: &mut MultiplexedConnection) -> Result<(), String> {
    let ask = redis::cmd("PING");
    let asking = ask.query_async::<()>(connection);
    match tokio::time::timeout(TIMEOUT, asking).await {
        Ok(answer) => answer.map_err(|e| e.to_string()),
        Err(_) => Err(format!("no answer to PING within {} ms", TIMEOUT.as_millis())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_redis_url_is_explained_without_its_password() {
        let error = Fleet::at(&Secret::new("http://user:hunter2@host"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("redis://") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_fleet_of_one_needs_no_redis() {
        let fleet = Fleet::alone();
        fleet.watch(|| 0, CancellationToken::new()).await;
        assert_eq!(fleet.state(), RedisState::None);
    }

    #[tokio::test]
    async fn d05_an_absent_redis_is_a_state_and_not_a_failure() {
        let fleet = Fleet::at(&Secret::new("redis://127.0.0.1:1")).unwrap();
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        fleet.watch(|| 0, shutdown).await;
        assert_eq!(fleet.state(), RedisState::Disconnected);
    }
}
