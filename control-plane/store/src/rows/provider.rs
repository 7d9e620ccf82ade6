//! Providers, with their sealed credentials.

use penstock_core::id::ProviderId;
use penstock_core::money::Millionths;
use penstock_core::provider::Provider;
use penstock_core::resource::ResourceRef;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{MetaRow, ResourceRow, Table};
use crate::api::stored::{Credential, Sealed, Stored, StoredProvider, StoredSpec};
use crate::sql::query::Query;
use crate::sql::value::{AsJson, AsWord};

#[derive(sqlx::FromRow)]
pub(super) struct ProviderRow {
    id: Uuid,
    name: String,
    kind: String,
    base_urls: Json,
    enabled: bool,
    provider_groups: Json,
    priority: i64,
    weight: i64,
    cost_multiplier: i64,
    models: Json,
    timeouts: Json,
    extra_headers: Json,
    limits: Json,
    #[sqlx(flatten)]
    credential: CredentialRow,
    #[sqlx(flatten)]
    meta: MetaRow,
}

/// All or none is NULL.
#[derive(sqlx::FromRow)]
struct CredentialRow {
    credential_key_id: Option<String>,
    credential_ciphertext: Option<Vec<u8>>,
    credential_hint: Option<String>,
    credential_version: Option<i64>,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.id, t.name, t.kind, t.base_urls, t.enabled, t.provider_groups, t.priority, t.weight, \
             t.cost_multiplier, t.models, t.timeouts, t.extra_headers, t.limits, t.credential_key_id, \
             t.credential_ciphertext, t.credential_hint, t.credential_version, t.version, t.min_schema, t.created_at, t.updated_at \
             FROM providers t",
    id: "t.id",
    insert: "INSERT INTO providers (id, name, kind, base_urls, enabled, provider_groups, priority, weight, \
             cost_multiplier, models, timeouts, extra_headers, credential_key_id, credential_ciphertext, \
             credential_hint, credential_version, limits, version, min_schema, created_at, updated_at) VALUES \
             ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) ON \
             CONFLICT (id) DO NOTHING",
    update: "UPDATE providers SET name = $2, kind = $3, base_urls = $4, enabled = $5, provider_groups = $6, \
             priority = $7, weight = $8, cost_multiplier = $9, models = $10, timeouts = $11, extra_headers \
             = $12, credential_key_id = $13, credential_ciphertext = $14, credential_hint = $15, \
             credential_version = $16, limits = $17, version = $18, min_schema = $19, created_at = $20, \
             updated_at = $21 WHERE id = $1 AND version = $18 - 1",
    lock: "UPDATE providers SET version = version WHERE id = $1",
    delete: "DELETE FROM providers WHERE id = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, spec: &StoredProvider) -> Query {
    let StoredProvider { provider, credential } = spec;
    let sealed = credential.as_ref().map(|c| &c.sealed);
    query
        .bind(super::uuid(&stored.reference))
        .bind(&provider.name)
        .bind(AsWord(provider.kind))
        .bind(AsJson(&provider.base_urls))
        .bind(provider.enabled)
        .bind(AsJson(&provider.groups))
        .bind(provider.priority)
        .bind(provider.weight)
        .bind(provider.cost_multiplier.0)
        .bind(AsJson(&provider.models))
        .bind(AsJson(provider.timeouts))
        .bind(AsJson(&provider.extra_headers))
        .bind(sealed.map(|s| s.key_id.as_str()))
        .bind(sealed.map(|s| s.ciphertext.as_slice()))
        .bind(sealed.map(|s| s.hint.as_str()))
        .bind(credential.as_ref().map(|c| c.version))
        .bind(AsJson(&provider.limits))
}

impl ResourceRow for ProviderRow {
    fn reference(&self) -> ResourceRef {
        ResourceRef::Provider(ProviderId(self.id))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn meta(&self) -> &MetaRow {
        &self.meta
    }

    fn spec(self) -> Result<StoredSpec, String> {
        let provider = Provider {
            name: self.name,
            kind: super::word("kind", self.kind)?,
            base_urls: super::json("base_urls", self.base_urls)?,
            enabled: self.enabled,
            groups: super::json("provider_groups", self.provider_groups)?,
            priority: super::small(self.priority)?,
            weight: super::small(self.weight)?,
            cost_multiplier: Millionths(super::small(self.cost_multiplier)?),
            models: super::json("models", self.models)?,
            timeouts: super::json("timeouts", self.timeouts)?,
            extra_headers: super::json("extra_headers", self.extra_headers)?,
            limits: super::limits(self.limits)?,
        };
        let credential = self.credential.credential()?;
        Ok(StoredSpec::Provider(Box::new(StoredProvider {
            provider,
            credential,
        })))
    }
}

impl CredentialRow {
    fn credential(self) -> Result<Option<Credential>, String> {
        let (Some(key_id), Some(ciphertext), Some(hint), Some(version)) = (
            self.credential_key_id,
            self.credential_ciphertext,
            self.credential_hint,
            self.credential_version,
        ) else {
            return Ok(None);
        };
        Ok(Some(Credential {
            sealed: Sealed {
                key_id,
                ciphertext,
                hint,
            },
            version: super::count(version)?,
        }))
    }
}
