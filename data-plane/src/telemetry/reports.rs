//! Reports that are delivered as well as it goes: a bounded queue, dropped when it is full, counted.
//!
//! What is reported here repeats itself by nature (a key that was found by a suffixed hash is found so again at its
//! next use), so a loss costs nothing but time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use penstock_core::api_key::KeyHash;
use penstock_core::id::KeyId;
use tokio::sync::mpsc;

const QUEUE: usize = 256;

/// A key that was imported by a suffixed hash was used: this is the plain hash to keep from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUpgrade {
    pub key_id: KeyId,
    /// The version of the key resource that was in force.
    pub key_version: u64,
    pub hash: KeyHash,
}

/// Where the request path leaves its reports. Copies share one queue.
#[derive(Clone, Debug)]
pub struct Reports {
    queue: mpsc::Sender<KeyUpgrade>,
    dropped: Arc<AtomicU64>,
}

/// The other end, for the uplink.
pub(crate) type ReportQueue = mpsc::Receiver<KeyUpgrade>;

impl Reports {
    pub(crate) fn new() -> (Self, ReportQueue) {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let dropped = Arc::default();
        (Self { queue, dropped }, receiver)
    }

    /// Never waits.
    pub fn key_upgrade(&self, upgrade: KeyUpgrade) {
        if self.queue.try_send(upgrade).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many did not fit.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a03_upgrades_beyond_the_bound_are_dropped_and_counted() {
        let (reports, mut queue) = Reports::new();
        let upgrade = KeyUpgrade {
            key_id: KeyId::from_parts(1, &[1; 10]),
            key_version: 1,
            hash: KeyHash::of("psk_imported_long_ago"),
        };
        for _ in 0..QUEUE + 3 {
            reports.key_upgrade(upgrade);
        }
        assert_eq!(reports.dropped(), 3);
        assert_eq!(queue.try_recv(), Ok(upgrade));
    }
}
