//! Writes the registry to the store, and reads from it how many nodes the fleet has.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::time::UnixMs;
use penstock_store::{Error, NodeRow, Store};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{Gone, HEARTBEAT, NodeRegistry, live_since};
use crate::clock;
use crate::metrics::Metrics;

/// Changes that happen together are written together.
const GATHER: Duration = Duration::from_millis(100);

/// How often the fleet is counted.
const COUNT: Duration = Duration::from_secs(2);

/// The last write before the end must not hold it up for long.
const FAREWELL: Duration = Duration::from_secs(3);

/// Runs until told to stop, which must be after the last stream has ended; then writes a last time.
pub async fn persist(
    registry: Arc<NodeRegistry>,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let mut count = tokio::time::interval(COUNT);
    count.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beat = Instant::now() + HEARTBEAT;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = registry.dirty.notified() => tokio::time::sleep(GATHER).await,
            _ = count.tick() => {}
        }
        if Instant::now() >= beat {
            registry.all_dirty(clock::now());
            beat = Instant::now() + HEARTBEAT;
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            written = write(&registry, &*store) => if let Err(error) = written {
                tracing::debug!(%error, "nodes are written later");
            },
        }
        metrics
            .node_streams
            .set(i64::try_from(registry.connected()).unwrap_or(i64::MAX));
        metrics.live_nodes.set(i64::from(*registry.live.borrow()));
    }
    if !matches!(
        tokio::time::timeout(FAREWELL, write(&registry, &*store)).await,
        Ok(Ok(()))
    ) {
        tracing::warn!(
            "the last state of the nodes could not be written; they show as connected for a short while"
        );
    }
}

/// Everything that changed, then the count. What fails, or is cut off, is written next time.
async fn write(registry: &NodeRegistry, store: &dyn Store) -> Result<(), Error> {
    for (row, changes) in registry.dirty() {
        put(store, &row).await?;
        registry.written(&row.id, changes);
    }
    for (id, gone) in registry.gone() {
        if let Some(row) = &gone.unwritten {
            put(store, row).await?;
        }
        store
            .node_disconnected(&id, &registry.name, gone.since, gone.at)
            .await?;
        registry.forget(&id, &gone);
    }
    let live = store.live_nodes(live_since(clock::now())).await?;
    let local = u32::try_from(registry.connected()).unwrap_or(u32::MAX);
    registry
        .live
        .send_if_modified(|old| std::mem::replace(old, live.max(local)) != live.max(local));
    Ok(())
}

/// A row that the store can never take must not hold up the others.
async fn put(store: &dyn Store, row: &NodeRow) -> Result<(), Error> {
    match store.put_node(row).await {
        Err(error) if !error.is_retryable() => {
            tracing::error!(node = row.id, %error, "what is known of a node cannot be written");
            Ok(())
        }
        written => written,
    }
}

impl NodeRegistry {
    fn all_dirty(&self, now: UnixMs) {
        let mut inner = self.lock();
        let changes = inner.next_change();
        for entry in inner.nodes.values_mut() {
            // The stream's keep-alive vouches for it.
            entry.row.last_seen = entry.row.last_seen.max(now);
            entry.changes = changes;
        }
    }

    /// What is to be written, and the last change in it.
    fn dirty(&self) -> Vec<(NodeRow, u64)> {
        let inner = self.lock();
        let dirty = inner.nodes.values().filter(|entry| entry.is_dirty());
        dirty.map(|entry| (entry.row.clone(), entry.changes)).collect()
    }

    fn written(&self, id: &str, changes: u64) {
        if let Some(entry) = self.lock().nodes.get_mut(id) {
            entry.written = changes;
        }
    }

    fn gone(&self) -> Vec<(Arc<str>, Gone)> {
        self.lock()
            .gone
            .iter()
            .map(|(id, gone)| (Arc::clone(id), gone.clone()))
            .collect()
    }

    fn forget(&self, id: &Arc<str>, written: &Gone) {
        let mut inner = self.lock();
        if inner.gone.get(id).is_some_and(|gone| gone.at == written.at) {
            inner.gone.remove(id);
        }
    }
}
