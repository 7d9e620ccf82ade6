//! The registry of data planes.

use penstock_core::id::Epoch;
use penstock_core::time::UnixMs;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Database;
use crate::api::error::Error;
use crate::api::node::{NodeRow, RefusedResource};
use crate::api::stored::Head;
use crate::sql::query::{Query, sql};
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
struct Columns {
    id: String,
    version: String,
    zone: String,
    config_schema: i64,
    connected: bool,
    control_plane: String,
    connected_since: i64,
    last_seen: i64,
    held_epoch: Option<Uuid>,
    held_revision: Option<i64>,
    acked_at: Option<i64>,
    refused: Json,
    health: Option<Json>,
}

impl Database {
    pub(super) async fn write_node(&self, node: &NodeRow) -> Result<(), Error> {
        self.run(upsert(node)).await
    }

    pub(super) async fn mark_disconnected(
        &self,
        id: &str,
        control_plane: &str,
        connected_since: UnixMs,
        at: UnixMs,
    ) -> Result<(), Error> {
        let query = sql("UPDATE nodes SET connected = $1, last_seen = $2 \
             WHERE id = $3 AND control_plane = $4 AND connected_since = $5");
        let query = query
            .bind(false)
            .bind(at)
            .bind(id)
            .bind(control_plane)
            .bind(connected_since);
        self.run(query).await
    }

    pub(super) async fn write_health(&self, id: &str, health: &Json, at: UnixMs) -> Result<(), Error> {
        let query = sql("UPDATE nodes SET health = $1, \
             last_seen = CASE WHEN last_seen < $2 THEN $2 ELSE last_seen END WHERE id = $3");
        self.run(query.bind(AsJson(health)).bind(at).bind(id)).await
    }

    pub(super) async fn nodes_seen(&self, since: UnixMs) -> Result<Vec<NodeRow>, Error> {
        let query = sql(
            "SELECT id, version, zone, config_schema, connected, control_plane, connected_since, last_seen, \
             held_epoch, held_revision, acked_at, refused, health FROM nodes WHERE last_seen >= $1 ORDER BY id",
        );
        let mut tx = self.pools.read().await?;
        let found: Vec<Columns> = tx.fetch_all(query.bind(since)).await?;
        tx.commit().await?;
        Ok(found.into_iter().map(Columns::node).collect())
    }

    pub(super) async fn count_live(&self, since: UnixMs) -> Result<u32, Error> {
        let query = sql("SELECT COUNT(*) FROM nodes WHERE connected = $1 AND last_seen >= $2");
        let mut tx = self.pools.read().await?;
        let (live,): (i64,) = tx.fetch_one(query.bind(true).bind(since)).await?;
        tx.commit().await?;
        Ok(u32::try_from(live).unwrap_or(u32::MAX))
    }

    async fn run(&self, query: Query) -> Result<(), Error> {
        let mut tx = self.pools.write().await?;
        tx.execute(query).await?;
        Ok(tx.commit().await?)
    }
}

fn upsert(node: &NodeRow) -> Query {
    sql(
        "INSERT INTO nodes (id, version, zone, config_schema, connected, control_plane, connected_since, last_seen, \
         held_epoch, held_revision, acked_at, refused, health) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, zone = excluded.zone, \
         config_schema = excluded.config_schema, connected = excluded.connected, \
         control_plane = excluded.control_plane, connected_since = excluded.connected_since, \
         last_seen = excluded.last_seen, held_epoch = excluded.held_epoch, \
         held_revision = excluded.held_revision, acked_at = excluded.acked_at, refused = excluded.refused, \
         health = COALESCE(excluded.health, nodes.health) \
         WHERE (nodes.control_plane = excluded.control_plane AND nodes.connected_since <= excluded.connected_since) \
         OR (nodes.control_plane <> excluded.control_plane AND nodes.last_seen <= excluded.last_seen)",
    )
    .bind(&node.id)
    .bind(&node.version)
    .bind(&node.zone)
    .bind(node.schema)
    .bind(node.connected)
    .bind(&node.control_plane)
    .bind(node.connected_since)
    .bind(node.last_seen)
    .bind(node.held.map(|held| held.epoch.0))
    .bind(node.held.map(|held| held.revision))
    .bind(node.acked_at)
    .bind(AsJson(&node.refused))
    .bind(node.health.clone())
}

impl Columns {
    fn node(self) -> NodeRow {
        // What another release wrote here may be unknown; the node counts all the same.
        let refused: Vec<RefusedResource> = serde_json::from_value(self.refused)
            .inspect_err(|e| {
                tracing::warn!(node = self.id, "refused resources of a node cannot be read: {e}")
            })
            .unwrap_or_default();
        NodeRow {
            version: self.version,
            zone: self.zone,
            schema: u32::try_from(self.config_schema).unwrap_or_default(),
            connected: self.connected,
            control_plane: self.control_plane,
            connected_since: UnixMs(self.connected_since),
            last_seen: UnixMs(self.last_seen),
            held: self
                .held_epoch
                .zip(self.held_revision)
                .map(|(epoch, revision)| Head {
                    epoch: Epoch(epoch),
                    revision: revision.unsigned_abs(),
                }),
            acked_at: self.acked_at.map(UnixMs),
            refused,
            health: self.health,
            id: self.id,
        }
    }
}
