//! Operators' accounts. Every change takes the one row of `operators_head` first, so changes happen one after the other
//! and what is checked before a write still holds when it is made.

use penstock_core::api_key::KeyHash;
use penstock_core::id::{OperatorId, UserId};
use penstock_core::key::PreviousSecret;
use penstock_core::operator::{Operator, Role};
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::Database;
use crate::api::commit::Expect;
use crate::api::error::Error;
use crate::api::operator::{OperatorPut, OperatorToken, Operators, StoredOperator};
use crate::sql::query::{Query, sql};
use crate::sql::tx::Tx;
use crate::sql::value::AsWord;

#[derive(sqlx::FromRow)]
struct OperatorRow {
    id: Uuid,
    name: String,
    role: String,
    user_id: Option<Uuid>,
    enabled: bool,
    expires_at: Option<i64>,
    token_hash: Vec<u8>,
    token_hint: String,
    previous_hash: Option<Vec<u8>>,
    previous_until: Option<i64>,
    last_used_at: Option<i64>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

const OPERATORS: &str = "SELECT id, name, role, user_id, enabled, expires_at, token_hash, token_hint, previous_hash, \
                         previous_until, last_used_at, version, created_at, updated_at FROM operators";

impl Database {
    pub(super) async fn read_operators(&self) -> Result<Operators, Error> {
        let mut tx = self.pools.read().await?;
        let (generation,): (i64,) = tx.fetch_one(sql("SELECT generation FROM operators_head")).await?;
        let rows: Vec<OperatorRow> = tx.fetch_all(sql(OPERATORS).push(" ORDER BY name")).await?;
        tx.commit().await?;
        Ok(Operators {
            generation: generation.unsigned_abs(),
            operators: rows.into_iter().map(OperatorRow::read).collect(),
        })
    }

    pub(super) async fn read_operator_generation(&self) -> Result<u64, Error> {
        let mut tx = self.pools.read().await?;
        let (generation,): (i64,) = tx.fetch_one(sql("SELECT generation FROM operators_head")).await?;
        tx.commit().await?;
        Ok(generation.unsigned_abs())
    }

    pub(super) async fn write_operator(
        &self,
        put: &OperatorPut,
        at: UnixMs,
    ) -> Result<StoredOperator, Error> {
        let mut tx = self.pools.write().await?;
        begin(&mut tx).await?;
        let old = one(&mut tx, put.id).await?;
        check(&put.operator.name, old.as_ref(), put.expect)?;
        let other = sql("SELECT 1 FROM operators WHERE name = $1 AND id <> $2");
        let other = other.bind(&put.operator.name).bind(put.id.0);
        if tx.exists(other).await? {
            let label = label(&put.operator.name);
            return Err(Error::NameTaken { label });
        }
        let query = match old {
            None => insert(put, at),
            Some(_) => update(put, at),
        };
        tx.execute(query).await?;
        let written = one(&mut tx, put.id).await?;
        self.tell(tx).await?;
        written.ok_or_else(|| missing(&put.operator.name))
    }

    pub(super) async fn remove_operator(&self, id: OperatorId, expect: Expect) -> Result<(), Error> {
        let mut tx = self.pools.write().await?;
        begin(&mut tx).await?;
        let old = one(&mut tx, id).await?;
        let Some(old) = old else {
            return Err(missing(&id.to_string()));
        };
        check(&old.operator.name, Some(&old), expect)?;
        tx.execute(sql("DELETE FROM operators WHERE id = $1").bind(id.0))
            .await?;
        self.tell(tx).await
    }

    /// With its version and its times.
    pub(super) async fn bring_operator_back(&self, operator: &StoredOperator) -> Result<bool, Error> {
        let put = OperatorPut {
            id: operator.id,
            operator: operator.operator.clone(),
            token: operator.token.clone(),
            expect: Expect::Absent,
        };
        let query = sql(
            "INSERT INTO operators (id, name, role, user_id, enabled, expires_at, token_hash, token_hint, \
             previous_hash, previous_until, version, created_at, updated_at, last_used_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING",
        );
        let query = values(query, &put)
            .bind(operator.version.max(1))
            .bind(operator.created_at)
            .bind(operator.updated_at)
            .bind(operator.last_used_at);
        let mut tx = self.pools.write().await?;
        begin(&mut tx).await?;
        if tx.execute(query).await? == 0 {
            return Ok(false);
        }
        self.tell(tx).await?;
        Ok(true)
    }

