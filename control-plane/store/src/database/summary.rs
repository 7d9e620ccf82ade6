//! Sums over the ledger, from the hourly rollups.

use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::Database;
use super::rollup::Sums;
use crate::api::error::Error;
use crate::api::usage::{UsageFilter, UsageGroup, UsageGrouping, UsageSubject, UsageSummary};
use crate::sql::query::{Query, sql};
use crate::sql::tx::{Row, Tx};

/// The subject's column comes as `subject`.
#[derive(sqlx::FromRow)]
struct UuidGroup {
    subject: Uuid,
    #[sqlx(flatten)]
    totals: Sums,
}

#[derive(sqlx::FromRow)]
struct TextGroup {
    subject: String,
    #[sqlx(flatten)]
    totals: Sums,
}

#[derive(sqlx::FromRow)]
struct HourGroup {
    subject: i64,
    #[sqlx(flatten)]
    totals: Sums,
}

/// Sums of bigints are wider on Postgres; cast, both databases give the same.
const SUMS: &str = "CAST(COALESCE(SUM(requests), 0) AS BIGINT) AS requests, \
    CAST(COALESCE(SUM(rejected), 0) AS BIGINT) AS rejected, \
    CAST(COALESCE(SUM(unpriced_requests), 0) AS BIGINT) AS unpriced_requests, \
    CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens, \
    CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens, \
    CAST(COALESCE(SUM(cache_read_tokens), 0) AS BIGINT) AS cache_read_tokens, \
    CAST(COALESCE(SUM(cache_write_tokens), 0) AS BIGINT) AS cache_write_tokens, \
    CAST(COALESCE(SUM(cache_write_1h_tokens), 0) AS BIGINT) AS cache_write_1h_tokens, \
    CAST(COALESCE(SUM(cache_write_12h_tokens), 0) AS BIGINT) AS cache_write_12h_tokens, \
    CAST(COALESCE(SUM(reasoning_tokens), 0) AS BIGINT) AS reasoning_tokens, \
    CAST(COALESCE(SUM(web_searches), 0) AS BIGINT) AS web_searches, \
    CAST(COALESCE(SUM(audio_input_tokens), 0) AS BIGINT) AS audio_input_tokens, \
    CAST(COALESCE(SUM(image_input_tokens), 0) AS BIGINT) AS image_input_tokens, \
    CAST(COALESCE(SUM(audio_output_tokens), 0) AS BIGINT) AS audio_output_tokens, \
    CAST(COALESCE(SUM(image_output_tokens), 0) AS BIGINT) AS image_output_tokens, \
    CAST(COALESCE(SUM(cost_nanousd), 0) AS BIGINT) AS cost_nanousd FROM usage_rollups WHERE hour >= ";

impl Database {
    pub(super) async fn summarize(
        &self,
        filter: &UsageFilter,
        group_by: Option<UsageGrouping>,
    ) -> Result<UsageSummary, Error> {
        let from = filter.from.hour();
        // The hour that holds the last millisecond counts whole.
        let to = UnixMs(filter.to.0.saturating_sub(1)).hour().plus_ms(3_600_000);
        let span = UsageFilter {
            from,
            to,
            ..filter.clone()
        };
        let mut tx = self.pools.read().await?;
        let totals: Sums = tx.fetch_one(restrict(sql("SELECT ").push(SUMS), &span)).await?;
        let mut groups = match group_by {
            Some(grouping) => groups(&mut tx, &span, grouping).await?,
            None => Vec::new(),
        };
        tx.commit().await?;
        let max = usize::try_from(UsageSummary::MAX_GROUPS).unwrap_or(usize::MAX);
        let truncated = groups.len() > max;
        groups.truncate(max);
        Ok(UsageSummary {
            from,
            to,
            totals: totals.totals(),
            groups,
            truncated,
        })
    }
}

fn restrict(query: Query, filter: &UsageFilter) -> Query {
    query
        .push_bind(filter.from)
        .push(" AND hour < ")
        .push_bind(filter.to)
        .push_some(" AND user_id = ", filter.user.map(|id| id.0))
        .push_some(" AND key_id = ", filter.key.map(|id| id.0))
        .push_some(" AND provider_id = ", filter.provider.map(|id| id.0))
        .push_some(" AND model = ", filter.model.as_deref())
}

async fn groups(
    tx: &mut Tx,
    filter: &UsageFilter,
    grouping: UsageGrouping,
) -> Result<Vec<UsageGroup>, sqlx::Error> {
    let (subject, by, order) = match grouping {
        UsageGrouping::User => ("user_id", " GROUP BY user_id", DEAREST),
        UsageGrouping::Key => ("key_id", " GROUP BY key_id", DEAREST),
        UsageGrouping::Provider => ("provider_id", " GROUP BY provider_id", DEAREST),
        UsageGrouping::Model => ("model", " GROUP BY model", DEAREST),
        UsageGrouping::Hour => ("hour", " GROUP BY hour", " ORDER BY hour LIMIT "),
    };
    let query = sql("SELECT ").push(subject).push(" AS subject, ").push(SUMS);
    // One more tells whether there are more.
    let query = restrict(query, filter)
        .push(by)
        .push(order)
        .push_bind(UsageSummary::MAX_GROUPS + 1);
    match grouping {
        UsageGrouping::User => {
            fetch(tx, query, |g: UuidGroup| {
                (UsageSubject::User(UserId(g.subject)), g.totals)
            })
            .await
        }
        UsageGrouping::Key => {
            fetch(tx, query, |g: UuidGroup| {
                (UsageSubject::Key(KeyId(g.subject)), g.totals)
            })
            .await
        }
        UsageGrouping::Provider => fetch(tx, query, |g: UuidGroup| (provider(g.subject), g.totals)).await,
        UsageGrouping::Model => {
            fetch(tx, query, |g: TextGroup| {
                (UsageSubject::Model(g.subject), g.totals)
            })
            .await
        }
        UsageGrouping::Hour => {
            fetch(tx, query, |g: HourGroup| {
                (UsageSubject::Hour(UnixMs(g.subject)), g.totals)
            })
            .await
        }
    }
}

const DEAREST: &str = " ORDER BY cost_nanousd DESC, requests DESC, subject LIMIT ";

async fn fetch<R: Row>(
    tx: &mut Tx,
    query: Query,
    group: impl Fn(R) -> (UsageSubject, Sums) + Send,
) -> Result<Vec<UsageGroup>, sqlx::Error> {
    let rows: Vec<R> = tx.fetch_all(query).await?;
    let groups = rows.into_iter().map(group).map(|(subject, totals)| UsageGroup {
        subject,
        totals: totals.totals(),
    });
    Ok(groups.collect())
}

fn provider(id: Uuid) -> UsageSubject {
    UsageSubject::Provider((!id.is_nil()).then_some(ProviderId(id)))
}
