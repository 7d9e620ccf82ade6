//! Records of failed calls, and the log of all calls that is made of them and the ledger.

use std::ops::RangeInclusive;

use penstock_core::id::{KeyId, ProviderId, RequestId, UserId};
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;

use super::usage::UsageFilter;

/// One record of the failure log.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedCallRow {
    /// Of the call.
    pub id: RequestId,
    /// Counts the records of one call.
    pub number: u32,
    /// The call's own; false: an attempt's.
    pub is_final: bool,
    pub started_at: UnixMs,
    pub user_id: UserId,
    pub key_id: KeyId,
    pub provider_id: Option<ProviderId>,
    pub model: String,
    pub session: Option<String>,
    pub status: u16,
    pub error_type: String,
    pub error_class: String,
    pub duration_ms: u32,
    pub node_id: String,
    /// The line as it was logged, a JSON object.
    pub record: serde_json::Value,
}

/// A page of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogPage {
    /// Newest first. Those that this release cannot read are not among them, so there may be fewer than asked for.
    pub calls: Vec<LoggedCall>,
    /// Older calls are below this id; None: there are none.
    pub older: Option<RequestId>,
}

/// Which calls of the log. None does not restrict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    pub usage: UsageFilter,
    pub session: Option<String>,
    /// What the caller saw.
    pub status: Option<RangeInclusive<u16>>,
    pub slower_than_ms: Option<u32>,
    pub error_type: Option<String>,
    pub error_class: Option<String>,
    /// Of the failure record, the model, the code or an id, in any case; SQLite knows that of ASCII letters only.
    pub grep: Option<String>,
    /// Calls that ended then or later.
    pub ended_since: Option<UnixMs>,
    /// Calls that failed.
    pub failed: bool,
}

/// One call of the log: at least one of the two is there.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedCall {
    pub id: RequestId,
    /// None: the call makes no record in the ledger, or it has not come yet.
    pub usage: Option<UsageRecord>,
    /// None: it did not fail.
    pub failure: Option<FailedCallRow>,
}

impl LogFilter {
    /// All calls of a span.
    pub fn span(from: UnixMs, to: UnixMs) -> Self {
        Self {
            usage: UsageFilter::span(from, to),
            session: None,
            status: None,
            slower_than_ms: None,
            error_type: None,
            error_class: None,
            grep: None,
            ended_since: None,
            failed: false,
        }
    }
}
