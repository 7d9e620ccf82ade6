//! A node's stream as the registry knows it.

use std::sync::Arc;

use penstock_core::time::UnixMs;
use penstock_store::{Head, RefusedResource};
use tokio::sync::mpsc;

use super::{NodeRegistry, Order, first};
use crate::clock;

/// Says what happens on a stream; its drop says that the stream ended.
#[derive(Debug)]
pub struct NodeHandle {
    registry: Arc<NodeRegistry>,
    id: Arc<str>,
    /// Names the stream.
    number: u64,
    orders: mpsc::Receiver<Order>,
}

impl NodeHandle {
    pub(super) fn new(
        registry: Arc<NodeRegistry>,
        id: Arc<str>,
        number: u64,
        orders: mpsc::Receiver<Order>,
    ) -> Self {
        Self {
            registry,
            id,
            number,
            orders,
        }
    }

    /// The next command for the node. None: there will be none.
    pub async fn order(&mut self) -> Option<Order> {
        self.orders.recv().await
    }

    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The node acknowledged: this is in force on it, apart from what it refused.
    pub fn acknowledged(&self, held: Head, refused: Vec<RefusedResource>, now: UnixMs) {
        self.registry.update(&self.id, now, |row| {
            row.held = Some(held);
            row.acked_at = Some(now);
            row.refused = first(refused);
        });
    }
}

impl Drop for NodeHandle {
    fn drop(&mut self) {
        self.registry.disconnect(&self.id, self.number, clock::now());
    }
}
