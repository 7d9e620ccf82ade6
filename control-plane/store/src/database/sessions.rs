//! Sessions, from the records of a span.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::Database;
use super::records::in_range;
use crate::api::error::Error;
use crate::api::usage::{SessionUsage, UsageFilter};
use crate::sql::query::sql;

const MAX_SESSIONS: u32 = 1_000;

#[derive(sqlx::FromRow)]
struct SessionRow {
    session: String,
    user_id: Uuid,
    key_id: Uuid,
    provider_id: Option<Uuid>,
    model: String,
    first_call: i64,
    last_call: i64,
    calls: i64,
    tokens: i64,
    cost_nanousd: i64,
}

/// Each record with the sums of its session; the newest of each stands for it.
const RECORDS: &str = "SELECT session, user_id, key_id, provider_id, model, first_call, last_call, calls, tokens, \
    cost_nanousd FROM (SELECT session, user_id, key_id, provider_id, model, \
    ROW_NUMBER() OVER (PARTITION BY session ORDER BY id DESC) AS place, \
    MIN(started_at) OVER (PARTITION BY session) AS first_call, \
    MAX(started_at) OVER (PARTITION BY session) AS last_call, \
    COUNT(*) OVER (PARTITION BY session) AS calls, \
    CAST(SUM(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens + cache_write_1h_tokens \
    + cache_write_12h_tokens) OVER (PARTITION BY session) AS BIGINT) AS tokens, \
    CAST(SUM(cost_nanousd) OVER (PARTITION BY session) AS BIGINT) AS cost_nanousd \
    FROM usage_records WHERE started_at >= $1 AND started_at < $2";

impl Database {
    pub(super) async fn newest_sessions(
        &self,
        filter: &UsageFilter,
        limit: u32,
    ) -> Result<Vec<SessionUsage>, Error> {
        let query = in_range(sql(RECORDS), filter)
            .push(
                " AND session IS NOT NULL) AS placed WHERE place = 1 ORDER BY last_call DESC, session LIMIT ",
            )
            .push_bind(limit.min(MAX_SESSIONS));
        let mut tx = self.pools.read().await?;
        let rows: Vec<SessionRow> = tx.fetch_all(query).await?;
        tx.commit().await?;
        let session = |row: SessionRow| SessionUsage {
            id: row.session,
            user: UserId(row.user_id),
            key: KeyId(row.key_id),
            provider: row.provider_id.map(ProviderId),
            model: row.model,
            first_call: UnixMs(row.first_call),
            last_call: UnixMs(row.last_call),
            calls: row.calls.unsigned_abs(),
            tokens: row.tokens.unsigned_abs(),
            cost: NanoUsd(row.cost_nanousd),
        };
        Ok(rows.into_iter().map(session).collect())
    }
}
