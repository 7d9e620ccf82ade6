//! Providers' access tokens: one row each, replaced by compare-and-swap on the version, numbered like a commit but not
//! kept in the history; leases on refreshing them; logins under way.

use std::collections::HashMap;

use penstock_core::id::ProviderId;
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Database;
use crate::api::error::Error;
use crate::api::stored::{Sealed, Stored, StoredSpec};
use crate::api::token::{
    OauthLogin, SealedToken, StoredToken, TokenFailure, TokenPut, TokenState, TokenWritten,
};
use crate::sql::query::{Query, sql};
use crate::sql::tx::Tx;
use crate::sql::value::{AsJson, AsWord};

#[derive(sqlx::FromRow)]
struct TokenRow {
    provider_id: Uuid,
    version: i64,
    credential_version: i64,
    state: String,
    key_id: Option<String>,
    ciphertext: Option<Vec<u8>>,
    obtained_at: Option<i64>,
    expires_at: Option<i64>,
    failure: Option<Json>,
    exchange_began_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct LoginRow {
    key_id: String,
    ciphertext: Vec<u8>,
    expires_at: i64,
}

const TOKENS: &str = "SELECT provider_id, version, credential_version, state, key_id, ciphertext, obtained_at, \
                      expires_at, failure, exchange_began_at FROM provider_tokens";

impl Database {
    pub(super) async fn read_tokens(&self) -> Result<Vec<StoredToken>, Error> {
        let mut tx = self.pools.read().await?;
        let tokens = all(&mut tx, sql(TOKENS)).await?;
        tx.commit().await?;
        Ok(tokens)
    }

    pub(super) async fn read_token(&self, provider: ProviderId) -> Result<Option<StoredToken>, Error> {
        let query = sql(TOKENS).push(" WHERE provider_id = ").push_bind(provider.0);
        let mut tx = self.pools.read().await?;
        let tokens = all(&mut tx, query).await?;
        tx.commit().await?;
        Ok(tokens.into_iter().next())
    }

    pub(super) async fn write_token(&self, put: &TokenPut, at: UnixMs) -> Result<TokenWritten, Error> {
        let mut tx = self.pools.write().await?;
        if !insert(&mut tx, put, at).await? && !replace(&mut tx, put, at).await? {
            let provider = sql("SELECT 1 FROM providers WHERE id = $1").bind(put.provider.0);
            return Ok(match tx.exists(provider).await? {
                true => TokenWritten::Overtaken,
                false => TokenWritten::NoProvider,
            });
        }
        number(&mut tx, put.provider).await?;
        self.tell(tx).await?;
        Ok(TokenWritten::Written(put.replaces.saturating_add(1)))
    }

    pub(super) async fn write_failure(
        &self,
        (provider, version, credential_version): (ProviderId, u64, u64),
        failure: &TokenFailure,
        state: TokenState,
    ) -> Result<bool, Error> {
        let mut tx = self.pools.write().await?;
        let insert = sql(
            "INSERT INTO provider_tokens (provider_id, version, credential_version, revision, fence, state, failure, \
             updated_at) SELECT $1, 0, $2, 0, 0, $3, $4, $5 WHERE EXISTS (SELECT 1 FROM providers WHERE id = $1) \
             ON CONFLICT (provider_id) DO NOTHING",
        )
        .bind(provider.0)
        .bind(credential_version)
        .bind(AsWord(state))
        .bind(AsJson(failure))
        .bind(failure.at);
        let update = sql(
            "UPDATE provider_tokens SET state = $1, failure = $2, updated_at = $4, exchange_began_at = NULL, \
             key_id = CASE WHEN credential_version = $3 THEN key_id END, \
             ciphertext = CASE WHEN credential_version = $3 THEN ciphertext END, \
             obtained_at = CASE WHEN credential_version = $3 THEN obtained_at END, \
             expires_at = CASE WHEN credential_version = $3 THEN expires_at END, \
             credential_version = $3 WHERE provider_id = $5 AND version = $6",
        )
        .bind(AsWord(state))
        .bind(AsJson(failure))
        .bind(credential_version)
        .bind(failure.at)
        .bind(provider.0)
        .bind(version);
        // A token of an earlier credential is worth nothing, and must not pass for one of this.
        let written = (version == 0 && tx.execute(insert).await? == 1) || tx.execute(update).await? == 1;
        if written && state != TokenState::Ready {
            // Data planes learn that there will be no other token.
            number(&mut tx, provider).await?;
        }
        self.tell(tx).await?;
        Ok(written)
    }

