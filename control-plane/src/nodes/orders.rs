//! Handing commands to nodes: a short queue for each stream, read by the task that serves it.
//!
//! What a command says and how it is answered is the stream's business; here both are bytes. A node that has two streams
//! for a while gets it on the newer one. A full queue, or a stream that just ended, means another node.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::NodeRegistry;

/// Commands that wait for a stream.
pub(super) const QUEUE: usize = 8;

/// The first schema of which nodes know commands. Older ones would not answer.
const SCHEMA: u32 = 2;

/// A command for a node, and where its answer goes. Dropped: there will be no answer.
#[derive(Debug)]
pub struct Order {
    pub request: Vec<u8>,
    pub answer: oneshot::Sender<Vec<u8>>,
}

/// A command that a node was given.
#[derive(Debug)]
pub struct Ordered {
    pub node: Arc<str>,
    /// Fails when the stream ends, or refuses it.
    pub answer: oneshot::Receiver<Vec<u8>>,
}

/// A stream's end of its queue.
#[derive(Debug)]
pub(super) struct OpenStream {
    pub(super) number: u64,
    pub(super) orders: mpsc::Sender<Order>,
}

impl NodeRegistry {
    /// Whether a node that knows commands has a stream to this replica.
    pub fn takes_orders(&self) -> bool {
        let inner = self.lock();
        inner.nodes.values().any(|entry| entry.row.schema >= SCHEMA)
    }

    /// Gives a command to some node, but to none of `not`. None: there is no node that can take it. `random` is uniform
    /// over all of its values.
    pub fn order(&self, request: &[u8], random: u32, not: &[Arc<str>]) -> Option<Ordered> {
        let inner = self.lock();
        let mut able: Vec<_> = inner
            .nodes
            .iter()
            .filter(|(id, entry)| entry.row.schema >= SCHEMA && !not.contains(id))
            .collect();
        let start = usize::try_from(random).unwrap_or(0).checked_rem(able.len())?;
        able.rotate_left(start);
        for (id, entry) in able {
            let Some(stream) = entry.streams.last() else {
                continue;
            };
            let (answer, answered) = oneshot::channel();
            let request = request.to_vec();
            if stream.orders.try_send(Order { request, answer }).is_ok() {
                let node = Arc::clone(id);
                return Some(Ordered {
                    node,
                    answer: answered,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::time::UnixMs;

    use super::*;
    use crate::nodes::{Identity, NodeHandle};
    use crate::tests::identity;

    fn registry() -> Arc<NodeRegistry> {
        Arc::new(NodeRegistry::new("cp-1".into()))
    }

    fn connect(registry: &Arc<NodeRegistry>, id: &str, schema: u32) -> NodeHandle {
        let identity = Identity {
            schema,
            ..identity(id)
        };
        registry.connect(identity, None, Vec::new(), UnixMs(1)).unwrap()
    }

    #[tokio::test]
    async fn a_command_goes_to_the_newer_stream_of_a_node() {
        let registry = registry();
        let _old = connect(&registry, "a", 2);
        let mut new = connect(&registry, "a", 2);
        let ordered = registry.order(b"read", 0, &[]).unwrap();
        let order = new.order().await.unwrap();
        assert_eq!((&*ordered.node, order.request.as_slice()), ("a", &b"read"[..]));
        order.answer.send(b"much".to_vec()).unwrap();
        assert_eq!(ordered.answer.await.unwrap(), b"much");
    }

    #[test]
    fn a_node_of_an_older_release_is_not_asked() {
        let registry = registry();
        assert!(registry.order(b"read", 0, &[]).is_none());
        let _old = connect(&registry, "old", 1);
        assert!(!registry.takes_orders() && registry.order(b"read", 0, &[]).is_none());
        let _new = connect(&registry, "new", 2);
        assert!(registry.takes_orders());
        for random in 0..4 {
            let ordered = registry.order(b"read", random, &[]).unwrap();
            assert_eq!(&*ordered.node, "new");
        }
    }

    #[test]
    fn a_full_queue_or_an_asked_node_means_another_one() {
        let registry = registry();
        let _both = [connect(&registry, "a", 2), connect(&registry, "b", 2)];
        let given: Vec<_> = (0..2 * QUEUE)
            .map(|_| registry.order(b"x", 0, &[]).unwrap())
            .collect();
        assert_eq!(
            given.iter().filter(|ordered| &*ordered.node == "a").count(),
            QUEUE
        );
        assert!(registry.order(b"x", 0, &[]).is_none());
        let _c = connect(&registry, "c", 2);
        assert!(registry.order(b"x", 0, &["c".into()]).is_none());
        assert_eq!(&*registry.order(b"x", 7, &[]).unwrap().node, "c");
    }

    #[tokio::test]
    async fn a_command_ends_with_the_stream_that_it_was_given_to() {
        let registry = registry();
        let node = connect(&registry, "a", 2);
        let ordered = registry.order(b"read", 0, &[]).unwrap();
        drop(node);
        assert!(ordered.answer.await.is_err());
    }
}
