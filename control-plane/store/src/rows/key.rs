//! Keys, with what they can be presented as: the present hash and perhaps the former one, from `key_hashes`.

use penstock_core::api_key::KeyHash;
use penstock_core::id::{KeyId, UserId};
use penstock_core::key::{Key, PreviousSecret};
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use serde_json::Value as Json;
use uuid::Uuid;

use super::access::{self, AccessRow};
use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Stored, StoredSpec};
use crate::sql::query::Query;
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
pub(super) struct KeyRow {
    id: Uuid,
    user_id: Uuid,
    name: String,
    #[sqlx(flatten)]
    access: AccessRow,
    limits: Json,
    hint: String,
    import_suffix: Option<String>,
    present_hash: Option<Vec<u8>>,
    former_hash: Option<Vec<u8>>,
    former_valid_until: Option<i64>,
    #[sqlx(flatten)]
    meta: MetaRow,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.id, t.user_id, t.name, t.enabled, t.expires_at, t.tags, t.provider_groups, t.allowed_models, \
             t.blocked_models, t.allowed_dialects, t.allowed_clients, t.blocked_clients, t.allowed_addresses, \
             t.expires_after_ms, t.first_used_at, t.granted_at, t.limits, t.hint, t.import_suffix, t.version, t.min_schema, \
             t.created_at, t.updated_at, present.hash AS present_hash, past.hash AS former_hash, past.valid_until AS \
             former_valid_until FROM api_keys t LEFT JOIN key_hashes present ON present.key_id = t.id AND NOT \
             present.former LEFT JOIN key_hashes past ON past.key_id = t.id AND past.former",
    id: "t.id",
    insert: "INSERT INTO api_keys (id, user_id, name, hint, import_suffix, enabled, expires_at, tags, provider_groups, \
             allowed_models, blocked_models, allowed_dialects, allowed_clients, blocked_clients, allowed_addresses, \
             expires_after_ms, first_used_at, granted_at, limits, version, min_schema, created_at, updated_at) VALUES ($1, $2, \
             $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23) ON CONFLICT \
             (id) DO NOTHING",
    update: "UPDATE api_keys SET name = $3, hint = $4, import_suffix = $5, enabled = $6, expires_at = $7, tags = $8, \
             provider_groups = $9, allowed_models = $10, blocked_models = $11, allowed_dialects = $12, \
             allowed_clients = $13, blocked_clients = $14, allowed_addresses = $15, expires_after_ms = $16, \
             first_used_at = $17, granted_at = $18, limits = $19, version = $20, min_schema = $21, created_at = $22, updated_at = $23 \
             WHERE id = $1 AND user_id = $2 AND version = $20 - 1",
    lock: "UPDATE api_keys SET version = version WHERE id = $1",
    delete: "DELETE FROM api_keys WHERE id = $1 AND version = $2",
};

/// The hashes are written apart.
pub(super) fn bind(query: Query, stored: &Stored, key: &Key) -> Query {
    let query = query
        .bind(super::uuid(&stored.reference))
        .bind(key.user_id.0)
        .bind(&key.name)
        .bind(&key.hint)
        .bind(key.import_suffix.as_deref());
    access::bind(query, &key.access).bind(AsJson(&key.limits))
}

/// A column that holds a hash.
pub(crate) fn key_hash(bytes: &[u8]) -> Result<KeyHash, String> {
    KeyHash::try_from(bytes).map_err(|e| e.to_string())
}

impl ResourceRow for KeyRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::Key(KeyId(self.id))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        let hash = self.present_hash.ok_or("it has no hash")?;
        let previous = match (self.former_hash, self.former_valid_until) {
            (Some(hash), Some(until)) => Some(PreviousSecret {
                hash: key_hash(&hash)?,
                valid_until: UnixMs(until),
            }),
            (_, _) => None,
        };
        Ok(StoredSpec::Key(Box::new(Key {
            name: self.name,
            user_id: UserId(self.user_id),
            access: self.access.access()?,
            limits: super::limits(self.limits)?,
            hint: self.hint,
            hash: key_hash(&hash)?,
            import_suffix: self.import_suffix,
            previous,
        })))
    }
}
