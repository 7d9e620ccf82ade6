//! Deliveries of notifications to webhooks: a durable queue.

use penstock_core::alert::Rule;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::look::NotificationRow;
use crate::api::alert::{Attempted, Delivery, DeliveryFilter, DeliveryState};
use crate::api::error::Error;
use crate::sql::query::{Query, sql};
use crate::sql::tx::Pools;

#[derive(sqlx::FromRow)]
struct DeliveryRow {
    #[sqlx(flatten)]
    notification: NotificationRow,
    webhook_id: Uuid,
    state: String,
    attempts: i64,
    next_at: i64,
    status: Option<i64>,
    error: String,
    updated_at: i64,
}

const DELIVERIES: &str = "SELECT n.id, n.rule, n.subject, n.event, n.title, n.detail, n.at, d.webhook_id, d.state, \
                          d.attempts, d.next_at, d.status, d.error, d.updated_at FROM deliveries d \
                          JOIN notifications n ON n.id = d.notification_id";

/// Of rules that this release knows: after a downgrade there may be others, which must not stand in the way.
fn known() -> Query {
    let rules = Rule::ALL.into_iter().map(|rule| rule.as_str().into());
    sql(DELIVERIES).push(" WHERE n.rule IN ").push_list(rules)
}

pub(super) async fn due(pools: &Pools, now: UnixMs, limit: u32) -> Result<Vec<Delivery>, Error> {
    let query = known()
        .push(" AND d.state = 'waiting' AND d.next_at <= ")
        .push_bind(now)
        .push(" ORDER BY d.next_at LIMIT ")
        .push_bind(limit);
    read(pools, query).await
}

pub(super) async fn list(pools: &Pools, filter: &DeliveryFilter, limit: u32) -> Result<Vec<Delivery>, Error> {
    let query = known()
        .push_some(" AND d.webhook_id = ", filter.webhook)
        .push_some(" AND d.state = ", filter.state.map(DeliveryState::as_str))
        .push_some(" AND n.id < ", filter.before)
        .push(" ORDER BY n.id DESC, d.webhook_id LIMIT ")
        .push_bind(limit);
    read(pools, query).await
}

pub(super) async fn attempted(pools: &Pools, attempted: &Attempted, at: UnixMs) -> Result<(), Error> {
    let query = sql(
        "UPDATE deliveries SET state = $1, attempts = attempts + 1, next_at = $2, status = $3, error = $4, \
         updated_at = $5 WHERE notification_id = $6 AND webhook_id = $7",
    )
    .bind(attempted.state.as_str())
    .bind(attempted.next_at)
    .bind(attempted.status.map(i64::from))
    .bind(&attempted.error)
    .bind(at)
    .bind(attempted.notification)
    .bind(attempted.webhook);
    let mut tx = pools.write().await?;
    tx.execute(query).await?;
    Ok(tx.commit().await?)
}

pub(super) async fn forget(pools: &Pools, before: UnixMs) -> Result<u64, Error> {
    let mut tx = pools.write().await?;
    let forgotten = tx
        .execute(sql("DELETE FROM notifications WHERE at < $1").bind(before))
        .await?;
    tx.commit().await?;
    Ok(forgotten)
}

async fn read(pools: &Pools, query: Query) -> Result<Vec<Delivery>, Error> {
    let mut tx = pools.read().await?;
    let rows: Vec<DeliveryRow> = tx.fetch_all(query).await?;
    tx.commit().await?;
    Ok(rows.into_iter().filter_map(DeliveryRow::read).collect())
}

impl DeliveryRow {
    fn read(self) -> Option<Delivery> {
        Some(Delivery {
            notification: self.notification.read()?,
            webhook: self.webhook_id,
            state: DeliveryState::from_word(&self.state)?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            next_at: UnixMs(self.next_at),
            status: self.status.and_then(|status| u16::try_from(status).ok()),
            error: self.error,
            updated_at: UnixMs(self.updated_at),
        })
    }
}
