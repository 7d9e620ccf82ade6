//! Costs counted again: what changes in the ledger, and how far it is.

use penstock_core::id::{ProviderId, RequestId};
use penstock_core::money::NanoUsd;
use penstock_core::setting::UnpricedAction;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use uuid::Uuid;

/// What a call costs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCharge {
    pub cost: NanoUsd,
    pub price: Option<(String, u64)>,
    pub unpriced: Option<UnpricedAction>,
}

/// A record as it was read, and what it shall cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recharge {
    pub record: UsageRecord,
    pub charge: NewCharge,
}

/// A backfill and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceBackfill {
    pub id: Uuid,
    pub actor: String,
    pub reason: String,
    pub started_at: UnixMs,
    /// None: under way, or broken off.
    pub finished_at: Option<UnixMs>,
    /// Inclusive.
    pub from: UnixMs,
    /// Exclusive.
    pub to: UnixMs,
    /// As it was asked for. None: all.
    pub model: Option<String>,
    pub provider: Option<ProviderId>,
    /// The last record that was looked at.
    pub through: Option<RequestId>,
    pub scanned: u64,
    pub changed: u64,
    pub skipped: u64,
    pub before: NanoUsd,
    pub after: NanoUsd,
}
