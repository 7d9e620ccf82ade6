//! How calls ended lately: small aggregates over the newest records, on the index of those that failed.
//!
//! Only calls for which a provider was asked count, so that what Penstock itself refuses alarms nobody, but for 429s, which
//! callers see alike whoever sends them. A call counts when it *ends*: one that hung until its timeout arrived long before.
//! Of those that lasted more than [`LONGEST_MS`] nothing is known here. What arrived long before the span is looked for among
//! calls that lasted a minute or more, of which there is an index.

use std::collections::BTreeSet;

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::time::UnixMs;
use uuid::Uuid;

use crate::api::alert::{CallFacts, ProviderCalls};
use crate::api::error::Error;
use crate::database::records::first_id;
use crate::sql::query::{Query, sql};
use crate::sql::tx::{Pools, Tx};

const MINUTE_MS: i64 = 60_000;
const LONGEST_MS: i64 = 60 * MINUTE_MS;
/// More providers than this are not looked at one by one.
const MAX_PROVIDERS: usize = 1_000;
const MAX_ACTIVE: u32 = 20_000;

/// Those that ended since then. Who arrived more than a minute before it lasted more than a minute.
struct Ended(UnixMs);

/// `suspected`: providers of whose last calls all had failed.
pub(super) async fn read(
    pools: &Pools,
    now: UnixMs,
    in_a_row: u32,
    suspected: &[ProviderId],
) -> Result<CallFacts, Error> {
    let mut tx = pools.read().await?;
    let ago = |minutes: i64| now.0.saturating_sub(minutes * MINUTE_MS);
    let since = |minutes: i64| first_id(ago(minutes));
    let last_5_min = shares(&mut tx, Ended(UnixMs(ago(5)))).await?;
    let limited = sql("SELECT COUNT(*) FROM usage_records WHERE status = 429 AND id >= $1");
    let (rate_limited,): (i64,) = tx.fetch_one(limited.bind(since(1))).await?;
    let statuses = statuses(&mut tx, Ended(UnixMs(ago(60)))).await?;
    let failed = last_5_min.iter().filter(|calls| calls.failed > 0);
    let asked: BTreeSet<_> = failed
        .map(|calls| calls.provider)
        .chain(suspected.iter().copied())
        .take(MAX_PROVIDERS)
        .collect();
    let mut failing = Vec::new();
    for provider in asked {
        if all_failed(&mut tx, provider, in_a_row).await? {
            failing.push(provider);
        }
    }
    let active = active(&mut tx, since(10)).await?;
    tx.commit().await?;
    Ok(CallFacts {
        last_5_min,
        rate_limited_in_1_min: rate_limited.unsigned_abs(),
        statuses_in_1_h: statuses,
        failing,
        active,
    })
}

/// Of providers of which some call failed.
async fn shares(tx: &mut Tx, since: Ended) -> Result<Vec<ProviderCalls>, sqlx::Error> {
    let failed = since.count("provider_id", |query| {
        query.push(
            " AND provider_id IS NOT NULL AND (status >= 500 OR status = 429 OR outcome = 'interrupted')",
        )
    });
    let failed: Vec<(Uuid, i64)> = tx.fetch_all(failed).await?;
    if failed.is_empty() {
        return Ok(Vec::new());
    }
    let all = since.count("provider_id", |query| {
        let providers = failed.iter().map(|(id, _)| (*id).into());
        query.push(" AND provider_id IN ").push_list(providers)
    });
    let all: Vec<(Uuid, i64)> = tx.fetch_all(all).await?;
    let calls = |provider: Uuid| all.iter().find(|(id, _)| *id == provider);
    let shares = failed.iter().map(|(provider, failed)| ProviderCalls {
        provider: ProviderId(*provider),
        calls: calls(*provider).map_or(0, |(_, calls)| calls.unsigned_abs()),
        failed: failed.unsigned_abs(),
    });
    Ok(shares.collect())
}

async fn statuses(tx: &mut Tx, since: Ended) -> Result<Vec<(ProviderId, u16, u64)>, sqlx::Error> {
    let query = since.count("provider_id, status", |query| {
        query.push(" AND status >= 400 AND status <> 499 AND provider_id IS NOT NULL")
    });
    let rows: Vec<(Uuid, i64, i64)> = tx.fetch_all(query).await?;
    let read = |(provider, status, count): (Uuid, i64, i64)| {
        Some((
            ProviderId(provider),
            u16::try_from(status).ok()?,
            count.unsigned_abs(),
        ))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

async fn active(tx: &mut Tx, since: Uuid) -> Result<Vec<(UserId, KeyId, Option<ProviderId>)>, sqlx::Error> {
    let query =
        sql("SELECT DISTINCT user_id, key_id, provider_id FROM usage_records WHERE id >= $1 LIMIT $2");
    let rows: Vec<(Uuid, Uuid, Option<Uuid>)> = tx.fetch_all(query.bind(since).bind(MAX_ACTIVE)).await?;
    let read = |(user, key, provider): (Uuid, Uuid, Option<Uuid>)| {
        (UserId(user), KeyId(key), provider.map(ProviderId))
    };
    Ok(rows.into_iter().map(read).collect())
}

impl Ended {
    /// How many there are by these columns, of those that `held` leaves.
    fn count(&self, by: &'static str, held: impl Fn(Query) -> Query) -> Query {
        let lately = first_id(self.0.0.saturating_sub(MINUTE_MS));
        let before = first_id(self.0.0.saturating_sub(LONGEST_MS));
        let part = |query: Query| {
            let query = query.push(" SELECT ").push(by);
            query.push(", COUNT(*) AS calls FROM usage_records WHERE ")
        };
        let ended = |query: Query| {
            let query = query.push(" AND started_at + duration_ms >= ").push_bind(self.0);
            held(query).push(" GROUP BY ").push(by)
        };
        let query = sql("SELECT ")
            .push(by)
            .push(", CAST(SUM(calls) AS BIGINT) FROM (");
        let query = ended(part(query).push("id >= ").push_bind(lately)).push(" UNION ALL");
        let query = part(query)
            .push("duration_ms >= 60000 AND id >= ")
            .push_bind(before);
        let query = ended(query.push(" AND id < ").push_bind(lately));
        query.push(") AS parts GROUP BY ").push(by)
    }
}

/// Whether a provider's last calls all ended with 5xx.
async fn all_failed(tx: &mut Tx, provider: ProviderId, in_a_row: u32) -> Result<bool, sqlx::Error> {
    let query = sql("SELECT status FROM usage_records WHERE provider_id = $1 ORDER BY id DESC LIMIT $2");
    let statuses: Vec<(i64,)> = tx.fetch_all(query.bind(provider.0).bind(in_a_row)).await?;
    let enough = statuses.len() >= usize::try_from(in_a_row).unwrap_or(usize::MAX);
    Ok(enough && statuses.iter().all(|(status,)| *status >= 500))
}
