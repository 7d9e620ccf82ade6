//! Reading the history, and the two small registers that belong to the configuration: hashes of deleted keys and the
//! checks of master keys.

use std::collections::HashMap;

use penstock_core::api_key::KeyHash;
use penstock_core::id::{Epoch, KeyId};
use penstock_core::resource::Kind;
use penstock_core::time::UnixMs;
use serde_json::Value as Json;
use uuid::Uuid;

use super::commit::label;
use super::{Database, feed};
use crate::api::error::Error;
use crate::api::history::{Action, Change, Differences, Revision, RevisionFilter};
use crate::api::stored::Sealed;
use crate::rows;
use crate::sql::query::{Query, sql};
use crate::sql::tx::Tx;
use crate::sql::value::{Value, int};

const MAX_REVISIONS: u32 = 1000;

#[derive(sqlx::FromRow)]
struct RevisionRow {
    revision: i64,
    epoch: Uuid,
    change_set: Uuid,
    actor: String,
    reason: String,
    change_count: i64,
    created_at: i64,
}

#[derive(sqlx::FromRow)]
struct ChangeRow {
    change_set: Uuid,
    kind: String,
    resource_id: String,
    label: String,
    version: i64,
    before_spec: Option<Json>,
    after_spec: Option<Json>,
}

/// The first or the last change of a resource in a span, or both.
#[derive(sqlx::FromRow)]
struct EndRow {
    is_first: i64,
    is_last: i64,
    #[sqlx(flatten)]
    change: ChangeRow,
}

#[derive(sqlx::FromRow)]
struct CheckRow {
    key_id: String,
    ciphertext: Vec<u8>,
    hint: String,
}

const REVISIONS: &str = "SELECT revision, epoch, change_set, actor, reason, change_count, created_at \
                         FROM config_revisions";
const CHANGES: &str = "SELECT change_set, kind, resource_id, label, version, before_spec, after_spec \
                       FROM config_changes WHERE change_set IN ";
const ENDS: &str = "SELECT * FROM (SELECT c.change_set, c.kind, c.resource_id, c.label, c.version, c.before_spec, \
                    c.after_spec, \
                    ROW_NUMBER() OVER (PARTITION BY c.kind, c.resource_id ORDER BY c.version) AS is_first, \
                    ROW_NUMBER() OVER (PARTITION BY c.kind, c.resource_id ORDER BY c.version DESC) AS is_last \
                    FROM config_changes c JOIN config_revisions r ON r.change_set = c.change_set \
                    WHERE r.revision > $1 AND r.revision <= $2) span \
                    WHERE is_first = 1 OR is_last = 1 ORDER BY kind, resource_id, version";

impl Database {
    pub(super) async fn newest_revisions(
        &self,
        filter: &RevisionFilter,
        limit: u32,
        changes: u32,
    ) -> Result<Vec<Revision>, Error> {
        let mut query = sql(REVISIONS)
            .push(" WHERE revision > 0")
            .push_some(" AND revision < ", filter.before)
            .push_some(" AND actor = ", filter.actor.as_deref());
        if let Some((kind, name)) = &filter.resource {
            query = of_resource(query, *kind, name);
        }
        let query = query
            .push(" ORDER BY revision DESC LIMIT ")
            .push_bind(limit.min(MAX_REVISIONS));
        let mut tx = self.pools.read().await?;
        let revisions = with_changes(&mut tx, query, Some(changes)).await?;
        tx.commit().await?;
        Ok(revisions)
    }

    pub(super) async fn one_revision(&self, revision: u64) -> Result<Option<Revision>, Error> {
        let query = sql(REVISIONS).push(" WHERE revision = ").push_bind(revision);
        let mut tx = self.pools.read().await?;
        let revisions = with_changes(&mut tx, query, None).await?;
        tx.commit().await?;
        Ok(revisions.into_iter().next())
    }

    pub(super) async fn differences_between(&self, from: u64, to: u64) -> Result<Differences, Error> {
        let mut tx = self.pools.read().await?;
        let head = feed::head(&mut tx).await?;
        let (low, high) = (from.min(to), from.max(to));
        if high > head.revision {
            let label = format!("revision {high} (the newest is {})", head.revision);
            return Err(Error::NotFound { label });
        }
        let ends: Vec<EndRow> = tx.fetch_all(sql(ENDS).bind(int(low)).bind(int(high))).await?;
        tx.commit().await?;
        Ok(Differences {
            from,
            to,
            changes: net(ends, from > to),
        })
    }

