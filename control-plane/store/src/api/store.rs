//! The trait that the control plane works with.
//!
//! Every call is bounded in time: it ends with [`Error::Unavailable`] when the database does not answer (5 s for a
//! connection, 30 s for the one that writes to SQLite, 30 s for a statement on Postgres). Calls can be dropped at any await point; a dropped commit has happened or not.

use std::collections::BTreeMap;

use async_trait::async_trait;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{Epoch, KeyId, ProviderId, RequestId};
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use tokio::sync::watch;
use uuid::Uuid;

use super::accounts::Accounts;
use super::alert::Alerts;
use super::archive::Archive;
use super::command::{NodeAnswer, NodeCommand};
use super::commit::{Commit, Committed};
use super::error::Error;
use super::failure::{FailedCallRow, LogFilter, LogPage};
use super::fleet_state::{FleetAction, FleetState, Put};
use super::history::{Differences, Revision, RevisionFilter};
use super::ledger::Ledger;
use super::node::NodeRow;
use super::page::{Filter, Listed, Lookup, Page};
use super::recharge::{PriceBackfill, Recharge};
use super::spend::{Baseline, BaselineQuestion, Delivered};
use super::stored::{Changes, Head, Loaded, Sealed, Stored};
use super::token::{OauthLogin, StoredToken, TokenFailure, TokenPut, TokenState, TokenWritten};
use super::upkeep::Upkeep;
use super::usage::Ingested;
use crate::open::Backend;

