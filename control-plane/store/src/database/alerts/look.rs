//! Watches, and what is told because of them, written as one.

use penstock_core::alert::{Event, Watch};
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::rule;
use crate::api::alert::{AlertRow, Looked, Notification};
use crate::api::error::Error;
use crate::sql::query::{Query, sql};
use crate::sql::tx::{Pools, Tx};

#[derive(sqlx::FromRow)]
struct WatchRow {
    rule: String,
    subject: String,
    since: Option<i64>,
    told: bool,
    last_told: Option<i64>,
    title: String,
}

#[derive(sqlx::FromRow)]
pub(super) struct NotificationRow {
    id: Uuid,
    rule: String,
    subject: String,
    event: String,
    title: String,
    detail: String,
    at: i64,
}

pub(super) async fn watches(pools: &Pools) -> Result<Vec<AlertRow>, Error> {
    let query = sql("SELECT rule, subject, since, told, last_told, title FROM alerts ORDER BY rule, subject");
    let mut tx = pools.read().await?;
    let rows: Vec<WatchRow> = tx.fetch_all(query).await?;
    tx.commit().await?;
    Ok(rows.into_iter().filter_map(WatchRow::read).collect())
}

pub(super) async fn write(
    pools: &Pools,
    (lease, fence): (&str, u64),
    looked: &Looked,
) -> Result<bool, Error> {
    let mut tx = pools.write().await?;
    // Locks the row: nobody else can take the lease before this is written.
    let held = sql("UPDATE leases SET fence = fence WHERE name = $1 AND fence = $2");
    if tx.execute(held.bind(lease).bind(fence)).await? == 0 {
        return Ok(false);
    }
    for watch in &looked.watches {
        tx.execute(put_watch(watch)).await?;
    }
    for (rule, subject) in &looked.over {
        let forget = sql("DELETE FROM alerts WHERE rule = $1 AND subject = $2");
        tx.execute(forget.bind(rule.as_str()).bind(subject)).await?;
    }
    for notification in &looked.told {
        tell(&mut tx, notification).await?;
    }
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn told(
    pools: &Pools,
    limit: u32,
    before: Option<Uuid>,
) -> Result<Vec<Notification>, Error> {
    let query = sql("SELECT id, rule, subject, event, title, detail, at FROM notifications WHERE 1 = 1")
        .push_some(" AND id < ", before)
        .push(" ORDER BY id DESC LIMIT ")
        .push_bind(limit);
    let mut tx = pools.read().await?;
    let rows: Vec<NotificationRow> = tx.fetch_all(query).await?;
    tx.commit().await?;
    Ok(rows.into_iter().filter_map(NotificationRow::read).collect())
}

fn put_watch(row: &AlertRow) -> Query {
    sql(
        "INSERT INTO alerts (rule, subject, since, told, last_told, title) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (rule, subject) DO UPDATE SET since = excluded.since, told = excluded.told, \
         last_told = excluded.last_told, title = excluded.title",
    )
    .bind(row.rule.as_str())
    .bind(&row.subject)
    .bind(row.watch.since)
    .bind(row.watch.told)
    .bind(row.watch.last_told)
    .bind(&row.title)
}

/// With a delivery to each webhook that wants it.
async fn tell(tx: &mut Tx, notification: &Notification) -> Result<(), sqlx::Error> {
    let insert = sql(
        "INSERT INTO notifications (id, rule, subject, event, title, detail, at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(notification.id)
    .bind(notification.rule.as_str())
    .bind(&notification.subject)
    .bind(notification.event.as_str())
    .bind(&notification.title)
    .bind(&notification.detail)
    .bind(notification.at);
    tx.execute(insert).await?;
    let webhooks: Vec<(Uuid, serde_json::Value)> = tx
        .fetch_all(sql("SELECT id, rules FROM webhooks WHERE enabled"))
        .await?;
    for (webhook, rules) in webhooks {
        let wanted = rules.as_array().is_none_or(|rules| {
            rules.is_empty()
                || rules
                    .iter()
                    .any(|rule| rule.as_str() == Some(notification.rule.as_str()))
        });
        if wanted {
            let insert = sql(
                "INSERT INTO deliveries (notification_id, webhook_id, state, attempts, next_at, error, updated_at) \
                 VALUES ($1, $2, 'waiting', 0, $3, '', $3) ON CONFLICT DO NOTHING",
            );
            tx.execute(insert.bind(notification.id).bind(webhook).bind(notification.at))
                .await?;
        }
    }
    Ok(())
}

impl WatchRow {
    fn read(self) -> Option<AlertRow> {
        Some(AlertRow {
            rule: rule(&self.rule)?,
            subject: self.subject,
            watch: Watch {
                since: self.since.map(UnixMs),
                told: self.told,
                last_told: self.last_told.map(UnixMs),
            },
            title: self.title,
        })
    }
}

impl NotificationRow {
    pub(super) fn read(self) -> Option<Notification> {
        Some(Notification {
            id: self.id,
            rule: rule(&self.rule)?,
            subject: self.subject,
            event: match self.event.as_str() {
                "recovered" => Event::Recovered,
                // The column has no other.
                _ => Event::Fired,
            },
            title: self.title,
            detail: self.detail,
            at: UnixMs(self.at),
        })
    }
}
