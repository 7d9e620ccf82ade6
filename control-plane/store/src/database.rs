//! The one implementation of [`Store`], for both databases.
//!
//! One file a concern: reading, the feed of changes, commits, history, the ledger, nodes. Statements and rows are
//! shared; the two databases differ in how records are inserted in bulk and in how news of commits spreads.

mod accounts;
mod alerts;
mod archive;
mod audit;
mod baseline;
mod call;
mod cleaned;
mod command;
mod commit;
mod failures;
mod feed;
mod find;
mod fleet_states;
mod fold;
mod history;
mod ingest;
mod ledger;
mod log;
mod nodes;
mod operators;
mod recharge;
pub(crate) mod records;
mod retention;
mod rollup;
mod sessions;
pub(crate) mod spend;
mod summary;
mod sums;
mod tokens;
mod trends;
mod upkeep;

pub(crate) use commit::CHANNEL;

use std::collections::BTreeMap;

use async_trait::async_trait;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{Epoch, KeyId, ProviderId, RequestId};
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::api::command::{NodeAnswer, NodeCommand};
use crate::api::commit::{Commit, Committed};
use crate::api::error::Error;
use crate::api::failure::{FailedCallRow, LogFilter, LogPage};
use crate::api::fleet_state::{FleetAction, FleetState, Put};
use crate::api::history::{Differences, Revision, RevisionFilter};
use crate::api::node::NodeRow;
use crate::api::page::{Filter, Listed, Lookup, Page};
use crate::api::recharge::{PriceBackfill, Recharge};
use crate::api::spend::{Baseline, BaselineQuestion, Delivered};
use crate::api::store::Store;
use crate::api::stored::{Changes, Head, Loaded, Sealed, Stored};
use crate::api::token::{OauthLogin, StoredToken, TokenFailure, TokenPut, TokenState, TokenWritten};
use crate::api::usage::Ingested;
use crate::open::Backend;
use crate::sql::query::sql;
use crate::sql::tx::Pools;

/// An open store.
pub(crate) struct Database {
    pools: Pools,
    commits: watch::Sender<u64>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Ends the tasks when the store is dropped without [`Store::close`].
    _stop_on_drop: DropGuard,
}

impl Database {
    /// Starts following the commits of others, where the database tells of them.
    pub(crate) fn start(pools: Pools) -> Self {
        let (commits, _) = watch::channel(0);
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        if let Pools::Postgres(pool) = &pools {
            tasks.spawn(crate::postgres::listen::follow(
                pool.clone(),
                commits.clone(),
                stop.clone(),
            ));
        }
        tasks.close();
        Self {
            pools,
            commits,
            tasks,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        }
    }

    fn announce(&self) {
        self.commits.send_modify(|n| *n = n.wrapping_add(1));
    }
}

#[async_trait]
impl Store for Database {
    fn backend(&self) -> Backend {
        match &self.pools {
            Pools::Postgres(_) => Backend::Postgres,
            Pools::Sqlite { .. } => Backend::Sqlite,
        }
    }

    async fn ping(&self) -> Result<(), Error> {
        let mut tx = self.pools.read().await?;
        tx.execute(sql("SELECT 1")).await?;
        Ok(tx.commit().await?)
    }

    async fn head(&self) -> Result<Head, Error> {
        self.read_head().await
    }

    async fn load(&self) -> Result<Loaded, Error> {
        self.load_all().await
    }

    async fn changes_since(&self, revision: u64) -> Result<Changes, Error> {
        self.changes_after(revision).await
    }

