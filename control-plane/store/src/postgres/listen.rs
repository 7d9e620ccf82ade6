//! Following the commits of other replicas by LISTEN.
//!
//! A lost connection is made again, for as long as it takes, with growing pauses. What was committed meanwhile is not
//! told again, so each new connection counts as news. A connection that died without a word goes unnoticed; polling
//! beneath is what bounds the delay.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::database::CHANNEL;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Raises `commits` at each commit of any replica, until it is stopped.
pub(crate) async fn follow(pool: PgPool, commits: watch::Sender<u64>, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = listen(&pool, &commits, &mut pause) => ended,
        };
        tracing::warn!(error = %ended, "the connection that listens for commits is lost; polling goes on");
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Ends only by an error.
async fn listen(pool: &PgPool, commits: &watch::Sender<u64>, pause: &mut Duration) -> sqlx::Error {
    let mut listener = match PgListener::connect_with(pool).await {
        Ok(listener) => listener,
        Err(error) => return error,
    };
    if let Err(error) = listener.listen(CHANNEL).await {
        return error;
    }
    *pause = FIRST_PAUSE;
    loop {
        commits.send_modify(|n| *n = n.wrapping_add(1));
        // None is a connection that was lost and made again.
        if let Err(error) = listener.try_recv().await {
            return error;
        }
    }
}