    pub(super) async fn hash_of_deleted(&self, key: KeyId) -> Result<Option<KeyHash>, Error> {
        let query = sql("SELECT hash FROM deleted_key_hashes WHERE key_id = $1").bind(key.0);
        let mut tx = self.pools.read().await?;
        let found: Option<(Vec<u8>,)> = tx.fetch_optional(query).await?;
        tx.commit().await?;
        let hash = found.map(|(hash,)| rows::key_hash(&hash)).transpose();
        hash.map_err(|problem| Error::Corrupt {
            label: format!("the hash of deleted key {key}"),
            problem,
        })
    }

    pub(super) async fn key_checks(&self) -> Result<Vec<Sealed>, Error> {
        let query = sql("SELECT key_id, ciphertext, hint FROM master_key_checks ORDER BY created_at, key_id");
        let mut tx = self.pools.read().await?;
        let found: Vec<CheckRow> = tx.fetch_all(query).await?;
        tx.commit().await?;
        Ok(found.into_iter().map(CheckRow::sealed).collect())
    }

    pub(super) async fn add_key_check(&self, check: &Sealed, at: UnixMs) -> Result<(), Error> {
        let query = sql(
            "INSERT INTO master_key_checks (key_id, ciphertext, hint, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (key_id) DO NOTHING",
        )
        .bind(&check.key_id)
        .bind(check.ciphertext.as_slice())
        .bind(&check.hint)
        .bind(at);
        let mut tx = self.pools.write().await?;
        tx.execute(query).await?;
        Ok(tx.commit().await?)
    }
}

/// Names change; the id stays. So: every change of whatever was called so once.
fn of_resource(query: Query, kind: Kind, name: &str) -> Query {
    query
        .push(" AND change_set IN (SELECT change_set FROM config_changes WHERE kind = ")
        .push_bind(kind.as_str())
        .push(" AND resource_id IN (SELECT resource_id FROM config_changes WHERE kind = ")
        .push_bind(kind.as_str())
        .push(" AND (label = ")
        .push_bind(&label::plain(kind, name))
        .push(" OR resource_id = ")
        .push_bind(name)
        .push(")))")
}

/// Runs a query of revisions and adds the first `changes` changes to each; None adds all.
async fn with_changes(tx: &mut Tx, query: Query, changes: Option<u32>) -> Result<Vec<Revision>, sqlx::Error> {
    let found: Vec<RevisionRow> = tx.fetch_all(query).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let sets = found.iter().map(|row| Value::from(row.change_set));
    let query = sql(CHANGES)
        .push_list(sets)
        .push_some(" AND seq < ", changes)
        .push(" ORDER BY change_set, seq");
    let mut by_set: HashMap<Uuid, Vec<Change>> = HashMap::new();
    for row in tx.fetch_all::<ChangeRow>(query).await? {
        let set = row.change_set;
        by_set.entry(set).or_default().extend(row.change());
    }
    Ok(found
        .into_iter()
        .map(|row| {
            let changes = by_set.remove(&row.change_set).unwrap_or_default();
            row.revision(changes)
        })
        .collect())
}

/// One change for each resource out of its first and its last one in the span.
fn net(ends: Vec<EndRow>, backwards: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut first: Option<Change> = None;
    for end in ends {
        let (is_first, is_last) = (end.is_first == 1, end.is_last == 1);
        let Some(change) = end.change.change() else {
            continue;
        };
        if is_first {
            first = Some(change.clone());
        }
        let Some(begin) = first.take_if(|_| is_last) else {
            continue;
        };
        let (mut before, mut after) = (begin.before, change.after);
        if backwards {
            std::mem::swap(&mut before, &mut after);
        }
        if before != after {
            changes.push(Change {
                action: action(before.is_some(), after.is_some()),
                before,
                after,
                reference: change.reference,
                label: change.label,
                version: change.version,
            });
        }
    }
    changes
}

fn action(before: bool, after: bool) -> Action {
    match (before, after) {
        (false, _) => Action::Created,
        (true, true) => Action::Updated,
        (true, false) => Action::Deleted,
    }
}

impl RevisionRow {
    fn revision(self, changes: Vec<Change>) -> Revision {
        Revision {
            revision: self.revision.unsigned_abs(),
            epoch: Epoch(self.epoch),
            at: UnixMs(self.created_at),
            actor: self.actor,
            reason: self.reason,
            change_count: u32::try_from(self.change_count).unwrap_or(u32::MAX),
            changes,
        }
    }
}

impl ChangeRow {
    fn change(self) -> Option<Change> {
        Some(Change {
            reference: rows::logged_reference(&self.kind, &self.resource_id)?,
            label: self.label,
            action: action(self.before_spec.is_some(), self.after_spec.is_some()),
            version: self.version.unsigned_abs(),
            before: self.before_spec,
            after: self.after_spec,
        })
    }
}

impl CheckRow {
    fn sealed(self) -> Sealed {
        Sealed {
            key_id: self.key_id,
            ciphertext: self.ciphertext,
            hint: self.hint,
        }
    }
}
