//! The part of the store that looks after itself: how the database does, and under which keys it seals.

use std::collections::BTreeMap;

use async_trait::async_trait;
use penstock_core::id::ProviderId;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::error::Error;
use super::stored::Sealed;

/// How the database does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// As it says itself.
    pub version: String,
    /// Of this database alone, bytes.
    pub bytes: u64,
    /// Its clock.
    pub now: UnixMs,
    /// Connections to it from all programs, and how many it takes. SQLite: 0.
    pub connections: u64,
    pub max_connections: u64,
    /// The newest migration that it has, and the newest of this release.
    pub migration: i64,
    pub newest: i64,
    /// Whether this user may change the schema, as the next release may want to.
    pub may_migrate: bool,
    /// How many sealed values there are, by the master key's id.
    pub sealed: BTreeMap<String, u64>,
}

/// Where a sealed value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedPlace {
    Credential(ProviderId),
    ProxyPassword(ProviderId),
    Token(ProviderId),
    /// A login under way, of this operator.
    Login(ProviderId, String),
    /// By name.
    Suffix(String),
    Webhook(Uuid),
}

/// Calls are bounded in time as those of [`Store`](crate::Store) are.
#[async_trait]
pub trait Upkeep {
    async fn examine(&self) -> Result<DatabaseFacts, Error>;

    /// Values that are sealed under another key than this one, at most `limit` of each kind of place.
    async fn sealed_otherwise(&self, key_id: &str, limit: u32) -> Result<Vec<(SealedPlace, Sealed)>, Error>;

    /// Puts a value in the place of the same value under another key. False: it has changed meanwhile, or is gone. It makes
    /// no revision, for nothing that anybody can see changes.
    async fn reseal(&self, place: &SealedPlace, was: &Sealed, becomes: &Sealed) -> Result<bool, Error>;

    /// Forgets the checks of all master keys but this one. How many.
    async fn forget_master_key_checks(&self, but: &str) -> Result<u64, Error>;
}