    pub(super) async fn note_exchange(
        &self,
        (provider, version): (ProviderId, u64),
        at: UnixMs,
    ) -> Result<(), Error> {
        let query =
            sql("UPDATE provider_tokens SET exchange_began_at = $1 WHERE provider_id = $2 AND version = $3");
        let mut tx = self.pools.write().await?;
        tx.execute(query.bind(at).bind(provider.0).bind(version)).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn lease_token(
        &self,
        provider: ProviderId,
        owner: &str,
        now: UnixMs,
        until: UnixMs,
    ) -> Result<Option<u64>, Error> {
        let query = sql(
            "INSERT INTO token_leases (provider_id, owner, fence, held_until) \
             SELECT $1, $2, 1, $3 WHERE EXISTS (SELECT 1 FROM providers WHERE id = $1) \
             ON CONFLICT (provider_id) DO UPDATE SET owner = excluded.owner, fence = token_leases.fence + 1, \
             held_until = excluded.held_until WHERE token_leases.held_until <= $4 RETURNING fence",
        );
        let query = query.bind(provider.0).bind(owner).bind(until).bind(now);
        let mut tx = self.pools.write().await?;
        let taken: Option<(i64,)> = tx.fetch_optional(query).await?;
        tx.commit().await?;
        Ok(taken.map(|(fence,)| fence.unsigned_abs()))
    }

    /// Gives a lease back, or makes it longer.
    pub(super) async fn set_lease(
        &self,
        provider: ProviderId,
        fence: u64,
        until: UnixMs,
    ) -> Result<bool, Error> {
        let query = sql("UPDATE token_leases SET held_until = $1 WHERE provider_id = $2 AND fence = $3");
        let query = query.bind(until).bind(provider.0).bind(fence);
        let mut tx = self.pools.write().await?;
        let held = tx.execute(query).await? == 1;
        // Others wait for it.
        self.tell(tx).await?;
        Ok(held)
    }

    pub(super) async fn write_login(&self, login: &OauthLogin, now: UnixMs) -> Result<(), Error> {
        let old = sql("DELETE FROM oauth_logins WHERE expires_at <= $1").bind(now);
        let query = sql(
            "INSERT INTO oauth_logins (provider_id, actor, key_id, ciphertext, expires_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (provider_id, actor) DO UPDATE SET key_id = excluded.key_id, \
             ciphertext = excluded.ciphertext, expires_at = excluded.expires_at",
        )
        .bind(login.provider.0)
        .bind(&login.actor)
        .bind(&login.sealed.key_id)
        .bind(login.sealed.ciphertext.as_slice())
        .bind(login.expires_at);
        let mut tx = self.pools.write().await?;
        tx.execute(old).await?;
        tx.execute(query).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn use_login(
        &self,
        provider: ProviderId,
        actor: &str,
        now: UnixMs,
    ) -> Result<Option<OauthLogin>, Error> {
        let query = sql(
            "DELETE FROM oauth_logins WHERE provider_id = $1 AND actor = $2 RETURNING key_id, ciphertext, expires_at",
        );
        let mut tx = self.pools.write().await?;
        let found: Option<LoginRow> = tx.fetch_optional(query.bind(provider.0).bind(actor)).await?;
        tx.commit().await?;
        let login = found.map(|row| OauthLogin {
            provider,
            actor: actor.to_owned(),
            sealed: Sealed {
                key_id: row.key_id,
                ciphertext: row.ciphertext,
                hint: String::new(),
            },
            expires_at: UnixMs(row.expires_at),
        });
        Ok(login.filter(|login| now < login.expires_at))
    }
}

/// Providers whose tokens changed after a revision, with the revision of the change.
pub(super) async fn changed_after(
    tx: &mut Tx,
    revision: u64,
) -> Result<Vec<(ResourceRef, u64)>, sqlx::Error> {
    let query = sql("SELECT provider_id, revision FROM provider_tokens WHERE revision > $1");
    let found: Vec<(Uuid, i64)> = tx.fetch_all(query.bind(revision)).await?;
    let reference =
        |(id, revision): (Uuid, i64)| (ResourceRef::Provider(ProviderId(id)), revision.unsigned_abs());
    Ok(found.into_iter().map(reference).collect())
}

/// Gives the providers among these their tokens.
pub(super) async fn attach<'a>(
    tx: &mut Tx,
    stored: impl Iterator<Item = &'a mut Stored>,
) -> Result<(), sqlx::Error> {
    let tokens = all(tx, sql(TOKENS)).await?;
    let mut tokens: HashMap<_, _> = tokens.into_iter().map(|token| (token.provider, token)).collect();
    for stored in stored {
        if let (ResourceRef::Provider(id), StoredSpec::Provider(spec)) = (&stored.reference, &mut stored.spec)
        {
            spec.token = tokens.remove(id);
        }
    }
    Ok(())
}

async fn all(tx: &mut Tx, query: Query) -> Result<Vec<StoredToken>, sqlx::Error> {
    let rows: Vec<TokenRow> = tx.fetch_all(query).await?;
    Ok(rows.into_iter().map(TokenRow::read).collect())
}

/// Of a provider that has no token yet; the row may be there, of a failure.
async fn insert(tx: &mut Tx, put: &TokenPut, at: UnixMs) -> Result<bool, sqlx::Error> {
    if put.replaces > 0 {
        return Ok(false);
    }
    let query = sql(
        "INSERT INTO provider_tokens (provider_id, version, credential_version, revision, fence, state, key_id, \
         ciphertext, obtained_at, expires_at, updated_at) SELECT $1, 1, $2, 0, $3, 'ready', $4, $5, $6, $7, $8 \
         WHERE EXISTS (SELECT 1 FROM providers WHERE id = $1) ON CONFLICT (provider_id) DO NOTHING",
    )
    .bind(put.provider.0)
    .bind(put.credential_version)
    .bind(put.fence)
    .bind(&put.token.sealed.key_id)
    .bind(put.token.sealed.ciphertext.as_slice())
    .bind(put.token.obtained_at)
    .bind(put.token.expires_at)
    .bind(at);
    Ok(tx.execute(query).await? == 1)
}

async fn replace(tx: &mut Tx, put: &TokenPut, at: UnixMs) -> Result<bool, sqlx::Error> {
    let query = sql(
        "UPDATE provider_tokens SET version = version + 1, credential_version = $1, fence = $2, state = 'ready', \
         key_id = $3, ciphertext = $4, obtained_at = $5, expires_at = $6, failure = NULL, updated_at = $7, \
         exchange_began_at = NULL \
         WHERE provider_id = $8 AND version = $9 AND fence <= $2",
    )
    .bind(put.credential_version)
    .bind(put.fence)
    .bind(&put.token.sealed.key_id)
    .bind(put.token.sealed.ciphertext.as_slice())
    .bind(put.token.obtained_at)
    .bind(put.token.expires_at)
    .bind(at)
    .bind(put.provider.0)
    .bind(put.replaces);
    Ok(tx.execute(query).await? == 1)
}

/// The last thing before COMMIT: the revision's number.
async fn number(tx: &mut Tx, provider: ProviderId) -> Result<(), sqlx::Error> {
    let next = sql("UPDATE config_head SET revision = revision + 1 RETURNING revision");
    let (revision,): (i64,) = tx.fetch_one(next).await?;
    let query = sql("UPDATE provider_tokens SET revision = $1 WHERE provider_id = $2");
    tx.execute(query.bind(revision).bind(provider.0)).await.map(drop)
}

impl TokenRow {
    fn read(self) -> StoredToken {
        let provider = ProviderId(self.provider_id);
        let state = match self.state.as_str() {
            "ready" => TokenState::Ready,
            "needs_login" => TokenState::NeedsLogin,
            // The column has no other.
            _ => TokenState::Misconfigured,
        };
        let token = match (self.key_id, self.ciphertext, self.obtained_at, self.expires_at) {
            (Some(key_id), Some(ciphertext), Some(obtained_at), Some(expires_at)) => Some(SealedToken {
                sealed: Sealed {
                    key_id,
                    ciphertext,
                    hint: String::new(),
                },
                obtained_at: UnixMs(obtained_at),
                expires_at: UnixMs(expires_at),
            }),
            _ => None,
        };
        let failure = self
            .failure
            .map(|json| serde_json::from_value(json).unwrap_or_default());
        StoredToken {
            provider,
            version: self.version.unsigned_abs(),
            credential_version: self.credential_version.unsigned_abs(),
            state,
            token,
            failure,
            exchange_began_at: self.exchange_began_at.map(UnixMs),
        }
    }
}