    /// Takes no version and no news: nobody waits for it.
    pub(super) async fn mark_operators_used(&self, used: &[(OperatorId, UnixMs)]) -> Result<(), Error> {
        let mut tx = self.pools.write().await?;
        for (id, at) in used {
            let query = sql(
                "UPDATE operators SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
            );
            tx.execute(query.bind(*at).bind(id.0)).await?;
        }
        Ok(tx.commit().await?)
    }
}

async fn begin(tx: &mut Tx) -> Result<(), sqlx::Error> {
    tx.execute(sql("UPDATE operators_head SET generation = generation + 1"))
        .await
        .map(drop)
}

async fn one(tx: &mut Tx, id: OperatorId) -> Result<Option<StoredOperator>, sqlx::Error> {
    let query = sql(OPERATORS).push(" WHERE id = ").push_bind(id.0);
    let row: Option<OperatorRow> = tx.fetch_optional(query).await?;
    Ok(row.map(OperatorRow::read))
}

fn check(name: &str, old: Option<&StoredOperator>, expect: Expect) -> Result<(), Error> {
    let expected = match expect {
        Expect::Any => return Ok(()),
        Expect::Absent => None,
        Expect::Version(version) => Some(version),
    };
    let actual = old.map(|old| old.version);
    if expected == actual {
        return Ok(());
    }
    Err(Error::Conflict {
        label: label(old.map_or(name, |old| &old.operator.name)),
        expected,
        actual,
        changed_by: None,
        changed_at: old.map(|old| old.updated_at),
    })
}

fn insert(put: &OperatorPut, at: UnixMs) -> Query {
    let query = sql(
        "INSERT INTO operators (id, name, role, user_id, enabled, expires_at, token_hash, token_hint, previous_hash, \
         previous_until, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $11)",
    );
    values(query, put).bind(at)
}

fn update(put: &OperatorPut, at: UnixMs) -> Query {
    let query = sql(
        "UPDATE operators SET name = $2, role = $3, user_id = $4, enabled = $5, expires_at = $6, token_hash = $7, \
         token_hint = $8, previous_hash = $9, previous_until = $10, version = version + 1, updated_at = $11 \
         WHERE id = $1",
    );
    values(query, put).bind(at)
}

fn values(query: Query, put: &OperatorPut) -> Query {
    let (operator, token) = (&put.operator, &put.token);
    query
        .bind(put.id.0)
        .bind(&operator.name)
        .bind(AsWord(operator.role))
        .bind(operator.user_id.map(|user| user.0))
        .bind(operator.enabled)
        .bind(operator.expires_at)
        .bind(token.hash.0.as_slice())
        .bind(&token.hint)
        .bind(token.previous.as_ref().map(|previous| previous.hash.0.as_slice()))
        .bind(token.previous.map(|previous| previous.valid_until))
}

fn label(name: &str) -> String {
    format!("operator {name:?}")
}

fn missing(name: &str) -> Error {
    Error::NotFound { label: label(name) }
}

impl OperatorRow {
    fn read(self) -> StoredOperator {
        // The column has no other words; one of a newer release may do the least.
        let role = Role::ALL.into_iter().find(|role| role.as_str() == self.role);
        let previous = match (self.previous_hash, self.previous_until) {
            (Some(bytes), Some(until)) => hash(&bytes).map(|hash| PreviousSecret {
                hash,
                valid_until: UnixMs(until),
            }),
            _ => None,
        };
        let token = hash(&self.token_hash);
        StoredOperator {
            id: OperatorId(self.id),
            operator: Operator {
                name: self.name,
                role: role.unwrap_or(Role::User),
                user_id: self.user_id.map(UserId),
                // What cannot be read lets nobody in.
                enabled: self.enabled && role.is_some() && token.is_some(),
                expires_at: self.expires_at.map(UnixMs),
            },
            token: OperatorToken {
                hash: token.unwrap_or(KeyHash([0; 32])),
                hint: self.token_hint,
                previous,
            },
            last_used_at: self.last_used_at.map(UnixMs),
            version: self.version.unsigned_abs(),
            created_at: UnixMs(self.created_at),
            updated_at: UnixMs(self.updated_at),
        }
    }
}

fn hash(bytes: &[u8]) -> Option<KeyHash> {
    KeyHash::try_from(bytes).ok()
}
