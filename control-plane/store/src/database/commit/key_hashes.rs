//! What keys can be presented as. A hash belongs to one key, as its present or its former secret.

use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::resource::ResourceRef;

use super::Work;
use crate::api::error::Error;
use crate::api::stored::{Stored, StoredSpec};
use crate::rows;
use crate::sql::fault::Fault;
use crate::sql::query::sql;

impl Work {
    /// Writes the hashes if they differ from those of before.
    pub(super) async fn put_hashes(
        &mut self,
        new: &Stored,
        key: &Key,
        old: Option<&Stored>,
        label: &str,
    ) -> Result<(), Fault> {
        let reference = &new.reference;
        if let Some(StoredSpec::Key(old)) = old.map(|old| &old.spec)
            && old.hash == key.hash
            && old.previous == key.previous
        {
            return Ok(());
        }
        let mut hashes = vec![(key.hash, None)];
        if let Some(previous) = key.previous {
            if previous.hash == key.hash {
                return Err(Invalid::new("previous", "is the present secret").into());
            }
            hashes.push((previous.hash, Some(previous.valid_until)));
        }
        if new.version > 1 {
            self.drop_hashes(reference).await?;
            let forget = sql("DELETE FROM deleted_key_hashes WHERE key_id = $1");
            self.tx.execute(forget.bind(rows::id_value(reference))).await?;
        }
        for (hash, valid_until) in hashes {
            let insert = sql(
                "INSERT INTO key_hashes (hash, key_id, former, valid_until) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (hash) DO NOTHING",
            );
            let insert = insert
                .bind(hash.0.as_slice())
                .bind(rows::id_value(reference))
                .bind(valid_until.is_some())
                .bind(valid_until);
            if self.tx.execute(insert).await? == 0 {
                let label = label.to_owned();
                return Err(Error::SecretTaken { label }.into());
            }
        }
        Ok(())
    }

    pub(super) async fn drop_hashes(&mut self, reference: &ResourceRef) -> Result<(), sqlx::Error> {
        let drop = sql("DELETE FROM key_hashes WHERE key_id = $1");
        self.tx.execute(drop.bind(rows::id_value(reference))).await?;
        Ok(())
    }

    /// Keeps the present hash for a rollback, see [`Store::deleted_key_hash`](crate::Store::deleted_key_hash).
    pub(super) async fn bury_hashes(&mut self, reference: &ResourceRef) -> Result<(), sqlx::Error> {
        let bury = sql("INSERT INTO deleted_key_hashes (key_id, hash, deleted_at) \
             SELECT key_id, hash, $2 FROM key_hashes WHERE key_id = $1 AND NOT former \
             ON CONFLICT (key_id) DO UPDATE SET hash = excluded.hash, deleted_at = excluded.deleted_at");
        let bury = bury.bind(rows::id_value(reference)).bind(self.at);
        self.tx.execute(bury).await?;
        self.drop_hashes(reference).await
    }
}
