//! Providers, with their sealed secrets.

use penstock_core::id::ProviderId;
use penstock_core::money::Millionths;
use penstock_core::provider::{Probe, Provider};
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
    redirects: Json,
    active_hours: Json,
    breaker: Json,
    outbound: Json,
    overrides: Json,
    probe_interval_ms: Option<i64>,
    dialects: Json,
    translate: Json,
    api_version: Option<String>,
    #[sqlx(flatten)]
    credential: CredentialRow,
    #[sqlx(flatten)]
    proxy_password: ProxyPasswordRow,
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

/// All or none is NULL.
#[derive(sqlx::FromRow)]
struct ProxyPasswordRow {
    proxy_password_key_id: Option<String>,
    proxy_password_ciphertext: Option<Vec<u8>>,
    proxy_password_hint: Option<String>,
    proxy_password_version: Option<i64>,
}

pub(super) const TABLE: Table = Table {
    select: "SELECT t.id, t.name, t.kind, t.base_urls, t.enabled, t.provider_groups, t.priority, t.weight, \
             t.cost_multiplier, t.models, t.timeouts, t.extra_headers, t.credential_key_id, \
             t.credential_ciphertext, t.credential_hint, t.credential_version, t.limits, t.redirects, \
             t.active_hours, t.breaker, t.outbound, t.overrides, t.probe_interval_ms, t.proxy_password_key_id, \
             t.proxy_password_ciphertext, t.proxy_password_hint, t.proxy_password_version, t.dialects, t.translate, \
             t.api_version, t.version, t.min_schema, t.created_at, t.updated_at FROM providers t",
    id: "t.id",
    insert: "INSERT INTO providers (id, name, kind, base_urls, enabled, provider_groups, priority, weight, \
             cost_multiplier, models, timeouts, extra_headers, credential_key_id, credential_ciphertext, \
             credential_hint, credential_version, limits, redirects, active_hours, breaker, outbound, overrides, \
             probe_interval_ms, proxy_password_key_id, proxy_password_ciphertext, proxy_password_hint, \
             proxy_password_version, dialects, translate, api_version, version, min_schema, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, \
             $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, \
             $28, $29, $30, $31, $32, $33, $34) ON CONFLICT (id) DO NOTHING",
    update: "UPDATE providers SET name = $2, kind = $3, base_urls = $4, enabled = $5, provider_groups = $6, \
             priority = $7, weight = $8, cost_multiplier = $9, models = $10, timeouts = $11, extra_headers = $12, \
             credential_key_id = $13, credential_ciphertext = $14, credential_hint = $15, credential_version = $16, \
             limits = $17, redirects = $18, active_hours = $19, breaker = $20, outbound = $21, overrides = $22, \
             probe_interval_ms = $23, proxy_password_key_id = $24, proxy_password_ciphertext = $25, \
             proxy_password_hint = $26, proxy_password_version = $27, dialects = $28, translate = $29, api_version = $30, \
             version = $31, min_schema = $32, created_at = $33, updated_at = $34 WHERE id = $1 AND version = $31 - 1",
    lock: "UPDATE providers SET version = version WHERE id = $1",
    delete: "DELETE FROM providers WHERE id = $1 AND version = $2",
};

pub(super) fn bind(query: Query, stored: &Stored, spec: &StoredProvider) -> Query {
    let provider = &spec.provider;
    let query = query
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
        .bind(AsJson(&provider.extra_headers));
    let query = bind_secret(query, spec.credential.as_ref())
        .bind(AsJson(&provider.limits))
        .bind(AsJson(&provider.redirects))
        .bind(AsJson(&provider.active_hours))
        .bind(AsJson(provider.breaker))
        .bind(AsJson(&provider.outbound))
        .bind(AsJson(&provider.overrides))
        .bind(provider.probe.map(|probe| probe.interval_ms));
    bind_secret(query, spec.proxy_password.as_ref())
        .bind(AsJson(&provider.dialects))
        .bind(AsJson(&provider.translate))
        .bind(provider.api_version.as_deref())
}

fn bind_secret(query: Query, secret: Option<&Credential>) -> Query {
    let sealed = secret.map(|secret| &secret.sealed);
    query
        .bind(sealed.map(|s| s.key_id.as_str()))
        .bind(sealed.map(|s| s.ciphertext.as_slice()))
        .bind(sealed.map(|s| s.hint.as_str()))
        .bind(secret.map(|secret| secret.version))
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
            redirects: super::json("redirects", self.redirects)?,
            active_hours: super::json("active_hours", self.active_hours)?,
            breaker: super::json("breaker", self.breaker)?,
            outbound: super::json("outbound", self.outbound)?,
            overrides: super::json("overrides", self.overrides)?,
            probe: probe(self.probe_interval_ms)?,
            dialects: super::json("dialects", self.dialects)?,
            translate: super::json("translate", self.translate)?,
            api_version: self.api_version,
        };
        Ok(StoredSpec::Provider(Box::new(StoredProvider {
            provider,
            credential: self.credential.secret()?,
            proxy_password: self.proxy_password.secret()?,
            token: None,
        })))
    }
}

fn probe(interval_ms: Option<i64>) -> Result<Option<Probe>, String> {
    let interval_ms = interval_ms.map(super::count).transpose()?;
    Ok(interval_ms.map(|interval_ms| Probe { interval_ms }))
}

impl CredentialRow {
    fn secret(self) -> Result<Option<Credential>, String> {
        secret(
            self.credential_key_id,
            self.credential_ciphertext,
            self.credential_hint,
            self.credential_version,
        )
    }
}

impl ProxyPasswordRow {
    fn secret(self) -> Result<Option<Credential>, String> {
        secret(
            self.proxy_password_key_id,
            self.proxy_password_ciphertext,
            self.proxy_password_hint,
            self.proxy_password_version,
        )
    }
}

fn secret(
    key_id: Option<String>,
    ciphertext: Option<Vec<u8>>,
    hint: Option<String>,
    version: Option<i64>,
) -> Result<Option<Credential>, String> {
    let (Some(key_id), Some(ciphertext), Some(hint), Some(version)) = (key_id, ciphertext, hint, version)
    else {
        return Ok(None);
    };
    let sealed = Sealed {
        key_id,
        ciphertext,
        hint,
    };
    Ok(Some(Credential {
        sealed,
        version: super::count(version)?,
    }))
}
