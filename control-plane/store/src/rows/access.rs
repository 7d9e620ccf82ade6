//! The columns that users and keys have in common.

use penstock_core::access::{Access, Activation, Rules};
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
    allowed_dialects: Json,
    allowed_clients: Json,
    blocked_clients: Json,
    allowed_addresses: Json,
    expires_after_ms: Option<i64>,
    first_used_at: Option<i64>,
    granted_at: Option<i64>,
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
            rules: Rules {
                allowed_dialects: super::json("allowed_dialects", self.allowed_dialects)?,
                allowed_clients: super::json("allowed_clients", self.allowed_clients)?,
                blocked_clients: super::json("blocked_clients", self.blocked_clients)?,
                allowed_addresses: super::json("allowed_addresses", self.allowed_addresses)?,
            }
            .shared(),
            activation: activation(self.expires_after_ms, self.first_used_at, self.granted_at)?,
        })
    }
}

fn activation(
    after: Option<i64>,
    first_used_at: Option<i64>,
    granted_at: Option<i64>,
) -> Result<Option<Activation>, String> {
    let Some(after) = after else { return Ok(None) };
    Ok(Some(Activation {
        expires_after_ms: u64::try_from(after).map_err(|_| "expires_after_ms is negative")?,
        first_used_at: first_used_at.map(UnixMs),
        granted_at: granted_at.map(UnixMs),
    }))
}

/// Binds the columns in the order of [`AccessRow`].
pub(super) fn bind(query: Query, access: &Access) -> Query {
    let after = access.activation.map(|activation| activation.expires_after_ms);
    query
        .bind(access.enabled)
        .bind(access.expires_at)
        .bind(AsJson(&access.tags))
        .bind(AsJson(&access.groups))
        .bind(AsJson(&access.allowed_models))
        .bind(AsJson(&access.blocked_models))
        .bind(AsJson(&access.rules.allowed_dialects))
        .bind(AsJson(&access.rules.allowed_clients))
        .bind(AsJson(&access.rules.blocked_clients))
        .bind(AsJson(&access.rules.allowed_addresses))
        .bind(after)
        .bind(access.activation.and_then(|activation| activation.first_used_at))
        .bind(access.activation.and_then(|activation| activation.granted_at))
}
