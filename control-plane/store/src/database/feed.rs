//! Everything at once, and what changed since: what replicas build their memory from.

use std::collections::HashMap;

use penstock_core::id::Epoch;
use penstock_core::resource::{Kind, ResourceRef};
use uuid::Uuid;

use super::{Database, tokens};
use crate::api::error::Error;
use crate::api::stored::{Changed, Changes, Current, Head, Loaded};
use crate::rows::{self, Existing};
use crate::sql::query::sql;
use crate::sql::tx::Tx;
use crate::sql::value::int;

/// How many resources one statement fetches by their ids.
const CHUNK: usize = 1000;

#[derive(sqlx::FromRow)]
struct HeadRow {
    epoch: Uuid,
    revision: i64,
}

#[derive(sqlx::FromRow)]
struct ChangedRow {
    kind: String,
    resource_id: String,
    revision: i64,
}

impl Database {
    pub(super) async fn read_head(&self) -> Result<Head, Error> {
        let mut tx = self.pools.read().await?;
        let head = head(&mut tx).await?;
        tx.commit().await?;
        Ok(head)
    }

    pub(super) async fn load_all(&self) -> Result<Loaded, Error> {
        let mut tx = self.pools.read().await?;
        let mut loaded = Loaded {
            head: head(&mut tx).await?,
            resources: Vec::new(),
            unreadable: Vec::new(),
        };
        for kind in Kind::ALL {
            for row in rows::fetch(&mut tx, kind, rows::select(kind)).await? {
                match row.stored {
                    Ok(stored) => loaded.resources.push(stored),
                    Err(unreadable) => loaded.unreadable.push(unreadable),
                }
            }
        }
        tokens::attach(&mut tx, loaded.resources.iter_mut()).await?;
        tx.commit().await?;
        Ok(loaded)
    }

    pub(super) async fn changes_after(&self, revision: u64) -> Result<Changes, Error> {
        let mut tx = self.pools.read().await?;
        let head = head(&mut tx).await?;
        if head.revision <= revision {
            tx.commit().await?;
            return Ok(Changes {
                head,
                changed: Vec::new(),
            });
        }
        let query = sql(
            "SELECT c.kind, c.resource_id, MAX(r.revision) AS revision FROM config_revisions r \
             JOIN config_changes c ON c.change_set = r.change_set WHERE r.revision > $1 \
             GROUP BY c.kind, c.resource_id ORDER BY 3, 1, 2",
        );
        let found: Vec<ChangedRow> = tx.fetch_all(query.bind(int(revision))).await?;
        let found = found.into_iter().filter_map(ChangedRow::parse);
        let found = with_tokens(found.collect(), tokens::changed_after(&mut tx, revision).await?);
        let mut current = HashMap::with_capacity(found.len());
        for kind in Kind::ALL {
            let of_kind: Vec<&ResourceRef> = found
                .iter()
                .map(|(reference, _)| reference)
                .filter(|reference| reference.kind() == kind)
                .collect();
            for chunk in of_kind.chunks(CHUNK) {
                fetch_chunk(&mut tx, kind, chunk, &mut current).await?;
            }
        }
        if !found.is_empty() {
            let put = current.values_mut().filter_map(|now| match now {
                Current::Put(stored) => Some(stored),
                Current::Removed(_) | Current::Unreadable(_) => None,
            });
            tokens::attach(&mut tx, put).await?;
        }
        tx.commit().await?;
        let changed = found
            .into_iter()
            .map(|(reference, revision)| Changed {
                revision,
                current: current.remove(&reference).unwrap_or(Current::Removed(reference)),
            })
            .collect();
        Ok(Changes { head, changed })
    }
}

/// A token is part of its provider, and changes without it.
fn with_tokens(
    mut found: Vec<(ResourceRef, u64)>,
    tokens: Vec<(ResourceRef, u64)>,
) -> Vec<(ResourceRef, u64)> {
    for (reference, revision) in tokens {
        match found.iter_mut().find(|(known, _)| *known == reference) {
            Some((_, known)) => *known = revision.max(*known),
            None => found.push((reference, revision)),
        }
    }
    found.sort_by_key(|(_, revision)| *revision);
    found
}

impl ChangedRow {
    fn parse(self) -> Option<(ResourceRef, u64)> {
        let reference = rows::logged_reference(&self.kind, &self.resource_id)?;
        Some((reference, self.revision.unsigned_abs()))
    }
}

pub(super) async fn head(tx: &mut Tx) -> Result<Head, sqlx::Error> {
    let row: HeadRow = tx
        .fetch_one(sql("SELECT epoch, revision FROM config_head"))
        .await?;
    Ok(Head {
        epoch: Epoch(row.epoch),
        revision: row.revision.unsigned_abs(),
    })
}

async fn fetch_chunk(
    tx: &mut Tx,
    kind: Kind,
    references: &[&ResourceRef],
    current: &mut HashMap<ResourceRef, Current>,
) -> Result<(), sqlx::Error> {
    let ids = references.iter().map(|reference| rows::id_value(reference));
    let query = rows::select(kind)
        .push(" WHERE ")
        .push(rows::table(kind).id)
        .push(" IN ")
        .push_list(ids);
    for Existing { stored, .. } in rows::fetch(tx, kind, query).await? {
        let now = stored.map_or_else(Current::Unreadable, Current::Put);
        current.insert(now.reference().clone(), now);
    }
    Ok(())
}
