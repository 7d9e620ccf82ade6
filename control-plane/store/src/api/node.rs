//! Data planes as the registry knows them.
//!
//! Each row is written by the replica that holds the node's config stream. A later report wins, so a replica that lost
//! the node cannot overwrite the one that has it now. A replica that died leaves its nodes marked as connected: judge by
//! `last_seen`.

use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use serde::{Deserialize, Serialize};

use super::stored::Head;

/// One data plane.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRow {
    pub id: String,
    /// The release that it runs.
    pub version: String,
    pub zone: String,
    /// The newest config schema that it understands.
    pub schema: u32,
    pub connected: bool,
    /// Name of the replica that holds its stream.
    pub control_plane: String,
    /// When the stream was opened.
    pub connected_since: UnixMs,
    pub last_seen: UnixMs,
    /// What is in force on it, as last acknowledged.
    pub held: Option<Head>,
    pub acked_at: Option<UnixMs>,
    pub refused: Vec<RefusedResource>,
    /// The node's last report on itself, in whatever form the control plane keeps it.
    pub health: Option<serde_json::Value>,
}

/// A resource that the node could not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedResource {
    pub resource: ResourceRef,
    pub version: u64,
    pub reason: String,
}
