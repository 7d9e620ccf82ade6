//! Data planes.

use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use penstock_proto::telemetry::v1::NodeHealth;
use serde::Serialize;

use super::{Row, View, instant, or_dash, rows};

/// All nodes that were seen in the last days.
#[derive(Debug, Serialize)]
pub(crate) struct Nodes {
    /// The newest revision, to compare with.
    pub head: u64,
    pub items: Vec<Node>,
}

/// A data plane.
#[derive(Debug, Serialize)]
pub(crate) struct Node {
    pub id: String,
    pub connected: bool,
    /// What is in force on it, as last acknowledged.
    pub revision: u64,
    pub head: u64,
    /// It does not run the newest revision.
    pub behind: bool,
    pub epoch: String,
    pub version: String,
    pub zone: String,
    pub schema: u32,
    pub control_plane: String,
    pub acked_at: Option<String>,
    pub last_seen_at: Option<String>,
    pub connected_since: Option<String>,
    pub refused: Vec<RefusedResource>,
    /// None until it reported.
    pub health: Option<Health>,
}

/// A resource that a node does not take.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedResource {
    pub kind: &'static str,
    pub id: String,
    pub label: String,
    pub version: u64,
    pub reason: String,
}

/// What a node says of itself.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    pub at: Option<String>,
    pub uptime_ms: u64,
    pub requests: u64,
    pub in_flight: u32,
    pub spool_records: u64,
    pub spool_bytes: u64,
    pub spool_dropped: u64,
    pub memory_bytes: u64,
    pub draining: bool,
    pub redis: String,
}

impl Nodes {
    pub(crate) fn read(answer: wire::ListNodesResponse) -> Self {
        let head = answer.head;
        let items = answer.nodes.into_iter().map(|node| Node::read(node, head));
        Self {
            head,
            items: items.collect(),
        }
    }
}

impl Node {
    fn read(node: wire::Node, head: u64) -> Self {
        Self {
            behind: node.revision < head,
            head,
            id: node.id,
            connected: node.connected,
            revision: node.revision,
            epoch: node.epoch,
            version: node.version,
            zone: node.zone,
            schema: node.schema,
            control_plane: node.control_plane,
            acked_at: instant(node.acked_at_ms),
            last_seen_at: instant(node.last_seen_ms),
            connected_since: instant(node.connected_since_ms),
            refused: node.refused.into_iter().map(RefusedResource::read).collect(),
            health: node.health.map(Health::read),
        }
    }

    fn state(&self) -> &'static str {
        let draining = self.health.as_ref().is_some_and(|health| health.draining);
        match (self.connected, draining, self.behind) {
            (false, ..) => "gone",
            (true, true, _) => "draining",
            (true, false, true) => "behind",
            (true, false, false) => "current",
        }
    }
}

impl RefusedResource {
    fn read(refused: wire::RefusedResource) -> Self {
        let reference = refused.resource.unwrap_or_default();
        let kind = convert::enums::kind_from_wire("kind", reference.kind);
        Self {
            kind: kind.map_or("unknown", penstock_core::resource::Kind::as_str),
            id: reference.id,
            label: refused.label,
            version: refused.version,
            reason: refused.reason,
        }
    }
}

impl Health {
    fn read(health: NodeHealth) -> Self {
        Self {
            at: instant(health.at_ms),
            uptime_ms: health.uptime_ms,
            requests: health.requests,
            in_flight: health.in_flight,
            spool_records: health.spool_records,
            spool_bytes: health.spool_bytes,
            spool_dropped: health.spool_dropped,
            memory_bytes: health.memory_bytes,
            draining: health.draining,
            redis: health.redis,
        }
    }
}

impl View for Nodes {
    fn table(&self) -> String {
        let list = rows(Node::COLUMNS, self.items.iter().map(Row::cells));
        let refused = self.items.iter().flat_map(|node| {
            let line = |r: &RefusedResource| {
                format!(
                    "{} refuses {} (version {}): {}",
                    node.id, r.label, r.version, r.reason
                )
            };
            node.refused.iter().map(line)
        });
        std::iter::once(list)
            .chain(refused)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Row for Node {
    const COLUMNS: &'static [&'static str] = &[
        "NODE",
        "STATE",
        "REVISION",
        "REFUSED",
        "IN FLIGHT",
        "SPOOL",
        "VERSION",
        "ZONE",
        "CONTROL PLANE",
        "LAST SEEN",
    ];

    fn cells(&self) -> Vec<String> {
        let health = |read: fn(&Health) -> String| or_dash(self.health.as_ref().map(read).as_deref());
        vec![
            self.id.clone(),
            self.state().to_owned(),
            format!("{}/{}", self.revision, self.head),
            self.refused.len().to_string(),
            health(|h| h.in_flight.to_string()),
            health(|h| h.spool_records.to_string()),
            self.version.clone(),
            or_dash(Some(&self.zone)),
            or_dash(Some(&self.control_plane)),
            or_dash(self.last_seen_at.as_deref()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use penstock_proto::config::v1 as config;

    use super::*;

    fn nodes() -> Nodes {
        let refused = wire::RefusedResource {
            resource: Some(config::ResourceRef {
                kind: config::ResourceKind::Provider.into(),
                id: "0198".into(),
            }),
            version: 2,
            reason: "base_urls: needs exactly one URL".into(),
            label: "provider \"gpt\"".into(),
        };
        let node = wire::Node {
            id: "node-a".into(),
            connected: true,
            revision: 4,
            refused: vec![refused],
            ..wire::Node::default()
        };
        Nodes::read(wire::ListNodesResponse {
            nodes: vec![node],
            head: 5,
        })
    }

    #[test]
    fn g02_a_node_shows_the_revision_that_it_runs_beside_the_head() {
        let json = serde_json::to_value(nodes()).unwrap();
        let node = &json["items"][0];
        assert_eq!(
            (&json["head"], &node["revision"], &node["behind"]),
            (&5.into(), &4.into(), &true.into())
        );
        assert_eq!(node["connected"], true);
    }

    #[test]
    fn g02_what_a_node_refuses_is_named_with_the_reason() {
        let json = serde_json::to_value(nodes()).unwrap();
        assert_eq!(json["items"][0]["refused"][0]["kind"], "provider");
        let table = nodes().table();
        assert!(
            table.contains("node-a refuses provider \"gpt\" (version 2): base_urls"),
            "{table}"
        );
        assert!(table.contains("4/5"));
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        assert_eq!(nodes().items[0].cells().len(), Node::COLUMNS.len());
    }
}
