//! Data planes, and the control plane itself.
//!
//! Nodes are read from the store, where every replica writes its own, so that each replica answers for the whole fleet.
//! A replica that died leaves its nodes marked as connected; their silence tells.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::fleet_service_server::FleetService;
use penstock_proto::convert;
use penstock_store::{Head, NodeRow};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::{drain, enforcement, labels, status};
use crate::clock;
use crate::context::Context;
use crate::index::Index;
use crate::nodes::{Health, live_since};

/// Nodes that were not seen for longer are forgotten in listings.
pub(super) const MEMORY_MS: u64 = 7 * 24 * 3_600_000;

pub(super) struct Fleet(pub(super) Context);

#[tonic::async_trait]
impl FleetService for Fleet {
    async fn list_nodes(
        &self,
        _: Request<wire::ListNodesRequest>,
    ) -> Result<Response<wire::ListNodesResponse>, Status> {
        let store = &self.0.store;
        let now = clock::now();
        let rows = store
            .nodes(before(now, MEMORY_MS))
            .await
            .map_err(status::from_store)?;
        let head = store.head().await.map_err(status::from_store)?;
        let mut nodes: Vec<_> = rows
            .into_iter()
            .map(|row| node(row, now, &self.0.index))
            .collect();
        nodes.sort_by(|a, b| b.connected.cmp(&a.connected).then_with(|| a.id.cmp(&b.id)));
        Ok(Response::new(wire::ListNodesResponse {
            nodes,
            head: head.revision,
        }))
    }

    async fn drain_node(
        &self,
        request: Request<wire::DrainNodeRequest>,
    ) -> Result<Response<wire::DrainNodeResponse>, Status> {
        let author = Author::of(&request);
        drain::run(&self.0, author, request.into_inner()).await
    }

    /// Answers also without a database: what is known then is what the index holds.
    async fn list_counters(
        &self,
        _: Request<wire::ListCountersRequest>,
    ) -> Result<Response<wire::ListCountersResponse>, Status> {
        use penstock_proto::sync::v1::{CountCounters, command, command_result};
        let question = command::Command::CountCounters(CountCounters {});
        let answered = crate::sync::ask(&self.0, question).await?;
        match answered.result.result {
            Some(command_result::Result::Counters(report)) => Ok(Response::new(wire::ListCountersResponse {
                report: Some(report),
                node_id: answered.node,
            })),
            Some(_) | None => Err(Status::unavailable(format!(
                "data plane {} cannot look through the counters: {}",
                answered.node, answered.result.error
            ))),
        }
    }

    async fn get_status(
        &self,
        _: Request<wire::GetStatusRequest>,
    ) -> Result<Response<wire::GetStatusResponse>, Status> {
        let context = &self.0;
        let now = clock::now();
        let counts = context.index.counts();
        let read = self.read(now).await;
        let (head, nodes, database_error) = match read {
            Ok((head, nodes)) => (head, nodes, String::new()),
            Err(status) => (context.index.head(), Vec::new(), status.message().to_owned()),
        };
        let limits = match database_error.is_empty() {
            true => enforcement::stored(context).await,
            false => enforcement::indexed(context),
        };
        let limits_off = !limits.enforced(now);
        let behind = nodes.iter().filter(|node| is_behind(node, head)).count();
        let refused = nodes.iter().map(|node| node.refused.len()).sum();
        Ok(Response::new(wire::GetStatusResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database: context.store.backend().as_str().to_owned(),
            database_ok: database_error.is_empty(),
            database_error,
            epoch: head.epoch.to_string(),
            head: head.revision,
            providers: count(counts.providers),
            users: count(counts.users),
            keys: count(counts.keys),
            prices: count(counts.prices),
            nodes_connected: count(nodes.len()),
            nodes_behind: count(behind),
            resources_refused: count(refused),
            uptime_ms: i64::try_from(context.started.elapsed().as_millis()).unwrap_or(i64::MAX),
            control_plane: context.name.to_string(),
            limits_off,
            limits_off_until_ms: limits.off_until.filter(|_| limits_off).map(|at| at.0),
        }))
    }
}

impl Fleet {
    /// The head, and the nodes that are connected.
    async fn read(&self, now: UnixMs) -> Result<(Head, Vec<NodeRow>), Status> {
        let head = self.0.store.head().await.map_err(status::from_store)?;
        let nodes = self
            .0
            .store
            .nodes(live_since(now))
            .await
            .map_err(status::from_store)?;
        let connected = nodes.into_iter().filter(|node| node.connected);
        Ok((head, connected.collect()))
    }
}

pub(super) fn before(now: UnixMs, ms: u64) -> UnixMs {
    UnixMs(now.0.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX)))
}

fn is_behind(node: &NodeRow, head: Head) -> bool {
    node.held
        .is_none_or(|held| held.epoch != head.epoch || held.revision < head.revision)
}

fn node(row: NodeRow, now: UnixMs, index: &Index) -> wire::Node {
    let health = row
        .health
        .and_then(|json| serde_json::from_value::<Health>(json).ok());
    let refused = row.refused.into_iter().map(|refused| wire::RefusedResource {
        label: labels::label(index, &refused.resource),
        resource: Some(convert::reference_to_wire(&refused.resource)),
        version: refused.version,
        reason: refused.reason,
    });
    wire::Node {
        id: row.id,
        version: row.version,
        zone: row.zone,
        schema: row.schema,
        connected: row.connected && row.last_seen >= live_since(now),
        revision: row.held.map_or(0, |held| held.revision),
        epoch: row.held.map(|held| held.epoch.to_string()).unwrap_or_default(),
        acked_at_ms: row.acked_at.map_or(0, |at| at.0),
        last_seen_ms: row.last_seen.0,
        connected_since_ms: row.connected_since.0,
        refused: refused.collect(),
        health: health.map(Into::into),
        control_plane: row.control_plane,
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use penstock_core::id::Epoch;

    use super::*;

    fn head(epoch: u8, revision: u64) -> Head {
        Head {
            epoch: Epoch::from_parts(1, &[epoch; 10]),
            revision,
        }
    }

    fn row(held: Option<Head>) -> NodeRow {
        NodeRow {
            id: "a".into(),
            version: "0.1.0".into(),
            zone: String::new(),
            schema: 1,
            connected: true,
            control_plane: "cp".into(),
            connected_since: UnixMs(1),
            last_seen: UnixMs(1),
            held,
            acked_at: None,
            refused: Vec::new(),
            health: None,
        }
    }

    #[test]
    fn g02_a_node_is_behind_until_it_acknowledged_the_head() {
        assert!(is_behind(&row(None), head(1, 5)));
        assert!(is_behind(&row(Some(head(1, 4))), head(1, 5)));
        assert!(is_behind(&row(Some(head(2, 9))), head(1, 5)));
        assert!(!is_behind(&row(Some(head(1, 5))), head(1, 5)));
    }
}
