//! The columns that users and keys have in common.

use penstock_core::access::Access;
use penstock_core::time::UnixMs;
use serde_json::Value as Json;

use crate::sql::query::Query;
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
pub(super) struct AccessRow {
    enabled: bool,
    expires_at: Option<i64>,
    tags: Json,
    provider_groups: Json,
    allowed_models: Json,
    blocked_models: Json,
}

impl AccessRow {
    pub(super) fn access(self) -> Result<Access, String> {
        Ok(Access {
            enabled: self.enabled,
            expires_at: self.expires_at.map(UnixMs),
            tags: super::json("tags", self.tags)?,
            groups: super::json("provider_groups", self.provider_groups)?,
            allowed_models: super::json("allowed_models", self.allowed_models)?,
            blocked_models: super::json("blocked_models", self.blocked_models)?,
        })
    }
}

/// Binds the columns in the order of [`AccessRow`].
pub(super) fn bind(query: Query, access: &Access) -> Query {
    query
        .bind(access.enabled)
        .bind(access.expires_at)
        .bind(AsJson(&access.tags))
        .bind(AsJson(&access.groups))
        .bind(AsJson(&access.allowed_models))
        .bind(AsJson(&access.blocked_models))
}