/// The control plane's database.
#[async_trait]
pub trait Store: Accounts + Alerts + Archive + Ledger + Upkeep + Send + Sync + 'static {
    fn backend(&self) -> Backend;

    /// Asks the database for a sign of life.
    async fn ping(&self) -> Result<(), Error>;

    // === Configuration ===

    async fn head(&self) -> Result<Head, Error>;

    /// Everything there is, in one consistent read.
    async fn load(&self) -> Result<Loaded, Error>;

    /// Every resource that changed after `revision`, as it is at the head, in one consistent read.
    async fn changes_since(&self, revision: u64) -> Result<Changes, Error>;

    /// A number that rises soon after a commit: by this store at once, by others on the same Postgres within
    /// milliseconds, while the connection lasts. The number itself means nothing. Commits can be missed, and those of
    /// other processes on one SQLite file always are: poll [`Store::head`] beneath it.
    fn notifications(&self) -> watch::Receiver<u64>;

    /// None when it does not exist; [`Error::Corrupt`] when it cannot be read.
    async fn get(&self, reference: &ResourceRef) -> Result<Option<Stored>, Error>;

    async fn find(&self, lookup: Lookup<'_>) -> Result<Vec<Stored>, Error>;

    /// [`Error::Invalid`] for a page token that this store did not give.
    async fn list(&self, filter: &Filter, page: &Page) -> Result<Listed, Error>;

    /// Makes one revision, or refuses and changes nothing. Of two commits that expect the same version, exactly one
    /// succeeds. A long commit holds only the rows that it changes, so others go on and may be numbered before it
    /// (on SQLite they wait).
    async fn commit(&self, commit: Commit) -> Result<Committed, Error>;

    /// Starts a new epoch with a revision of its own that changes nothing. To be called when a node is ahead of the
    /// head: the store was restored from a backup. Does nothing when the epoch is no longer `replacing`, so that of
    /// several replicas one succeeds; the head is the answer either way.
    async fn begin_epoch(
        &self,
        replacing: Epoch,
        actor: &str,
        reason: &str,
        at: UnixMs,
    ) -> Result<Head, Error>;

    // === History ===

    /// The newest `limit` (at most 1000) revisions of the filter, newest first, each with its first `changes` changes.
    async fn revisions(&self, of: &RevisionFilter, limit: u32, changes: u32) -> Result<Vec<Revision>, Error>;

    /// One revision with all its changes; None when there is no such.
    async fn revision(&self, revision: u64) -> Result<Option<Revision>, Error>;

    /// What lies between two revisions. For a rollback: from the head to the target; each change's `after` is the
    /// state to bring back, and its `version` what the resource is expected to be at.
    /// [`Error::NotFound`] for a revision above the head.
    async fn differences(&self, from: u64, to: u64) -> Result<Differences, Error>;

    /// The hash that a deleted key had, so that a rollback that includes access can bring the key back. None when the
    /// key exists, or never did.
    async fn deleted_key_hash(&self, key: KeyId) -> Result<Option<KeyHash>, Error>;

    // === Master keys ===

    /// A known text sealed under each master key that was ever used: whoever can open one has the right key.
    async fn master_key_checks(&self) -> Result<Vec<Sealed>, Error>;

    /// Keeps the check of a master key, unless there is one of the same key id.
    async fn add_master_key_check(&self, check: &Sealed, at: UnixMs) -> Result<(), Error>;

    // === Ledger ===

    /// Adds records to the ledger, to the hourly sums and to what their subjects have spent, and raises the mark of
    /// their spool, in one transaction. Records that are there already, by their id, change nothing; the mark rises all
    /// the same, also without any record. Records do not depend on configuration: their user or key may be long gone.
    async fn ingest_usage(&self, records: &[UsageRecord], delivered: Delivered) -> Result<Ingested, Error>;

    /// What subjects have spent, and the spools' marks, in one consistent read. Of a span that begins amid a minute
    /// (amid a day, when that is over 35 days ago), a record whose `admitted_at` is more than a day away from the time
    /// inside its id may be missed in that first minute or day.
    /// [`Error::Invalid`] when it would hold more than [`Baseline::MAX_MINUTES`].
    async fn baseline(&self, questions: &[BaselineQuestion]) -> Result<Baseline, Error>;

    /// Keeps what is spent by minute to the last 35 days: older minutes are summed up to days, and marks of spools that
    /// delivered nothing since then are forgotten. Many small transactions; whatever it ends with, sums are right and
    /// the next call goes on. The number of minutes moved. Call it daily.
    async fn fold_spend(&self, now: UnixMs) -> Result<u64, Error>;

    /// Gives records another cost, changes the hourly sums and what their subjects have spent by the difference, and
    /// writes how far the backfill is, in one transaction. A record that does not cost what it cost when it was read stays
    /// as it is. How many were changed, which is added to those of the backfill.
    async fn recharge(&self, recharges: &[Recharge], progress: &PriceBackfill) -> Result<u64, Error>;

    /// The newest backfills, newest first, at most `limit`.
    async fn price_backfills(&self, limit: u32) -> Result<Vec<PriceBackfill>, Error>;

    /// Makes room for the records of this month and the next two. Called when the store opens; call it daily. Without
    /// it nothing is lost: records go to a default partition and are moved by the next call. Nothing to do on SQLite.
    async fn prepare_ledger(&self, now: UnixMs) -> Result<(), Error>;

    // === The log of calls ===

    /// Keeps records of failed calls. Those that are there already, by call and number, change nothing. How many were new.
    async fn ingest_failures(&self, records: &[FailedCallRow]) -> Result<u64, Error>;

    /// All records of one failed call, in their order; none when it did not fail, or they are gone.
    async fn failures(&self, id: RequestId) -> Result<Vec<FailedCallRow>, Error>;

    /// Calls of the ledger and of the failure log, newest first, at most `limit` (at most 1000), with ids below
    /// `before`. A call whose start is more than a day away from the time inside its id may be missed.
    async fn search_calls(
        &self,
        filter: &LogFilter,
        limit: u32,
        before: Option<RequestId>,
    ) -> Result<LogPage, Error>;

    // === Nodes ===

    /// Writes what is known of a node, unless another replica saw it later. Without a health report the last one
    /// stays.
    async fn put_node(&self, node: &NodeRow) -> Result<(), Error>;

    /// Keeps a node's report on itself; the replica that gets it need not hold the node's config stream. Does nothing
    /// for a node that was never put.
    async fn put_node_health(&self, id: &str, health: &serde_json::Value, at: UnixMs) -> Result<(), Error>;

    /// Marks the node as gone, unless a newer stream than that of `connected_since` at `control_plane` was reported.
    async fn node_disconnected(
        &self,
        id: &str,
        control_plane: &str,
        connected_since: UnixMs,
        at: UnixMs,
    ) -> Result<(), Error>;

    /// Nodes seen at or after `since`, by id.
    async fn nodes(&self, since: UnixMs) -> Result<Vec<NodeRow>, Error>;

    /// How many nodes are connected and were seen at or after `since`.
    async fn live_nodes(&self, since: UnixMs) -> Result<u32, Error>;

    // === Commands to nodes ===

    /// Puts up a command for whichever replica takes it, and tells the others by [`Store::notifications`]. Commands
    /// older than a minute are forgotten. False: too many wait already.
    async fn post_command(&self, id: Uuid, request: &[u8], now: UnixMs) -> Result<bool, Error>;

    /// Takes commands posted at or after `since` that nobody has taken, at most `limit`. No two replicas get the same.
    async fn take_commands(&self, by: &str, limit: u32, since: UnixMs) -> Result<Vec<NodeCommand>, Error>;

    /// Answers a command that was taken. Does nothing when it is forgotten.
    async fn answer_command(&self, id: Uuid, answer: &NodeAnswer) -> Result<(), Error>;

    /// None while there is none.
    async fn command_answer(&self, id: Uuid) -> Result<Option<NodeAnswer>, Error>;

    // === Fleet states ===

    /// What is known of providers, of those whose version is not the known one.
    async fn fleet_states(&self, known: &BTreeMap<ProviderId, u64>) -> Result<Vec<FleetState>, Error>;

    /// Writes a state in the place of the version that it names, keeps with it what an operator did, and tells other
    /// replicas by [`Store::notifications`].
    async fn put_fleet_state(
        &self,
        state: &FleetState,
        action: Option<&FleetAction>,
        at: UnixMs,
    ) -> Result<Put, Error>;

    // === Access tokens ===

    /// The tokens of all providers for which the control plane obtains them.
    async fn tokens(&self) -> Result<Vec<StoredToken>, Error>;

    async fn token(&self, provider: ProviderId) -> Result<Option<StoredToken>, Error>;

    /// Writes a token in the place of the version that it names, with a revision of its own by which data planes get
    /// it. Refused ([`TokenWritten::Overtaken`]) also under a lease older than that of the token that is there.
    async fn put_token(&self, put: &TokenPut, at: UnixMs) -> Result<TokenWritten, Error>;

    /// Keeps what went wrong, and whether it is tried again, beside this version of the token (0: there is none yet).
    /// With another state than ready data planes are told. False: there is a newer token, or no such provider.
    async fn token_failed(
        &self,
        of: (ProviderId, u64, u64),
        failure: &TokenFailure,
        state: TokenState,
    ) -> Result<bool, Error>;

    /// Notes that the refresh token of this version is shown to its token endpoint now, until the outcome is written. Under
    /// the lease only.
    async fn token_exchange_began(&self, of: (ProviderId, u64), at: UnixMs) -> Result<(), Error>;

    /// Takes the right to obtain a provider's token until then. None: somebody else has it, or there is no such
    /// provider. The answer rises with each taking.
    async fn take_token_lease(
        &self,
        provider: ProviderId,
        owner: &str,
        now: UnixMs,
        until: UnixMs,
    ) -> Result<Option<u64>, Error>;

    /// Sets another end of a lease; 0 gives it back, and others are told. False: it is another's by now.
    async fn set_token_lease(&self, provider: ProviderId, fence: u64, until: UnixMs) -> Result<bool, Error>;

    /// Keeps a login that an operator began, in the place of one that the same began before.
    async fn put_login(&self, login: &OauthLogin, now: UnixMs) -> Result<(), Error>;

    /// Takes a login out: it is used once. None: there is none, or it is too old.
    async fn take_login(
        &self,
        provider: ProviderId,
        actor: &str,
        now: UnixMs,
    ) -> Result<Option<OauthLogin>, Error>;

    /// Ends background work and closes all connections. Calls afterwards are [`Error::Unavailable`].
    async fn close(&self);
}
