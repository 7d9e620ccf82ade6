//! Waiting for something to become true.

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until the answer is Some, for a minute at most. The last error is told.
pub async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + PATIENCE;
    let mut last = None;
    while Instant::now() < deadline {
        match ask().await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => {}
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!(
        "waited a minute in vain: {what}{}",
        last.map(|e| format!("; last error: {e:#}")).unwrap_or_default()
    )
}
