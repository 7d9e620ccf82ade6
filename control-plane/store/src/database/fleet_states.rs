//! Which providers are well: compare-and-swap on one row a provider. News goes the way of news of commits.

use std::collections::BTreeMap;

use penstock_core::health::State;
use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Database;
use crate::api::error::Error;
use crate::api::fleet_state::{FleetAction, FleetState, Put};
use crate::sql::query::sql;
use crate::sql::tx::Tx;
use crate::sql::value::AsJson;

impl Database {
    pub(super) async fn read_fleet_states(
        &self,
        known: &BTreeMap<ProviderId, u64>,
    ) -> Result<Vec<FleetState>, Error> {
        let mut tx = self.pools.read().await?;
        let versions: Vec<(Uuid, i64)> = tx
            .fetch_all(sql("SELECT provider_id, version FROM fleet_states"))
            .await?;
        let changed = versions
            .into_iter()
            .filter(|(id, version)| known.get(&ProviderId(*id)).copied() != Some(version.unsigned_abs()));
        let changed: Vec<_> = changed.map(|(id, _)| id.into()).collect();
        if changed.is_empty() {
            tx.commit().await?;
            return Ok(Vec::new());
        }
        let query =
            sql("SELECT provider_id, version, generation, entries FROM fleet_states WHERE provider_id IN ")
                .push_list(changed);
        let rows: Vec<(Uuid, i64, i64, Json)> = tx.fetch_all(query).await?;
        tx.commit().await?;
        Ok(rows.into_iter().map(read).collect())
    }

    pub(super) async fn write_fleet_state(
        &self,
        new: &FleetState,
        action: Option<&FleetAction>,
        at: UnixMs,
    ) -> Result<Put, Error> {
        let mut tx = self.pools.write().await?;
        let written = match new.version {
            0 => insert(&mut tx, new, at).await?,
            _ => update(&mut tx, new, at).await?,
        };
        if !written {
            let provider = sql("SELECT 1 FROM providers WHERE id = $1").bind(new.provider.0);
            let there = tx.exists(provider).await?;
            return Ok(match there {
                true => Put::Overtaken,
                false => Put::NoProvider,
            });
        }
        if let Some(action) = action {
            log(&mut tx, new, action, at).await?;
        }
        self.tell(tx).await?;
        Ok(Put::Written(new.version.saturating_add(1)))
    }
}

async fn insert(tx: &mut Tx, new: &FleetState, at: UnixMs) -> Result<bool, sqlx::Error> {
    let query = sql(
        "INSERT INTO fleet_states (provider_id, version, generation, entries, updated_at) \
         SELECT $1, 1, $2, $3, $4 WHERE EXISTS (SELECT 1 FROM providers WHERE id = $1) \
         ON CONFLICT (provider_id) DO NOTHING",
    )
    .bind(new.provider.0)
    .bind(new.state.generation)
    .bind(AsJson(&new.state.entries))
    .bind(at);
    Ok(tx.execute(query).await? == 1)
}

async fn update(tx: &mut Tx, new: &FleetState, at: UnixMs) -> Result<bool, sqlx::Error> {
    let query = sql(
        "UPDATE fleet_states SET version = version + 1, generation = $1, entries = $2, updated_at = $3 \
         WHERE provider_id = $4 AND version = $5",
    )
    .bind(new.state.generation)
    .bind(AsJson(&new.state.entries))
    .bind(at)
    .bind(new.provider.0)
    .bind(new.version);
    Ok(tx.execute(query).await? == 1)
}

async fn log(tx: &mut Tx, new: &FleetState, action: &FleetAction, at: UnixMs) -> Result<(), sqlx::Error> {
    let query = sql(
        "INSERT INTO fleet_state_actions (id, at, actor, action, reason, provider_id, model, generation) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(Uuid::now_v7())
    .bind(at)
    .bind(&action.actor)
    .bind(action.action)
    .bind(&action.reason)
    .bind(new.provider.0)
    .bind(&action.model)
    .bind(new.state.generation);
    tx.execute(query).await.map(drop)
}

fn read((id, version, generation, entries): (Uuid, i64, i64, Json)) -> FleetState {
    // What a newer release wrote may be unknown here; its generation counts all the same.
    let entries = serde_json::from_value(entries)
        .inspect_err(|error| tracing::warn!(provider = %id, %error, "a provider's state cannot be read"))
        .unwrap_or_default();
    FleetState {
        provider: ProviderId(id),
        version: version.unsigned_abs(),
        state: State {
            generation: generation.unsigned_abs(),
            entries,
        },
    }
}
