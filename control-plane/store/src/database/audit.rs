//! The audit log: written in two steps, read from the newest, cleaned as other records are ([`super::retention`]).

use penstock_core::id::AuditId;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::Database;
use crate::api::audit::{AuditEnd, AuditEntry, AuditFilter};
use crate::api::error::Error;
use crate::sql::query::sql;

/// More entries than this are not read at once.
const MAX_ENTRIES: u32 = 1_000;

#[derive(sqlx::FromRow)]
struct AuditRow {
    id: Uuid,
    at: i64,
    actor: String,
    role: String,
    action: String,
    target: String,
    outcome: String,
    revision: Option<i64>,
    peer: String,
    reason: String,
}

impl Database {
    pub(super) async fn add_audit(&self, entry: &AuditEntry) -> Result<(), Error> {
        let query = sql(
            "INSERT INTO audit_log (id, at, actor, role, action, target, outcome, revision, peer, reason) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        );
        let query = query
            .bind(entry.id.0)
            .bind(entry.at)
            .bind(&entry.actor)
            .bind(&entry.role)
            .bind(&entry.action)
            .bind(&entry.end.target)
            .bind(&entry.end.outcome)
            .bind(entry.end.revision)
            .bind(&entry.peer)
            .bind(&entry.end.reason);
        let mut tx = self.pools.write().await?;
        tx.execute(query).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn finish_audit(&self, id: AuditId, end: &AuditEnd) -> Result<(), Error> {
        let query =
            sql("UPDATE audit_log SET outcome = $1, target = $2, revision = $3, reason = $4 WHERE id = $5");
        let query = query
            .bind(&end.outcome)
            .bind(&end.target)
            .bind(end.revision)
            .bind(&end.reason)
            .bind(id.0);
        let mut tx = self.pools.write().await?;
        tx.execute(query).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn newest_audit(
        &self,
        filter: &AuditFilter,
        limit: u32,
        before: Option<AuditId>,
    ) -> Result<Vec<AuditEntry>, Error> {
        let query = sql("SELECT id, at, actor, role, action, target, outcome, revision, peer, reason FROM audit_log WHERE TRUE")
            .push_some(" AND at >= ", filter.from)
            .push_some(" AND at < ", filter.to)
            .push_some(" AND actor = ", filter.actor.as_deref())
            .push_some(" AND outcome = ", filter.outcome.as_deref())
            .push_some(" AND id < ", before.map(|id| id.0))
            .containing("action", filter.action.as_deref())
            .containing("target", filter.target.as_deref())
            .push(" ORDER BY id DESC LIMIT ")
            .push_bind(limit.min(MAX_ENTRIES));
        let mut tx = self.pools.read().await?;
        let rows: Vec<AuditRow> = tx.fetch_all(query).await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(AuditRow::read).collect())
    }
}

impl AuditRow {
    fn read(self) -> AuditEntry {
        AuditEntry {
            id: AuditId(self.id),
            at: UnixMs(self.at),
            actor: self.actor,
            role: self.role,
            action: self.action,
            peer: self.peer,
            end: AuditEnd {
                outcome: self.outcome,
                target: self.target,
                revision: self.revision.map(i64::unsigned_abs),
                reason: self.reason,
            },
        }
    }
}
