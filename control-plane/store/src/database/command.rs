//! Commands on their way between replicas: a row each, for a minute.
//!
//! A command is taken by one replica only: of two that try, the second finds it taken. News of commands and answers goes
//! the way of news of commits; whoever waits polls beneath it.

use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::{CHANNEL, Database};
use crate::api::command::{NodeAnswer, NodeCommand};
use crate::api::error::Error;
use crate::sql::query::{Query, sql};
use crate::sql::tx::Tx;

const LIFE_MS: i64 = 60_000;
/// More than this in a minute is no operator.
const MAX_WAITING: u32 = 1_000;

impl Database {
    pub(super) async fn post(&self, id: Uuid, request: &[u8], now: UnixMs) -> Result<bool, Error> {
        let mut tx = self.pools.write().await?;
        let old = sql("DELETE FROM node_commands WHERE created_at < $1");
        tx.execute(old.bind(now.0.saturating_sub(LIFE_MS))).await?;
        let query = sql(
            "INSERT INTO node_commands (id, created_at, request) SELECT $1, $2, $3 \
             WHERE (SELECT COUNT(*) FROM node_commands) < $4",
        );
        let query = query.bind(id).bind(now).bind(request).bind(MAX_WAITING);
        let posted = tx.execute(query).await? == 1;
        self.tell(tx).await?;
        Ok(posted)
    }

    pub(super) async fn take(&self, by: &str, limit: u32, since: UnixMs) -> Result<Vec<NodeCommand>, Error> {
        let free = "SELECT id FROM node_commands WHERE taken_by IS NULL AND created_at >= $1 ORDER BY created_at LIMIT $2";
        // Mostly there is none, and then nothing is written.
        let mut tx = self.pools.read().await?;
        let waiting: Vec<(Uuid,)> = tx.fetch_all(sql(free).bind(since).bind(limit)).await?;
        tx.commit().await?;
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let query = sql("UPDATE node_commands SET taken_by = $1 WHERE taken_by IS NULL AND id IN ")
            .bind(by)
            .push_list(waiting.into_iter().map(|(id,)| id.into()))
            .push(" RETURNING id, request");
        let mut tx = self.pools.write().await?;
        let taken: Vec<(Uuid, Vec<u8>)> = tx.fetch_all(query).await?;
        tx.commit().await?;
        let command = |(id, request)| NodeCommand { id, request };
        Ok(taken.into_iter().map(command).collect())
    }

    pub(super) async fn answer(&self, id: Uuid, answer: &NodeAnswer) -> Result<(), Error> {
        let mut tx = self.pools.write().await?;
        let query = sql("UPDATE node_commands SET node_id = $1, answer = $2 WHERE id = $3");
        let query = query.bind(&answer.node).bind(answer.answer.as_slice()).bind(id);
        tx.execute(query).await?;
        self.tell(tx).await
    }

    pub(super) async fn read_answer(&self, id: Uuid) -> Result<Option<NodeAnswer>, Error> {
        let query = sql("SELECT node_id, answer FROM node_commands WHERE id = $1 AND answer IS NOT NULL");
        let mut tx = self.pools.read().await?;
        let found: Option<(Option<String>, Vec<u8>)> = tx.fetch_optional(query.bind(id)).await?;
        tx.commit().await?;
        Ok(found.map(|(node, answer)| NodeAnswer {
            node: node.unwrap_or_default(),
            answer,
        }))
    }

    /// Commits, and lets all who wait for news look again.
    pub(super) async fn tell(&self, mut tx: Tx) -> Result<(), Error> {
        if matches!(tx, Tx::Postgres(_)) {
            tx.execute(notify()).await?;
        }
        tx.commit().await?;
        self.announce();
        Ok(())
    }
}

fn notify() -> Query {
    sql("SELECT pg_notify($1, '')").bind(CHANNEL)
}
