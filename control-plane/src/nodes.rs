//! The data planes that this replica serves, and how many the whole fleet has.
//!
//! A node is here while it has a config stream to this replica: who it is, what it has in force (its last
//! acknowledgement, nothing earlier), what it refused, how it says it is. [`persist()`] writes changes to the store a
//! moment after they happen, together, and every [`HEARTBEAT`] for all, so that operators see nodes at any replica and
//! a replica that died is noticed by its silence ([`SILENCE`]).
//!
//! Nothing on a stream waits for the store: while it is away the newest state of each node is written later.

mod handle;
mod health;
mod orders;
mod persist;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use penstock_core::time::UnixMs;
use penstock_store::{Head, NodeRow, RefusedResource};
use tokio::sync::{Notify, mpsc, watch};

pub use handle::NodeHandle;
pub use health::Health;
pub use orders::{Order, Ordered};
pub use persist::persist;

use orders::OpenStream;

/// Every connected node is written at least this often.
pub const HEARTBEAT: Duration = Duration::from_secs(10);

/// A node that was not written for so long is not counted as live.
pub const SILENCE: Duration = Duration::from_secs(35);

/// A connected node was seen at or after this.
pub fn live_since(now: UnixMs) -> UnixMs {
    let silence = i64::try_from(SILENCE.as_millis()).unwrap_or(i64::MAX);
    UnixMs(now.0.saturating_sub(silence))
}

/// More nodes than this are not served by one replica.
const MAX_NODES: usize = 10_000;

/// As many refused resources of a node are written.
const MAX_REFUSED: usize = 200;

/// Who a node says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub id: Arc<str>,
    pub version: String,
    pub zone: String,
    pub schema: u32,
}

/// This replica serves as many nodes as it can.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this replica serves {MAX_NODES} data planes already; add control-plane replicas")]
pub struct Crowded;

/// See the module.
#[derive(Debug)]
pub struct NodeRegistry {
    name: Arc<str>,
    inner: Mutex<Inner>,
    /// Something is to be written.
    dirty: Notify,
    live: watch::Sender<u32>,
}

#[derive(Debug, Default)]
struct Inner {
    nodes: HashMap<Arc<str>, Entry>,
    /// Nodes whose last stream ended, with when it was opened: to be written.
    gone: HashMap<Arc<str>, Gone>,
    /// Counts changes of all nodes, so that no two are mistaken for each other.
    changes: u64,
}

#[derive(Debug)]
struct Entry {
    row: NodeRow,
    /// The newest last. A node that reconnects before its old stream was found dead has two for a while.
    streams: Vec<OpenStream>,
    /// The last change of the row. It is to be written while this is not what was written.
    changes: u64,
    written: u64,
}

#[derive(Clone, Debug)]
struct Gone {
    /// What was not written of it while it was here.
    unwritten: Option<NodeRow>,
    since: UnixMs,
    at: UnixMs,
}

impl NodeRegistry {
    pub fn new(name: Arc<str>) -> Self {
        Self {
            name,
            inner: Mutex::default(),
            dirty: Notify::new(),
            live: watch::Sender::new(0),
        }
    }

    /// A stream of a node has begun. It has ended when the handle is dropped.
    pub fn connect(
        self: &Arc<Self>,
        identity: Identity,
        held: Option<Head>,
        refused: Vec<RefusedResource>,
        now: UnixMs,
    ) -> Result<NodeHandle, Crowded> {
        let id = Arc::clone(&identity.id);
        let (sender, orders) = mpsc::channel(orders::QUEUE);
        let number;
        {
            let mut inner = self.lock();
            if inner.nodes.len() >= MAX_NODES && !inner.nodes.contains_key(&id) {
                return Err(Crowded);
            }
            inner.gone.remove(&id);
            let old = inner.nodes.remove(&id);
            let row = NodeRow {
                id: identity.id.to_string(),
                version: identity.version,
                zone: identity.zone,
                schema: identity.schema,
                connected: true,
                control_plane: self.name.to_string(),
                connected_since: now,
                last_seen: now,
                held,
                acked_at: None,
                refused: first(refused),
                health: old.as_ref().and_then(|old| old.row.health.clone()),
            };
            let changes = inner.next_change();
            number = changes;
            let mut streams = old.map_or_else(Vec::new, |old| old.streams);
            streams.push(OpenStream {
                number,
                orders: sender,
            });
            inner.nodes.insert(
                Arc::clone(&id),
                Entry {
                    row,
                    streams,
                    changes,
                    written: 0,
                },
            );
        }
        self.dirty.notify_one();
        self.at_least_local();
        Ok(NodeHandle::new(Arc::clone(self), id, number, orders))
    }

