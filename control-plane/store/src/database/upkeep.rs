//! [`Upkeep`] for both databases.

use std::collections::BTreeMap;

use async_trait::async_trait;
use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::Database;
use crate::api::error::Error;
use crate::api::stored::Sealed;
use crate::api::upkeep::{DatabaseFacts, SealedPlace, Upkeep};
use crate::open::{Backend, newest_migration};
use crate::sql::query::{Query, sql};

/// A table that holds sealed values: what it selects, and how a value is replaced.
struct Place {
    select: &'static str,
    update: &'static str,
}

const CREDENTIALS: Place = Place {
    select: "SELECT id, credential_key_id, credential_ciphertext, credential_hint FROM providers \
             WHERE credential_key_id <> $1 ORDER BY id LIMIT $2",
    update: "UPDATE providers SET credential_key_id = $1, credential_ciphertext = $2 \
             WHERE credential_ciphertext = $3 AND id = $4",
};
const PROXY_PASSWORDS: Place = Place {
    select: "SELECT id, proxy_password_key_id, proxy_password_ciphertext, proxy_password_hint FROM providers \
             WHERE proxy_password_key_id <> $1 ORDER BY id LIMIT $2",
    update: "UPDATE providers SET proxy_password_key_id = $1, proxy_password_ciphertext = $2 \
             WHERE proxy_password_ciphertext = $3 AND id = $4",
};
const TOKENS: Place = Place {
    select: "SELECT provider_id, key_id, ciphertext, '' FROM provider_tokens \
             WHERE key_id <> $1 ORDER BY provider_id LIMIT $2",
    update: "UPDATE provider_tokens SET key_id = $1, ciphertext = $2 WHERE ciphertext = $3 AND provider_id = $4",
};
const LOGINS: Place = Place {
    select: "SELECT provider_id, key_id, ciphertext, actor FROM oauth_logins \
             WHERE key_id <> $1 ORDER BY provider_id LIMIT $2",
    update: "UPDATE oauth_logins SET key_id = $1, ciphertext = $2 \
             WHERE ciphertext = $3 AND provider_id = $4 AND actor = $5",
};
const SUFFIXES: Place = Place {
    select: "SELECT name, key_id, ciphertext, hint FROM import_suffixes WHERE key_id <> $1 ORDER BY name LIMIT $2",
    update: "UPDATE import_suffixes SET key_id = $1, ciphertext = $2 WHERE ciphertext = $3 AND name = $4",
};
const WEBHOOKS: Place = Place {
    select: "SELECT id, key_id, ciphertext, '' FROM webhooks WHERE key_id <> $1 ORDER BY id LIMIT $2",
    update: "UPDATE webhooks SET key_id = $1, ciphertext = $2 WHERE ciphertext = $3 AND id = $4",
};

/// All key ids of sealed values.
const KEY_IDS: &str = "SELECT key, COUNT(*) FROM (\
     SELECT credential_key_id AS key FROM providers \
     UNION ALL SELECT proxy_password_key_id FROM providers \
     UNION ALL SELECT key_id FROM provider_tokens \
     UNION ALL SELECT key_id FROM oauth_logins \
     UNION ALL SELECT key_id FROM import_suffixes \
     UNION ALL SELECT key_id FROM webhooks) AS sealed WHERE key IS NOT NULL GROUP BY key";

/// Version, bytes, clock, connections, most connections, whether it may migrate.
type Facts = (String, i64, i64, i64, i64, bool);

const OF_POSTGRES: &str = "SELECT version(), pg_database_size(current_database())::bigint, \
     (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint, \
     (SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database())::bigint, \
     current_setting('max_connections')::bigint, \
     COALESCE(has_schema_privilege(current_user, current_schema(), 'CREATE'), FALSE)";

const OF_SQLITE: &str = "SELECT 'SQLite ' || sqlite_version(), \
     (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()), \
     CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 0, 0, TRUE";

