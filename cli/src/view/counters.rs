//! What lies in Redis.

use penstock_proto::sync::v1 as wire;
use serde::Serialize;

use super::{View, fields, rows};

/// `penstock counter list`.
#[derive(Debug, Serialize)]
pub(crate) struct Counters {
    /// `shared`: in Redis; `alone`: there is none; else how limits hold while it is away.
    pub enforcement: String,
    /// The data plane that looked.
    pub node_id: String,
    pub items: Vec<CounterKind>,
    /// There is more than was looked at.
    pub truncated: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct CounterKind {
    /// `account`, `sessions`, `settled`, `binding`, `trial`, `count`, `guard`, `other`.
    pub kind: String,
    /// As Redis calls it.
    pub r#type: String,
    pub keys: u64,
    /// Without a time to live.
    pub persistent: u64,
    pub min_ttl_ms: u64,
    pub max_ttl_ms: u64,
    /// Estimated from a part of the keys.
    pub bytes: u64,
}

impl Counters {
    pub(crate) fn read(report: wire::CounterReport, node_id: String) -> Self {
        let kind = |kind: wire::CounterKind| CounterKind {
            kind: kind.kind,
            r#type: kind.r#type,
            keys: kind.keys,
            persistent: kind.persistent,
            min_ttl_ms: kind.min_ttl_ms,
            max_ttl_ms: kind.max_ttl_ms,
            bytes: kind.bytes,
        };
        Self {
            enforcement: report.enforcement,
            node_id,
            items: report.kinds.into_iter().map(kind).collect(),
            truncated: report.truncated,
        }
    }
}

impl View for Counters {
    fn table(&self) -> String {
        let head = fields(&[
            ("limits", self.enforcement.clone()),
            ("told by", self.node_id.clone()),
        ]);
        let header = ["KIND", "TYPE", "KEYS", "TTL S", "WITHOUT TTL", "BYTES"];
        let line = |kind: &CounterKind| {
            vec![
                kind.kind.clone(),
                kind.r#type.clone(),
                kind.keys.to_string(),
                format!("{} to {}", kind.min_ttl_ms / 1000, kind.max_ttl_ms / 1000),
                kind.persistent.to_string(),
                format!("~{}", kind.bytes),
            ]
        };
        let truncated = match self.truncated {
            true => "\nthere is more than was looked at",
            false => "",
        };
        format!(
            "{head}\n{}{truncated}",
            rows(&header, self.items.iter().map(line))
        )
    }
}
