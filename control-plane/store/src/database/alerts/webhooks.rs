//! Webhooks: replaced by compare-and-swap on the version.

use penstock_core::alert::Preset;
use penstock_core::time::UnixMs;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::api::alert::{Webhook, WebhookWritten};
use crate::api::error::Error;
use crate::api::stored::Sealed;
use crate::sql::query::{Query, sql};
use crate::sql::tx::{Pools, Tx};
use crate::sql::value::AsJson;

#[derive(sqlx::FromRow)]
struct WebhookRow {
    id: Uuid,
    name: String,
    enabled: bool,
    preset: String,
    rules: Json,
    host: String,
    key_id: String,
    ciphertext: Vec<u8>,
    signed: bool,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

pub(super) async fn all(pools: &Pools) -> Result<Vec<Webhook>, Error> {
    let query = sql(
        "SELECT id, name, enabled, preset, rules, host, key_id, ciphertext, signed, version, created_at, updated_at \
         FROM webhooks ORDER BY name",
    );
    let mut tx = pools.read().await?;
    let rows: Vec<WebhookRow> = tx.fetch_all(query).await?;
    tx.commit().await?;
    Ok(rows.into_iter().filter_map(WebhookRow::read).collect())
}

pub(super) async fn put(pools: &Pools, webhook: &Webhook) -> Result<WebhookWritten, Error> {
    let mut tx = pools.write().await?;
    let name = sql("SELECT 1 FROM webhooks WHERE name = $1 AND id <> $2");
    if tx.exists(name.bind(&webhook.name).bind(webhook.id)).await? {
        return Ok(WebhookWritten::NameTaken);
    }
    let written = match webhook.version {
        0 => tx.execute(insert(webhook)).await?,
        version => replace(&mut tx, webhook, version).await?,
    };
    if written == 0 {
        return Ok(WebhookWritten::Conflict);
    }
    tx.commit().await?;
    Ok(WebhookWritten::Written)
}

pub(super) async fn delete(pools: &Pools, id: Uuid) -> Result<bool, Error> {
    let mut tx = pools.write().await?;
    let deleted = tx
        .execute(sql("DELETE FROM webhooks WHERE id = $1").bind(id))
        .await?;
    tx.commit().await?;
    Ok(deleted == 1)
}

/// As it was. False: its id or its name is there.
pub(in crate::database) async fn bring_back(pools: &Pools, webhook: &Webhook) -> Result<bool, Error> {
    let mut tx = pools.write().await?;
    let written = tx.execute(insert(webhook)).await?;
    tx.commit().await?;
    Ok(written == 1)
}

fn insert(webhook: &Webhook) -> Query {
    sql(
        "INSERT INTO webhooks (id, name, enabled, preset, rules, host, key_id, ciphertext, signed, version, created_at, \
         updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
    )
    .bind(webhook.id)
    .bind(&webhook.name)
    .bind(webhook.enabled)
    .bind(webhook.preset.as_str())
    .bind(AsJson(&webhook.rules))
    .bind(&webhook.host)
    .bind(&webhook.sealed.key_id)
    .bind(webhook.sealed.ciphertext.as_slice())
    .bind(webhook.signed)
    .bind(webhook.version.max(1))
    .bind(webhook.created_at)
    .bind(webhook.updated_at)
}

async fn replace(tx: &mut Tx, webhook: &Webhook, version: u64) -> Result<u64, sqlx::Error> {
    let query = sql(
        "UPDATE webhooks SET name = $1, enabled = $2, preset = $3, rules = $4, host = $5, key_id = $6, \
         ciphertext = $7, signed = $8, version = version + 1, updated_at = $9 WHERE id = $10 AND version = $11",
    )
    .bind(&webhook.name)
    .bind(webhook.enabled)
    .bind(webhook.preset.as_str())
    .bind(AsJson(&webhook.rules))
    .bind(&webhook.host)
    .bind(&webhook.sealed.key_id)
    .bind(webhook.sealed.ciphertext.as_slice())
    .bind(webhook.signed)
    .bind(webhook.updated_at)
    .bind(webhook.id)
    .bind(version);
    tx.execute(query).await
}

impl WebhookRow {
    /// None: a newer release wrote it.
    fn read(self) -> Option<Webhook> {
        let Some(preset) = Preset::from_word(&self.preset) else {
            tracing::warn!(
                webhook = self.name,
                preset = self.preset,
                "this release does not know the preset of a webhook"
            );
            return None;
        };
        let words: Vec<String> = serde_json::from_value(self.rules).unwrap_or_default();
        Some(Webhook {
            id: self.id,
            name: self.name,
            enabled: self.enabled,
            preset,
            rules: words.iter().filter_map(|word| super::rule(word)).collect(),
            host: self.host,
            sealed: Sealed {
                key_id: self.key_id,
                ciphertext: self.ciphertext,
                hint: String::new(),
            },
            signed: self.signed,
            version: self.version.unsigned_abs(),
            created_at: UnixMs(self.created_at),
            updated_at: UnixMs(self.updated_at),
        })
    }
}
