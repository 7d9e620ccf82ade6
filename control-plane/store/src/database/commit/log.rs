//! What a commit writes to the history, and the number that it gets.

use penstock_core::id::Epoch;
use penstock_core::resource::ResourceRef;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Work;
use crate::api::commit::Commit;
use crate::api::history::{Action, LoggedSpec};
use crate::api::stored::{Head, Stored};
use crate::sql::fault::Fault;
use crate::sql::query::sql;
use crate::sql::tx::Tx;

/// Tells replicas on the same Postgres that there is a new revision.
pub(crate) const CHANNEL: &str = "penstock_config";

/// Who changed a resource last.
#[derive(sqlx::FromRow)]
pub(super) struct LastChange {
    pub(super) label: String,
    pub(super) actor: String,
    pub(super) created_at: i64,
}

/// One change to be logged.
pub(super) struct Entry<'a> {
    pub(super) reference: &'a ResourceRef,
    pub(super) label: String,
    pub(super) version: u64,
    pub(super) before: Option<Json>,
    pub(super) after: Option<Json>,
}

/// The resource as the log shall remember it.
pub(super) fn view(stored: &Stored) -> Result<Json, Fault> {
    Ok(LoggedSpec::from(&stored.spec).write()?)
}

/// None when it never changed, or only in the present transaction.
pub(super) async fn last_change(
    tx: &mut Tx,
    reference: &ResourceRef,
) -> Result<Option<LastChange>, sqlx::Error> {
    let query = sql("SELECT c.label, r.actor, r.created_at FROM config_changes c \
         JOIN config_revisions r ON r.change_set = c.change_set \
         WHERE c.kind = $1 AND c.resource_id = $2 ORDER BY c.version DESC LIMIT 1");
    let query = query.bind(reference.kind().as_str()).bind(&reference.id());
    tx.fetch_optional(query).await
}

impl Work {
    pub(super) async fn log(&mut self, entry: Entry<'_>) -> Result<(), sqlx::Error> {
        let action = match (&entry.before, &entry.after) {
            (None, _) => Action::Created,
            (Some(_), Some(_)) => Action::Updated,
            (Some(_), None) => Action::Deleted,
        };
        let query = sql(
            "INSERT INTO config_changes (change_set, seq, kind, resource_id, label, action, version, before_spec, \
             after_spec) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(self.change_set)
        .bind(self.changes)
        .bind(entry.reference.kind().as_str())
        .bind(&entry.reference.id())
        .bind(&entry.label)
        .bind(action.as_str())
        .bind(entry.version)
        .bind(entry.before)
        .bind(entry.after);
        self.tx.execute(query).await?;
        self.changes += 1;
        Ok(())
    }

    /// The version that a resource gets that is not there: it goes on from where it was deleted.
    pub(super) async fn first_version(&mut self, reference: &ResourceRef) -> Result<u64, sqlx::Error> {
        let query =
            sql("SELECT COALESCE(MAX(version), 0) FROM config_changes WHERE kind = $1 AND resource_id = $2");
        let query = query.bind(reference.kind().as_str()).bind(&reference.id());
        let (last,): (i64,) = self.tx.fetch_one(query).await?;
        Ok(last.unsigned_abs() + 1)
    }

    /// The last thing before COMMIT: the revision's number and its entry.
    pub(super) async fn number(&mut self, commit: &Commit) -> Result<Head, sqlx::Error> {
        let next = sql("UPDATE config_head SET revision = revision + 1 RETURNING epoch, revision");
        let (epoch, revision): (Uuid, i64) = self.tx.fetch_one(next).await?;
        let entry = sql(
            "INSERT INTO config_revisions (revision, epoch, change_set, actor, reason, change_count, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(revision)
        .bind(epoch)
        .bind(self.change_set)
        .bind(&commit.actor)
        .bind(&commit.reason)
        .bind(self.changes)
        .bind(self.at);
        self.tx.execute(entry).await?;
        if let Tx::Postgres(_) = self.tx {
            self.tx
                .execute(sql("SELECT pg_notify($1, '')").bind(CHANNEL))
                .await?;
        }
        Ok(Head {
            epoch: Epoch(epoch),
            revision: revision.unsigned_abs(),
        })
    }
}