    fn notifications(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    async fn get(&self, reference: &ResourceRef) -> Result<Option<Stored>, Error> {
        self.get_one(reference).await
    }

    async fn find(&self, lookup: Lookup<'_>) -> Result<Vec<Stored>, Error> {
        self.look_up(lookup).await
    }

    async fn list(&self, filter: &Filter, page: &Page) -> Result<Listed, Error> {
        self.list_page(filter, page).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, Error> {
        self.commit_all(&commit).await
    }

    async fn begin_epoch(
        &self,
        replacing: Epoch,
        actor: &str,
        reason: &str,
        at: UnixMs,
    ) -> Result<Head, Error> {
        self.replace_epoch(replacing, &Commit::new(actor, reason, at))
            .await
    }

    async fn revisions(&self, of: &RevisionFilter, limit: u32, changes: u32) -> Result<Vec<Revision>, Error> {
        self.newest_revisions(of, limit, changes).await
    }

    async fn revision(&self, revision: u64) -> Result<Option<Revision>, Error> {
        self.one_revision(revision).await
    }

    async fn differences(&self, from: u64, to: u64) -> Result<Differences, Error> {
        self.differences_between(from, to).await
    }

    async fn deleted_key_hash(&self, key: KeyId) -> Result<Option<KeyHash>, Error> {
        self.hash_of_deleted(key).await
    }

    async fn master_key_checks(&self) -> Result<Vec<Sealed>, Error> {
        self.key_checks().await
    }

    async fn add_master_key_check(&self, check: &Sealed, at: UnixMs) -> Result<(), Error> {
        self.add_key_check(check, at).await
    }

    async fn ingest_usage(&self, records: &[UsageRecord], delivered: Delivered) -> Result<Ingested, Error> {
        self.ingest(records, delivered).await
    }

    async fn baseline(&self, questions: &[BaselineQuestion]) -> Result<Baseline, Error> {
        self.read_baseline(questions).await
    }

    async fn fold_spend(&self, now: UnixMs) -> Result<u64, Error> {
        self.fold(now).await
    }

    async fn recharge(&self, recharges: &[Recharge], progress: &PriceBackfill) -> Result<u64, Error> {
        self.recharge_records(recharges, progress).await
    }

    async fn price_backfills(&self, limit: u32) -> Result<Vec<PriceBackfill>, Error> {
        self.newest_backfills(limit).await
    }

    async fn prepare_ledger(&self, now: UnixMs) -> Result<(), Error> {
        match &self.pools {
            Pools::Postgres(pool) => crate::postgres::ledger::prepare(pool, now).await,
            Pools::Sqlite { .. } => Ok(()),
        }
    }

    async fn ingest_failures(&self, records: &[FailedCallRow]) -> Result<u64, Error> {
        self.write_failures(records).await
    }

    async fn failures(&self, id: RequestId) -> Result<Vec<FailedCallRow>, Error> {
        self.failures_of_call(id).await
    }

    async fn search_calls(
        &self,
        filter: &LogFilter,
        limit: u32,
        before: Option<RequestId>,
    ) -> Result<LogPage, Error> {
        self.search_log(filter, limit, before).await
    }

    async fn put_node(&self, node: &NodeRow) -> Result<(), Error> {
        self.write_node(node).await
    }

    async fn put_node_health(&self, id: &str, health: &serde_json::Value, at: UnixMs) -> Result<(), Error> {
        self.write_health(id, health, at).await
    }

    async fn node_disconnected(
        &self,
        id: &str,
        control_plane: &str,
        connected_since: UnixMs,
        at: UnixMs,
    ) -> Result<(), Error> {
        self.mark_disconnected(id, control_plane, connected_since, at)
            .await
    }

    async fn nodes(&self, since: UnixMs) -> Result<Vec<NodeRow>, Error> {
        self.nodes_seen(since).await
    }

    async fn live_nodes(&self, since: UnixMs) -> Result<u32, Error> {
        self.count_live(since).await
    }

    async fn post_command(&self, id: Uuid, request: &[u8], now: UnixMs) -> Result<bool, Error> {
        self.post(id, request, now).await
    }

    async fn take_commands(&self, by: &str, limit: u32, since: UnixMs) -> Result<Vec<NodeCommand>, Error> {
        self.take(by, limit, since).await
    }

    async fn answer_command(&self, id: Uuid, answer: &NodeAnswer) -> Result<(), Error> {
        self.answer(id, answer).await
    }

    async fn command_answer(&self, id: Uuid) -> Result<Option<NodeAnswer>, Error> {
        self.read_answer(id).await
    }

    async fn fleet_states(&self, known: &BTreeMap<ProviderId, u64>) -> Result<Vec<FleetState>, Error> {
        self.read_fleet_states(known).await
    }

    async fn put_fleet_state(
        &self,
        state: &FleetState,
        action: Option<&FleetAction>,
        at: UnixMs,
    ) -> Result<Put, Error> {
        self.write_fleet_state(state, action, at).await
    }

    async fn tokens(&self) -> Result<Vec<StoredToken>, Error> {
        self.read_tokens().await
    }

    async fn token(&self, provider: ProviderId) -> Result<Option<StoredToken>, Error> {
        self.read_token(provider).await
    }

    async fn put_token(&self, put: &TokenPut, at: UnixMs) -> Result<TokenWritten, Error> {
        self.write_token(put, at).await
    }

    async fn token_failed(
        &self,
        of: (ProviderId, u64, u64),
        failure: &TokenFailure,
        state: TokenState,
    ) -> Result<bool, Error> {
        self.write_failure(of, failure, state).await
    }

    async fn token_exchange_began(&self, of: (ProviderId, u64), at: UnixMs) -> Result<(), Error> {
        self.note_exchange(of, at).await
    }

    async fn take_token_lease(
        &self,
        provider: ProviderId,
        owner: &str,
        now: UnixMs,
        until: UnixMs,
    ) -> Result<Option<u64>, Error> {
        self.lease_token(provider, owner, now, until).await
    }

    async fn set_token_lease(&self, provider: ProviderId, fence: u64, until: UnixMs) -> Result<bool, Error> {
        self.set_lease(provider, fence, until).await
    }

    async fn put_login(&self, login: &OauthLogin, now: UnixMs) -> Result<(), Error> {
        self.write_login(login, now).await
    }

    async fn take_login(
        &self,
        provider: ProviderId,
        actor: &str,
        now: UnixMs,
    ) -> Result<Option<OauthLogin>, Error> {
        self.use_login(provider, actor, now).await
    }

    async fn close(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
        self.pools.close().await;
    }
}
