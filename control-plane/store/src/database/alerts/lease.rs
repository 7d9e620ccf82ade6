//! The right to do something, of one process in the whole fleet at a time.

use penstock_core::time::UnixMs;

use crate::api::error::Error;
use crate::sql::query::sql;
use crate::sql::tx::Pools;

pub(super) async fn take(
    pools: &Pools,
    name: &str,
    owner: &str,
    (now, until): (UnixMs, UnixMs),
) -> Result<Option<u64>, Error> {
    let query = sql(
        "INSERT INTO leases (name, owner, fence, held_until) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, held_until = excluded.held_until, \
         fence = CASE WHEN leases.owner = excluded.owner THEN leases.fence ELSE leases.fence + 1 END \
         WHERE leases.owner = excluded.owner OR leases.held_until <= $4 RETURNING fence",
    )
    .bind(name)
    .bind(owner)
    .bind(until)
    .bind(now);
    let mut tx = pools.write().await?;
    let taken: Option<(i64,)> = tx.fetch_optional(query).await?;
    tx.commit().await?;
    Ok(taken.map(|(fence,)| fence.unsigned_abs()))
}

pub(super) async fn release(pools: &Pools, name: &str, owner: &str) -> Result<(), Error> {
    let query = sql("UPDATE leases SET held_until = 0 WHERE name = $1 AND owner = $2");
    let mut tx = pools.write().await?;
    tx.execute(query.bind(name).bind(owner)).await?;
    Ok(tx.commit().await?)
}