#[async_trait]
impl Upkeep for Database {
    async fn examine(&self) -> Result<DatabaseFacts, Error> {
        let backend = crate::api::store::Store::backend(self);
        let facts = match backend {
            Backend::Postgres => sql(OF_POSTGRES),
            Backend::Sqlite => sql(OF_SQLITE),
        };
        let mut tx = self.pools.read().await?;
        let (version, bytes, now, connections, most, may_migrate): Facts = tx.fetch_one(facts).await?;
        let (migration,): (Option<i64>,) = tx
            .fetch_one(sql("SELECT MAX(version) FROM _sqlx_migrations"))
            .await?;
        let sealed: Vec<(String, i64)> = tx.fetch_all(sql(KEY_IDS)).await?;
        tx.commit().await?;
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(DatabaseFacts {
            version,
            bytes: count(bytes),
            now: UnixMs(now),
            connections: count(connections),
            max_connections: count(most),
            migration: migration.unwrap_or(0),
            newest: newest_migration(backend),
            may_migrate,
            sealed: sealed
                .into_iter()
                .map(|(key, n)| (key, count(n)))
                .collect::<BTreeMap<_, _>>(),
        })
    }

    async fn sealed_otherwise(&self, key_id: &str, limit: u32) -> Result<Vec<(SealedPlace, Sealed)>, Error> {
        let mut all = Vec::new();
        let query = |place: &Place| sql(place.select).bind(key_id).bind(i64::from(limit));
        let mut tx = self.pools.read().await?;
        let credentials: Vec<ById> = tx.fetch_all(query(&CREDENTIALS)).await?;
        all.extend(credentials.into_iter().map(of_provider(SealedPlace::Credential)));
        let passwords: Vec<ById> = tx.fetch_all(query(&PROXY_PASSWORDS)).await?;
        all.extend(passwords.into_iter().map(of_provider(SealedPlace::ProxyPassword)));
        let tokens: Vec<ById> = tx.fetch_all(query(&TOKENS)).await?;
        all.extend(tokens.into_iter().map(of_provider(SealedPlace::Token)));
        let logins: Vec<ById> = tx.fetch_all(query(&LOGINS)).await?;
        all.extend(logins.into_iter().map(|(id, key_id, ciphertext, actor)| {
            let place = SealedPlace::Login(ProviderId(id), actor);
            (place, sealed(key_id, ciphertext, String::new()))
        }));
        let webhooks: Vec<ById> = tx.fetch_all(query(&WEBHOOKS)).await?;
        all.extend(webhooks.into_iter().map(|(id, key_id, ciphertext, hint)| {
            (SealedPlace::Webhook(id), sealed(key_id, ciphertext, hint))
        }));
        let suffixes: Vec<(String, String, Vec<u8>, String)> = tx.fetch_all(query(&SUFFIXES)).await?;
        all.extend(suffixes.into_iter().map(|(name, key_id, ciphertext, hint)| {
            (SealedPlace::Suffix(name), sealed(key_id, ciphertext, hint))
        }));
        tx.commit().await?;
        Ok(all)
    }

    async fn reseal(&self, place: &SealedPlace, was: &Sealed, becomes: &Sealed) -> Result<bool, Error> {
        let begin = |table: &Place| {
            sql(table.update)
                .bind(&becomes.key_id)
                .bind(becomes.ciphertext.as_slice())
                .bind(was.ciphertext.as_slice())
        };
        let query: Query = match place {
            SealedPlace::Credential(id) => begin(&CREDENTIALS).bind(id.0),
            SealedPlace::ProxyPassword(id) => begin(&PROXY_PASSWORDS).bind(id.0),
            SealedPlace::Token(id) => begin(&TOKENS).bind(id.0),
            SealedPlace::Login(id, actor) => begin(&LOGINS).bind(id.0).bind(actor),
            SealedPlace::Suffix(name) => begin(&SUFFIXES).bind(name),
            SealedPlace::Webhook(id) => begin(&WEBHOOKS).bind(*id),
        };
        let mut tx = self.pools.write().await?;
        let changed = tx.execute(query).await?;
        tx.commit().await?;
        Ok(changed > 0)
    }

    async fn forget_master_key_checks(&self, but: &str) -> Result<u64, Error> {
        let mut tx = self.pools.write().await?;
        let gone = tx
            .execute(sql("DELETE FROM master_key_checks WHERE key_id <> $1").bind(but))
            .await?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// Id, key id, ciphertext, hint or name.
type ById = (Uuid, String, Vec<u8>, String);

fn of_provider(place: impl Fn(ProviderId) -> SealedPlace) -> impl Fn(ById) -> (SealedPlace, Sealed) {
    move |(id, key_id, ciphertext, hint)| (place(ProviderId(id)), sealed(key_id, ciphertext, hint))
}

fn sealed(key_id: String, ciphertext: Vec<u8>, hint: String) -> Sealed {
    Sealed {
        key_id,
        ciphertext,
        hint,
    }
}
