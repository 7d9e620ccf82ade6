//! Usage records to be spooled.

use penstock_core::id::{KeyId, RequestId, UserId};
use penstock_core::money::{Millionths, NanoUsd};
use penstock_core::time::UnixMs;
use penstock_core::usage::{Outcome, TokenUsage, UsageRecord};

pub(crate) fn request(n: u64) -> RequestId {
    RequestId::from_parts(n, &[5; 10])
}

pub(crate) fn record(n: u64) -> UsageRecord {
    UsageRecord {
        admitted_at: None,
        id: request(n),
        started_at: UnixMs(1_700_000_000_000),
        user_id: UserId::from_parts(1, &[1; 10]),
        key_id: KeyId::from_parts(1, &[2; 10]),
        provider_id: None,
        dialect: "anthropic".into(),
        model: "claude-sonnet-4-5".into(),
        model_served: "claude-sonnet-4-5".into(),
        stream: true,
        status: 200,
        outcome: Outcome::Succeeded,
        code: None,
        tokens: TokenUsage::default(),
        estimated: false,
        cost: NanoUsd(12),
        price: None,
        cost_multiplier: Millionths::ONE,
        duration_ms: 7,
        first_byte_ms: Some(3),
        attempts: 1,
        session: None,
        revision: 4,
        node_id: "node-1".into(),
        upstream_request_id: None,
        unpriced: None,
        decision: None,
    }
}
