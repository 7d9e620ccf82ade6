//! What one replica at a time does, and until when it may.

use penstock_core::time::UnixMs;

use super::Database;
use crate::api::error::Error;
use crate::sql::query::sql;

impl Database {
    pub(super) async fn lease(
        &self,
        name: &str,
        holder: &str,
        now: UnixMs,
        until: UnixMs,
    ) -> Result<bool, Error> {
        let query = sql("INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
             WHERE leases.holder = excluded.holder OR leases.until <= $4");
        let query = query.bind(name).bind(holder).bind(until).bind(now);
        let mut tx = self.pools.write().await?;
        let taken = tx.execute(query).await? == 1;
        tx.commit().await?;
        Ok(taken)
    }

    pub(super) async fn give_back(&self, name: &str, holder: &str) -> Result<(), Error> {
        let query = sql("DELETE FROM leases WHERE name = $1 AND holder = $2");
        let mut tx = self.pools.write().await?;
        tx.execute(query.bind(name).bind(holder)).await?;
        Ok(tx.commit().await?)
    }
}
