//! Keeps the index at the store's head.

use std::sync::Arc;
use std::time::Duration;

use penstock_store::{Error, Head, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Index, StoreContact};
use crate::access::SYSTEM;
use crate::clock;

/// Beneath notifications. A lost one costs this much.
const POLL: Duration = Duration::from_secs(1);

/// Follows until told to stop. The store being away is said once, when it goes and when it is back.
pub async fn follow(index: Arc<Index>, store: Arc<dyn Store>, stop: CancellationToken) {
    let mut notifications = store.notifications();
    loop {
        let result = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            result = step(&index, &*store) => result,
        };
        index.note(result.err());
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = index.look.notified() => {}
            // Without a sender there are no notifications; the poll remains.
            Ok(()) = notifications.changed() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn step(index: &Index, store: &dyn Store) -> Result<(), Error> {
    let (ours, head) = (index.head(), store.head().await?);
    if head == ours {
        return Ok(());
    }
    if head.epoch == ours.epoch && head.revision > ours.revision {
        let changes = store.changes_since(ours.revision).await?;
        if changes.head.epoch == ours.epoch && changes.head.revision >= ours.revision {
            index.apply(changes);
            return Ok(());
        }
    }
    if head.epoch == ours.epoch && head.revision < ours.revision {
        begin_epoch(index, store, ours).await?;
    }
    index.replace(store.load().await?);
    Ok(())
}

/// Ends the epoch in which `held` happened, since the store does not reach it any more. Of several replicas and nodes
/// that notice, one succeeds.
pub(crate) async fn begin_epoch(index: &Index, store: &dyn Store, held: Head) -> Result<Head, Error> {
    let reason = "the database was restored from a backup: its revision is below one that was in force";
    let head = store
        .begin_epoch(held.epoch, SYSTEM, reason, clock::now())
        .await?;
    index.metrics.restored.inc();
    tracing::warn!(
        was = held.revision,
        now = head.revision,
        epoch = %head.epoch,
        "the database was restored from a backup: changes made after the backup are lost; a new epoch begins, and all \
         data planes get the whole configuration"
    );
    Ok(head)
}

impl Index {
    fn note(&self, error: Option<Error>) {
        let problem = error.map(|error| error.to_string());
        let contact = StoreContact {
            ok: problem.is_none(),
            problem,
            at: Instant::now(),
        };
        self.metrics.store_up.set(i64::from(contact.ok));
        let changed = self.contact.send_if_modified(|old| {
            let turned = old.ok != contact.ok;
            let at = if contact.ok { contact.at } else { old.at };
            *old = StoreContact {
                at,
                ..contact.clone()
            };
            turned
        });
        match (&contact.problem, changed) {
            (Some(problem), true) => tracing::error!(
                problem,
                "Database connection failed; data planes go on with what they hold, changes and usage wait"
            ),
            (None, true) => tracing::info!("the database is back"),
            (_, false) => {}
        }
    }
}