    /// What a node says of itself. Kept when the node has a stream to this replica; false otherwise.
    pub fn report(&self, id: &str, health: &Health, now: UnixMs) -> bool {
        let json = serde_json::to_value(health).ok();
        self.update(id, now, |row| row.health = json)
    }

    /// How many nodes have a stream to any replica, as far as it is known here.
    pub fn live(&self) -> watch::Receiver<u32> {
        self.live.subscribe()
    }

    /// How many have one to this replica.
    pub fn connected(&self) -> usize {
        self.lock().nodes.len()
    }

    fn update(&self, id: &str, now: UnixMs, change: impl FnOnce(&mut NodeRow)) -> bool {
        {
            let mut inner = self.lock();
            let changes = inner.next_change();
            let Some(entry) = inner.nodes.get_mut(id) else {
                return false;
            };
            change(&mut entry.row);
            entry.row.last_seen = entry.row.last_seen.max(now);
            entry.changes = changes;
        }
        self.dirty.notify_one();
        true
    }

    fn disconnect(&self, id: &Arc<str>, stream: u64, now: UnixMs) {
        let mut inner = self.lock();
        let Some(entry) = inner.nodes.get_mut(id) else {
            return;
        };
        entry.streams.retain(|open| open.number != stream);
        if entry.streams.is_empty()
            && let Some(entry) = inner.nodes.remove(id)
            && inner.gone.len() < MAX_NODES
        {
            let since = entry.row.connected_since;
            let unwritten = entry.is_dirty().then_some(entry.row);
            inner.gone.insert(
                Arc::clone(id),
                Gone {
                    unwritten,
                    since,
                    at: now,
                },
            );
        }
        drop(inner);
        self.dirty.notify_one();
    }

    /// The count of the whole fleet comes from the store; until it does, the nodes here are known.
    fn at_least_local(&self) {
        let local = u32::try_from(self.connected()).unwrap_or(u32::MAX);
        self.live.send_if_modified(|live| {
            let more = local > *live;
            *live = local.max(*live);
            more
        });
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn next_change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }
}

impl Entry {
    fn is_dirty(&self) -> bool {
        self.changes != self.written
    }
}

fn first(mut refused: Vec<RefusedResource>) -> Vec<RefusedResource> {
    refused.truncate(MAX_REFUSED);
    refused
}

#[cfg(test)]
mod persist_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::identity;

    fn registry() -> Arc<NodeRegistry> {
        Arc::new(NodeRegistry::new("cp-1".into()))
    }

    fn connect(registry: &Arc<NodeRegistry>, id: &str) -> NodeHandle {
        registry
            .connect(identity(id), None, Vec::new(), UnixMs(1))
            .unwrap()
    }

    #[test]
    fn a_node_is_here_while_it_has_a_stream() {
        let registry = registry();
        let first = connect(&registry, "a");
        let second = connect(&registry, "a");
        assert_eq!(registry.connected(), 1);
        drop(first);
        assert_eq!(registry.connected(), 1, "its newer stream is open");
        drop(second);
        assert_eq!(registry.connected(), 0);
    }

    #[test]
    fn a_new_node_counts_as_live_before_the_store_says_so() {
        let registry = registry();
        let _a = connect(&registry, "a");
        let _b = connect(&registry, "b");
        assert_eq!(*registry.live().borrow(), 2);
    }

    #[test]
    fn health_of_a_node_without_a_stream_here_is_not_kept() {
        let registry = registry();
        assert!(!registry.report("a", &Health::default(), UnixMs(1)));
        let _a = connect(&registry, "a");
        assert!(registry.report("a", &Health::default(), UnixMs(1)));
    }

    #[test]
    fn a_full_replica_serves_the_nodes_it_has() {
        let registry = registry();
        let _all: Vec<_> = (0..MAX_NODES)
            .map(|i| connect(&registry, &i.to_string()))
            .collect();
        assert!(
            registry
                .connect(identity("new"), None, Vec::new(), UnixMs(1))
                .is_err()
        );
        assert!(
            registry
                .connect(identity("7"), None, Vec::new(), UnixMs(1))
                .is_ok()
        );
    }
}
