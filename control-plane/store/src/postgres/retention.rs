//! Dropping whole months of `usage_records`.
//!
//! A drop takes the table's lock for a moment: it asks for it no longer than [`LOCK`], for whoever comes behind it in
//! the queue waits as long. When somebody else holds the table (a long report), or the database user may not drop it, the
//! rows are deleted in steps like any others, and the empty partition is dropped another time.

use penstock_core::time::UnixMs;
use sqlx::{AssertSqlSafe, Executor, PgPool};

use crate::api::error::Error;
use crate::sql::tx::answered;

const LOCK: &str = "SET LOCAL lock_timeout = '200ms'";

/// Of this instant's age or older: all of the partition's month. Only partitions that `usage_add_partition` has made.
const OLD: &str = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
    WHERE i.inhparent = to_regclass('usage_records') AND c.relname ~ '^usage_records_[0-9]{4}_[0-9]{2}$' \
    AND extract(epoch FROM to_date(right(c.relname, 7), 'YYYY_MM') + INTERVAL '1 month') * 1000 <= $1 \
    ORDER BY c.relname";

/// More rows than this are told as Postgres estimates them.
const COUNTED: i64 = 1_000_000;

pub(crate) async fn count_old(pool: &PgPool, before: UnixMs) -> Result<u32, Error> {
    Ok(u32::try_from(old(pool, before).await?.len()).unwrap_or(u32::MAX))
}

/// Drops the oldest partition that holds nothing younger. About how many rows it had; None: there is none, or it
/// cannot be dropped now.
pub(crate) async fn drop_oldest(pool: &PgPool, before: UnixMs) -> Result<Option<u64>, Error> {
    let Some(name) = old(pool, before).await?.into_iter().next() else {
        return Ok(None);
    };
    match drop_one(pool, &name).await {
        Ok(rows) => {
            tracing::info!(
                partition = name,
                rows,
                "a partition of old usage records is dropped"
            );
            Ok(Some(rows))
        }
        Err(error) if super::is_privilege(&error) => {
            tracing::warn!(
                partition = name,
                %error,
                "the database user cannot drop old partitions of usage_records; their rows are deleted instead"
            );
            Ok(None)
        }
        Err(error) if is_lock_timeout(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn old(pool: &PgPool, before: UnixMs) -> Result<Vec<String>, sqlx::Error> {
    answered(sqlx::query_scalar(OLD).bind(before.0).fetch_all(pool)).await
}

/// The name is one that [`OLD`] has found: letters, digits and underscores.
async fn drop_one(pool: &PgPool, name: &str) -> Result<u64, sqlx::Error> {
    let count = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {name} LIMIT {COUNTED}) AS counted");
    let counted: i64 = answered(sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(pool)).await?;
    let estimate = "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = to_regclass($1)";
    let estimated: Option<i64> =
        answered(sqlx::query_scalar(estimate).bind(name).fetch_optional(pool)).await?;
    let mut tx = answered(pool.begin()).await?;
    tx.execute(LOCK).await?;
    answered(tx.execute(AssertSqlSafe(format!("DROP TABLE {name}")))).await?;
    answered(tx.commit()).await?;
    let rows = match counted < COUNTED {
        true => counted,
        false => estimated.unwrap_or(counted).max(counted),
    };
    Ok(rows.unsigned_abs())
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    let code = error.as_database_error().and_then(|e| e.code());
    code.is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}
