//! What operators are told of trouble, to whom, and how far its delivery is.
//!
//! A look at the conditions is written as one: the watches as they are now, what is told because of them, and a delivery to
//! each webhook that wants it. So a control plane that dies at any moment has told all of it or nothing, and whoever looks
//! next goes on from there. Deliveries are at least once; a receiver knows a repetition by the notification's id.

use async_trait::async_trait;
use penstock_core::alert::{Event, Preset, Rule, Watch};
use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::error::Error;
use super::stored::Sealed;

/// Where notifications go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub id: Uuid,
    pub name: String,
    pub enabled: bool,
    pub preset: Preset,
    /// Empty: all.
    pub rules: Vec<Rule>,
    /// Scheme and host of the URL, which may itself hold a secret.
    pub host: String,
    /// URL and signing secret.
    pub sealed: Sealed,
    /// It has a signing secret.
    pub signed: bool,
    /// Rises with each change; 0: it is new.
    pub version: u64,
    pub created_at: UnixMs,
    pub updated_at: UnixMs,
}

/// What became of a webhook's change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookWritten {
    Written,
    /// The name is another's.
    NameTaken,
    /// It has another version, or is gone.
    Conflict,
}

/// A rule and a subject that are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    pub rule: Rule,
    /// `provider:ID`, `user:ID`, …: what it concerns.
    pub subject: String,
    pub watch: Watch,
    /// One line for people.
    pub title: String,
}

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Time-ordered; the same at every delivery.
    pub id: Uuid,
    pub rule: Rule,
    pub subject: String,
    pub event: Event,
    pub title: String,
    /// What to look at and what to do.
    pub detail: String,
    pub at: UnixMs,
}

/// What a look has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Watches as they are now.
    pub watches: Vec<AlertRow>,
    /// Rule and subject of watches that can be forgotten.
    pub over: Vec<(Rule, String)>,
    pub told: Vec<Notification>,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    Waiting,
    Delivered,
    /// Given up.
    Failed,
}

/// A notification on its way to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub notification: Notification,
    pub webhook: Uuid,
    pub state: DeliveryState,
    pub attempts: u32,
    pub next_at: UnixMs,
    /// Of the last answer.
    pub status: Option<u16>,
    /// Why the last attempt failed, or empty.
    pub error: String,
    pub updated_at: UnixMs,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    pub notification: Uuid,
    pub webhook: Uuid,
    pub state: DeliveryState,
    pub next_at: UnixMs,
    pub status: Option<u16>,
    pub error: String,
}

/// Which deliveries are listed, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    pub webhook: Option<Uuid>,
    pub state: Option<DeliveryState>,
    /// Of notifications older than this one.
    pub before: Option<Uuid>,
}

/// How calls ended lately, as their callers saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFacts {
    /// In the last 5 min, of providers of which some call failed in it.
    pub last_5_min: Vec<ProviderCalls>,
    /// Calls with 429 in the last minute.
    pub rate_limited_in_1_min: u64,
    /// Error statuses in the last hour, by provider and status.
    pub statuses_in_1_h: Vec<(ProviderId, u16, u64)>,
    /// Providers whose last calls all ended with 5xx, as many as were asked for.
    pub failing: Vec<ProviderId>,
    /// Who called in the last 10 min, and who served it last. Of very many some are left out.
    pub active: Vec<(UserId, KeyId, Option<ProviderId>)>,
}

/// Calls of one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderCalls {
    pub provider: ProviderId,
    pub calls: u64,
    /// That the provider or the way to it is to blame for: 5xx, 429, streams that broke off.
    pub failed: u64,
}

/// The part of the store that tells operators of trouble. See the module.
#[async_trait]
pub trait Alerts: Send + Sync + 'static {
    /// Takes the right to do what has this name, or renews it, until then. None: another owner has it. The fence rises
    /// whenever the owner changes.
    async fn take_lease(
        &self,
        name: &str,
        owner: &str,
        now: UnixMs,
        until: UnixMs,
    ) -> Result<Option<u64>, Error>;

    /// Gives a lease back, if this owner has it.
    async fn release_lease(&self, name: &str, owner: &str) -> Result<(), Error>;

    /// By name.
    async fn webhooks(&self) -> Result<Vec<Webhook>, Error>;

    /// Writes a webhook in the place of the version that it names.
    async fn put_webhook(&self, webhook: &Webhook) -> Result<WebhookWritten, Error>;

    /// With its deliveries. False: there is none.
    async fn delete_webhook(&self, id: Uuid) -> Result<bool, Error>;

    /// Everything that is watched.
    async fn alerts(&self) -> Result<Vec<AlertRow>, Error>;

    /// Writes a look as a whole, with a delivery to each enabled webhook that wants what is told. False, and nothing is
    /// written: the lease of this name is another's, or its fence has risen.
    async fn write_look(&self, lease: (&str, u64), looked: &Looked) -> Result<bool, Error>;

    /// The newest, at most `limit` (at most 1000), older than `before`.
    async fn notifications_told(&self, limit: u32, before: Option<Uuid>) -> Result<Vec<Notification>, Error>;

    /// What is to be delivered now, the longest due first.
    async fn due_deliveries(&self, now: UnixMs, limit: u32) -> Result<Vec<Delivery>, Error>;

    /// How an attempt ended. What was meanwhile deleted stays so.
    async fn delivery_attempted(&self, attempted: &Attempted, at: UnixMs) -> Result<(), Error>;

    async fn deliveries(&self, filter: &DeliveryFilter, limit: u32) -> Result<Vec<Delivery>, Error>;

    /// Deletes what was told before, with its deliveries. How many.
    async fn forget_notifications(&self, before: UnixMs) -> Result<u64, Error>;

    /// How calls ended lately. `in_a_row`: see [`CallFacts::failing`]; looked at for it are providers of which calls failed
    /// lately, and these.
    async fn call_facts(
        &self,
        now: UnixMs,
        in_a_row: u32,
        suspected: &[ProviderId],
    ) -> Result<CallFacts, Error>;
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}
