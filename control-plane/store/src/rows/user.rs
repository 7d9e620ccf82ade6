//! Users.

use penstock_core::id::UserId;
use penstock_core::resource::ResourceRef;
use penstock_core::user::User;
use serde_json::Value as Json;
use uuid::Uuid;

use super::access::{self, AccessRow};
use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Stored, StoredSpec};
use crate::sql::query::Query;
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
pub(super) struct UserRow {
    id: Uuid,
    name: String,
    #[sqlx(flatten)]
    access: AccessRow,
    limits: Json,
    #[sqlx(flatten)]
    meta: MetaRow,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.id, t.name, t.enabled, t.expires_at, t.tags, t.provider_groups, t.allowed_models, \
             t.blocked_models, t.allowed_dialects, t.allowed_clients, t.blocked_clients, t.allowed_addresses, \
             t.expires_after_ms, t.first_used_at, t.granted_at, t.limits, t.version, t.min_schema, t.created_at, t.updated_at FROM \
             users t",
    id: "t.id",
    insert: "INSERT INTO users (id, name, enabled, expires_at, tags, provider_groups, allowed_models, blocked_models, \
             allowed_dialects, allowed_clients, blocked_clients, allowed_addresses, expires_after_ms, first_used_at, \
             granted_at, limits, version, min_schema, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
             $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT (id) DO NOTHING",
    update: "UPDATE users SET name = $2, enabled = $3, expires_at = $4, tags = $5, provider_groups = $6, \
             allowed_models = $7, blocked_models = $8, allowed_dialects = $9, allowed_clients = $10, blocked_clients \
             = $11, allowed_addresses = $12, expires_after_ms = $13, first_used_at = $14, granted_at = $15, limits = $16, version = \
             $17, min_schema = $18, created_at = $19, updated_at = $20 WHERE id = $1 AND version = $17 - 1",
    lock: "UPDATE users SET version = version WHERE id = $1",
    delete: "DELETE FROM users WHERE id = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, user: &User) -> Query {
    let query = query.bind(super::uuid(&stored.reference)).bind(&user.name);
    access::bind(query, &user.access).bind(AsJson(&user.limits))
}

impl ResourceRow for UserRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::User(UserId(self.id))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        Ok(StoredSpec::User(User {
            name: self.name,
            access: self.access.access()?,
            limits: super::limits(self.limits)?,
        }))
    }
}
