//! Which nodes refused which resources, for operators.
//!
//! Read from the registry in the store, so that every replica's nodes are seen. A node that is gone has no say.

use penstock_core::resource::ResourceRef;
use penstock_proto::admin::v1::Refusal;
use penstock_store::{NodeRow, Store, Stored};
use tonic::Status;

use super::status;

/// What connected nodes refuse. The default: it was not asked.
#[derive(Default)]
pub(super) struct Refusals(Vec<NodeRow>);

impl Refusals {
    pub(super) async fn read(store: &dyn Store) -> Result<Self, Status> {
        let since = crate::nodes::live_since(crate::clock::now());
        let nodes = store.nodes(since).await.map_err(status::from_store)?;
        let connected = nodes.into_iter().filter(|node| node.connected);
        Ok(Self(connected.collect()))
    }

    /// Nodes that refused the resource at its present version.
    pub(super) fn of(&self, stored: &Stored) -> Vec<Refusal> {
        self.of_version(&stored.reference, stored.version)
    }

    fn of_version(&self, reference: &ResourceRef, version: u64) -> Vec<Refusal> {
        let of_node = |node: &NodeRow| {
            let refused = node
                .refused
                .iter()
                .find(|r| r.resource == *reference && r.version == version)?;
            Some(Refusal {
                node_id: node.id.clone(),
                version: refused.version,
                reason: refused.reason.clone(),
            })
        };
        self.0.iter().filter_map(of_node).collect()
    }
}
